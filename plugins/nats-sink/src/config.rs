//! The section `plugins.nats_sink`.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ServerAddr;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::plugin::{Known, PluginConfig};
use regent_services::tls::TlsFiles;
use schemars::JsonSchema;
use serde::Deserialize;

/// The most events that may wait for an acknowledgement: about what the client itself would hold.
const MOST_IN_FLIGHT: usize = 4096;

/// Where decisions go, and how.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// Addresses of the servers of one cluster, as `nats://HOST:PORT`, or `tls://HOST:PORT` to insist on TLS.
    servers: Vec<String>,
    /// The subject that events are published to; a stream has to take it.
    pub(crate) subject: String,
    /// Who the agent is.
    #[serde(default)]
    pub(crate) credentials: Credentials,
    /// Insists on TLS, with these files.
    pub(crate) tls: Option<TlsFiles>,
    /// How long a server may take to answer when it is connected to; 5 by default.
    connect_timeout_seconds: Option<u64>,
    /// How long the stream may take for an acknowledgement; 5 by default.
    ack_timeout_seconds: Option<u64>,
    /// Most events that wait for an acknowledgement; 256 by default.
    max_in_flight: Option<usize>,
    /// The addresses, once they have been read.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) addresses: Vec<ServerAddr>,
}

/// One of: `path`, `user` with `password`, `token`, `nkey`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Credentials {
    /// A file with a user's JWT and seed, as `nsc` writes it. Read for each connection.
    pub(crate) path: Option<PathBuf>,
    /// The name of a user.
    pub(crate) user: Option<String>,
    /// The user's password.
    pub(crate) password: Option<Secret>,
    /// A token.
    pub(crate) token: Option<Secret>,
    /// The seed of a user's key (`SU…`).
    pub(crate) nkey: Option<Secret>,
}

impl Config {
    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds.unwrap_or(5))
    }

    pub(crate) fn ack_timeout(&self) -> Duration {
        Duration::from_secs(self.ack_timeout_seconds.unwrap_or(5))
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.max_in_flight.unwrap_or(256)
    }

    /// The addresses in one text.
    pub(crate) fn places(&self) -> String {
        self.servers.join(", ")
    }

    fn read_servers(&mut self, section: &Section) -> Result<(), ConfigError> {
        let mut wrong = self.servers.is_empty().then(|| "names no server".to_owned());
        for server in &self.servers {
            match server.parse::<ServerAddr>() {
                // What could be a secret is not quoted.
                Ok(address) if address.has_user_pass() => {
                    wrong = Some("an address has a user: write it as `credentials`".to_owned());
                }
                Ok(address) if address.is_websocket() => {
                    wrong = Some(format!("{server}: web sockets are not spoken: write nats:// or tls://"));
                }
                Ok(address) => self.addresses.push(address),
                Err(error) => wrong = Some(error.to_string()),
            }
        }
        wrong.map_or(Ok(()), |why| Err(section.error("servers", why)))
    }

    fn check_bounds(&self, section: &Section) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        if !(1..=MOST_IN_FLIGHT).contains(&self.max_in_flight()) {
            errors.push(section.error("max_in_flight", format!("must be from 1 to {MOST_IN_FLIGHT}")));
        }
        let seconds = [
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("ack_timeout_seconds", self.ack_timeout_seconds),
        ];
        let zero = seconds.into_iter().filter(|(_, seconds)| *seconds == Some(0));
        errors.extend(zero.map(|(key, _)| section.error(key, "must be at least 1")));
        errors
    }
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        let mut errors: Vec<ConfigError> = self.read_servers(section).err().into_iter().collect();
        if let Some(why) = wrong_subject(&self.subject) {
            errors.push(section.error("subject", why));
        }
        errors.extend(self.credentials.check(section).err());
        errors.extend(self.tls.as_ref().and_then(|tls| tls.check(section).err()));
        errors.extend(self.check_bounds(section));
        ConfigErrors(errors).into_result()
    }
}

