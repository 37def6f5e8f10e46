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

/// A log that several hubs share.
pub(crate) trait SharedLog: Send + Sync + 'static {
    /// A connection by which it is read.
    type Reader: Reader;

    /// Adds a record; it is safe there when its number comes.
    fn append(&self, text: &str) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Connects anew, to read; makes the log if there is none.
    fn reader(&self) -> impl Future<Output = Result<Self::Reader, Error>> + Send;
}

/// A connection by which a hub reads the log. Once something has failed it is to be dropped.
pub(crate) trait Reader: Send {
    /// What there is.
    fn extent(&mut self) -> impl Future<Output = Result<Extent, Error>> + Send;

    /// Records after that number, in order; waits for some, and gives none after a while.
    fn after(&mut self, seq: u64) -> impl Future<Output = Result<Vec<Stored>, Error>> + Send;

    /// Gives the log another epoch if that one is still its own, because what hubs have seen of it is gone.
    fn renew(&mut self, epoch: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// That part of a shared log that publishers need, whatever its kind.
pub(crate) trait Append: Send + Sync {
    /// As [`SharedLog::append`].
    fn append<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<u64, Error>>;
}

impl<L: SharedLog> Append for L {
    fn append<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<u64, Error>> {
        Box::pin(SharedLog::append(self, text))
    }
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
    Shared { log: Arc<dyn Append>, health: Health, task: JoinHandle<()> },
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
        let url = shared.url.expose();
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        let way = (config.log.max_updates, exchange, stats);
        match scheme {
            #[cfg(feature = "redis")]
            "redis" | "rediss" => Ok(Self::shared(redis::RedisLog::new(shared, way.0)?, way)),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Ok(Self::shared(postgres::PostgresLog::new(shared, way.0)?, way)),
            #[cfg(feature = "nats")]
            "nats" | "tls" => Ok(Self::shared(nats::NatsLog::new(shared, way.0)?, way)),
            _ => Err(Error::new(ErrorKind::Config, format!("`hub.backbone.url`: nobody knows {scheme:?}"))),
        }
    }

    #[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
    fn shared(log: impl SharedLog, (keep, exchange, stats): (usize, ExchangeHandle, Stats)) -> Self {
        let (log, health) = (Arc::new(log), Health::default());
        let task = tokio::spawn(follow::follow(log.clone(), keep, exchange, health.clone(), stats));
        Self::Shared { log, health, task }
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
