//! The `server` section of the configuration.

use std::time::Duration;

use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::telemetry::REQUEST_BUCKETS;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::limits::{self, ClientTimeouts, Limits};

/// Limits of requests, compression of answers, buckets of request durations. Addresses and certificates are flags.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ServerConfig {
    /// How large requests may be.
    pub decoding: Decoding,
    /// How answers are compressed.
    pub encoding: Encoding,
    /// How large batches may be.
    pub batch: Batch,
    /// What is measured, and how.
    pub metrics: Metrics,
    /// How many clients may come, and how long they may take. OPA knows no such bounds.
    pub limits: ClientLimits,
    /// The plugin that receives the agent's own log lines.
    pub logger_plugin: Option<String>,
}

/// How large requests may be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Decoding {
    /// Most bytes of a body as it is sent; 256 MiB by default.
    pub max_length: Option<i64>,
    /// Compressed bodies.
    pub gzip: GzipDecoding,
}

/// Compressed bodies.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GzipDecoding {
    /// Most bytes of a body once it is unpacked; 512 MiB by default.
    pub max_length: Option<i64>,
}

/// How answers are compressed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Encoding {
    /// Compression with gzip.
    pub gzip: GzipEncoding,
}

/// Decisions of many inputs in one request.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Batch {
    /// Most inputs of one request; 100000 by default.
    pub max_inputs: Option<i64>,
}

/// Compression with gzip.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GzipEncoding {
    /// Answers of fewer bytes are not compressed; 1024 by default.
    pub min_length: Option<i64>,
    /// 0 for none, 1 for speed, 9 (the default) for size.
    pub compression_level: Option<i64>,
}

/// What is measured, and how.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Metrics {
    /// Prometheus.
    pub prom: Prometheus,
}

/// Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Prometheus {
    /// The histogram of request durations.
    pub http_request_duration_seconds: Histogram,
}

/// A histogram.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Histogram {
    /// Upper bounds in seconds.
    pub buckets: Option<Vec<f64>>,
}

/// How many clients may come, and how long they may take.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClientLimits {
    /// Most connections at a time to the addresses of the API; 0 for no limit. By default as many as the limit of open
    /// files leaves room for.
    pub max_connections: Option<u64>,
    /// Seconds for the head of a request, which is also how long a connection may stay open without one; 300 by default.
    pub head_seconds: Option<f64>,
    /// Seconds for the body of a request, plus one for each KiB that has come; 60 by default.
    pub body_seconds: Option<f64>,
    /// Seconds that a client may keep an answer waiting, plus one for each KiB that it takes; 60 by default.
    pub answer_seconds: Option<f64>,
}

/// Longest time that can be configured, in seconds: a year.
const YEAR: f64 = 31_536_000.0;

impl ClientLimits {
    fn validate(&self) -> impl Iterator<Item = ConfigError> {
        let times = [
            ("head_seconds", self.head_seconds),
            ("body_seconds", self.body_seconds),
            ("answer_seconds", self.answer_seconds),
        ];
        let is_wrong = |seconds: f64| !(seconds > 0.0 && seconds <= YEAR);
        times.into_iter().filter(move |(_, seconds)| seconds.is_some_and(is_wrong)).map(|(key, _)| {
            ConfigError::opa(format!(
                "invalid value for server.limits.{key} field, should be more than 0 and at most {YEAR}"
            ))
        })
    }

    /// Most connections to the API; `None` for any number.
    pub(crate) fn connections(&self) -> Option<usize> {
        match self.max_connections {
            Some(0) => None,
            Some(most) => Some(usize::try_from(most).unwrap_or(usize::MAX)),
            None => limits::connections_beside_files(),
        }
    }

    /// How long clients may take.
    pub(crate) fn timeouts(&self) -> ClientTimeouts {
        let seconds = |configured: Option<f64>, default| Duration::from_secs_f64(configured.unwrap_or(default));
        ClientTimeouts {
            head: seconds(self.head_seconds, 300.0),
            body: seconds(self.body_seconds, 60.0),
            answer: seconds(self.answer_seconds, 60.0),
        }
    }
}

