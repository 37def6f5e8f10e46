//! `client_tls`: a certificate that proves in the TLS handshake who the agent is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regent_core::Error;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::service::{BoxFuture, ClientIdentity, CredentialFactory, CredentialProvider, ServiceRequest};
use serde::Deserialize;

use crate::error::ServiceError;

/// The header of a key that is encrypted in the way of old OpenSSL.
const LEGACY_ENCRYPTION: &[u8] = b"DEK-Info:";

/// Makes [`ClientTls`] credentials.
pub(crate) struct ClientTlsFactory;

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    cert: Option<PathBuf>,
    #[serde(default)]
    private_key: Option<PathBuf>,
    #[serde(default)]
    private_key_passphrase: Option<Secret>,
    /// Files are compared at each request, so any age that one may configure is kept.
    #[serde(default, rename = "cert_refresh_duration")]
    _cert_refresh_duration: Option<serde_json::Value>,
    /// Deprecated; the connector reads it, in place of a missing `tls`.
    #[serde(default, rename = "ca_cert")]
    _ca_cert: Option<PathBuf>,
    #[serde(default, rename = "system_ca_required")]
    _system_ca_required: Option<bool>,
}

/// The files of certificate and key. They are read at each request, so they can be renewed in place.
struct ClientTls {
    cert: PathBuf,
    private_key: PathBuf,
    has_passphrase: bool,
}

impl CredentialFactory for ClientTlsFactory {
    fn kind(&self) -> &'static str {
        "client_tls"
    }

    fn build(&self, section: &Section, _service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        let written = section.parse::<Written>()?;
        let given = |path: Option<PathBuf>, text: &str| {
            let missing = || ConfigError::opa(text).from_layer(section.origin(""));
            path.filter(|path| !path.as_os_str().is_empty()).ok_or_else(missing)
        };
        Ok(Arc::new(ClientTls {
            cert: given(written.cert, "client certificate is needed when client TLS is enabled")?,
            private_key: given(written.private_key, "private key is needed when client TLS is enabled")?,
            has_passphrase: written.private_key_passphrase.is_some_and(|text| !text.expose().is_empty()),
        }))
    }
}

impl CredentialProvider for ClientTls {
    fn prepare<'a>(&'a self, _url: &'a str, _request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn client_identity(&self) -> Result<Option<ClientIdentity>, Error> {
        let certificates = read("client certificate", &self.cert)?;
        let private_key = read("private key", &self.private_key)?;
        if private_key.windows(LEGACY_ENCRYPTION.len()).any(|window| window == LEGACY_ENCRYPTION) {
            return Err(ServiceError::Material(if self.has_passphrase {
                "encrypted private keys are not supported: decrypt the key with `openssl pkey`"
            } else {
                "client certificate passphrase is needed, because the certificate is password encrypted"
            })
            .into());
        }
        Ok(Some(ClientIdentity { certificates, private_key }))
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, ServiceError> {
    std::fs::read(path).map_err(|source| ServiceError::Unreadable { what, path: path.to_owned(), source })
}
