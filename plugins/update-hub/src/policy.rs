//! Policy that the hub has for agents: the files of a repository or a bundle, whole or what has changed since a version.

mod answer;
mod archive;
mod config;
mod git;
mod version;
mod watch;
pub(crate) mod webhook;

pub(crate) use answer::Asked;
pub use config::PolicyConfig;
pub(crate) use config::{SecretType, WebhookConfig};
pub(crate) use watch::Policy;

use regent_core::{Error, ErrorKind};

fn unavailable(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, text)
}
