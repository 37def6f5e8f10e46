//! The section `plugins.postgres_sink`.

use std::time::Duration;

use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::plugin::{Known, PluginConfig};
use regent_services::tls::TlsFiles;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::table::{EventType, TableName};

/// Where decisions are stored, and how.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// The server; of several, with commas between them, the one that takes writes. A path is the directory of a socket.
    pub(crate) host: String,
    /// The port; 5432 by default.
    port: Option<u16>,
    /// The database; by default the one that is called like the user.
    pub(crate) database: Option<String>,
    /// The role that the agent logs in as.
    pub(crate) user: String,
    /// Its password, unless the server asks for none.
    pub(crate) password: Option<Secret>,
    /// How far the connection is protected; `verify-full` by default. A socket never is.
    #[serde(default)]
    pub(crate) sslmode: SslMode,
    /// Files for TLS.
    #[serde(default)]
    pub(crate) tls: TlsFiles,
    /// The table, `NAME` or `SCHEMA.NAME`, as it is spelled in the database.
    pub(crate) table: String,
    /// The type of its column `event`; `jsonb` by default.
    #[serde(default)]
    pub(crate) event_type: EventType,
    /// Whether the agent makes the table if it is not there; false by default.
    #[serde(default)]
    pub(crate) create_table: bool,
    /// How long a server may take to let the agent in; 5 by default.
    connect_timeout_seconds: Option<u64>,
    /// How long a statement may take; 30 by default.
    statement_timeout_seconds: Option<u64>,
}

/// How far a connection is protected, in the words of PostgreSQL's own clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SslMode {
    /// Without TLS.
    Disable,
    /// With TLS if the server has it, whoever the server is.
    Prefer,
    /// With TLS, whoever the server is.
    Require,
    /// With TLS, and only with the server that is meant.
    #[default]
    VerifyFull,
}

impl Config {
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(5432)
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds.unwrap_or(5))
    }

    pub(crate) fn statement_timeout(&self) -> Duration {
        Duration::from_secs(self.statement_timeout_seconds.unwrap_or(30))
    }

    /// The servers.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.host.split(',').map(str::trim)
    }

    /// Whether the servers are reached through sockets, which have no TLS.
    pub(crate) fn is_local(&self) -> bool {
        self.hosts().all(is_path)
    }

    /// Where the database is, in one text.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port())
    }

    fn check_tls(&self, section: &Section) -> Result<(), ConfigError> {
        if self.sslmode == SslMode::Disable && self.tls != TlsFiles::default() {
            return Err(section.error("tls", "has no effect with `sslmode: disable`: leave one of them out"));
        }
        if self.sslmode != SslMode::VerifyFull && self.tls.ca_cert.is_some() {
            return Err(section.error("tls.ca_cert", "has an effect with `sslmode: verify-full` alone"));
        }
        self.tls.check(section)
    }
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        let mut errors = Vec::new();
        if self.hosts().any(str::is_empty) {
            errors.push(section.error("host", "names no server"));
        }
        if self.hosts().any(is_path) && !self.is_local() {
            errors.push(section.error("host", "has servers and sockets: keep either"));
        }
        if let Err(why) = self.table.parse::<TableName>() {
            errors.push(section.error("table", why));
        }
        errors.extend(self.check_tls(section).err());
        let seconds = [
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("statement_timeout_seconds", self.statement_timeout_seconds),
        ];
        let zero = seconds.into_iter().filter(|(_, seconds)| *seconds == Some(0));
        errors.extend(zero.map(|(key, _)| section.error(key, "must be at least 1")));
        ConfigErrors(errors).into_result()
    }
}

fn is_path(host: &str) -> bool {
    host.starts_with('/')
}

#[cfg(test)]
mod tests {
    use regent_core::config::Layers;

    use super::*;

    /// What is wrong with a section, all of it.
    fn refusal(keys: &str) -> String {
        let yaml = format!("plugins: {{postgres_sink: {{user: regent, {keys}}}}}");
        let tree = Layers::new().text("test", &yaml).load().expect("YAML");
        let section = tree.section(&["plugins", "postgres_sink"]).expect("the section");
        let mut config = match section.parse::<Config>() {
            Ok(config) => config,
            Err(error) => return error.to_string(),
        };
        config.validate(&section, &Known::default()).err().map(|errors| errors.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_is_said_at_its_key_and_without_secrets() {
        assert_eq!(refusal("host: db, table: audit.decisions, sslmode: require"), "");
        assert_eq!(refusal("host: 'a, b', table: Decisions"), "");
        for (keys, expected) in [
            ("host: '', table: t", "host: names no server"),
            ("host: 'a,', table: t", "host: names no server"),
            ("host: 'a,/run', table: t", "host: has servers and sockets"),
            ("host: a, table: a.b.c", "table: must be"),
            ("host: a, table: t, sslmode: disable, tls: {cert: x}", "tls: has no effect"),
            ("host: a, table: t, sslmode: prefer, tls: {ca_cert: x}", "tls.ca_cert: has an effect"),
            ("host: a, table: t, sslmode: verify-ca", "sslmode: unknown variant `verify-ca`"),
            ("host: a, table: t, tls: {ca_cert: /nonexistent}", "tls.ca_cert: cannot read /nonexistent"),
            ("host: a, table: t, statement_timeout_seconds: 0", "statement_timeout_seconds: must be at least 1"),
            ("host: a, table: t, password: [hunter2]", "password: invalid type"),
        ] {
            let why = refusal(keys);
            assert!(why.starts_with(&format!("plugins.postgres_sink.{expected}")), "{why}");
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
