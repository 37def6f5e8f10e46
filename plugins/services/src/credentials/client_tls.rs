//! `client_tls`: a certificate that proves in the TLS handshake who the agent is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regent_core::Error;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::service::{BoxFuture, ClientIdentity, CredentialFactory, CredentialProvider, ServiceRequest};
use regent_signing::keys::{encrypted, pem};
use rustls::pki_types::PrivateKeyDer;
use serde::Deserialize;

use crate::error::ServiceError;

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
    /// Of a key that is encrypted; empty if there is none.
    passphrase: Secret,
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
            passphrase: written.private_key_passphrase.unwrap_or_default(),
        }))
    }
}

impl CredentialProvider for ClientTls {
    fn prepare<'a>(&'a self, _url: &'a str, _request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn client_identity(&self) -> Result<Option<ClientIdentity>, Error> {
        let certificates = read("client certificate", &self.cert)?;
        let private_key = decrypted(read("private key", &self.private_key)?, &self.passphrase)?;
        Ok(Some(ClientIdentity { certificates, private_key }))
    }
}

/// The key as anyone can read it, whether or not it is encrypted in the way of old OpenSSL.
fn decrypted(file: Vec<u8>, passphrase: &Secret) -> Result<Vec<u8>, ServiceError> {
    let text = pem::text(&file);
    let (block, _) = pem::first(&text).ok_or(ServiceError::Material("PEM data could not be found"))?;
    if !encrypted::is_encrypted(&block) {
        return Ok(file);
    }
    if passphrase.expose().is_empty() {
        let missing = "client certificate passphrase is needed, because the certificate is password encrypted";
        return Err(ServiceError::Material(missing));
    }
    let key = encrypted::decrypt(&block, passphrase.expose().as_bytes()).map_err(ServiceError::Encrypted)?;
    let label = match PrivateKeyDer::try_from(&key[..]) {
        Ok(PrivateKeyDer::Pkcs1(_)) => "RSA PRIVATE KEY",
        Ok(PrivateKeyDer::Sec1(_)) => "EC PRIVATE KEY",
        Ok(PrivateKeyDer::Pkcs8(_)) => "PRIVATE KEY",
        _ => {
            let text = "private key should be a PEM or plain PKCS1 or PKCS8; parse error: the passphrase may be wrong";
            return Err(ServiceError::Material(text));
        }
    };
    Ok(pem::spell(label, &key).into_bytes())
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, ServiceError> {
    std::fs::read(path).map_err(|source| ServiceError::Unreadable { what, path: path.to_owned(), source })
}
