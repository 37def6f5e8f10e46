//! Where what is published gets its number, the same for all hubs that share a backbone, and from where every hub takes it.

mod follow;
mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

use std::sync::Arc;

use regent_core::service::BoxFuture;
use regent_core::{Error, ErrorKind};
use regent_data_updates::rpc::Position;
use tokio::task::JoinHandle;

use crate::config::HubConfig;
use crate::exchange::ExchangeHandle;
use crate::stats::Stats;
pub(crate) use follow::Health;
use memory::Memory;

/// What addresses of backbones begin with.
pub(crate) const SCHEMES: &[&str] = &[
    #[cfg(feature = "redis")]
    "redis://",
    #[cfg(feature = "redis")]
    "rediss://",
    #[cfg(feature = "postgres")]
    "postgres://",
    #[cfg(feature = "postgres")]
    "postgresql://",
    #[cfg(feature = "nats")]
    "nats://",
    #[cfg(feature = "nats")]
    "tls://",
];

pub(crate) fn is_known(url: &str) -> bool {
    SCHEMES.iter().any(|scheme| url.starts_with(scheme))
}

/// What comes from a backbone.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// The log is another one than before, or something of it is missing: it begins after that place.
    Begins(Position),
    /// The next publication.
    Record { seq: u64, text: String },
    /// Whatever had been published when the log began has come.
    Complete,
}

/// A log that several hubs share.
pub(crate) trait SharedLog: Send + Sync + 'static {
    /// Adds a record; it is safe there when its number comes.
    fn append<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<u64, Error>>;

    /// Connects anew, to read.
    fn reader(&self) -> BoxFuture<'_, Result<Box<dyn Reader>, Error>>;
}

/// A connection by which a hub reads the log. Once something has failed it is to be dropped.
pub(crate) trait Reader: Send {
    /// What there is; makes the log if there is none.
    fn extent(&mut self) -> BoxFuture<'_, Result<Extent, Error>>;

    /// Records after that number, in order; waits for some, and gives none after a while, so that a dead connection is found out.
    fn after(&mut self, seq: u64) -> BoxFuture<'_, Result<Vec<Stored>, Error>>;

    /// Gives the log another epoch if that one is still its own, because what hubs have seen of it is gone.
    fn renew<'a>(&'a mut self, epoch: &'a str) -> BoxFuture<'a, Result<(), Error>>;
}

/// Which part of a log there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) epoch: String,
    /// The number of the oldest record; that after the latest if there is none.
    pub(crate) first: u64,
    pub(crate) latest: u64,
}

/// A record in a log.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) seq: u64,
    pub(crate) epoch: String,
    /// Empty if it only marks that the epoch is another one.
    pub(crate) text: String,
}

/// Where a hub publishes.
pub(crate) enum Backbone {
    /// It is alone.
    Memory(Memory),
    /// It shares a log.
    Shared { log: Arc<dyn SharedLog>, health: Health, task: JoinHandle<()> },
}

impl Backbone {
    /// Begins to bring what is published to the exchange.
    ///
    /// # Errors
    /// When the address of a shared one is broken.
    pub(crate) async fn start(config: &HubConfig, exchange: ExchangeHandle, stats: Stats) -> Result<Self, Error> {
        let Some(shared) = &config.backbone else {
            stats.backbone(true);
            return Ok(Self::Memory(Memory::start(exchange).await));
        };
        let log = open(shared, config.log.max_updates)?;
        let health = Health::default();
        let task = tokio::spawn(follow::follow(log.clone(), config.log.max_updates, exchange, health.clone(), stats));
        Ok(Self::Shared { log, health, task })
    }

    /// Publishes; gives its number once it is safe.
    ///
    /// # Errors
    /// When the backbone is away. What was to be published may be there all the same.
    pub(crate) async fn append(&self, text: &str) -> Result<u64, Error> {
        match self {
            Self::Memory(memory) => Ok(memory.append(text).await),
            Self::Shared { log, health, .. } => {
                if !health.is_up() {
                    return Err(Error::new(ErrorKind::Unavailable, "the backbone is away"));
                }
                log.append(text).await
            }
        }
    }

    /// Whether what is published reaches everyone.
    pub(crate) fn is_up(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Shared { health, .. } => health.is_up(),
        }
    }
}

impl Drop for Backbone {
    fn drop(&mut self) {
        if let Self::Shared { task, .. } = self {
            task.abort();
        }
    }
}

#[cfg_attr(
    not(any(feature = "nats", feature = "postgres", feature = "redis")),
    expect(unused_variables, reason = "there is no kind of backbone")
)]
fn open(config: &crate::config::BackboneConfig, keep: usize) -> Result<Arc<dyn SharedLog>, Error> {
    let url = config.url.expose();
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    match scheme {
        #[cfg(feature = "redis")]
        "redis" | "rediss" => Ok(Arc::new(redis::RedisLog::new(config, keep)?)),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Arc::new(postgres::PostgresLog::new(config, keep)?)),
        #[cfg(feature = "nats")]
        "nats" | "tls" => Ok(Arc::new(nats::NatsLog::new(config, keep)?)),
        _ => Err(Error::new(ErrorKind::Config, format!("`hub.backbone.url`: nobody knows {scheme:?}"))),
    }
}