impl ServerConfig {
    /// Reads and checks the section; without one, everything has its default.
    ///
    /// # Errors
    /// In OPA's words where a value is out of range.
    pub fn from_section(section: Option<&Section>) -> Result<Self, ConfigErrors> {
        let Some(section) = section else { return Ok(Self::default()) };
        let config = section.parse::<Self>()?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigErrors> {
        let gzip = &self.encoding.gzip;
        let positive = [
            ("decoding.max_length", self.decoding.max_length),
            ("decoding.gzip.max_length", self.decoding.gzip.max_length),
            ("encoding.gzip.min_length", gzip.min_length),
            ("batch.max_inputs", self.batch.max_inputs),
        ];
        let refused = |(key, value): (&str, Option<i64>)| {
            let text = || format!("invalid value for server.{key} field, should be a positive number");
            value.is_some_and(|value| value <= 0).then(|| ConfigError::opa(text()))
        };
        let mut errors: Vec<_> = positive.into_iter().filter_map(refused).collect();
        if gzip.compression_level.is_some_and(|level| !matches!(level, 0 | 1 | 9)) {
            let text = "invalid value for server.encoding.gzip.compression_level field, accepted values are 0, 1 or 9";
            errors.push(ConfigError::opa(text));
        }
        errors.extend(self.limits.validate());
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
    }

    /// The buckets of `http_request_duration_seconds`, for [`regent_core::telemetry::Telemetry::new`].
    pub fn request_buckets(&self) -> &[f64] {
        self.metrics.prom.http_request_duration_seconds.buckets.as_deref().unwrap_or(REQUEST_BUCKETS)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            sent: bytes(self.decoding.max_length, 256 << 20),
            unpacked: bytes(self.decoding.gzip.max_length, 512 << 20),
            time: self.limits.timeouts().body,
        }
    }

    /// Most inputs of a batch.
    pub(crate) fn max_inputs(&self) -> usize {
        usize::try_from(bytes(self.batch.max_inputs, 100_000)).unwrap_or(usize::MAX)
    }

    pub(crate) fn compression(&self) -> Compression {
        let gzip = &self.encoding.gzip;
        let level = gzip.compression_level.and_then(|level| u32::try_from(level).ok());
        Compression {
            from: usize::try_from(bytes(gzip.min_length, 1024)).unwrap_or(usize::MAX),
            level: flate2::Compression::new(level.unwrap_or(9)),
        }
    }
}

/// When and how much answers are compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compression {
    /// From how many bytes on.
    pub(crate) from: usize,
    /// How hard.
    pub(crate) level: flate2::Compression,
}

fn bytes(configured: Option<i64>, default: u64) -> u64 {
    configured.and_then(|length| u64::try_from(length).ok()).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lengths: Option<i64>, level: Option<i64>) -> ServerConfig {
        ServerConfig {
            decoding: Decoding { max_length: lengths, gzip: GzipDecoding { max_length: lengths } },
            encoding: Encoding { gzip: GzipEncoding { min_length: lengths, compression_level: level } },
            batch: Batch { max_inputs: lengths },
            ..ServerConfig::default()
        }
    }

    #[test]
    fn lengths_must_be_positive_and_levels_known() {
        let errors = config(Some(0), Some(5)).validate().expect_err("out of range");
        let texts: Vec<_> = errors.0.iter().map(|error| error.message().to_owned()).collect();
        let expected = [
            "invalid value for server.decoding.max_length field, should be a positive number",
            "invalid value for server.decoding.gzip.max_length field, should be a positive number",
            "invalid value for server.encoding.gzip.min_length field, should be a positive number",
            "invalid value for server.batch.max_inputs field, should be a positive number",
            "invalid value for server.encoding.gzip.compression_level field, accepted values are 0, 1 or 9",
        ];
        assert_eq!(texts, expected);
        for level in [None, Some(0), Some(1), Some(9)] {
            config(Some(1), level).validate().expect("in range");
        }
    }

    #[test]
    fn times_are_positive_and_end() {
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e18] {
            let limits = ClientLimits { body_seconds: Some(seconds), ..ClientLimits::default() };
            let texts: Vec<_> = limits.validate().map(|error| error.message().to_owned()).collect();
            assert_eq!(
                texts,
                ["invalid value for server.limits.body_seconds field, should be more than 0 and at most 31536000"]
            );
        }
        let limits = ClientLimits { body_seconds: Some(0.5), ..ClientLimits::default() };
        assert_eq!((limits.validate().count(), limits.timeouts().body), (0, Duration::from_millis(500)));
    }

    #[test]
    fn everything_has_a_default() {
        let config = ServerConfig::from_section(None).expect("defaults");
        assert_eq!(config.limits().sent, 268_435_456);
        assert_eq!(config.limits().unpacked, 536_870_912);
        assert_eq!(config.max_inputs(), 100_000);
        assert_eq!(config.compression().from, 1024);
        assert_eq!(config.request_buckets(), REQUEST_BUCKETS);
    }
}
