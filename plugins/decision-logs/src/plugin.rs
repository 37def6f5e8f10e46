//! The plugin's life: events come out of the queue, are shaped, and go to every lane.

use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::EncodedEvent;
use regent_core::log_limiter::LogLimiter;
use regent_core::plugin::{Inbox, Plugin, Reconfigure, Reply, Roles, Signal};
use regent_core::status::State;
use regent_core::timer::reached;
use regent_core::{Error, Host};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use crate::ack::{AckSender, LaneAcks};
use crate::config::Config;
use crate::counters::{Count, Counters};
use crate::lanes::Lanes;
use crate::queue::{EventSender, QueuedEvent};
use crate::shape::{Shaped, Shaper, Trouble};

/// Events that are shaped at once. Small, so that signals do not wait long.
const BATCH: usize = 1024;

/// Pause after a batch that nobody waits for, in which the next one fills: waking this task and a thread that may block
/// for every few events would cost more than all that is done with them.
const BATCH_PAUSE: Duration = Duration::from_millis(5);

/// Time that a lane has to finish when a new configuration does without it.
const LANE_GRACE: Duration = Duration::from_secs(5);

/// Bytes of an event from which on it goes to lanes alone; any journal has room for one that is smaller.
const LARGE: usize = 32 << 10;

/// Time between two tries to start lanes that could not start.
const RETRY: Duration = Duration::from_secs(1);

/// Records decisions; configured at `decision_logs`.
pub(crate) struct DecisionLogsPlugin {
    config: Config,
    host: Host,
    sender: Arc<EventSender>,
    queue: mpsc::Receiver<QueuedEvent>,
    counters: Arc<Counters>,
}

impl Plugin for DecisionLogsPlugin {
    const NAME: &'static str = "decision_logs";
    const SECTIONS: &'static [&'static str] = &["decision_logs"];
    const RECONFIGURE: Reconfigure = Reconfigure::Live;
    const TAKES_FIRST_SERVICE: bool = true;
    type Config = Config;

    fn build(config: Config, host: Host) -> Result<Self, Error> {
        let counters = Arc::new(Counters::new(&host.telemetry));
        let (sender, queue) = EventSender::new(&config, counters.clone());
        Ok(Self { config, host, sender, queue, counters })
    }

    fn roles(&self) -> Roles {
        Roles { decision_recorder: Some(self.sender.clone()), ..Roles::default() }
    }

    async fn run(self, mut inbox: Inbox<Config>) -> Result<(), Error> {
        info!(plugin = Self::NAME, "Starting decision logger.");
        let config = self.config.clone();
        let mut worker = Worker::open(self);
        worker.follow(config).await;
        loop {
            tokio::select! {
                signal = inbox.recv() => match signal {
                    Signal::Configure(config, reply) => reply.send(worker.reconfigure(&config).await),
                    Signal::Trigger(reply) => worker.trigger(reply).await?,
                    Signal::Stop(deadline) => return worker.close(deadline).await,
                },
                batch = next_batch(&mut worker.queue, worker.rested) => worker.handle(batch).await?,
                () = reached(worker.retry) => worker.complete().await,
            }
        }
    }
}

/// What the running plugin works with.
struct Worker {
    config: Config,
    host: Host,
    sender: Arc<EventSender>,
    queue: mpsc::Receiver<QueuedEvent>,
    shaper: Arc<Shaper>,
    lanes: Lanes,
    counters: Arc<Counters>,
    notices: Notices,
    /// When lanes that could not start are tried again.
    retry: Option<Instant>,
    /// When the next batch may begin; at once, if nothing is said.
    rested: Option<Instant>,
}

/// Warnings that may become due with every event.
#[derive(Default)]
struct Notices {
    queue: LogLimiter,
    drop: LogLimiter,
    mask: LogLimiter,
}

impl Worker {
    fn open(plugin: DecisionLogsPlugin) -> Self {
        let DecisionLogsPlugin { config, host, sender, queue, counters } = plugin;
        Self {
            shaper: Arc::new(Shaper::new(&config, counters.clone())),
            lanes: Lanes::new(host.clone(), counters.clone()),
            notices: Notices::default(),
            retry: None,
            rested: None,
            config,
            host,
            sender,
            queue,
            counters,
        }
    }

    /// Shapes events and hands them to every lane.
    async fn handle(&mut self, batch: Vec<QueuedEvent>) -> Result<(), Error> {
        self.note_queue();
        let (shaper, labels, size) = (self.shaper.clone(), self.host.settings().labels.clone(), batch.len());
        let is_awaited = batch.iter().any(|arrival| arrival.ack.is_some());
        self.rested = (!is_awaited && size < BATCH).then(|| Instant::now() + BATCH_PAUSE);
        let job = tokio::task::spawn_blocking(move || {
            let (events, acks): (Vec<_>, Vec<_>) = batch.into_iter().map(|a| (a.event, a.ack)).unzip();
            (shaper.shape(&labels, events), acks)
        });
        match job.await {
            Ok((Shaped { events, trouble }, acks)) => {
                self.note(&trouble);
                for Run { events, acks } in runs(events, acks) {
                    let pending = self.lanes.record(events.into()).await?;
                    acknowledge(pending, acks);
                }
                Ok(())
            }
            Err(panic) => {
                self.counters.add(Count::EncodingFailure, size as u64);
                error!(plugin = "decision_logs", events = size, "Log event masking failed: {panic}");
                Ok(())
            }
        }
    }

