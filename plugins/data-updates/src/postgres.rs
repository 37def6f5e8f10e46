//! The fetcher `postgres`: data from a query.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use regent_core::Error;
use regent_core::data_fetcher::{DataFetcher, FetchLimits};
use regent_core::error::chain;
use regent_services::tls::TlsFiles;
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio_postgres::config::Config as Target;
use tokio_postgres::types::ToSql;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{refused, unavailable};

/// Gets data from PostgreSQL.
pub(crate) struct PostgresFetcher {
    settings: Settings,
}

/// `data_updates.fetchers.postgres`
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Certificates.
    tls: TlsFiles,
}

/// What an entry says; OPAL's `PostgresFetcherConfig`.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    /// A statement that only reads.
    query: String,
    /// Whether the data is the first row rather than a list of all.
    #[serde(default)]
    fetch_one: bool,
    /// The column by which rows are members of an object rather than of a list.
    fetch_key: Option<String>,
    /// What the address leaves open.
    connection_params: Option<ConnectionParams>,
}

#[derive(Debug, Default, Deserialize)]
struct ConnectionParams {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<String>,
    #[serde(alias = "dbname")]
    database: Option<String>,
}

impl DataFetcher for PostgresFetcher {
    const NAME: &'static str = "postgres";
    const ALIASES: &'static [&'static str] = &["PostgresFetchProvider"];
    type Settings = Settings;
    type Config = Config;

    fn build(settings: Settings) -> Result<Self, Error> {
        Ok(Self { settings })
    }

    async fn fetch(&self, url: &str, config: Config, limits: FetchLimits) -> Result<Bytes, Error> {
        let target = target(url, config.connection_params.as_ref())?;
        let fetched = tokio::time::timeout(limits.timeout, self.query(target, &config, limits.max_bytes));
        let slow = |_| unavailable(format!("the database has not answered within {:?}", limits.timeout));
        fetched.await.map_err(slow)?
    }
}

impl PostgresFetcher {
    async fn query(&self, target: Target, config: &Config, max_bytes: usize) -> Result<Bytes, Error> {
        let files = self.settings.tls.clone();
        let tls = tokio::task::spawn_blocking(move || files.client_config()).await;
        let tls = tls.map_err(|panic| unavailable(panic.to_string()))?;
        let tls = tls.map_err(|error| refused("data_updates.fetchers.postgres.tls").caused_by(error))?;
        let connected = target.connect(MakeRustlsConnect::new(tls)).await;
        let (mut client, connection) =
            connected.map_err(|error| unavailable(format!("the database lets nobody in: {}", chain(&error))))?;
        // Ends when this future does, so that no query goes on that nobody waits for.
        let mut task = JoinSet::new();
        task.spawn(async move {
            // Its error is that of the statement that waits for it.
            let _ended = connection.await;
        });
        let transaction = client.build_transaction().read_only(true).start().await.map_err(|error| failed(&error))?;
        // PostgreSQL itself knows best what its types look like in JSON.
        let statement =
            format!("SELECT to_jsonb(fetched)::text FROM ({}) AS fetched", config.query.trim().trim_end_matches(';'));
        let none: [&(dyn ToSql + Sync); 0] = [];
        let rows = transaction.query_raw(statement.as_str(), none).await.map_err(|error| failed(&error))?;
        let mut rows = std::pin::pin!(rows);
        let mut document = Document::new(config);
        while let Some(row) = rows.try_next().await.map_err(|error| failed(&error))? {
            document.add(row.try_get(0).map_err(|error| failed(&error))?)?;
            if document.text.len() > max_bytes {
                let text = format!("the data has more than {max_bytes} bytes (`data_updates.fetch.max_bytes`)");
                return Err(refused(text));
            }
            if config.fetch_one {
                break;
            }
        }
        document.end()
    }
}

/// The rows as one JSON text.
struct Document<'a> {
    config: &'a Config,
    text: String,
    rows: usize,
}

impl<'a> Document<'a> {
    fn new(config: &'a Config) -> Self {
        let text = match (config.fetch_one, &config.fetch_key) {
            (true, _) => "",
            (false, Some(_)) => "{",
            (false, None) => "[",
        };
        Self { config, text: text.to_owned(), rows: 0 }
    }

    fn add(&mut self, row: &str) -> Result<(), Error> {
        if self.rows > 0 {
            self.text.push(',');
        }
        self.rows += 1;
        if let (false, Some(key)) = (self.config.fetch_one, &self.config.fetch_key) {
            let columns: serde_json::Value = serde_json::from_str(row).unwrap_or_default();
            let name = match columns.get(key) {
                None => return Err(refused(format!("the query gives no column {key:?} (`fetch_key`)"))),
                Some(serde_json::Value::String(name)) => name.clone(),
                Some(other) => other.to_string(),
            };
            self.text.push_str(&serde_json::Value::String(name).to_string());
            self.text.push(':');
        }
        self.text.push_str(row);
        Ok(())
    }

    fn end(mut self) -> Result<Bytes, Error> {
        match (self.config.fetch_one, &self.config.fetch_key) {
            (true, _) if self.rows == 0 => return Err(refused("the query gives no row")),
            (true, _) => {}
            (false, Some(_)) => self.text.push('}'),
            (false, None) => self.text.push(']'),
        }
        Ok(self.text.into())
    }
}

/// The database of an address, `postgresql://user:password@host:port/name`.
fn target(url: &str, params: Option<&ConnectionParams>) -> Result<Target, Error> {
    // The parser's errors may repeat the password.
    let mut target: Target = url.parse().map_err(|_| refused("the url is not that of a database"))?;
    let Some(ConnectionParams { host, port, user, password, database }) = params else { return Ok(target) };
    if let Some(host) = host {
        target.host(host);
    }
    if let Some(port) = port {
        target.port(*port);
    }
    if let Some(user) = user {
        target.user(user);
    }
    if let Some(password) = password {
        target.password(password);
    }
    if let Some(database) = database {
        target.dbname(database);
    }
    Ok(target)
}

/// What the database says of a statement, which asking again mends only where it could not be heard.
fn failed(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(told) => refused(format!("the database refuses: {}", told.message())),
        None => unavailable(format!("the database cannot be asked: {}", chain(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_address_is_not_repeated() {
        let error = target("postgresql://u:hunter2@[", None).expect_err("broken");
        assert!(!error.chain().contains("hunter2"));
    }
}
