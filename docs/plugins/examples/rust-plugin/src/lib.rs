//! Tells policies whether there is maintenance: whether a file is there, as operators make one by hand.
//!
//! ```yaml
//! plugin_libraries: [{path: libacme_maintenance.so, write_paths: [acme/maintenance]}]
//! plugins: {maintenance: {file: /run/acme/maintenance, interval_seconds: 5}}
//! ```
//!
//! `data.acme.maintenance` is then `true` or `false`.

use std::path::PathBuf;
use std::time::Duration;

use regent_plugin::{ConfigError, Error, Host, Inbox, Plugin, PluginConfig, Signal, State, Value};

regent_plugin::export!(Plugin: Maintenance);

/// Where policies find it.
const PATH: &str = "acme/maintenance";

/// `plugins.maintenance` in the configuration.
#[derive(serde::Deserialize)]
struct MaintenanceConfig {
    /// The file.
    file: PathBuf,
    /// Seconds between two looks.
    interval_seconds: u64,
}

impl PluginConfig for MaintenanceConfig {
    fn validate(&self) -> Result<(), Vec<ConfigError>> {
        if self.interval_seconds == 0 {
            return Err(vec![ConfigError::new("interval_seconds", "must be at least 1")]);
        }
        Ok(())
    }
}

struct Maintenance {
    config: MaintenanceConfig,
    host: Host,
}

impl Plugin for Maintenance {
    const NAME: &'static str = "maintenance";
    const DESCRIPTION: &'static str = "Tells policies whether there is maintenance.";
    const LIVE: bool = true;
    type Config = MaintenanceConfig;

    fn build(config: MaintenanceConfig, host: Host) -> Result<Self, Error> {
        Ok(Self { config, host })
    }

    fn run(mut self, mut inbox: Inbox<MaintenanceConfig>) -> Result<(), Error> {
        loop {
            // What fails is tried again with the next look.
            let _ = self.look();
            match inbox.recv_timeout(Duration::from_secs(self.config.interval_seconds)) {
                None => {}
                Some(Signal::Trigger(reply)) => reply.send(self.look()),
                Some(Signal::Configure(config, _)) => self.config = config,
                Some(Signal::Stop(_)) => return Ok(()),
            }
        }
    }
}

impl Maintenance {
    fn look(&self) -> Result<(), Error> {
        let written = self.host.write(PATH, &Value::Bool(self.config.file.exists()));
        match &written {
            Ok(()) => self.host.report(State::Ok, ""),
            Err(error) => self.host.report(State::Error, &error.to_string()),
        }
        self.host.count("maintenance_looks_total", 1);
        written
    }
}
