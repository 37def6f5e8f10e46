//! The plugin: keeps the agent connected, and its data up to date.

use std::sync::Arc;

use regent_core::plugin::Inbox;
use regent_core::{Error, Host, Plugin};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::connection;
use crate::http::HttpFetcher;
use crate::job::Tools;
use crate::report::Reporter;
use crate::worker::{Counters, Worker};

/// News that waits for the worker.
const NEWS: usize = 64;

/// Receives updates of data.
pub struct DataUpdates {
    config: Arc<Config>,
    host: Host,
    tools: Arc<Tools>,
}

impl Plugin for DataUpdates {
    const NAME: &'static str = "data_updates";
    const SECTIONS: &'static [&'static str] = &["data_updates"];
    type Config = Config;

    fn build(config: Config, host: Host) -> Result<Self, Error> {
        let fetchers = host.data_fetchers.build(config.fetchers.clone())?;
        let tools = Arc::new(Tools::new(&config, fetchers, host.store.clone()));
        Ok(Self { config: Arc::new(config), host, tools })
    }

    async fn run(self, inbox: Inbox<Config>) -> Result<(), Error> {
        let Self { config, host, tools } = self;
        let (sender, events) = mpsc::channel(NEWS);
        // Ends with this future.
        let mut connections = JoinSet::new();
        connections.spawn(connection::keep(config.clone(), sender));
        let client = Arc::new(HttpFetcher::of_the_server(config.tls.clone()));
        let telemetry = &host.telemetry;
        telemetry.describe_counter("data_updates", "Updates of data that were published to the agent.");
        telemetry.describe_counter("data_update_entries", "Entries of updates and of base data.");
        telemetry.describe_counter("data_update_reports_dropped", "Reports of updates that did not reach a callback.");
        let updates = |what: &str| telemetry.counter("data_updates", &[("result", what.to_owned())]);
        let entries = |what: &str| telemetry.counter("data_update_entries", &[("result", what.to_owned())]);
        let counters = Counters {
            received: updates("received"),
            repeated: updates("repeated"),
            refused: updates("refused"),
            saved: entries("saved"),
            failed: entries("failed"),
        };
        let reporter =
            Reporter::new(config.clone(), client.clone(), telemetry.counter("data_update_reports_dropped", &[]));
        Worker::new(config, host.clone(), tools, client, reporter, counters).run(inbox, events).await;
        Ok(())
    }
}
