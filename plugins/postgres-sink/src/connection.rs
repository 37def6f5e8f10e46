//! One connection, and what can go wrong with statements on it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use regent_core::{Error, ErrorKind};
use rustls::ClientConfig;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode as Tls, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config as Target};
use tokio_postgres_rustls::MakeRustlsConnect;
use uuid::Uuid;

use crate::config::{Config, SslMode};
use crate::row::Row;
use crate::table::{Form, Statements};

/// A connection. Once a statement has failed for another reason than its rows, it is to be dropped.
pub(crate) struct Connection {
    client: Client,
    statements: Arc<Statements>,
    tls: MakeRustlsConnect,
    patience: Duration,
    /// The task that moves bytes. A set of one, because a set ends its tasks when it is dropped.
    task: JoinSet<()>,
}

/// Why rows were not stored.
pub(crate) enum Failure {
    /// The table cannot hold one of them as it is.
    Content(String),
    /// Something else.
    Other(Error),
}

impl Connection {
    /// Connects, and makes the table if that is wanted.
    ///
    /// # Errors
    /// When the server does not let the agent in, or the table cannot be made.
    pub(crate) async fn open(config: &Config, statements: Arc<Statements>) -> Result<Self, Error> {
        let tls = MakeRustlsConnect::new(client_config(config).await?);
        let place = config.place();
        // For TCP the limit is that of each server; this one is for all that comes behind.
        let limit = config.connect_timeout() * u32::try_from(2 * config.hosts().count()).unwrap_or(u32::MAX);
        let connected = timeout(limit, target(config).connect(tls.clone())).await;
        let connected = connected.map_err(|_| unavailable(format!("{place} does not answer within {limit:?}")))?;
        let (client, connection) =
            connected.map_err(|error| unavailable(format!("cannot connect to {place}: {}", told(&error))))?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            // Its error is that of the statement that waits for it.
            let _ended = connection.await;
        });
        let this = Self { client, statements, tls, patience: config.statement_timeout(), task };
        if config.create_table {
            this.create_table(&config.table).await?;
        }
        Ok(this)
    }

    /// Whether it has broken.
    pub(crate) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// Stores rows: all of them, or none.
    ///
    /// # Errors
    /// When they are not stored.
    pub(crate) async fn insert(&self, rows: &[&Row<'_>], form: Form) -> Result<(), Failure> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let moments: Vec<Timestamp> = rows.iter().map(|row| row.moment).collect();
        let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        let bodies: Vec<&str> = rows.iter().map(|row| row.body).collect();
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&ids, Type::UUID_ARRAY),
            (&moments, Type::TIMESTAMPTZ_ARRAY),
            (&paths, Type::TEXT_ARRAY),
            (&bodies, Type::TEXT_ARRAY),
        ];
        let insert = self.client.execute_typed(self.statements.insert(form), &parameters);
        self.within(insert).await.map(drop)
    }

    /// Ends it as the server likes it.
    pub(crate) async fn close(self) {
        let Self { client, mut task, patience, .. } = self;
        drop(client);
        // A server that does not hear the end is left alone.
        let _late = timeout(patience, task.join_next()).await;
    }

    /// Asks first, because who may not make tables may still use one.
    async fn create_table(&self, table: &str) -> Result<(), Error> {
        let missing = async {
            let name = [(&self.statements.name as &(dyn ToSql + Sync), Type::TEXT)];
            let row = self.client.query_typed_one("SELECT to_regclass($1) IS NULL", &name).await?;
            row.try_get::<_, bool>(0)
        };
        let created = match self.within(missing).await {
            Ok(false) => return Ok(()),
            Ok(true) => self.within(self.client.batch_execute(&self.statements.create)).await,
            Err(failure) => Err(failure),
        };
        created.map_err(|failure| match failure {
            Failure::Content(why) => unavailable(format!("cannot make the table {table}: {why}")),
            Failure::Other(error) => error,
        })
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
        if let Ok(done) = timeout(self.patience, work).await {
            return done.map_err(|error| failure(&error));
        }
        // A statement that waits for a lock goes on when nobody listens any more, and would wait beside the next ones.
        let cancel = self.client.cancel_token();
        let _silent = timeout(self.patience, cancel.cancel_query(self.tls.clone())).await;
        Err(Failure::Other(unavailable(format!("a statement takes longer than {:?}", self.patience))))
    }
}

fn target(config: &Config) -> Target {
    let mut target = Target::new();
    for host in config.hosts() {
        target.host(host);
    }
    target.port(config.port()).user(&config.user).application_name("regent");
    target.connect_timeout(config.connect_timeout()).target_session_attrs(TargetSessionAttrs::ReadWrite);
    target.ssl_mode(match config.sslmode {
        _ if config.is_local() => Tls::Disable,
        SslMode::Disable => Tls::Disable,
        SslMode::Prefer => Tls::Prefer,
        SslMode::Require | SslMode::VerifyFull => Tls::Require,
    });
    if let Some(database) = &config.database {
        target.dbname(database);
    }
    if let Some(password) = &config.password {
        target.password(password.expose());
    }
    target
}

async fn client_config(config: &Config) -> Result<ClientConfig, Error> {
    let (files, mode) = (config.tls.clone(), config.sslmode);
    let read = tokio::task::spawn_blocking(move || match mode {
        SslMode::VerifyFull => files.client_config(),
        SslMode::Disable | SslMode::Prefer | SslMode::Require => files.trusting_anyone(),
    });
    let read =
        read.await.map_err(|error| Error::new(ErrorKind::Internal, "reading TLS files failed").caused_by(error))?;
    read.map_err(|error| unavailable(format!("tls: {error}")))
}

fn failure(error: &tokio_postgres::Error) -> Failure {
    let why = told(error);
    match error.code() {
        Some(code) if is_about_content(code) => Failure::Content(why),
        Some(code) if *code == SqlState::UNDEFINED_TABLE => {
            Failure::Other(unavailable(format!("{why}: create it, or set `create_table`")))
        }
        _ => Failure::Other(unavailable(format!("cannot store decisions: {why}"))),
    }
}

/// Data exceptions, and limits of the program such as those of depth and size. Whatever a constraint or a trigger of the table
/// says is the operator's, who may want to mend it.
fn is_about_content(code: &SqlState) -> bool {
    matches!(code.code().get(..2), Some("22" | "54"))
}

/// What went wrong, without the details of the server: they quote what it was given.
fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} ({})", error.message(), error.code().code()),
        None => regent_core::error::chain(error),
    }
}

fn unavailable(text: String) -> Error {
    Error::new(ErrorKind::Unavailable, text)
}
