//! Plugins with a life and sinks, which the supervisor makes from their sections.

use std::sync::Arc;
use std::time::Duration;

use regent_core::config::{ConfigErrors, Section};
use regent_core::plugin::{Known, Reconfigure};
use regent_core::registry::{AnyConfig, Factory, Instance as Prospect, Prepared};
use regent_core::value::encode;
use regent_core::{Error, Host, Value};
use regent_plugin_abi::{self as abi, Bytes};
use serde::Deserialize;

use super::{managed, sink};
use crate::answer::{Failure, LIMIT, collect};
use crate::attached::Attached;
use crate::exported::Exported;
use crate::table::Functions;

/// Makes instances of a plugin of a library.
pub(crate) struct DynamicFactory(pub(crate) Arc<Exported>);

/// Something that is wrong with a configuration.
#[derive(Deserialize)]
pub(super) struct Complaint {
    #[serde(default)]
    key: String,
    message: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.key.is_empty() { "" } else { ": " };
        write!(f, "{}{separator}{}", self.key, self.message)
    }
}

/// What the plugin has to say against a configuration.
pub(super) fn complaints(exported: &Exported, config: &[u8]) -> Result<Vec<Complaint>, Failure> {
    let Some(check) = exported.plugin.check else { return Ok(Vec::new()) };
    let (config, deadline) = (config.to_owned(), exported.grants.deadline);
    let answer = crate::aside::within(deadline, move || {
        // SAFETY: both arguments are there until it returns.
        collect(LIMIT, |writer| unsafe { check(Bytes::of(&config), writer) })
    });
    let answer = answer.unwrap_or(Err(Failure::Late(deadline)))?;
    if answer.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&answer).map_err(|error| Failure::Garbage(format!("a list of errors: {error}")))
}

/// A section as JSON, if the plugin has nothing to say against it.
pub(super) fn checked(exported: &Exported, section: &Section) -> Result<Vec<u8>, ConfigErrors> {
    if !section.value().is_object() {
        return Err(section.error("", "must be an object").into());
    }
    let config = encode(section.value()).into_bytes();
    let complaints = complaints(exported, &config).map_err(|failure| section.error("", failure.to_string()))?;
    let error = |complaint: &Complaint| section.error(&complaint.key, complaint.message.clone());
    ConfigErrors(complaints.iter().map(error).collect()).into_result()?;
    Ok(config)
}

impl Factory for DynamicFactory {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn sections(&self) -> &'static [&'static str] {
        &[]
    }

    fn reconfigure(&self) -> Reconfigure {
        if self.0.has(abi::LIVE) { Reconfigure::Live } else { Reconfigure::Restart }
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({"type": "object"})
    }

    fn prepare(&self, section: &Section, _: &Known) -> Result<Option<Box<dyn Prepared>>, ConfigErrors> {
        let json = checked(&self.0, section)?;
        let config = Config { section: section.value().clone(), json };
        Ok(Some(Box::new(Checked { exported: self.0.clone(), config })))
    }
}

/// A checked configuration.
#[derive(Clone)]
pub(super) struct Config {
    section: Value,
    pub(super) json: Vec<u8>,
}

struct Checked {
    exported: Arc<Exported>,
    config: Config,
}

impl Prepared for Checked {
    fn build(self: Box<Self>, host: Host) -> Result<Box<dyn Prospect>, Error> {
        let Self { exported, config } = *self;
        let attached = Attached::new(exported.name);
        attached.attach(&host);
        match exported.functions {
            Functions::Sink(functions) => sink::build(&exported, attached, config.json, functions),
            Functions::Managed(functions) => managed::build(&exported, attached, config.json, functions),
            Functions::Ask(_) | Functions::Credential(_) => Err(Failure::Panicked.into_error(exported.name)),
        }
    }

    fn config(&self) -> AnyConfig {
        Box::new(self.config.clone())
    }

    fn is_same(&self, other: &AnyConfig) -> bool {
        other.downcast_ref::<Config>().is_some_and(|other| other.section == self.config.section)
    }
}

/// How long a plugin may take to end, of what is left until the agent has to: half of it, since others end after it.
pub(super) fn share(deadline: tokio::time::Instant) -> Duration {
    deadline.saturating_duration_since(tokio::time::Instant::now()) / 2
}
