//! The sections `bundles` and, deprecated, `bundle`.

mod signing;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use regent_core::Value;
use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::plugin::{Known, PluginConfig, TriggerMode};
use regent_core::signing::Verification;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

use crate::disk;
use crate::format::Limits;

pub use signing::Signing;

const DEPRECATED: &str = "Deprecated 'bundle' configuration specified. Use 'bundles' instead. See \
                          https://www.openpolicyagent.org/docs/latest/configuration/#bundles";

/// All configured bundles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BundlesConfig {
    /// By name. Filled when the section is checked.
    pub bundles: BTreeMap<String, BundleConfig>,
    /// The name of the one bundle of a deprecated `bundle` section.
    pub legacy: Option<String>,
}

/// One bundle, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleConfig {
    /// Where it comes from.
    pub source: SourceConfig,
    /// How long to wait between two requests.
    pub delay: RangeInclusive<Duration>,
    /// What makes it be asked for.
    pub trigger: TriggerMode,
    /// How large it may be.
    pub limits: Limits,
    /// How long the service is asked to hold a request until there is news.
    pub long_polling: Option<Duration>,
    /// Whether the last one that became active is kept on disk, for a start without the service.
    pub persist: bool,
    /// What is asked of its signature; nothing if it may not have one.
    pub verification: Option<Arc<Verification>>,
    /// How long it may go without its service confirming that the active version is the newest.
    pub max_staleness: Option<Duration>,
}

/// Where a bundle comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceConfig {
    /// A service, and the path there.
    Service {
        /// Its name.
        service: String,
        /// What is appended to its URL.
        resource: String,
    },
    /// An archive or directory of the machine.
    File(PathBuf),
}

/// How often a bundle is asked for, as it is written.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub struct Polling {
    /// Shortest wait between two requests, in seconds.
    #[serde(default)]
    pub min_delay_seconds: Option<i64>,
    /// Longest wait between two requests, in seconds.
    #[serde(default)]
    pub max_delay_seconds: Option<i64>,
    /// How long a service is asked to hold a request until there is news, in seconds.
    #[serde(default)]
    pub long_polling_timeout_seconds: Option<i64>,
}

/// One bundle as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Written {
    /// The service that has it; the first one by default.
    #[serde(default)]
    service: Option<String>,
    /// Its path there, `bundles/NAME` by default, or a `file:` URL.
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    polling: Option<Polling>,
    /// `periodic` or `manual`.
    #[serde(default)]
    trigger: Option<String>,
    /// Whether to keep the last one on disk.
    #[serde(default)]
    persist: Option<bool>,
    /// What is asked of its signature.
    #[serde(default)]
    signing: Option<Signing>,
    /// Most bytes of it and of each of its files, uncompressed.
    #[serde(default)]
    size_limit_bytes: Option<i64>,
    /// Most seconds for which its service may not have confirmed it before the plugin's state is `ERROR`.
    #[serde(default)]
    max_staleness_seconds: Option<i64>,
}

/// The deprecated section.
#[derive(Debug, Deserialize)]
struct WrittenLegacy {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    polling: Option<Polling>,
}

impl<'de> Deserialize<'de> for BundlesConfig {
    /// Takes any object: which of two shapes it has depends on the section's name, known when it is validated.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, serde_json::Value>::deserialize(deserializer).map(|_| Self::default())
    }
}

impl JsonSchema for BundlesConfig {
    fn schema_name() -> Cow<'static, str> {
        "Bundles".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, Written>::json_schema(generator)
    }
}

