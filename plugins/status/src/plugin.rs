//! The plugin's life: waits for something to report, and sends it.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use regent_core::plugin::{Inbox, Plugin, Reconfigure, Reply, Signal};
use regent_core::status::{Cause, Report, State};
use regent_core::{Error, ErrorKind, Host, Value};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use crate::body::body;
use crate::config::Config;
use crate::error::ReportError;
use crate::families::Families;
use crate::receivers::deliver;

/// How long before the deadline the last report is given up, so that it can still be said.
const FAREWELL: Duration = Duration::from_millis(100);

/// Reports how the agent fares; configured at `status`.
pub struct StatusPlugin {
    config: Config,
    host: Host,
}

impl Plugin for StatusPlugin {
    const NAME: &'static str = "status";
    const SECTIONS: &'static [&'static str] = &["status"];
    const RECONFIGURE: Reconfigure = Reconfigure::Live;
    const TAKES_FIRST_SERVICE: bool = true;
    type Config = Config;

    fn build(config: Config, host: Host) -> Result<Self, Error> {
        Ok(Self { config, host })
    }

    async fn run(self, mut inbox: Inbox<Config>) -> Result<(), Error> {
        info!(plugin = Self::NAME, "Starting status reporter.");
        let mut worker = Worker::open(self.config, self.host);
        worker.host.report(State::Ok, None);
        loop {
            tokio::select! {
                signal = inbox.recv() => match signal {
                    Signal::Configure(config, reply) => {
                        worker.reconfigure(config);
                        reply.send(Ok(()));
                    }
                    Signal::Trigger(reply) => worker.trigger(reply),
                    Signal::Stop(deadline) => return worker.close(deadline).await,
                },
                changed = worker.changes.changed() => match changed {
                    Ok(()) => worker.notice(),
                    Err(_) => return Ok(()),
                },
                result = done(&mut worker.sending) => worker.settle(result),
            }
        }
    }
}

/// What the running plugin works with.
struct Worker {
    config: Config,
    host: Host,
    changes: watch::Receiver<Report>,
    families: Families,
    sending: Option<Sending>,
    /// Why there is a report to send once the present one has gone.
    waiting: Option<&'static str>,
    /// Who waits for a report that has not been sent yet.
    callers: Vec<Reply>,
    /// Reports that newer ones took the place of. Events in quick succession wake the plugin once; those count as one.
    replaced: u64,
}

/// A report on its way.
struct Sending {
    reason: &'static str,
    callers: Vec<Reply>,
    done: Pin<Box<dyn Future<Output = Result<(), ReportError>> + Send>>,
}

impl Worker {
    fn open(config: Config, host: Host) -> Self {
        warn_about(&config);
        let mut changes = host.status.watch();
        changes.mark_changed();
        let families = Families::new(host.settings().identity.version.clone(), buckets(&config));
        Self { config, host, changes, families, sending: None, waiting: None, callers: Vec::new(), replaced: 0 }
    }

    /// Something was reported.
    fn notice(&mut self) {
        let report = self.changes.borrow_and_update().clone();
        self.families.observe(&report);
        if self.config.is_manual() {
            self.body();
            return;
        }
        self.ask_for(reason(report.cause));
    }

    fn trigger(&mut self, reply: Reply) {
        self.callers.push(reply);
        self.ask_for("manual trigger");
    }

    /// Sends a report, now or when the one that is on its way has arrived.
    fn ask_for(&mut self, reason: &'static str) {
        if self.sending.is_none() {
            self.send(reason);
        } else if self.waiting.replace(reason).is_some() {
            self.replaced += 1;
        }
    }

    fn send(&mut self, reason: &'static str) {
        let body = self.body();
        let done = Box::pin(deliver(self.host.clone(), self.config.clone(), body));
        self.sending = Some(Sending { reason, callers: std::mem::take(&mut self.callers), done });
    }

    /// The newest report, which others can read from now on.
    fn body(&mut self) -> Value {
        let report = self.host.status.report();
        let families = if self.config.prometheus { self.families.render(&report) } else { String::new() };
        self.host.telemetry.set_families("status", &families);
        let body = body(&self.host, &report, self.replaced);
        self.host.status.publish(body.clone());
        body
    }

    fn settle(&mut self, result: Result<(), ReportError>) {
        let Some(sending) = self.sending.take() else { return };
        match &result {
            Ok(()) => info!(plugin = "status", "Status update sent successfully in response to {}.", sending.reason),
            Err(error) => error!(plugin = "status", "{error}."),
        }
        let text = result.err().map(|error| error.to_string());
        for caller in sending.callers {
            let outcome = text.clone().map_or(Ok(()), |text| Err(Error::new(ErrorKind::Unavailable, text)));
            caller.send(outcome);
        }
        if let Some(reason) = self.waiting.take() {
            self.send(reason);
        }
    }

    fn reconfigure(&mut self, config: Config) {
        if self.config != config {
            info!(plugin = "status", "Status reporter configuration changed.");
            warn_about(&config);
            self.families.set_buckets(buckets(&config));
            self.config = config;
            self.changes.mark_changed();
        }
    }

    /// Sends the newest report a last time.
    async fn close(mut self, deadline: Instant) -> Result<(), Error> {
        info!(plugin = "status", "Stopping status reporter.");
        if !self.config.is_manual() {
            let early = deadline - FAREWELL.min(deadline.saturating_duration_since(Instant::now()) / 5);
            self.send_last(early).await;
        }
        self.host.status.unpublish();
        self.host.telemetry.set_families("status", "");
        Ok(())
    }

    async fn send_last(&mut self, deadline: Instant) {
        let present = self.sending.take();
        let body = self.body();
        let last = deliver(self.host.clone(), self.config.clone(), body);
        let both = async {
            if let Some(present) = present {
                let _ = present.done.await;
            }
            last.await
        };
        match timeout_at(deadline, both).await {
            Ok(Ok(())) => info!(plugin = "status", "Final status update sent successfully."),
            Ok(Err(error)) => error!(plugin = "status", "{error}."),
            Err(_) => error!(plugin = "status", "Status Plugin stopped with statuses possibly not sent."),
        }
    }
}

/// The outcome of the report on its way; never, if there is none.
async fn done(sending: &mut Option<Sending>) -> Result<(), ReportError> {
    match sending {
        Some(sending) => sending.done.as_mut().await,
        None => pending().await,
    }
}

fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Plugin => "plugin update",
        Cause::Bundle => "bundle update",
        Cause::Discovery => "discovery update",
        Cause::DecisionLogs => "decision log update",
    }
}

fn buckets(config: &Config) -> Vec<f64> {
    config.prometheus_config.collectors.bundle_loading_duration_ns.buckets.clone()
}

fn warn_about(config: &Config) {
    if let Some(service) = config.service.as_ref().filter(|_| config.is_guessed) {
        warn!(plugin = "status", service, "no service named for status, taking the first of several");
    }
}
