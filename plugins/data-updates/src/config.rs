//! The `data_updates` section.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use regent_core::Value;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::data_fetcher::FetchLimits;
use regent_core::plugin::{Known, PluginConfig};
use regent_services::tls::TlsFiles;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::model::DEFAULT_TOPIC;
use crate::topics;

/// Where updates come from, which of them count, and how they are fetched.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Config {
    /// The OPAL server or the hub, `http://host:port` or `https://host:port`.
    pub server_url: String,
    /// The token that proves who the agent is; one of type `client`.
    pub token: Option<Secret>,
    /// A file that holds the token, read for each connection, in place of `token`.
    pub token_path: Option<PathBuf>,
    /// Topics of data; `policy_data` if absent.
    pub topics: Option<Vec<String>>,
    /// Where the list of base data is; `/data/config` of the server if absent.
    pub sources_url: Option<String>,
    /// Policy that the server has beside data.
    #[serde(default)]
    pub policy: Policy,
    /// Certificates for `https` and `wss`.
    #[serde(default)]
    pub tls: TlsFiles,
    /// How data is fetched.
    #[serde(default)]
    pub fetch: Fetch,
    /// Settings of single fetchers, by name.
    #[serde(default)]
    pub fetchers: BTreeMap<String, serde_json::Value>,
    /// Reports of what became of updates.
    #[serde(default)]
    pub reports: Reports,
    /// Whether members of objects that are null are left out, as OPAL does; false by default.
    #[serde(default)]
    pub drop_nulls: bool,
    /// Longest pause between two attempts to connect, in seconds; 30 by default.
    pub max_reconnect_delay_seconds: Option<f64>,
}

/// Policy that the server has beside data.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Policy {
    /// Whether it is wanted; false by default.
    pub enabled: bool,
    /// Directories of its repository; all of it by default.
    pub directories: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { enabled: false, directories: vec![".".to_owned()] }
    }
}

/// How data is fetched.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Fetch {
    /// Fetches at a time; 6 by default.
    pub workers: Option<usize>,
    /// Seconds of one attempt; 5 by default.
    pub timeout_seconds: Option<f64>,
    /// Attempts; 5 by default.
    pub attempts: Option<u32>,
    /// Most bytes of one document as JSON; 64 MiB by default.
    pub max_bytes: Option<usize>,
}

/// Reports of what became of updates.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reports {
    /// Whether there are any; false by default, as with OPAL.
    pub enabled: bool,
    /// Addresses beside those that an update names.
    pub callbacks: Vec<String>,
}

/// What sending a report may take, and how much of an answer to it is read.
pub(crate) const LIMITS_OF_REPORTS: FetchLimits = FetchLimits { timeout: Duration::from_secs(5), max_bytes: 1 << 20 };

/// Longest time that can be configured, in seconds: a day.
const DAY: f64 = 86_400.0;

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        let mut errors: Vec<ConfigError> = Vec::new();
        match Url::parse(&self.server_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() => {}
            _ => errors.push(section.error("server_url", "must be an address such as http://opal-server:7002")),
        }
        if let Some(Err(_)) = self.sources_url.as_deref().map(Url::parse) {
            errors.push(section.error("sources_url", "must be an address such as http://opal-server:7002/data/config"));
        }
        if self.token.is_some() && self.token_path.is_some() {
            errors.push(section.error("token_path", "cannot be there beside `token`"));
        }
        if self.topics.as_ref().is_some_and(Vec::is_empty) {
            errors.push(section.error("topics", "must name at least one topic"));
        }
        if self.policy.directories.is_empty() {
            errors.push(section.error("policy.directories", "must name at least one directory"));
        }
        let times = [
            ("fetch.timeout_seconds", self.fetch.timeout_seconds),
            ("max_reconnect_delay_seconds", self.max_reconnect_delay_seconds),
        ];
        for (key, seconds) in times {
            if seconds.is_some_and(|seconds| !(seconds > 0.0 && seconds <= DAY)) {
                errors.push(section.error(key, format!("must be more than 0 and at most {DAY}")));
            }
        }
        let counts = [
            ("fetch.workers", self.fetch.workers == Some(0)),
            ("fetch.attempts", self.fetch.attempts == Some(0)),
            ("fetch.max_bytes", self.fetch.max_bytes == Some(0)),
        ];
        errors.extend(
            counts.into_iter().filter(|(_, is_zero)| *is_zero).map(|(key, _)| section.error(key, "must be at least 1")),
        );
        errors.extend(self.tls.check(section).err());
        ConfigErrors(errors).into_result()
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        let topics: Vec<Value> = self.topics().into_iter().map(Value::from).collect();
        vec![(vec!["topics".to_owned()], topics.into()), (vec!["drop_nulls".to_owned()], self.drop_nulls.into())]
    }
}

