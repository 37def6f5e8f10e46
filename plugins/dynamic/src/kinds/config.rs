//! Configurations, which the plugin itself checks.

use regent_core::config::{ConfigErrors, Section};
use regent_core::value::encode;
use regent_plugin_abi::Bytes;
use serde::Deserialize;

use crate::answer::{Failure, LIMIT, collect};
use crate::exported::Exported;

/// A checked configuration.
#[derive(Clone, PartialEq)]
pub(super) struct Config {
    /// The section; equal ones are spelt in the same way.
    pub(super) json: Vec<u8>,
}

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

impl Config {
    /// A section, if the plugin has nothing to say against it.
    pub(super) fn checked(exported: &Exported, section: &Section) -> Result<Self, ConfigErrors> {
        if !section.value().is_object() {
            return Err(section.error("", "must be an object").into());
        }
        let json = encode(section.value()).into_bytes();
        let complaints = complaints(exported, &json).map_err(|failure| section.error("", failure.to_string()))?;
        let error = |complaint: &Complaint| section.error(&complaint.key, complaint.message.clone());
        ConfigErrors(complaints.iter().map(error).collect()).into_result()?;
        Ok(Self { json })
    }
}
