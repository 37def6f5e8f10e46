//! The kinds of credentials, one file each, and what several of them need.

mod asker;
mod aws;
mod azure_managed_identity;
mod bearer;
mod client_tls;
mod ecr;
mod failure;
mod fresh;
mod gcp_metadata;
mod oauth2;
mod s3_signing;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use http::HeaderValue;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::service::CredentialFactory;

use crate::environment::Environment;
use crate::error::ServiceError;

/// One factory of each kind.
pub(crate) fn factories(environment: &Environment) -> Vec<Arc<dyn CredentialFactory>> {
    vec![
        Arc::new(bearer::BearerFactory),
        Arc::new(client_tls::ClientTlsFactory),
        Arc::new(oauth2::OAuth2Factory(environment.clone())),
        Arc::new(s3_signing::S3SigningFactory(environment.clone())),
        Arc::new(gcp_metadata::GcpMetadataFactory),
        Arc::new(azure_managed_identity::AzureManagedIdentityFactory(environment.clone())),
    ]
}

/// Whether the kind is one of these, and not a plugin's.
pub(crate) fn is_stock(kind: &str) -> bool {
    factories(&Environment::process()).iter().any(|factory| factory.kind() == kind)
}

/// What OPA says of a section that cannot be.
fn refused(section: &Section, text: impl Into<String>) -> ConfigErrors {
    ConfigError::opa(text).from_layer(section.origin("")).into()
}

/// Whether the service is a registry.
fn is_registry(service: &Section) -> bool {
    let kind = service.value().get("type").and_then(regent_core::Value::as_str);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("oci"))
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
pub(crate) fn authorization(scheme: &str, token: &Secret) -> Result<HeaderValue, ServiceError> {
    let text = format!("{scheme} {}", token.expose());
    let mut header = HeaderValue::try_from(text).map_err(|_| ServiceError::Token)?;
    header.set_sensitive(true);
    Ok(header)
}