    /// Hands everything on that was recorded before now.
    async fn drain(&mut self) -> Result<(), Error> {
        let mut left = self.queue.len();
        while left > 0 {
            let mut batch = Vec::new();
            self.queue.recv_many(&mut batch, left.min(BATCH)).await;
            left -= batch.len();
            self.handle(batch).await?;
        }
        Ok(())
    }

    async fn trigger(&mut self, reply: Reply) -> Result<(), Error> {
        self.drain().await?;
        self.lanes.upload(reply).await;
        Ok(())
    }

    async fn reconfigure(&mut self, config: &Config) -> Result<(), Error> {
        self.drain().await?;
        self.sender.reconfigure(config);
        self.shaper = Arc::new(Shaper::new(config, self.counters.clone()));
        self.follow(config.clone()).await;
        Ok(())
    }

    /// Starts and stops lanes as the configuration wants it.
    async fn follow(&mut self, config: Config) {
        warn_about(&config);
        self.config = config;
        self.retry = None;
        self.complete().await;
    }

    /// Starts lanes that are not there yet. While one cannot start, the plugin is in error, and tries again.
    async fn complete(&mut self) {
        let is_first = self.retry.is_none();
        let started = self.lanes.reconfigure(&self.config, Instant::now() + LANE_GRACE).await;
        self.retry = started.is_err().then(|| Instant::now() + RETRY);
        match started {
            Ok(()) => self.host.report(State::Ok, None),
            Err(error) => {
                if is_first {
                    error!(plugin = "decision_logs", "{}", error.chain());
                }
                self.host.report(State::Error, Some(error.chain()));
            }
        }
    }

    async fn close(mut self, deadline: Instant) -> Result<(), Error> {
        info!(plugin = "decision_logs", "Stopping decision logger.");
        self.queue.close();
        let drained = self.drain().await;
        self.note_queue();
        self.lanes.close(deadline).await;
        self.counters.forget_sinks();
        drained
    }

    fn note_queue(&mut self) {
        if let Some(n) = self.notices.queue.due(self.sender.dropped()) {
            error!(
                plugin = "decision_logs",
                "Dropped {n} events from buffer. They came faster than they can be masked."
            );
        }
    }

    fn note(&mut self, trouble: &Trouble) {
        let times = self.notices.drop.due(trouble.drop);
        if let (Some(events), Some(why)) = (times, &trouble.drop_error) {
            warn!(plugin = "decision_logs", events, "Log drop decision failed: {why}");
        }
        let times = self.notices.mask.due(trouble.mask);
        if let (Some(events), Some(why)) = (times, &trouble.mask_error) {
            warn!(plugin = "decision_logs", events, "Log event masking failed: {why}");
        }
    }
}

/// The next events in the queue, not before the given moment; never any, once it is closed and empty.
async fn next_batch(queue: &mut mpsc::Receiver<QueuedEvent>, rested: Option<Instant>) -> Vec<QueuedEvent> {
    if let Some(moment) = rested {
        sleep_until(moment).await;
    }
    let mut batch = Vec::new();
    if queue.recv_many(&mut batch, BATCH).await == 0 {
        std::future::pending::<()>().await;
    }
    batch
}

/// Events that go to lanes together, and who waits for them.
#[derive(Default)]
struct Run {
    events: Vec<EncodedEvent>,
    acks: Vec<AckSender>,
}

/// Cuts events into runs, so that none shares the fate of an event that may be too large for a journal.
fn runs(events: Vec<Option<EncodedEvent>>, acks: Vec<Option<AckSender>>) -> Vec<Run> {
    let mut runs = vec![Run { events: Vec::with_capacity(events.len()), acks: Vec::new() }];
    for (event, ack) in events.into_iter().zip(acks) {
        let is_large = event.as_ref().is_some_and(|event| event.json().len() > LARGE);
        if is_large {
            runs.push(Run::default());
        }
        if let Some(run) = runs.last_mut() {
            run.events.extend(event);
            run.acks.extend(ack);
        }
        if is_large {
            runs.push(Run::default());
        }
    }
    runs
}

/// Acknowledges events to those that wait, once all lanes have.
fn acknowledge(pending: LaneAcks, acks: Vec<AckSender>) {
    if acks.is_empty() {
        return;
    }
    tokio::spawn(async move {
        let result = pending.all().await;
        for ack in acks {
            let _ = ack.send(result.clone());
        }
    });
}

fn warn_about(config: &Config) {
    if let Some(warning) = config.reporting.upload_limit_warning() {
        warn!(plugin = "decision_logs", "{warning}");
    }
    if let Some(service) = config.service.as_ref().filter(|_| config.is_guessed) {
        warn!(plugin = "decision_logs", service, "no service named for decision logs, taking the first of several");
    }
}
