//! A plugin of a library that was loaded, before there is an instance of it.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use regent_plugin_abi::Plugin;

use crate::answer::{LIMIT, collect};
use crate::error::Refusal;
use crate::host::Grants;
use crate::kind::Kind;
use crate::table::{Functions, Table};

/// A plugin, and what the operator says of its library.
pub(crate) struct Exported {
    pub(crate) kind: Kind,
    pub(crate) flags: u32,
    pub(crate) name: &'static str,
    pub(crate) plugin: &'static Plugin,
    pub(crate) functions: Functions,
    pub(crate) grants: Grants,
    /// What it says of itself, as JSON.
    description: Vec<u8>,
}

/// What any plugin may say of itself.
#[derive(Default, Deserialize)]
struct About {
    #[serde(default)]
    description: String,
}

impl Exported {
    /// Asks a plugin to describe itself. May block.
    pub(crate) fn new(table: Table, grants: Grants) -> Result<Self, Refusal> {
        let Table { kind, flags, name, plugin, functions } = table;
        let wrong = |why: String| Refusal::Description { plugin: name.to_owned(), why };
        let description = match plugin.describe {
            None => Vec::new(),
            // SAFETY: the writer is there until it returns.
            Some(describe) => {
                collect(LIMIT, |writer| unsafe { describe(writer) }).map_err(|error| wrong(error.to_string()))?
            }
        };
        let exported = Self { kind, flags, name, plugin, functions, grants, description };
        exported.about::<About>()?;
        Ok(exported)
    }

    /// Whether it has a flag.
    pub(crate) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// What it says of itself.
    pub(crate) fn about<T: DeserializeOwned + Default>(&self) -> Result<T, Refusal> {
        if self.description.is_empty() {
            return Ok(T::default());
        }
        let wrong =
            |error: serde_json::Error| Refusal::Description { plugin: self.name.to_owned(), why: error.to_string() };
        serde_json::from_slice(&self.description).map_err(wrong)
    }

    /// What it does, in a sentence; empty if it does not say.
    pub(crate) fn description(&self) -> String {
        self.about::<About>().unwrap_or_default().description
    }
}
