//! The sink: one connection, made when there is something to publish.

use regent_core::decision::EncodedEvent;
use regent_core::plugin::DecisionSink;
use regent_core::{Error, ErrorKind, Host};

use crate::config::Config;
use crate::connection::Connection;

/// Publishes decisions to a stream.
pub(crate) struct NatsSink {
    config: Config,
    connection: Option<Connection>,
}

impl DecisionSink for NatsSink {
    const NAME: &'static str = "nats_sink";
    type Config = Config;

    fn build(config: Config, _host: Host) -> Result<Self, Error> {
        Ok(Self { config, connection: None })
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        if let Some(connection) = self.connection.take() {
            let result = connection.publish(events).await;
            // One that broke while nothing was written is no reason to let the batch wait.
            if result.is_ok() || !connection.is_lost() {
                return self.settle(connection, result);
            }
        }
        let connection = Connection::open(&self.config).await?;
        let result = connection.publish(events).await;
        self.settle(connection, result)
    }
}

impl NatsSink {
    /// Keeps a connection that has done what it could. After anything else a new one is made, so that nothing of this try
    /// is left when the next one begins.
    fn settle(&mut self, connection: Connection, result: Result<(), Error>) -> Result<(), Error> {
        if result.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Refused) {
            self.connection = Some(connection);
        }
        result
    }
}
