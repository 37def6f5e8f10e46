//! All receivers of events, as the configuration wants them.

use std::sync::Arc;

use regent_core::plugin::Reply;
use regent_core::{Error, ErrorKind, Host};
use tokio::time::Instant;
use tracing::debug;

use crate::config::Config;
use crate::counters::{Count, Counters};
use crate::lane::{Batch, Console, Fifo, FifoOrder, Lane, LaneOrder as _, Named, Settings, UploadOrder, Uploader};

/// The lanes that run. Each may be absent.
pub(crate) struct Lanes {
    console: Option<Lane<FifoOrder>>,
    plugin: Option<(String, Lane<FifoOrder>)>,
    service: Option<(Settings, Lane<UploadOrder>)>,
}

impl Lanes {
    /// Starts the lanes that the configuration asks for.
    pub(crate) fn open(config: &Config, host: &Host, counters: &Arc<Counters>) -> Self {
        Self {
            console: config.console.then(|| console(counters)),
            plugin: config.plugin.clone().map(|name| (name.clone(), plugin(name, host, counters))),
            service: Settings::of(config).map(|settings| (settings.clone(), service(settings, host, counters))),
        }
    }

    /// Hands events to every lane.
    ///
    /// # Errors
    /// When a lane has ended by itself, which is a bug in it.
    pub(crate) async fn record(&self, events: Batch) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let mut alive = true;
        for lane in self.console.iter().chain(self.plugin.iter().map(|(_, lane)| lane)) {
            alive &= lane.tell(FifoOrder::events(events.clone())).await;
        }
        if let Some((_, lane)) = &self.service {
            alive &= lane.tell(UploadOrder::events(events)).await;
        }
        if alive { Ok(()) } else { Err(Error::new(ErrorKind::Internal, "a receiver's task has ended")) }
    }

    /// Uploads now; the reply says how it went.
    pub(crate) async fn upload(&self, reply: Reply) {
        match &self.service {
            Some((_, lane)) => drop(lane.tell(UploadOrder::Upload(reply)).await),
            None => reply.send(Ok(())),
        }
    }

    /// Makes the lanes those that the configuration asks for. Lanes that stay keep their events; those that go have
    /// until the deadline to deliver them.
    pub(crate) async fn reconfigure(
        &mut self,
        config: &Config,
        host: &Host,
        counters: &Arc<Counters>,
        deadline: Instant,
    ) {
        if self.console.is_some() != config.console {
            stop(self.console.take(), deadline).await;
            self.console = config.console.then(|| console(counters));
        }
        if self.plugin.as_ref().map(|(name, _)| name) != config.plugin.as_ref() {
            stop(self.plugin.take().map(|(_, lane)| lane), deadline).await;
            self.plugin = config.plugin.clone().map(|name| (name.clone(), plugin(name, host, counters)));
        }
        self.reconfigure_service(Settings::of(config), host, counters, deadline).await;
    }

    async fn reconfigure_service(
        &mut self,
        wanted: Option<Settings>,
        host: &Host,
        counters: &Arc<Counters>,
        deadline: Instant,
    ) {
        match (&mut self.service, wanted) {
            (Some((present, _)), Some(wanted)) if *present == wanted => {
                debug!(plugin = "decision_logs", "Decision log uploader configuration unchanged.");
            }
            (Some((present, lane)), Some(wanted)) => {
                lane.tell(UploadOrder::Configure(wanted.clone())).await;
                *present = wanted;
            }
            (_, wanted) => {
                stop(self.service.take().map(|(_, lane)| lane), deadline).await;
                self.service = wanted.map(|settings| (settings.clone(), service(settings, host, counters)));
            }
        }
    }

    /// Lets all lanes finish at the same time, before the deadline.
    pub(crate) async fn close(self, deadline: Instant) {
        tokio::join!(
            stop(self.console, deadline),
            stop(self.plugin.map(|(_, lane)| lane), deadline),
            stop(self.service.map(|(_, lane)| lane), deadline),
        );
    }
}

async fn stop<O: crate::lane::LaneOrder>(lane: Option<Lane<O>>, deadline: Instant) {
    if let Some(lane) = lane {
        lane.stop(deadline).await;
    }
}

fn console(counters: &Arc<Counters>) -> Lane<FifoOrder> {
    let fifo = Fifo::new("console".to_owned(), Arc::new(Console), Count::ConsoleBuffer, counters.clone());
    Lane::start(|orders| fifo.run(orders))
}

fn plugin(name: String, host: &Host, counters: &Arc<Counters>) -> Lane<FifoOrder> {
    let sink = Arc::new(Named::new(name.clone(), host.clone()));
    let fifo = Fifo::new(name, sink, Count::PluginBuffer, counters.clone());
    Lane::start(|orders| fifo.run(orders))
}

fn service(settings: Settings, host: &Host, counters: &Arc<Counters>) -> Lane<UploadOrder> {
    let uploader = Uploader::new(host.clone(), settings, counters.clone());
    Lane::start(|orders| uploader.run(orders))
}
