//! A sink that sends each decision as a line over TCP, as collectors of logs take them.
//!
//! ```yaml
//! decision_logs: {plugin: tcp_sink}
//! plugins: {tcp_sink: {addr: "127.0.0.1:5170"}}
//! ```

use std::io::Write as _;
use std::net::TcpStream;

use regent_plugin::{ConfigError, DecisionSink, Error, Event, Host, PluginConfig, State};

regent_plugin::export!(DecisionSink: TcpSink);

/// `plugins.tcp_sink` in the configuration.
#[derive(serde::Deserialize)]
struct TcpSinkConfig {
    /// Where the lines go, `host:port`.
    addr: String,
}

impl PluginConfig for TcpSinkConfig {
    fn validate(&self) -> Result<(), Vec<ConfigError>> {
        if self.addr.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(vec![ConfigError::new("addr", "must be host:port")]);
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
    const DESCRIPTION: &'static str = "Sends each decision as a line over TCP.";
    type Config = TcpSinkConfig;

    fn build(config: TcpSinkConfig, host: Host) -> Result<Self, Error> {
        Ok(Self { config, host, connection: None })
    }

    fn write(&mut self, events: &[Event<'_>]) -> Result<(), Error> {
        let mut lines = Vec::new();
        for event in events {
            lines.extend_from_slice(event.json());
            lines.push(b'\n');
        }
        let sent = self.send(&lines);
        match &sent {
            Ok(()) => self.host.report(State::Ok, ""),
            Err(error) => self.host.report(State::Error, &format!("{}: {error}", self.config.addr)),
        }
        // The same events are offered again.
        sent.map_err(|error| Error::unavailable(format!("{}: {error}", self.config.addr)))
    }
}

impl TcpSink {
    fn send(&mut self, lines: &[u8]) -> std::io::Result<()> {
        // Taken out, so that a connection that broke is not used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => TcpStream::connect(&self.config.addr)?,
        };
        connection.write_all(lines)?;
        self.connection = Some(connection);
        Ok(())
    }
}
