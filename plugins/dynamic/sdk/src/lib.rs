//! Regent's plugins as shared libraries, in safe Rust.
//!
//! A plugin is a type that fills one of the traits below; [`export!`] makes a library of one or more of them. Build it as a
//! `cdylib`, and start the agent with `--plugin-dir DIRECTORY` or name the file in `plugin_libraries`.
//!
//! ```
//! use regent_plugin::{Builtin, Error, Host, Value};
//!
//! /// `acme.domain("ann@example.com")` is `"example.com"`.
//! struct Domain;
//!
//! impl Builtin for Domain {
//!     const NAME: &'static str = "acme.domain";
//!     const DECLARATION: &'static str = "acme.domain(address: string) => domain: string";
//!
//!     fn build(_host: Host) -> Result<Self, Error> {
//!         Ok(Self)
//!     }
//!
//!     fn call(&self, operands: &[Value]) -> Result<Option<Value>, Error> {
//!         let address = operands[0].as_str().ok_or_else(|| Error::operand(0, "must be a string"))?;
//!         Ok(address.split_once('@').map(|(_, domain)| domain.into()))
//!     }
//! }
//!
//! regent_plugin::export!(Builtin: Domain);
//! # fn main() {}
//! ```
//!
//! Plugins are called on threads that the agent keeps for them, so they may block; a call that takes longer than the operator
//! allows counts as failed. A panic ends the call that it comes from, and nothing else; do not build with `panic = "abort"`.
//!
//! | trait | what it is | chosen and configured by |
//! | --- | --- | --- |
//! | [`Builtin`] | a function that policies call | its name in policies |
//! | [`DecisionSink`] | takes the records of decisions | `decision_logs.plugin: NAME`, `plugins.NAME` |
//! | [`DataFetcher`] | gets data that updates speak of | `config.fetcher` of an entry, `data_updates.fetchers.NAME` |
//! | [`Verifier`] | tells whether a signed bundle may be believed | `signing.plugin: NAME`, `plugin` in `.signatures.json` |
//! | [`Signer`] | signs bundles | `--signing-plugin NAME` |
//! | [`Credential`] | proves to services who the agent is | `services.*.credentials.NAME` |
//! | [`Plugin`] | anything with a life | `plugins.NAME` |

#![expect(unsafe_code, reason = "the functions of a library are called by the agent, which lends what they read")]

mod builtin;
mod config;
mod credential;
mod error;
mod export;
mod fetcher;
mod glue;
mod host;
mod lent;
mod plugin;
mod signing;
mod sink;
pub mod testing;

pub use regent_plugin_abi as abi;
pub use serde_json::Value;

pub use builtin::Builtin;
pub use config::{ConfigError, NoConfig, PluginConfig};
pub use credential::{Credential, Identity, Request};
pub use error::Error;
pub use fetcher::{DataFetcher, Fetch};
pub use host::{Host, State};
pub use plugin::{Inbox, Plugin, Reply, Signal};
pub use signing::{Key, SignedFile, Signer, Signing, Verification, Verifier};
pub use sink::{BatchSettings, DecisionSink, Event};

/// The tables of plugins, by the names of their traits; for [`export!`].
#[doc(hidden)]
pub mod table {
    pub use crate::builtin::Table as Builtin;
    pub use crate::credential::Table as Credential;
    pub use crate::fetcher::Table as DataFetcher;
    pub use crate::plugin::Table as Plugin;
    pub use crate::signing::{SignerTable as Signer, VerifierTable as Verifier};
    pub use crate::sink::Table as DecisionSink;
}
