//! `bearer`: a token in the `Authorization` header, written in the configuration or read from a file.
//!
//! To registries it is sent in base64, as in OPA: with `scheme: Basic` it is then the user and password of
//! `user:password`, and with `Bearer` what GitHub's and GitLab's registries want.

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use regent_core::Error;
use regent_core::config::{ConfigErrors, Secret, Section};
use regent_core::service::{BoxFuture, CredentialFactory, CredentialProvider, ServiceRequest};
use regent_signing::base64;
use serde::Deserialize;

use super::{authorization, is_registry, refused};
use crate::error::ServiceError;

/// Makes [`Bearer`] credentials.
pub(crate) struct BearerFactory;

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    token: Option<Secret>,
    #[serde(default)]
    token_path: Option<PathBuf>,
    #[serde(default)]
    scheme: Option<String>,
}

/// A token and the word before it.
struct Bearer {
    scheme: String,
    source: TokenSource,
    is_encoded: bool,
}

enum TokenSource {
    Literal(Secret),
    /// Read again at each request, so that whoever rotates the token only writes the file.
    File(PathBuf),
}

impl CredentialFactory for BearerFactory {
    fn kind(&self) -> &'static str {
        "bearer"
    }

    fn build(&self, section: &Section, service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        let written = section.parse::<Written>()?;
        let token = written.token.filter(|token| !token.expose().is_empty());
        let path = written.token_path.filter(|path| !path.as_os_str().is_empty());
        let source = match (token, path) {
            (Some(token), None) => TokenSource::Literal(token),
            (None, Some(path)) => TokenSource::File(path),
            _ => {
                let text = r#"invalid config: specify a value for either the "token" or "token_path" field"#;
                return Err(refused(section, text));
            }
        };
        let scheme = written.scheme.filter(|scheme| !scheme.is_empty()).unwrap_or_else(|| "Bearer".to_owned());
        Ok(Arc::new(Bearer { scheme, source, is_encoded: is_registry(service) }))
    }
}

impl Bearer {
    async fn header(&self) -> Result<HeaderValue, ServiceError> {
        let token = match &self.source {
            TokenSource::Literal(token) => token.clone(),
            TokenSource::File(path) => match tokio::fs::read_to_string(path).await {
                Ok(text) => Secret::new(text.trim()),
                Err(source) => {
                    return Err(ServiceError::Unreadable { what: "token file", path: path.clone(), source });
                }
            },
        };
        let spelled = self.is_encoded.then(|| Secret::new(base64::spell(token.expose().as_bytes())));
        authorization(&self.scheme, &spelled.unwrap_or(token))
    }
}

impl CredentialProvider for Bearer {
    fn prepare<'a>(&'a self, _url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            request.headers.insert(AUTHORIZATION, self.header().await?);
            Ok(())
        })
    }
}
