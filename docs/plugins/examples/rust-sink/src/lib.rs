//! A sink that sends each decision as a line over TCP, as collectors of logs take them.
//!
//! ```yaml
//! decision_logs: {plugin: tcp_sink}
//! plugins: {tcp_sink: {addr: "127.0.0.1:5170"}}
//! ```

use regent::core::config::{ConfigErrors, Section};
use regent::core::decision::EncodedEvent;
use regent::core::plugin::{DecisionSink, Known, PluginConfig};
use regent::core::status::State;
use regent::core::{Error, ErrorKind, Host, Registry};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Adds the sink to an agent.
pub fn register(registry: &mut Registry) {
    registry.decision_sink::<TcpSink>();
}

/// `plugins.tcp_sink` in the configuration.
#[derive(Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct TcpSinkConfig {
    /// Where the lines go, `host:port`.
    addr: String,
}

impl PluginConfig for TcpSinkConfig {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        if self.addr.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(section.error("addr", "must be host:port").into());
        }
        Ok(())
    }
}

struct TcpSink {
    config: TcpSinkConfig,
    host: Host,
    connection: Option<TcpStream>,
}

impl DecisionSink for TcpSink {
    const NAME: &'static str = "tcp_sink";
    type Config = TcpSinkConfig;

    fn build(config: TcpSinkConfig, host: Host) -> Result<Self, Error> {
        Ok(Self { config, host, connection: None })
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        let mut lines = Vec::new();
        for event in events {
            lines.extend_from_slice(event.json());
            lines.push(b'\n');
        }
        let sent = self.send(&lines).await;
        match &sent {
            Ok(()) => self.host.report(State::Ok, None),
            Err(error) => self.host.report(State::Error, Some(format!("{}: {error}", self.config.addr))),
        }
        // The same events are offered again.
        sent.map_err(|error| Error::new(ErrorKind::Unavailable, self.config.addr.clone()).caused_by(error))
    }
}

impl TcpSink {
    async fn send(&mut self, lines: &[u8]) -> std::io::Result<()> {
        // Taken out, so that a connection that broke is not used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => TcpStream::connect(&self.config.addr).await?,
        };
        connection.write_all(lines).await?;
        self.connection = Some(connection);
        Ok(())
    }
}