impl PluginConfig for BundlesConfig {
    fn validate(&mut self, section: &Section, known: &Known) -> Result<(), ConfigErrors> {
        if section.name() == "bundle" {
            tracing::warn!("{DEPRECATED}");
            let (name, config) = legacy(section, known)?;
            self.legacy = Some(name.clone());
            self.bundles.insert(name, config);
            return Ok(());
        }
        let mut errors = ConfigErrors::default();
        for (name, section) in section.children() {
            match bundle(&name, &section, known) {
                Ok(config) => drop(self.bundles.insert(name, config)),
                Err(error) => errors.0.push(error),
            }
        }
        errors.into_result()
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        let single = self.legacy.is_some();
        let below = |(name, config): (&String, &BundleConfig)| {
            let name = (!single).then(|| name.clone());
            let limit = (!single).then(|| (vec!["size_limit_bytes".to_owned()], config.limits.file.into()));
            let keys = config.defaults().into_iter().chain(limit);
            // The deprecated section knows fewer keys.
            let keys = keys.filter(|(path, _)| !single || !matches!(&*path[0], "persist" | "trigger"));
            keys.map(move |(path, value)| (name.iter().cloned().chain(path).collect(), value)).collect::<Vec<_>>()
        };
        self.bundles.iter().flat_map(below).collect()
    }
}

fn bundle(name: &str, section: &Section, known: &Known) -> Result<BundleConfig, ConfigError> {
    let written = section.parse::<Written>()?;
    complete(name, written, known).map_err(|text| ConfigError::opa(text).from_layer(section.origin("")))
}

fn legacy(section: &Section, known: &Known) -> Result<(String, BundleConfig), ConfigError> {
    let written = section.parse::<WrittenLegacy>()?;
    let name = written.name.unwrap_or_default();
    if name.is_empty() {
        return Err(ConfigError::opa(r#"invalid bundle name """#).from_layer(section.origin("")));
    }
    let prefix = written.prefix.unwrap_or_else(|| "bundles".to_owned());
    let resource = written.resource.unwrap_or_else(|| format!("{}/{name}", prefix.trim_matches('/')));
    let written =
        Written { service: written.service, resource: Some(resource), polling: written.polling, ..Written::default() };
    let config = complete(&name, written, known);
    let config = config.map_err(|text| ConfigError::opa(text).from_layer(section.origin("")))?;
    Ok((name, config))
}

/// Fills in defaults. Errors are OPA's whole text.
fn complete(name: &str, written: Written, known: &Known) -> Result<BundleConfig, String> {
    let invalid = |why: String| format!("invalid configuration for bundle {name:?}: {why}");
    let source = match file(name, written.resource.as_deref())? {
        Some(path) => SourceConfig::File(path),
        None => SourceConfig::Service {
            service: service(name, written.service, known).map_err(invalid)?,
            resource: written.resource.filter(|text| !text.is_empty()).unwrap_or_else(|| format!("bundles/{name}")),
        },
    };
    let polling = written.polling.unwrap_or_default();
    let verification = Signing::verification(written.signing.as_ref(), known).map_err(invalid)?;
    let persist = written.persist.unwrap_or_default();
    if persist && !disk::is_fit(name) {
        return Err(invalid("a bundle with 'persist' needs a name that is a path below a directory".to_owned()));
    }
    let size_limit = written.size_limit_bytes.and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0);
    let delay = polling.delay().map_err(|why| invalid(why.to_owned()))?;
    let trigger = TriggerMode::of(written.trigger.as_deref(), known.trigger).map_err(invalid)?;
    let config = BundleConfig {
        source,
        delay,
        trigger,
        max_staleness: None,
        limits: size_limit.map_or_else(Limits::default, Limits::of),
        long_polling: polling.long_polling(),
        persist,
        verification,
    };
    config.limit_staleness(written.max_staleness_seconds).map_err(invalid)
}

impl BundleConfig {
    /// What holds for keys of its section that may be left out, each with the keys that lead to it.
    pub fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        let path = |dotted: &str| dotted.split('.').map(str::to_owned).collect();
        let seconds = |delay: &Duration| Value::from(delay.as_secs());
        let mut keys = vec![(path("persist"), self.persist.into()), (path("trigger"), self.trigger.as_str().into())];
        if let SourceConfig::Service { service, resource } = &self.source {
            keys.push((path("service"), service.into()));
            keys.push((path("resource"), resource.into()));
            keys.push((path("polling.min_delay_seconds"), seconds(self.delay.start())));
            keys.push((path("polling.max_delay_seconds"), seconds(self.delay.end())));
        }
        keys
    }

    /// The same with a limit, in seconds, to how long it may go without being confirmed.
    ///
    /// # Errors
    /// When nobody could keep to the limit.
    pub fn limit_staleness(self, seconds: Option<i64>) -> Result<Self, String> {
        let Some(seconds) = seconds else { return Ok(self) };
        let limit = u64::try_from(seconds).ok().filter(|limit| *limit > 0).map(Duration::from_secs);
        let limit = limit.ok_or("'max_staleness_seconds' must be at least 1")?;
        if matches!(self.source, SourceConfig::File(_)) {
            return Err("'max_staleness_seconds' is for bundles of services: files are not asked for again".to_owned());
        }
        // The longest between two requests, if they are made by themselves.
        let longest = self.long_polling.unwrap_or_default().max(*self.delay.end());
        if self.trigger == TriggerMode::Periodic && longest >= limit {
            let pause = longest.as_secs();
            let why = "'max_staleness_seconds' must be more than the longest pause between two requests";
            return Err(format!("{why}, {pause}"));
        }
        Ok(Self { max_staleness: Some(limit), ..self })
    }
}

