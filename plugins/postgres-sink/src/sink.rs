//! The sink: one connection, made when there is something to store.

use std::sync::Arc;

use regent_core::decision::{EncodedEvent, RefusedEvents};
use regent_core::plugin::DecisionSink;
use regent_core::{Error, ErrorKind, Host};

use crate::config::Config;
use crate::connection::{Connection, Failure};
use crate::part::Part;
use crate::row::Row;
use crate::table::{Statements, TableName};

/// Stores decisions in a table.
pub(crate) struct PostgresSink {
    config: Config,
    statements: Arc<Statements>,
    connection: Option<Connection>,
}

impl DecisionSink for PostgresSink {
    const NAME: &'static str = "postgres_sink";
    type Config = Config;

    fn build(config: Config, _host: Host) -> Result<Self, Error> {
        let table: TableName =
            config.table.parse().map_err(|why| Error::new(ErrorKind::Config, format!("table {why}")))?;
        let statements = Arc::new(Statements::new(&table, config.event_type));
        Ok(Self { config, statements, connection: None })
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        if let Some(connection) = self.connection.take() {
            let result = store(&connection, events).await;
            // One that broke while nothing was written is no reason to let the batch wait.
            if result.is_ok() || !connection.is_lost() {
                return self.settle(connection, result);
            }
        }
        let connection = Connection::open(&self.config, self.statements.clone()).await?;
        let result = store(&connection, events).await;
        self.settle(connection, result)
    }

    async fn close(self) -> Result<(), Error> {
        if let Some(connection) = self.connection {
            connection.close().await;
        }
        Ok(())
    }
}

impl PostgresSink {
    /// Keeps a connection that has done what it could; after anything else a new one is made.
    fn settle(&mut self, connection: Connection, result: Result<Vec<String>, Error>) -> Result<(), Error> {
        let refused = result?;
        self.connection = Some(connection);
        RefusedEvents::check("PostgreSQL", refused)
    }
}

/// Stores events, and says why those that are never stored are not.
async fn store(connection: &Connection, events: &[EncodedEvent]) -> Result<Vec<String>, Error> {
    let (mut rows, mut refused) = (Vec::with_capacity(events.len()), Vec::new());
    for event in events {
        match Row::of(event) {
            Ok(row) => rows.push(row),
            Err(why) => refused.push(why),
        }
    }
    let mut left = Part::all(&rows);
    while let Some(part) = left.pop() {
        match connection.insert(&part.rows, part.form).await {
            Ok(()) => {}
            Err(Failure::Other(error)) => return Err(error),
            Err(Failure::Content(why)) => match part.without_what_is_in_the_way() {
                Some(parts) => left.extend(parts),
                None => refused.push(why),
            },
        }
    }
    Ok(refused)
}
