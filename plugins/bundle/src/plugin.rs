//! The plugin: one task that owns what is known of all bundles, and one loader's task for each of them.
//!
//! Loaders download, read and parse on their own. What they bring meets here: candidates that arrive within
//! [`WINDOW`] of each other are activated in one transaction. One that does not fit stays a candidate and is tried
//! again with whatever comes next. An activation may compile many times, so the plugin goes on listening meanwhile; the
//! next one, and a changed configuration, wait until it has settled.

mod pending;
mod worker;

use std::time::Duration;

use regent_core::plugin::{Inbox, Reconfigure, Roles, Signal};
use regent_core::trigger::Subject;
use regent_core::{Error, Host, Plugin};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::asking::Askers;
use crate::config::BundlesConfig;
use crate::loader::trigger_all;
use pending::settled;
use worker::Worker;

/// How long the first candidate waits for others.
const WINDOW: Duration = Duration::from_millis(50);

/// Arrivals that wait for the plugin; more make their loaders wait.
const ARRIVALS: usize = 16;

/// Keeps the configured bundles up to date.
pub struct BundlePlugin {
    config: BundlesConfig,
    host: Host,
    askers: Askers,
}

impl Plugin for BundlePlugin {
    const NAME: &'static str = "bundle";
    const SECTIONS: &'static [&'static str] = &["bundle", "bundles"];
    const RECONFIGURE: Reconfigure = Reconfigure::Live;
    const STAYS: bool = true;
    const TAKES_FIRST_SERVICE: bool = true;
    type Config = BundlesConfig;

    fn build(config: BundlesConfig, host: Host) -> Result<Self, Error> {
        let subjects = config.bundles.keys().cloned().map(Subject::Bundle);
        Ok(Self { askers: Askers::awaiting(subjects), config, host })
    }

    fn roles(&self) -> Roles {
        Roles { triggers: Some(self.askers.role()), ..Roles::default() }
    }

    async fn run(self, mut inbox: Inbox<BundlesConfig>) -> Result<(), Error> {
        let (sender, mut arrivals) = mpsc::channel(ARRIVALS);
        let mut worker = Worker::new(self.host, self.askers, sender);
        worker.configure(self.config, None);
        loop {
            let (due, stale) = (worker.due(), worker.stale_at());
            tokio::select! {
                signal = inbox.recv() => match signal {
                    Signal::Configure(config, reply) => worker.configure(config, Some(reply)),
                    Signal::Trigger(reply) => {
                        let loaders = worker.askers();
                        tokio::spawn(async move { reply.send(trigger_all(loaders).await) });
                    }
                    Signal::Stop(_) => {
                        worker.stop();
                        return Ok(());
                    }
                },
                Some(arrival) = arrivals.recv() => worker.arrive(arrival),
                outcome = settled(&mut worker.pending) => worker.settle(outcome),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => worker.activate(None),
                () = sleep_until(stale.unwrap_or_else(Instant::now)), if stale.is_some() => worker.report(),
            }
        }
    }
}
