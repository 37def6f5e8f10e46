//! A log in Redis: a stream whose ids are the numbers, and a hash with the epoch and the latest number.
//!
//! Redis keeps what it has acknowledged over its own end only if it is told to (`appendonly yes`, `appendfsync always`). If it comes
//! back with less, hubs notice, and have all peers load their data anew.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamRangeReply, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands as _, AsyncConnectionConfig, Client, ClientTlsConfig, RedisError, Script, TlsCertificates};
use regent_core::{Error, ErrorKind};
use regent_data_updates::rpc::new_id;
use tokio::sync::Mutex;

use super::{Extent, Reader, SharedLog, Stored};
use crate::config::BackboneConfig;

/// How long connecting and an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a reader waits for records before it asks again.
const WAIT: Duration = Duration::from_secs(2);

/// Most records that are read at a time.
const AT_ONCE: usize = 256;

/// Adds a record. Without a head what is there is no log, and goes.
const APPEND: &str = r"
local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then
    epoch = ARGV[2]
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[2], 'epoch', epoch, 'seq', 0)
end
if ARGV[1] == '' then return 0 end
local seq = redis.call('HINCRBY', KEYS[2], 'seq', 1)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], seq .. '-0', 'epoch', epoch, 'record', ARGV[1])
return seq
";

/// Gives the log another epoch, and says so in an empty record.
const RENEW: &str = r"
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'epoch', ARGV[2])
local seq = redis.call('HINCRBY', KEYS[2], 'seq', 1)
return redis.call('XADD', KEYS[1], seq .. '-0', 'epoch', ARGV[2], 'record', '')
";

/// A stream.
pub(super) struct RedisLog {
    client: Client,
    keys: Keys,
    append: Script,
    keep: usize,
    /// By which it is written; made when it is needed.
    writer: Mutex<Option<MultiplexedConnection>>,
}

/// Both are in one slot of a cluster.
#[derive(Clone)]
struct Keys {
    stream: String,
    head: String,
}

impl RedisLog {
    pub(super) fn new(config: &BackboneConfig, keep: usize) -> Result<Self, Error> {
        let url = config.url.expose();
        let client = if url.starts_with("rediss") {
            encrypted(config)?
        } else {
            Client::open(url).map_err(|error| broken(&error))?
        };
        let keys = Keys { stream: format!("{{{}}}", config.name), head: format!("{{{}}}:head", config.name) };
        Ok(Self { client, keys, append: Script::new(APPEND), keep, writer: Mutex::default() })
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Error> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        self.client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| failed(&error))
    }

    /// Adds a record; nothing but the head if it is empty.
    async fn add(&self, connection: &mut MultiplexedConnection, text: &str) -> Result<u64, RedisError> {
        let mut add = self.append.key(&self.keys.stream);
        add.key(&self.keys.head).arg(text).arg(new_id()).arg(self.keep);
        add.invoke_async(connection).await
    }
}

fn encrypted(config: &BackboneConfig) -> Result<Client, Error> {
    let read = |path: &std::path::Path| {
        let unreadable =
            |error| Error::new(ErrorKind::Config, format!("cannot read {}", path.display())).caused_by(error);
        std::fs::read(path).map_err(unreadable)
    };
    let root_cert = config.tls.ca_cert.as_deref().map(read).transpose()?;
    let client_tls = match (&config.tls.cert, &config.tls.private_key) {
        (Some(cert), Some(key)) => Some(ClientTlsConfig { client_cert: read(cert)?, client_key: read(key)? }),
        _ => None,
    };
    Client::build_with_tls(config.url.expose(), TlsCertificates { client_tls, root_cert })
        .map_err(|error| broken(&error))
}

impl SharedLog for RedisLog {
    type Reader = RedisReader;

    async fn append(&self, text: &str) -> Result<u64, Error> {
        let mut writer = self.writer.lock().await;
        let mut connection = match writer.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        // One at a time would make each wait for the ones before it.
        *writer = Some(connection.clone());
        drop(writer);
        let added = self.add(&mut connection, text).await;
        if added.is_err() {
            self.writer.lock().await.take();
        }
        added.map_err(|error| failed(&error))
    }

    async fn reader(&self) -> Result<RedisReader, Error> {
        let mut connection = self.connect().await?;
        self.add(&mut connection, "").await.map_err(|error| failed(&error))?;
        Ok(RedisReader { connection, keys: self.keys.clone() })
    }
}

pub(super) struct RedisReader {
    connection: MultiplexedConnection,
    keys: Keys,
}

impl Reader for RedisReader {
    async fn extent(&mut self) -> Result<Extent, Error> {
        let connection = &mut self.connection;
        let (epoch, latest): (Option<String>, Option<u64>) =
            connection.hmget(&self.keys.head, &["epoch", "seq"]).await.map_err(|error| failed(&error))?;
        let (Some(epoch), Some(latest)) = (epoch, latest) else {
            return Err(Error::new(ErrorKind::Unavailable, "the log is gone"));
        };
        let oldest: StreamRangeReply =
            connection.xrange_count(&self.keys.stream, "-", "+", 1).await.map_err(|error| failed(&error))?;
        let first = match oldest.ids.first() {
            Some(record) => number(&record.id)?,
            None => latest + 1,
        };
        Ok(Extent { epoch, first, latest })
    }

    async fn after(&mut self, seq: u64) -> Result<Vec<Stored>, Error> {
        let options =
            StreamReadOptions::default().count(AT_ONCE).block(usize::try_from(WAIT.as_millis()).unwrap_or(1_000));
        let read: Option<StreamReadReply> = self
            .connection
            .xread_options(&[&self.keys.stream], &[format!("{seq}-0")], &options)
            .await
            .map_err(|error| failed(&error))?;
        let records = read.into_iter().flat_map(|read| read.keys).flat_map(|key| key.ids);
        records
            .map(|record| {
                let field = |name| record.get::<String>(name).ok_or_else(foreign);
                Ok(Stored { seq: number(&record.id)?, epoch: field("epoch")?, text: field("record")? })
            })
            .collect()
    }

    async fn renew(&mut self, epoch: &str) -> Result<(), Error> {
        let renew = Script::new(RENEW);
        let mut renew = renew.key(&self.keys.stream);
        renew.key(&self.keys.head).arg(epoch).arg(new_id());
        let _id: redis::Value = renew.invoke_async(&mut self.connection).await.map_err(|error| failed(&error))?;
        Ok(())
    }
}

fn number(id: &str) -> Result<u64, Error> {
    id.strip_suffix("-0").and_then(|number| number.parse().ok()).ok_or_else(foreign)
}

fn foreign() -> Error {
    Error::new(ErrorKind::Protocol, "`hub.backbone.name` names a stream in Redis that is no log of a hub")
}

/// Errors of the address are told without it: it may have a password.
fn broken(error: &RedisError) -> Error {
    Error::new(ErrorKind::Config, format!("`hub.backbone.url` is broken: {}", error.category()))
}

fn failed(error: &RedisError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("Redis: {error}"))
}
