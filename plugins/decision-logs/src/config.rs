//! The section `decision_logs`, with OPA's keys, defaults and words.

mod defaults;
mod disk;
mod names;
mod reporting;

use regent_core::Value;
use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::plugin::{Known, PluginConfig};
use regent_core::value::Path;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use disk::{Disk, SyncPolicy};
pub(crate) use names::Names;
pub(crate) use reporting::{BufferType, Reporting, Trigger};

/// Where the service takes logs if the configuration does not say.
const DEFAULT_RESOURCE: &str = "/logs";

/// How decisions are recorded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Config {
    /// The service that receives events. The first service if absent, unless `console` or `plugin` is set.
    pub(crate) service: Option<String>,
    /// The path on the service, `/logs` if absent.
    pub(crate) resource: Option<String>,
    /// Deprecated: the last part of the path `/logs/NAME`, used if `resource` is absent.
    pub(crate) partition_name: Option<String>,
    /// The plugin that receives events, or a list of them.
    pub(crate) plugin: Names,
    /// Whether each event becomes a line of the agent's own log.
    pub(crate) console: bool,
    /// The document that says what to mask, `/system/log/mask` if absent.
    pub(crate) mask_decision: Option<String>,
    /// The document that says whether to drop an event, `/system/log/drop` if absent.
    pub(crate) drop_decision: Option<String>,
    /// What of the request becomes part of the event.
    pub(crate) request_context: RequestContext,
    /// Accepted for OPA's sake; the top-level key of this name decides.
    pub(crate) nd_builtin_cache: Option<bool>,
    /// When and in which pieces events are uploaded.
    pub(crate) reporting: Reporting,
    /// Whether `service` is the first of several, taken because none was named.
    #[serde(skip)]
    pub(crate) is_guessed: bool,
}

/// What of the request becomes part of the event.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RequestContext {
    /// What of an HTTP request does.
    pub(crate) http: HttpContext,
}

/// What of an HTTP request becomes part of the event.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct HttpContext {
    /// Names of headers, in any case; events show them as they are spelt here.
    pub(crate) headers: Vec<String>,
}

impl PluginConfig for Config {
    fn validate(&mut self, _section: &Section, known: &Known) -> Result<(), ConfigErrors> {
        self.choose_service(known);
        if !self.is_wanted(known) {
            return Ok(()); // as in OPA, a section without a receiver is not looked at
        }
        let mut errors = Vec::new();
        self.check_receivers(known, &mut errors);
        self.check_paths(&mut errors);
        self.reporting.follow(known.trigger, &mut errors);
        self.reporting.check(&mut errors);
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors.into_iter().map(ConfigError::opa).collect())) }
    }

    fn is_wanted(&self, _known: &Known) -> bool {
        self.service.is_some() || !self.plugins().is_empty() || self.console
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        self.all_defaults()
    }
}

impl Config {
    /// The plugins that receive events.
    pub(crate) fn plugins(&self) -> &[String] {
        &self.plugin.0
    }

    /// Whether answers wait until their events are on disk.
    pub(crate) fn awaits_acks(&self) -> bool {
        self.reporting.disk(std::path::Path::new("")).is_some_and(|disk| disk.awaits_acks())
    }

    /// The path that events are posted to.
    pub(crate) fn upload_path(&self) -> String {
        match (&self.resource, &self.partition_name) {
            (Some(resource), _) => format!("/{}", resource.trim_start_matches('/')),
            (None, Some(partition)) if !partition.is_empty() => format!("{DEFAULT_RESOURCE}/{partition}"),
            (None, _) => DEFAULT_RESOURCE.to_owned(),
        }
    }

    /// The document that says what to mask.
    pub(crate) fn mask_path(&self) -> Path {
        Path::from_slashes(self.mask_decision.as_deref().unwrap_or("/system/log/mask"))
    }

    /// The document that says whether to drop an event.
    pub(crate) fn drop_path(&self) -> Path {
        Path::from_slashes(self.drop_decision.as_deref().unwrap_or("/system/log/drop"))
    }

    fn choose_service(&mut self, known: &Known) {
        self.service.take_if(|name| name.is_empty());
        if self.service.is_none() && self.plugins().is_empty() && !self.console {
            self.service = known.services.first().cloned();
            self.is_guessed = known.services.len() > 1;
        }
    }

    fn check_receivers(&self, known: &Known, errors: &mut Vec<String>) {
        for (at, name) in self.plugins().iter().enumerate() {
            if !known.plugins.contains(name) {
                errors.push(format!("invalid plugin name {name:?} in decision_logs"));
            } else if self.plugins()[..at].contains(name) {
                errors.push(format!("plugin name {name:?} is listed twice in decision_logs"));
            }
        }
        if let Some(name) = self.service.as_ref().filter(|name| !known.services.contains(name)) {
            errors.push(format!("invalid service name {name:?} in decision_logs"));
        }
    }

    fn check_paths(&self, errors: &mut Vec<String>) {
        for (key, path) in [("mask_decision", &self.mask_decision), ("drop_decision", &self.drop_decision)] {
            if let Some(why) = path.as_deref().and_then(wrong_path) {
                errors.push(format!("invalid {key} in decision_logs: {why}"));
            }
        }
        let resource = self.upload_path();
        if let Some(why) = wrong_resource(&resource) {
            errors.push(format!("invalid resource path {resource:?}: {why}"));
        }
    }
}

/// Why a path names no document.
fn wrong_path(path: &str) -> Option<String> {
    let empty = Path::from_slashes(path).is_empty();
    empty.then(|| format!("invalid path: {path}")).or_else(|| wrong_escape(path))
}

/// Why a path cannot stand in a request.
fn wrong_resource(resource: &str) -> Option<String> {
    let unfit = http::uri::PathAndQuery::try_from(resource).err().map(|error| error.to_string());
    wrong_escape(resource).or(unfit)
}

/// The first `%` that two hexadecimal digits do not follow, in the words of OPA's URL parser.
fn wrong_escape(text: &str) -> Option<String> {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let at =
        (0..bytes.len()).find(|&at| bytes[at] == b'%' && !(is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2))))?;
    let shown: String = text[at..].chars().take(3).collect();
    Some(format!("invalid URL escape {shown:?}"))
}

#[cfg(test)]
mod tests;
