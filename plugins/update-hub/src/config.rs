//! The `hub` section.

use std::path::PathBuf;
use std::time::Duration;

use regent_core::config::Secret;
use regent_data_updates::model::Entry;
use regent_services::tls::TlsFiles;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::policy::PolicyConfig;

/// What a hub is told.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HubConfig {
    /// Where it listens; `localhost:7002` by default.
    pub addr: Option<String>,
    /// The certificate that it shows; plain HTTP without one.
    pub tls: Option<ServerCertificate>,
    /// Who gets tokens and what they are worth; without it nothing is checked.
    pub auth: Option<Auth>,
    /// What agents have to have, or where they are told.
    pub data_sources: Option<DataSources>,
    /// How much of what was published is kept for agents that come back.
    pub log: LogLimits,
    /// What several hubs share their publications through.
    pub backbone: Option<BackboneConfig>,
    /// Policy that it has for agents.
    pub policy: Option<PolicyConfig>,
    /// Whether it knows which clients there are, by what they tell; false by default.
    pub statistics: bool,
    /// How many clients may ask at a time whether they may connect, such as `10/minute`; any number by default.
    pub load_limit: Option<String>,
    /// Most bytes of one update; 1,047,552 by default, since an opal-client takes no message of more than 1 MiB.
    pub max_update_bytes: Option<usize>,
    /// Most websockets; 10,000 by default.
    pub max_peers: Option<usize>,
}

/// Files in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerCertificate {
    /// The certificate, and those between it and its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub private_key: PathBuf,
}

/// Tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// The key that tokens are signed with, in PEM: a file, or the text itself, in which `_` may stand for an end of line.
    pub private_key: Secret,
    /// What it is encrypted with.
    pub private_key_passphrase: Option<Secret>,
    /// The public key, in PEM or as OpenSSH writes it; that of the private key if absent. Has to belong to it.
    pub public_key: Option<String>,
    /// What has to be shown to get a token.
    pub master_token: Secret,
    /// `RS256` by default, or another of `RS…`, `PS…`, `ES…` and `EdDSA`.
    #[serde(default = "rs256")]
    pub algorithm: String,
    /// Whom tokens are for; OPAL's own by default.
    #[serde(default = "audience")]
    pub audience: String,
    /// Who makes them; OPAL's own by default.
    #[serde(default = "issuer")]
    pub issuer: String,
    /// Where the public key is to be had; `/.well-known/jwks.json` by default.
    #[serde(default = "jwks_path")]
    pub jwks_path: String,
}

fn rs256() -> String {
    "RS256".to_owned()
}

fn audience() -> String {
    "https://api.opal.ac/v1/".to_owned()
}

fn issuer() -> String {
    "https://opal.ac/".to_owned()
}

fn jwks_path() -> String {
    "/.well-known/jwks.json".to_owned()
}

/// Base data. One of the two.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataSources {
    /// What agents load whenever they connect.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub entries: Vec<Entry>,
    /// Where agents are sent for their list, with their token as the parameter `token`.
    pub external_source_url: Option<String>,
}

/// Bounds of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogLimits {
    /// Most publications; 10,000 by default.
    pub max_updates: usize,
    /// Most bytes of them; 64 MiB by default.
    pub max_bytes: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { max_updates: 10_000, max_bytes: 64 << 20 }
    }
}

/// What hubs share.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackboneConfig {
    /// `redis://`, `rediss://`, `postgres://` or `nats://`, with user and password if need be.
    pub url: Secret,
    /// What their log is called there; `regent_updates` by default.
    #[serde(default = "log_name")]
    pub name: String,
    /// Certificates for TLS.
    #[serde(default)]
    pub tls: TlsFiles,
}

fn log_name() -> String {
    "regent_updates".to_owned()
}

/// How many may ask in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoadLimit {
    pub(crate) count: u32,
    pub(crate) per: Duration,
    pub(crate) unit: &'static str,
}

impl LoadLimit {
    /// Reads `10/minute`, `10 per minute`, `10 per 2 hours`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (count, rest) = text.split_once('/').or_else(|| text.split_once(" per "))?;
        let (times, unit) = rest.trim().split_once(' ').unwrap_or(("1", rest.trim()));
        let (seconds, unit) = match unit.trim().strip_suffix('s').unwrap_or(unit.trim()) {
            "second" => (1, "second"),
            "minute" => (60, "minute"),
            "hour" => (3_600, "hour"),
            "day" => (86_400, "day"),
            _ => return None,
        };
        let count = count.trim().parse().ok().filter(|count| *count > 0)?;
        let times: u32 = times.parse().ok().filter(|times| *times > 0)?;
        Some(Self { count, per: Duration::from_secs(seconds * u64::from(times)), unit })
    }
}

impl std::fmt::Display for LoadLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let one = match self.unit {
            "second" => 1,
            "minute" => 60,
            "hour" => 3_600,
            _ => 86_400,
        };
        write!(f, "{} per {} {}", self.count, self.per.as_secs() / one, self.unit)
    }
}

impl HubConfig {
    pub(crate) fn addr(&self) -> &str {
        self.addr.as_deref().unwrap_or("localhost:7002")
    }

    pub(crate) fn max_update_bytes(&self) -> usize {
        self.max_update_bytes.unwrap_or((1 << 20) - 1_024)
    }

    pub(crate) fn max_peers(&self) -> usize {
        self.max_peers.unwrap_or(10_000)
    }

    pub(crate) fn load_limit(&self) -> Option<LoadLimit> {
        self.load_limit.as_deref().and_then(LoadLimit::read)
    }
}
