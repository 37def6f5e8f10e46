//! A log in PostgreSQL: a table of records, and one row with the epoch and the latest number. Readers are told of news by `NOTIFY`,
//! which carries a number and not the record, so that it may be of any size.
//!
//! Whoever adds a record holds the row until it is there, so numbers become visible in order and without gaps.

use std::future::poll_fn;
use std::time::Duration;

use regent_core::error::chain;
use regent_core::{Error, ErrorKind};
use regent_data_updates::rpc::new_id;
use regent_services::tls::TlsFiles;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config as Target};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Extent, Reader, SharedLog, Stored};
use crate::config::BackboneConfig;

/// How long connecting and a statement may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a reader waits to be told of news before it looks itself.
const WAIT: Duration = Duration::from_secs(2);

/// Most records that are read at a time.
const AT_ONCE: i64 = 256;

/// Records are taken away when so many have come.
const TRIMMED_EVERY: u64 = 256;

/// Two tables.
pub(super) struct PostgresLog {
    target: Target,
    tls: TlsFiles,
    sql: Sql,
    keep: u64,
    /// By which it is written; made when it is needed.
    writer: Mutex<Option<Connection>>,
}

/// Statements with the names of the tables in them.
#[derive(Clone)]
struct Sql {
    create: String,
    append: String,
    trim: String,
    extent: String,
    after: String,
    renew: String,
    listen: String,
}

impl Sql {
    /// The name is made of letters, digits and `_`.
    fn new(name: &str) -> Self {
        let append = format!(
            "WITH head AS (UPDATE {name}_head SET seq = seq + 1 WHERE epoch = coalesce(nullif($2, ''), epoch) RETURNING epoch, seq) \
             INSERT INTO {name} (seq, epoch, record) SELECT seq, epoch, $1 FROM head RETURNING seq, pg_notify('{name}', '')"
        );
        Self {
            // Two that make it at the same time would get into each other's way.
            create: format!(
                "SELECT pg_advisory_xact_lock(hashtext('{name}')); \
                 CREATE TABLE IF NOT EXISTS {name} (seq bigint PRIMARY KEY, epoch text NOT NULL, record text NOT NULL); \
                 CREATE TABLE IF NOT EXISTS {name}_head (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), \
                 epoch text NOT NULL, seq bigint NOT NULL); \
                 INSERT INTO {name}_head (epoch, seq) VALUES (md5(random()::text || clock_timestamp()::text), 0) ON CONFLICT DO NOTHING"
            ),
            trim: format!("DELETE FROM {name} WHERE seq <= $1"),
            extent: format!("SELECT epoch, seq, coalesce((SELECT min(seq) FROM {name}), seq + 1) FROM {name}_head"),
            after: format!("SELECT seq, epoch, record FROM {name} WHERE seq > $1 ORDER BY seq LIMIT {AT_ONCE}"),
            renew: format!("UPDATE {name}_head SET epoch = $2 WHERE epoch = $1"),
            listen: format!("LISTEN {name}"),
            append,
        }
    }
}

impl PostgresLog {
    pub(super) fn new(config: &BackboneConfig, keep: usize) -> Result<Self, Error> {
        // What the address says is not repeated: it may have a password.
        let broken = |_| Error::new(ErrorKind::Config, "`hub.backbone.url` is no address of PostgreSQL");
        let mut target: Target = config.url.expose().parse().map_err(broken)?;
        target.connect_timeout(PATIENCE).application_name("regent-hub");
        let keep = u64::try_from(keep).unwrap_or(u64::MAX);
        Ok(Self {
            target,
            tls: config.tls.clone(),
            sql: Sql::new(&config.name.to_ascii_lowercase()),
            keep,
            writer: Mutex::default(),
        })
    }
}

impl SharedLog for PostgresLog {
    type Reader = PostgresReader;

    async fn append(&self, text: &str) -> Result<u64, Error> {
        let mut writer = self.writer.lock().await;
        let connection = match writer.take() {
            Some(connection) if !connection.client.is_closed() => connection,
            _ => Connection::open(self).await?,
        };
        let seq = connection.append(&self.sql, text, "").await?;
        if seq.is_multiple_of(TRIMMED_EVERY) {
            let gone = i64::try_from(seq.saturating_sub(self.keep)).unwrap_or_default();
            within(connection.client.execute(&self.sql.trim, &[&gone])).await?;
        }
        // Kept only if all went well.
        *writer = Some(connection);
        Ok(seq)
    }

