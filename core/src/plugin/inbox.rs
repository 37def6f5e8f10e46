//! What a running plugin is told.

use std::any::Any;
use std::marker::PhantomData;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};

/// Signals that wait for a plugin; more make the sender wait.
const CAPACITY: usize = 8;

/// What a running plugin is told.
pub enum Signal<C> {
    /// Take this configuration in place of the present one. Only for [`super::Reconfigure::Live`].
    Configure(C, Reply),
    /// Do now what is otherwise done from time to time.
    Trigger(Reply),
    /// Finish before the moment, and end.
    Stop(Instant),
}

/// Answers a signal.
pub struct Reply(oneshot::Sender<Result<(), Error>>);

impl Reply {
    /// Says how it went. Nobody may be waiting any more, which is fine.
    pub fn send(self, result: Result<(), Error>) {
        let _ = self.0.send(result);
    }
}

enum Raw {
    Configure(Box<dyn Any + Send>, Reply),
    Trigger(Reply),
    Stop(Instant),
}

/// The receiving end of a plugin's signals.
pub struct Inbox<C> {
    signals: mpsc::Receiver<Raw>,
    config: PhantomData<fn() -> C>,
}

impl<C: 'static> Inbox<C> {
    /// The next signal. When nobody is left who could send one, that is a stop without time left.
    pub async fn recv(&mut self) -> Signal<C> {
        loop {
            match self.signals.recv().await {
                None => return Signal::Stop(Instant::now()),
                Some(Raw::Stop(deadline)) => return Signal::Stop(deadline),
                Some(Raw::Trigger(reply)) => return Signal::Trigger(reply),
                Some(Raw::Configure(config, reply)) => match config.downcast::<C>() {
                    Ok(config) => return Signal::Configure(*config, reply),
                    Err(_) => reply.send(Err(Error::new(ErrorKind::Internal, "configuration of another plugin"))),
                },
            }
        }
    }
}

/// The sending end of a plugin's signals.
#[derive(Clone)]
pub struct Mailbox(mpsc::Sender<Raw>);

impl Mailbox {
    /// Both ends.
    pub fn new<C>() -> (Self, Inbox<C>) {
        let (sender, signals) = mpsc::channel(CAPACITY);
        (Self(sender), Inbox { signals, config: PhantomData })
    }

    /// Hands over a configuration of the plugin's own type and waits for the answer.
    ///
    /// # Errors
    /// When the plugin refuses it or has ended.
    pub async fn configure(&self, config: Box<dyn Any + Send>) -> Result<(), Error> {
        self.ask(|reply| Raw::Configure(config, reply)).await
    }

    /// Asks the plugin to do its periodic work now and waits until it is done.
    ///
    /// # Errors
    /// What the work fails with, or that the plugin has ended.
    pub async fn trigger(&self) -> Result<(), Error> {
        self.ask(Raw::Trigger).await
    }

    /// Tells the plugin to end before the moment.
    pub async fn stop(&self, deadline: Instant) {
        let _ = self.0.send(Raw::Stop(deadline)).await;
    }

    /// Whether the plugin has ended.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    async fn ask(&self, signal: impl FnOnce(Reply) -> Raw) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let ended = || Error::new(ErrorKind::Unavailable, "the plugin has ended");
        self.0.send(signal(Reply(reply))).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}
