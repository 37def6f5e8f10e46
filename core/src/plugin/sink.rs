//! Decision sinks: the smallest useful plugin.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{Inbox, Plugin, PluginConfig, Roles, Signal};
use crate::decision::{BatchSettings, Delivery, EncodedEvent, SinkHandle};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::status::State;

/// Batches that wait for a sink; `decision-logs` buffers, so few are enough.
const CAPACITY: usize = 4;

/// Takes decision events that `decision_logs.plugin: NAME` sends to it (one of several, perhaps); configured at `plugins.NAME`.
pub trait DecisionSink: Sized + Send + 'static {
    /// Its name in the configuration.
    const NAME: &'static str;

    /// Its configuration.
    type Config: PluginConfig;

    /// Makes the sink. Quick; claims nothing.
    ///
    /// # Errors
    /// When it could never work.
    fn build(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// How many events it would like to be given at once; asked once. Events that wait for others wait in the buffer of
    /// decision logs, in memory or on disk, so a batch is all that the sink has to hold.
    fn batch_settings(&self) -> BatchSettings {
        BatchSettings::default()
    }

    /// Takes a batch, in order. The events are masked already. An event may come again: after an error, and with
    /// `buffer_type: disk` after a crash.
    ///
    /// # Errors
    /// An error of kind [`ErrorKind::Unavailable`] has the same batch offered again later; any other drops it, which
    /// is counted. With [`RefusedEvents`](crate::decision::RefusedEvents) as its cause, only so many events count as
    /// dropped, and the sink has taken the others.
    fn write(&mut self, events: &[EncodedEvent]) -> impl Future<Output = Result<(), Error>> + Send;

    /// What the sink does while no batch waits for it, such as following a clock; called over and over, so it ends only
    /// when it has done something. Dropped when a batch comes or the agent stops: what it has begun must not be lost by
    /// that.
    fn idle(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Finishes what it has begun; called once, at the end.
    fn close(self) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}

struct Batch {
    events: Arc<[EncodedEvent]>,
    done: oneshot::Sender<Result<(), Error>>,
}

/// Gives a [`DecisionSink`] the life of a plugin.
pub struct SinkPlugin<S> {
    sink: S,
    host: Host,
    queue: mpsc::Receiver<Batch>,
    handle: Arc<Handle>,
}

struct Handle {
    queue: mpsc::Sender<Batch>,
    batch_settings: BatchSettings,
}

impl SinkHandle for Handle {
    fn write(&self, events: Arc<[EncodedEvent]>) -> Delivery<'_> {
        Box::pin(async move {
            let ended = || Error::new(ErrorKind::Unavailable, "the sink has ended");
            let (done, answer) = oneshot::channel();
            self.queue.send(Batch { events, done }).await.map_err(|_| ended())?;
            answer.await.unwrap_or_else(|_| Err(ended()))
        })
    }

    fn batch_settings(&self) -> BatchSettings {
        self.batch_settings
    }
}

impl<S: DecisionSink> Plugin for SinkPlugin<S> {
    const NAME: &'static str = S::NAME;
    type Config = S::Config;

    fn build(config: S::Config, host: Host) -> Result<Self, Error> {
        let (sender, queue) = mpsc::channel(CAPACITY);
        let sink = S::build(config, host.clone())?;
        let handle = Arc::new(Handle { queue: sender, batch_settings: sink.batch_settings() });
        Ok(Self { sink, host, queue, handle })
    }

    fn roles(&self) -> Roles {
        Roles { decision_sink: Some(self.handle.clone()), ..Roles::default() }
    }

    async fn run(mut self, mut inbox: Inbox<S::Config>) -> Result<(), Error> {
        // What others hold of the handle must not keep the queue open once the roles are withdrawn.
        drop(self.handle);
        self.host.report(State::Ok, None);
        loop {
            tokio::select! {
                Some(batch) = self.queue.recv() => {
                    let result = self.sink.write(&batch.events).await;
                    let _ = batch.done.send(result);
                }
                signal = inbox.recv() => match signal {
                    Signal::Stop(_) => break,
                    Signal::Trigger(reply) => reply.send(Ok(())),
                    Signal::Configure(_, reply) => {
                        reply.send(Err(Error::new(ErrorKind::Internal, "a sink is restarted, not reconfigured")));
                    }
                },
                () = self.sink.idle() => {}
            }
        }
        self.queue.close();
        while let Some(batch) = self.queue.recv().await {
            let result = self.sink.write(&batch.events).await;
            let _ = batch.done.send(result);
        }
        self.sink.close().await
    }
}