    async fn reader(&self) -> Result<PostgresReader, Error> {
        let connection = Connection::open(self).await?;
        // In a transaction of its own, so that the lock is held until all is there.
        let create = format!("BEGIN; {}; COMMIT", self.sql.create);
        within(connection.client.batch_execute(&create)).await?;
        within(connection.client.batch_execute(&self.sql.listen)).await?;
        Ok(PostgresReader { connection, sql: self.sql.clone() })
    }
}

/// A connection. Once something has failed it is to be dropped.
struct Connection {
    client: Client,
    /// Says when there is news; full if that is not known yet.
    news: mpsc::Receiver<()>,
    /// The task that moves bytes. A set of one, because a set ends its tasks when it is dropped.
    _task: JoinSet<()>,
}

impl Connection {
    async fn open(log: &PostgresLog) -> Result<Self, Error> {
        let files = log.tls.clone();
        let tls = tokio::task::spawn_blocking(move || files.client_config()).await;
        let tls = tls.map_err(|panic| unavailable(&panic))?.map_err(|error| unavailable(&error))?;
        let connecting = timeout(2 * PATIENCE, log.target.connect(MakeRustlsConnect::new(tls))).await;
        let (client, mut connection) = connecting.map_err(|_| silent())?.map_err(|error| unavailable(&error))?;
        let (tell, news) = mpsc::channel(1);
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(_) = message {
                    // One that has not been heard yet says the same.
                    let _full = tell.try_send(());
                }
            }
        });
        Ok(Self { client, news, _task: task })
    }

    /// Adds a record, if the log still has that epoch; whatever it has if that is empty.
    async fn append(&self, sql: &Sql, text: &str, epoch: &str) -> Result<u64, Error> {
        let row = within(self.client.query_typed(&sql.append, &[(&text, Type::TEXT), (&epoch, Type::TEXT)])).await?;
        let row = row.first().ok_or_else(|| Error::new(ErrorKind::Unavailable, "the log is gone"))?;
        row.try_get::<_, i64>(0).map_err(|error| unavailable(&error)).map(i64::unsigned_abs)
    }
}

pub(super) struct PostgresReader {
    connection: Connection,
    sql: Sql,
}

impl Reader for PostgresReader {
    async fn extent(&mut self) -> Result<Extent, Error> {
        let row = within(self.connection.client.query_one(&self.sql.extent, &[])).await?;
        let read = || {
            Ok(Extent {
                epoch: row.try_get(0)?,
                latest: row.try_get::<_, i64>(1)?.unsigned_abs(),
                first: row.try_get::<_, i64>(2)?.unsigned_abs(),
            })
        };
        read().map_err(|error: tokio_postgres::Error| unavailable(&error))
    }

    async fn after(&mut self, seq: u64) -> Result<Vec<Stored>, Error> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        let mut waited = false;
        loop {
            let rows = within(self.connection.client.query_typed(&self.sql.after, &[(&seq, Type::INT8)])).await?;
            if rows.is_empty() && !waited {
                // Looked for once more, whether there is news or not.
                if let Ok(None) = timeout(WAIT, self.connection.news.recv()).await {
                    return Err(silent());
                }
                waited = true;
                continue;
            }
            let stored = |row: &tokio_postgres::Row| {
                Ok(Stored {
                    seq: row.try_get::<_, i64>(0)?.unsigned_abs(),
                    epoch: row.try_get(1)?,
                    text: row.try_get(2)?,
                })
            };
            return rows
                .iter()
                .map(stored)
                .collect::<Result<_, _>>()
                .map_err(|error: tokio_postgres::Error| unavailable(&error));
        }
    }

    async fn renew(&mut self, epoch: &str) -> Result<(), Error> {
        let new = new_id();
        let renewed = within(self.connection.client.execute(&self.sql.renew, &[&epoch, &new])).await?;
        if renewed > 0 {
            self.connection.append(&self.sql, "", &new).await?;
        }
        Ok(())
    }
}

async fn within<T>(work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
    timeout(PATIENCE, work).await.map_err(|_| silent())?.map_err(|error| unavailable(&error))
}

fn silent() -> Error {
    Error::new(ErrorKind::Unavailable, "PostgreSQL does not answer")
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Error {
    Error::new(ErrorKind::Unavailable, format!("PostgreSQL: {}", chain(error)))
}