impl Config {
    /// The topics of data.
    pub(crate) fn topics(&self) -> Vec<String> {
        self.topics.clone().unwrap_or_else(|| vec![DEFAULT_TOPIC.to_owned()])
    }

    /// All that the agent subscribes to.
    pub(crate) fn subscriptions(&self) -> Vec<String> {
        let policy = if self.policy.enabled { topics::of_directories(&self.policy.directories) } else { Vec::new() };
        self.topics().into_iter().chain(policy).collect()
    }

    /// Where the list of base data is.
    pub(crate) fn sources_url(&self) -> String {
        let default = || format!("{}/data/config", self.server_url.trim_end_matches('/'));
        self.sources_url.clone().unwrap_or_else(default)
    }

    /// The token, or nothing if none is configured. Blocks.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn read_token(&self) -> std::io::Result<Option<Secret>> {
        match &self.token_path {
            Some(path) => Ok(Some(Secret::new(std::fs::read_to_string(path)?.trim()))),
            None => Ok(self.token.clone()),
        }
    }

    pub(crate) fn longest_pause(&self) -> Duration {
        Duration::from_secs_f64(self.max_reconnect_delay_seconds.unwrap_or(30.0))
    }
}

impl Fetch {
    pub(crate) fn workers(&self) -> usize {
        self.workers.unwrap_or(6)
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.unwrap_or(5)
    }

    pub(crate) fn limits(&self) -> FetchLimits {
        FetchLimits {
            timeout: Duration::from_secs_f64(self.timeout_seconds.unwrap_or(5.0)),
            max_bytes: self.max_bytes.unwrap_or(64 << 20),
        }
    }
}

#[cfg(test)]
mod tests {
    use regent_core::config::Layers;

    use super::*;

    fn checked(yaml: &str) -> Result<Config, String> {
        let tree = Layers::new().text("base.yaml", &format!("data_updates: {yaml}")).load().expect("YAML");
        let section = tree.section(&["data_updates"]).expect("the section");
        let mut config = section.parse::<Config>().map_err(|error| error.to_string())?;
        config.validate(&section, &Known::default()).map_err(|errors| errors.to_string())?;
        Ok(config)
    }

    #[test]
    fn what_is_wrong_is_named_with_the_remedy() {
        let cases = [
            ("{}", "missing field `server_url`"),
            ("{server_url: 'ws://x'}", "data_updates.server_url: must be an address such as"),
            ("{server_url: 'http://x', sources_url: x}", "data_updates.sources_url: must be an address"),
            ("{server_url: 'http://x', topics: []}", "data_updates.topics: must name at least one topic"),
            (
                "{server_url: 'http://x', policy: {directories: []}}",
                "data_updates.policy.directories: must name at least",
            ),
            ("{server_url: 'http://x', token: a, token_path: b}", "data_updates.token_path: cannot be there beside"),
            ("{server_url: 'http://x', fetch: {workers: 0}}", "data_updates.fetch.workers: must be at least 1"),
            (
                "{server_url: 'http://x', fetch: {timeout_seconds: 0}}",
                "data_updates.fetch.timeout_seconds: must be more",
            ),
            ("{server_url: 'http://x', tls: {cert: x}}", "data_updates.tls.private_key: is missing"),
        ];
        for (yaml, expected) in cases {
            let found = checked(yaml).expect_err(yaml);
            assert!(found.contains(expected), "{yaml}: {found}");
        }
    }

    #[test]
    fn what_is_not_configured_is_as_with_opal() {
        let config = checked("{server_url: 'http://hub:7002/'}").expect("sound");
        assert_eq!(config.topics(), ["policy_data"]);
        assert_eq!(config.sources_url(), "http://hub:7002/data/config");
        assert_eq!((config.fetch.workers(), config.fetch.attempts()), (6, 5));
        assert_eq!(config.fetch.limits().timeout, Duration::from_secs(5));
        assert!(!config.reports.enabled && !config.drop_nulls);
    }
}
