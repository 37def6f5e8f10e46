//! The section `status`, with OPA's keys, defaults and words.

use regent_core::Value;
use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::plugin::{Known, PluginConfig, TriggerMode};
use regent_core::value::Number;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where reports go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The service that receives reports. The first service if absent, unless another receiver is set.
    pub service: Option<String>,
    /// The last part of the path `/status/NAME`; without it the path is `/status`.
    pub partition_name: Option<String>,
    /// The plugin that receives reports.
    pub plugin: Option<String>,
    /// Whether each report becomes a line of the agent's own log.
    pub console: bool,
    /// Whether `/metrics` shows bundles and plugins.
    pub prometheus: bool,
    /// How `/metrics` shows them.
    pub prometheus_config: PrometheusConfig,
    /// `periodic`, which sends each event's report, or `manual`.
    pub trigger: Option<String>,
    /// Whether `service` is the first of several, taken because none was named.
    #[serde(skip)]
    pub is_guessed: bool,
}

/// How `/metrics` shows bundles.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PrometheusConfig {
    /// Settings of single metrics.
    pub collectors: Collectors,
}

/// Settings of single metrics.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Collectors {
    /// How long bundles take to load.
    pub bundle_loading_duration_ns: LoadingDuration,
}

/// The histogram of how long bundles take to load.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LoadingDuration {
    /// Upper bounds in nanoseconds, growing.
    pub buckets: Vec<f64>,
}

impl Default for LoadingDuration {
    /// Twenty buckets, from a microsecond up, each twice as large as the one before.
    fn default() -> Self {
        Self { buckets: (0..20).map(|exponent| 1000.0 * f64::exp2(f64::from(exponent))).collect() }
    }
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, known: &Known) -> Result<(), ConfigErrors> {
        self.choose_service(known);
        if !self.is_wanted(known) {
            return Ok(()); // as in OPA, a section without a receiver is not looked at
        }
        let mut errors: Vec<_> = self.wrong_words(known).into_iter().map(ConfigError::opa).collect();
        if self.trigger.as_deref().is_none_or(str::is_empty) {
            self.trigger = known.trigger.map(|mode| mode.as_str().to_owned());
        }
        let buckets = &self.prometheus_config.collectors.bundle_loading_duration_ns.buckets;
        if buckets.is_empty() || !buckets.is_sorted_by(|a, b| a < b) {
            let key = "prometheus_config.collectors.bundle_loading_duration_ns.buckets";
            errors.push(section.error(key, "must be at least one number, each larger than the one before"));
        }
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
    }

    fn is_wanted(&self, _known: &Known) -> bool {
        self.service.is_some() || self.has_other_receiver()
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        let key = |dotted: &str, value| (dotted.split('.').map(str::to_owned).collect(), value);
        let trigger = if self.is_manual() { TriggerMode::Manual } else { TriggerMode::Periodic };
        let mut keys = vec![
            key("console", self.console.into()),
            key("prometheus", self.prometheus.into()),
            key("trigger", trigger.as_str().into()),
        ];
        keys.extend(self.service.as_ref().map(|service| key("service", service.into())));
        if self.prometheus {
            let buckets = &self.prometheus_config.collectors.bundle_loading_duration_ns.buckets;
            let bounds = Value::array(buckets.iter().filter_map(|bound| Number::from_f64(*bound)).map(Value::from));
            keys.push(key("prometheus_config.collectors.bundle_loading_duration_ns.buckets", bounds));
        }
        keys
    }
}

impl Config {
    /// The path that reports are posted to.
    pub fn path(&self) -> String {
        match self.partition_name.as_deref() {
            None | Some("") => "/status".to_owned(),
            Some(partition) => format!("/status/{partition}"),
        }
    }

    /// Whether reports are sent only when someone asks.
    pub fn is_manual(&self) -> bool {
        self.trigger.as_deref() == Some("manual")
    }

    fn has_other_receiver(&self) -> bool {
        self.plugin.is_some() || self.console || self.prometheus
    }

    fn choose_service(&mut self, known: &Known) {
        self.service.take_if(|name| name.is_empty());
        self.plugin.take_if(|name| name.is_empty());
        if self.service.is_none() && !self.has_other_receiver() {
            self.service = known.services.first().cloned();
            self.is_guessed = known.services.len() > 1;
        }
    }

    fn wrong_words(&self, known: &Known) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(name) = self.plugin.as_ref().filter(|name| !known.plugins.contains(*name)) {
            wrong.push(format!("invalid plugin name {name:?} in status"));
        }
        if let Some(name) = self.service.as_ref().filter(|name| !known.services.contains(name)) {
            wrong.push(format!("invalid service name {name:?} in status"));
        }
        if let Err(mode) = TriggerMode::of(self.trigger.as_deref(), known.trigger) {
            wrong.push(format!("invalid status config: {mode}"));
        }
        wrong
    }
}
