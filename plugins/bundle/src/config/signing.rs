//! `signing`: what is asked of a bundle's signature.

use std::sync::Arc;

use regent_core::plugin::Known;
use regent_core::signing::Verification;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is asked of a bundle's signature, as it is written. That it is written at all makes a signature mandatory.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub struct Signing {
    /// The one of `keys` that counts; without it, the signature chooses.
    #[serde(default)]
    keyid: Option<String>,
    /// The scope that the signature must have; without it, that of the key.
    #[serde(default)]
    scope: Option<String>,
    /// Patterns of files that need no signature.
    #[serde(default)]
    exclude_files: Option<Vec<String>>,
    /// The verifier that counts; without it, the bundle chooses. Not in OPA.
    #[serde(default)]
    plugin: Option<String>,
}

impl Signing {
    /// What is asked of signatures where `signing` says this. Nothing without keys: then no bundle may be signed, since
    /// nothing could tell whether its signature is right.
    ///
    /// # Errors
    /// `key id x not found`
    pub fn verification(written: Option<&Self>, known: &Known) -> Result<Option<Arc<Verification>>, String> {
        let Some(signing) = written else {
            let any_key = Verification { keys: known.keys.clone(), ..Verification::default() };
            return Ok((!known.keys.is_empty()).then(|| any_key.into()));
        };
        let key_id = signing.keyid.clone().unwrap_or_default();
        if !key_id.is_empty() && known.keys.get(&key_id).is_none() {
            return Err(format!("key id {key_id} not found"));
        }
        let verification = Verification {
            keys: known.keys.clone(),
            key_id,
            scope: signing.scope.clone().unwrap_or_default(),
            exclude_files: signing.exclude_files.clone().unwrap_or_default(),
            required: true,
            plugin: signing.plugin.clone().filter(|plugin| !plugin.is_empty()),
        };
        Ok(Some(verification.into()))
    }
}
