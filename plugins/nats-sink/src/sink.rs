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
        let mut connection = match self.connection.take().filter(|connection| !connection.is_lost()) {
            Some(connection) => connection,
            None => Connection::open(&self.config).await?,
        };
        let result = connection.publish(events).await;
        // After anything else a new connection is made, so that nothing of this try is left when the next one begins.
        if result.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Refused) {
            self.connection = Some(connection);
        }
        result
    }
}
