//! The section `plugins.kafka_sink`.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::plugin::{Known, PluginConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// Properties of librdkafka that keys of the section stand for.
const NAMED: [(&str, &str); 10] = [
    ("bootstrap.servers", "brokers"),
    ("metadata.broker.list", "brokers"),
    ("acks", "acks"),
    ("request.required.acks", "acks"),
    ("enable.idempotence", "idempotence"),
    ("compression.type", "compression"),
    ("compression.codec", "compression"),
    ("delivery.timeout.ms", "delivery_timeout_seconds"),
    ("message.timeout.ms", "delivery_timeout_seconds"),
    ("transactional.id", "idempotence"),
];

/// Where decisions go, and how.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// Brokers to begin with, as `HOST:PORT`.
    brokers: Vec<String>,
    /// The topic.
    pub(crate) topic: String,
    /// What events are distributed over partitions by; `decision_id` by default.
    #[serde(default)]
    pub(crate) key: Key,
    /// Who has to have an event before it is acknowledged; `all` by default.
    #[serde(default)]
    acks: Acks,
    /// Whether what is sent again is kept once by the broker; by default it is with `acks: all`.
    idempotence: Option<bool>,
    /// How batches are compressed; `none` by default.
    #[serde(default)]
    compression: Compression,
    /// How long an event may take, all tries of librdkafka included; 10 by default.
    delivery_timeout_seconds: Option<u64>,
    /// Other properties of librdkafka.
    #[serde(default)]
    properties: BTreeMap<String, Property>,
}

/// The key of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Key {
    /// The id of the decision.
    #[default]
    DecisionId,
    /// None.
    None,
}

/// Who has to have an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Acks {
    /// All replicas that are in sync.
    #[default]
    All,
    /// The leader of the partition.
    Leader,
}

/// How batches are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Quickly.
    Lz4,
    /// About as quickly.
    Snappy,
}

/// A text, a number or a truth value. May be a secret.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(transparent)]
struct Property(Secret);

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(text) => Ok(Self(Secret::new(text))),
            value @ (Json::Number(_) | Json::Bool(_)) => Ok(Self(Secret::new(value.to_string()))),
            _ => Err(serde::de::Error::custom("invalid type: expected a string, a number or a boolean")),
        }
    }
}

impl Config {
    pub(crate) fn delivery_timeout(&self) -> Duration {
        Duration::from_secs(self.delivery_timeout_seconds.unwrap_or(10))
    }

    fn is_idempotent(&self) -> bool {
        self.idempotence.unwrap_or(self.acks == Acks::All)
    }

    /// All of it in librdkafka's words.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("client.id", "regent");
        for (name, Property(value)) in &self.properties {
            client.set(name, value.expose());
        }
        let acks = if self.acks == Acks::All { "all" } else { "1" };
        let compression = match self.compression {
            Compression::None => "none",
            Compression::Lz4 => "lz4",
            Compression::Snappy => "snappy",
        };
        client.set("bootstrap.servers", self.brokers.join(","));
        client.set("acks", acks).set("enable.idempotence", self.is_idempotent().to_string());
        client.set("compression.type", compression);
        client.set("message.timeout.ms", self.delivery_timeout().as_millis().to_string());
        client
    }

    fn check_properties(&self, section: &Section) -> Vec<ConfigError> {
        let key = |name: &str| section.error(&format!("properties.{name}"), String::new()).path().to_owned();
        let named = NAMED.iter().filter(|(name, _)| self.properties.contains_key(*name));
        let error = |name: &str, why: String| ConfigError::new(key(name), why, section.origin("properties"));
        let named = named.map(|(name, key)| error(name, format!("has a key of its own: `{key}`")));
        let mut errors: Vec<ConfigError> = named.collect();
        for (name, Property(value)) in &self.properties {
            let mut alone = ClientConfig::new();
            alone.set(name, value.expose());
            // The value may be a secret.
            if let Err(error_of) = alone.create_native_config() {
                let why = match error_of {
                    KafkaError::ClientConfig(_, why, ..) => why.replace(value.expose(), "***"),
                    _ => "is not a property of librdkafka, or not with this value".to_owned(),
                };
                errors.push(error(name, why));
            }
        }
        errors
    }
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        let mut errors = Vec::new();
        if self.brokers.iter().all(|broker| broker.trim().is_empty()) {
            errors.push(section.error("brokers", "names no broker"));
        }
        if self.topic.is_empty() {
            errors.push(section.error("topic", "is empty"));
        }
        if self.idempotence == Some(true) && self.acks == Acks::Leader {
            errors.push(section.error("idempotence", "asks for `acks: all`"));
        }
        if self.delivery_timeout_seconds == Some(0) {
            errors.push(section.error("delivery_timeout_seconds", "must be at least 1"));
        }
        errors.extend(self.check_properties(section));
        ConfigErrors(errors).into_result()
    }
}

#[cfg(test)]
mod tests {
    use regent_core::config::Layers;

    use super::*;

    /// What is wrong with a section, all of it; and what librdkafka is told.
    fn checked(keys: &str) -> Result<ClientConfig, String> {
        let yaml = format!("plugins: {{kafka_sink: {{brokers: ['a:9092', 'b:9092'], topic: t, {keys}}}}}");
        let tree = Layers::new().text("test", &yaml).load().expect("YAML");
        let section = tree.section(&["plugins", "kafka_sink"]).expect("the section");
        let mut config = section.parse::<Config>().map_err(|error| error.to_string())?;
        config.validate(&section, &Known::default()).map_err(|errors| errors.to_string())?;
        Ok(config.client())
    }

    #[test]
    fn librdkafka_is_told_what_the_section_says() {
        let keys = "compression: lz4, delivery_timeout_seconds: 3, \
                    properties: {linger.ms: 50, sasl.password: hunter2, socket.keepalive.enable: true}";
        let client = checked(keys).expect("it is right");
        for (name, value) in [
            ("bootstrap.servers", "a:9092,b:9092"),
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("compression.type", "lz4"),
            ("message.timeout.ms", "3000"),
            ("linger.ms", "50"),
            ("sasl.password", "hunter2"),
            ("socket.keepalive.enable", "true"),
        ] {
            assert_eq!(client.get(name), Some(value), "{name}");
        }
        let client = checked("acks: leader").expect("it is right");
        assert_eq!((client.get("acks"), client.get("enable.idempotence")), (Some("1"), Some("false")));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_key_and_without_secrets() {
        for (keys, expected) in [
            ("topic: ''", "topic: is empty"),
            ("brokers: []", "brokers: names no broker"),
            ("acks: leader, idempotence: true", "idempotence: asks for"),
            ("delivery_timeout_seconds: 0", "delivery_timeout_seconds: must be"),
            ("compression: zstd", "compression: unknown variant"),
            ("properties: {acks: 1}", "properties.acks: has a key of its own: `acks`"),
            ("properties: {lingr.ms: 1}", "properties.lingr.ms: "),
            ("properties: {linger.ms: hunter2}", "properties.linger.ms: "),
            ("properties: {security.protocol: hunter2}", "properties.security.protocol: "),
            ("properties: {sasl.password: [hunter2]}", "properties.sasl.password: invalid type"),
        ] {
            let why = checked(keys).expect_err(expected);
            assert!(why.starts_with(&format!("plugins.kafka_sink.{expected}")), "{why}");
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
