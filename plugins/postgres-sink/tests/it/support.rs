//! The sink in an agent that has nothing else, and what its table has got.

pub(crate) use regent_agent_kit::{LIMIT, Sink, event, events};
use regent_core::decision::EncodedEvent;
use regent_kit::Postgres;
use tokio_postgres::{Client, NoTls, Row};

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

/// Starts the sink with these keys.
pub(crate) async fn start(keys: &str) -> Sink {
    Sink::start(regent_postgres_sink::register, "postgres_sink", keys).await
}
