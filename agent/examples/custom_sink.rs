//! A program that embeds the agent and adds a decision sink of its own.
//!
//! ```yaml
//! decision_logs: {plugin: line_file}
//! plugins: {line_file: {path: decisions.txt}}
//! ```
//!
//! Run it as the stock agent is run: `cargo run --example custom_sink -- run --server --config-file config.yaml app.rego`

use std::io::Write as _;
use std::process::ExitCode;

use regent::core::decision::EncodedEvent;
use regent::core::plugin::{DecisionSink, PluginConfig};
use regent::core::{Error, ErrorKind, Host, Registry, Value};

/// Where the lines go.
#[derive(Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct LineFileConfig {
    /// The file that lines are appended to.
    path: std::path::PathBuf,
}

impl PluginConfig for LineFileConfig {}

/// Writes a line for each decision.
struct LineFile(LineFileConfig);

impl DecisionSink for LineFile {
    const NAME: &'static str = "line_file";
    type Config = LineFileConfig;

    fn build(config: LineFileConfig, _host: Host) -> Result<Self, Error> {
        Ok(Self(config))
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        // A few short lines: quick enough to be written in place.
        let failed = |error| Error::new(ErrorKind::Unavailable, "cannot write decisions").caused_by(error);
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&self.0.path);
        let mut file = file.map_err(failed)?;
        for event in events {
            let fields = event.to_value();
            let path = fields.get("path").and_then(Value::as_str).unwrap_or_default();
            let result = fields.get("result").map_or_else(|| "undefined".to_owned(), ToString::to_string);
            writeln!(file, "{} {path} {result}", event.timestamp()).map_err(failed)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    regent::Agent::stock().with(Registry::decision_sink::<LineFile>).main()
}