/// The path of a `file:` URL.
fn file(name: &str, resource: Option<&str>) -> Result<Option<PathBuf>, String> {
    let Some(resource) = resource else { return Ok(None) };
    let invalid = |why: &str| format!("invalid URL for bundle {name:?}: {why}");
    if resource.chars().any(char::is_control) {
        return Err(invalid("invalid control character in URL"));
    }
    let Some(rest) = resource.strip_prefix("file:") else { return Ok(None) };
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        return Err(invalid("path is missing"));
    }
    Ok(Some(PathBuf::from(path)))
}

fn service(name: &str, written: Option<String>, known: &Known) -> Result<String, String> {
    let written = written.filter(|service| !service.is_empty());
    if written.is_none() && known.services.len() > 1 {
        let guess = &known.services[0];
        tracing::warn!(
            name,
            plugin = "bundle",
            "No service is named and several exist; the first, {guess:?}, is taken."
        );
    }
    let service = written.or_else(|| known.services.first().cloned()).unwrap_or_default();
    if known.services.contains(&service) { Ok(service) } else { Err(format!("service name {service:?} not found")) }
}

impl Polling {
    const MIN_SECONDS: i64 = 60;
    const MAX_SECONDS: i64 = 120;

    /// How long a service is asked to hold a request; it is not asked to if absent.
    pub fn long_polling(&self) -> Option<Duration> {
        self.long_polling_timeout_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
    }

    /// The wait between two requests, defaults filled in.
    ///
    /// # Errors
    /// What does not fit together, in OPA's words.
    pub fn delay(&self) -> Result<RangeInclusive<Duration>, &'static str> {
        let (min, max) = match (self.min_delay_seconds, self.max_delay_seconds) {
            (None, None) => (Self::MIN_SECONDS, Self::MAX_SECONDS),
            (Some(_), None) => return Err("polling configuration missing 'max_delay_seconds'"),
            (None, Some(_)) => return Err("polling configuration missing 'min_delay_seconds'"),
            (Some(min), Some(max)) if max < min => return Err("max polling delay must be >= min polling delay"),
            (Some(min), Some(max)) => (min, max),
        };
        if self.long_polling_timeout_seconds.is_some_and(|seconds| seconds < 1) {
            return Err("'long_polling_timeout_seconds' must be at least 1");
        }
        let seconds = |count: i64| Duration::from_secs(u64::try_from(count).unwrap_or(0));
        Ok(seconds(min)..=seconds(max))
    }
}
