//! The sink in an agent that has nothing else, and what its table has got.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use regent_core::config::Layers;
use regent_core::decision::EncodedEvent;
use regent_core::engine::CompileOptions;
use regent_core::settings::{Identity, Settings};
use regent_core::telemetry::Telemetry;
use regent_core::{Error, ErrorKind, Host, Registry, Store, Supervisor, Value};
use regent_engine_rego::RegoEngine;
use regent_kit::{Postgres, wait};
use tokio_postgres::{Client, NoTls, Row};

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// A server; nothing if it is out of reach.
pub(crate) fn postgres() -> Option<Postgres> {
    Postgres::find(env!("CARGO_TARGET_TMPDIR"))
}

/// A running server.
pub(crate) async fn running() -> Option<Postgres> {
    let mut postgres = postgres()?;
    postgres.start().await;
    Some(postgres)
}

/// The superuser, through the socket.
pub(crate) async fn admin(postgres: &Postgres) -> Client {
    let mut config = tokio_postgres::Config::new();
    config.host_path(postgres.dir()).port(postgres.port()).user("postgres");
    let (client, connection) = config.connect(NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    client
}

/// Runs statements.
pub(crate) async fn run(postgres: &Postgres, statements: &str) {
    admin(postgres).await.batch_execute(statements).await.expect("the statements are good");
}

/// Runs one query.
pub(crate) async fn query(postgres: &Postgres, text: &str) -> Vec<Row> {
    admin(postgres).await.query(text, &[]).await.expect("the query is good")
}

/// Ids in the table `decisions`, in order of their text.
pub(crate) async fn ids(postgres: &Postgres) -> Vec<String> {
    let rows = query(postgres, "SELECT decision_id::text FROM decisions ORDER BY 1").await;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Ids of events, in order of their text.
pub(crate) fn ids_of<'a>(events: impl IntoIterator<Item = &'a EncodedEvent>) -> Vec<String> {
    let mut ids: Vec<_> = events.into_iter().map(|event| event.decision_id().to_owned()).collect();
    ids.sort_unstable();
    ids
}

/// Keys that reach the server without TLS.
pub(crate) fn plainly(postgres: &Postgres) -> String {
    let (port, password) = (postgres.port(), Postgres::PASSWORD);
    format!("host: 127.0.0.1, port: {port}, user: postgres, password: {password}, sslmode: disable, table: decisions")
}

/// An agent with nothing but the sink.
pub(crate) struct Sink {
    host: Host,
    supervisor: Supervisor,
}

impl Sink {
    /// Starts with the keys of `plugins.postgres_sink`.
    pub(crate) async fn start(keys: &str) -> Self {
        let config = format!("plugins: {{postgres_sink: {{{keys}}}}}");
        let tree = Layers::new().text("test", &config).load().expect("YAML");
        let identity = Identity { id: "agent-1".to_owned(), version: "1.9.0".to_owned() };
        let settings = Settings::from_tree(&tree, identity.clone()).expect("valid settings");
        let engine = Arc::new(RegoEngine::default());
        let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("an empty store");
        let host = Host::new(store, Telemetry::new(&[1.0]).expect("one bucket"), settings);
        let mut registry = Registry::default();
        regent_postgres_sink::register(&mut registry);
        let mut supervisor = Supervisor::new(Arc::new(registry), host.clone(), identity);
        supervisor.apply(&tree).await.expect("a valid configuration");
        Self { host, supervisor }
    }

    /// Offers a batch once.
    pub(crate) async fn write(&self, events: &[EncodedEvent]) -> Result<(), Error> {
        let running = async || self.host.sink("postgres_sink");
        let sink = wait::until(LIMIT, "the sink", running).await.expect("it runs");
        sink.write(events.into()).await
    }

    /// Offers a batch until it is taken.
    pub(crate) async fn deliver(&self, events: &[EncodedEvent]) {
        let taken = async || match self.write(events).await {
            Ok(()) => Some(()),
            Err(error) if error.kind() == ErrorKind::Unavailable => None,
            Err(error) => panic!("{}", error.chain()),
        };
        wait::until(LIMIT, "the batch", taken).await.expect("it is taken");
    }

    /// Offers a batch that cannot be taken now, and says why.
    pub(crate) async fn unavailable(&self, events: &[EncodedEvent]) -> String {
        let error = self.write(events).await.expect_err("the batch cannot be taken");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.chain());
        error.chain()
    }

    pub(crate) async fn stop(self) {
        let limit = tokio::time::Instant::now() + LIMIT;
        self.supervisor.shutdown(limit).await.expect("it stops in time");
    }
}

/// An event with more fields, as JSON without braces.
pub(crate) fn event(more: &str) -> EncodedEvent {
    let id = uuid::Uuid::new_v4();
    let text = format!(r#"{{"decision_id":"{id}","timestamp":"2026-01-02T03:04:05.678901234Z",{more}}}"#);
    EncodedEvent::decode(Bytes::from(text)).expect("an event")
}

pub(crate) fn events(count: usize) -> Vec<EncodedEvent> {
    (0..count).map(|number| event(&format!(r#""path":"app/allow","input":{{"number":{number}}}"#))).collect()
}