impl Credentials {
    fn check(&self, section: &Section) -> Result<(), ConfigError> {
        let user = self.user.is_some() || self.password.is_some();
        let kinds = [self.path.is_some(), user, self.token.is_some(), self.nkey.is_some()];
        if kinds.into_iter().filter(|kind| *kind).count() > 1 {
            let why = "has more than one of `path`, `user` with `password`, `token` and `nkey`: keep one";
            return Err(section.error("credentials", why));
        }
        if user && (self.user.is_none() || self.password.is_none()) {
            return Err(section.error("credentials", "`user` and `password` belong together"));
        }
        match &self.nkey {
            Some(seed) if nkeys::KeyPair::from_seed(seed.expose()).is_err() => {
                Err(section.error("credentials.nkey", "is no seed of an nkey: it starts with SU"))
            }
            _ => Ok(()),
        }
    }
}

/// What keeps events from being published to a subject.
fn wrong_subject(subject: &str) -> Option<&'static str> {
    if subject.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Some("must not have blanks");
    }
    let mut tokens = subject.split('.');
    if tokens.clone().any(str::is_empty) {
        return Some("must be names with dots between them");
    }
    tokens.any(|token| matches!(token, "*" | ">")).then_some("must not have `*` or `>`: events go to one subject")
}

#[cfg(test)]
mod tests {
    use regent_core::config::Layers;

    use super::*;

    const SEED: &str = "SUANQDPB2RUOE4ETUA26CNX7FUKE5ZZKFCQIIW63OX225F2CO7UEXTM7ZY";

    /// What is wrong with a section, all of it.
    fn refusal(yaml: &str) -> String {
        let tree = Layers::new().text("test", &format!("plugins: {{nats_sink: {yaml}}}")).load().expect("YAML");
        let section = tree.section(&["plugins", "nats_sink"]).expect("the section");
        let mut config = match section.parse::<Config>() {
            Ok(config) => config,
            Err(error) => return error.to_string(),
        };
        config.validate(&section, &Known::default()).err().map(|errors| errors.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_section_with_servers_and_a_subject_is_enough() {
        assert_eq!(refusal("{servers: [a, 'tls://b:4222'], subject: audit.decisions}"), "");
        assert_eq!(refusal(&format!("{{servers: [a], subject: s, credentials: {{nkey: {SEED}}}}}")), "");
    }

    #[test]
    fn what_is_wrong_is_said_at_its_key_and_without_secrets() {
        let with = |rest: &str| refusal(&format!("{{servers: [a], subject: s, {rest}}}"));
        let all = refusal("{servers: [], subject: 'a b', ack_timeout_seconds: 0, max_in_flight: 0}");
        for key in
            ["servers: names no server", "subject: must not have blanks", "max_in_flight: must be", "ack_timeout"]
        {
            assert!(all.contains(&format!("plugins.nats_sink.{key}")), "{all}");
        }
        for (section, expected) in [
            (refusal("{servers: ['nats://ann:hunter2@a'], subject: s}"), "servers: an address has a user"),
            (refusal("{servers: ['ws://a'], subject: s}"), "servers: ws://a: web sockets are not spoken"),
            (refusal("{servers: ['http://a'], subject: s}"), "servers: invalid scheme"),
            (refusal("{servers: [a], subject: a..b}"), "subject: must be names with dots"),
            (refusal("{servers: [a], subject: 'a.>'}"), "subject: must not have `*`"),
            (with("credentials: {token: hunter2, path: x}"), "credentials: has more than one"),
            (with("credentials: {user: ann}"), "credentials: `user` and `password` belong together"),
            (with("credentials: {nkey: hunter2}"), "credentials.nkey: is no seed"),
            (with("tls: {ca_cert: /nonexistent}"), "tls.ca_cert: cannot read /nonexistent"),
        ] {
            assert!(section.starts_with(&format!("plugins.nats_sink.{expected}")), "{section}");
            assert!(!section.contains("hunter2"), "{section}");
        }
    }
}
