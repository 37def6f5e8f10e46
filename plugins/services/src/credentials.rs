//! The kinds of credentials, one file each, and what several of them need.

mod asker;
mod bearer;
mod client_tls;
mod failure;
mod fresh;
mod oauth2;

use http::HeaderValue;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section, unknown_key_warning};
use serde::de::DeserializeOwned;

use crate::error::ServiceError;
pub(crate) use bearer::BearerFactory;
pub(crate) use client_tls::ClientTlsFactory;
pub(crate) use oauth2::OAuth2Factory;

/// Reads a section; keys that mean nothing are warned of.
fn read_section<T: DeserializeOwned>(section: &Section, known: &[&str]) -> Result<T, ConfigErrors> {
    let parsed = section.parse::<T>()?;
    for path in &parsed.unknown {
        tracing::warn!("{}", unknown_key_warning(path, known));
    }
    Ok(parsed.value)
}

/// What OPA says of a section that cannot be.
fn refused(section: &Section, text: impl Into<String>) -> ConfigErrors {
    ConfigError::opa(text).from_layer(section.origin("")).into()
}

/// The text unless it is empty, which in OPA means the same as none.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The same for a secret.
fn given_secret(secret: Option<Secret>) -> Option<Secret> {
    secret.filter(|secret| !secret.expose().is_empty())
}

/// A token as the value of `Authorization`.
fn authorization(scheme: &str, token: &Secret) -> Result<HeaderValue, ServiceError> {
    let text = format!("{scheme} {}", token.expose());
    let mut header = HeaderValue::try_from(text).map_err(|_| ServiceError::Token)?;
    header.set_sensitive(true);
    Ok(header)
}
