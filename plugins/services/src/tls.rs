//! TLS towards services: whom to trust, and who the agent is.
//!
//! Cryptography is ring's, named at each use: nothing depends on a process-wide default. TLS 1.2 is the least.

mod anyone;
mod files;
mod renamed;

use std::path::Path;
use std::sync::Arc;

use regent_core::Error;
use regent_core::service::{ClientIdentity, CredentialProvider};
pub use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
pub use rustls::pki_types::ServerName;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;

use crate::config::Trust;
use crate::error::ServiceError;
use anyone::Anyone;
pub use files::{FilesError, TlsFiles};
use renamed::Renamed;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Certificate or key are not to be found in what should hold them.
    #[error("{0}")]
    Material(&'static str),
    /// The private key cannot be read.
    #[error("private key should be a PEM or plain PKCS1 or PKCS8; parse error")]
    KeyFormat(#[source] PemError),
    /// Certificate and key do not fit each other, or cannot be used.
    #[error("certificate and private key cannot be used")]
    KeyPair(#[source] rustls::Error),
    /// There is no certificate of an authority in what should hold some.
    #[error("unable to parse and append CA certificate to certificate pool")]
    Authority,
    /// Something else.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// Whose word counts for who a server is. Authorities are PEM.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Authorities {
    /// Anyone may say to be anyone.
    Anyone,
    /// The system's authorities.
    System,
    /// These alone.
    Only(Vec<u8>),
    /// These and the system's.
    SystemAnd(Vec<u8>),
}

/// The client's side of TLS.
pub struct ClientSetup<'a> {
    /// Whom to trust.
    pub authorities: &'a Authorities,
    /// Who the client is.
    pub identity: Option<&'a ClientIdentity>,
    /// The name that a server's certificate must be for, if not the one that it is called by.
    pub server_name: Option<ServerName<'static>>,
}

impl ClientSetup<'_> {
    /// The configuration of a client that speaks HTTP/2 and HTTP/1.1. May read the system's authorities from files.
    ///
    /// # Errors
    /// When certificates or keys cannot be used.
    pub fn config(&self) -> Result<ClientConfig, TlsError> {
        let builder = self.trusting(Arc::new(rustls::crypto::ring::default_provider()))?;
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = key_pair(identity)?;
                builder.with_client_auth_cert(chain, key).map_err(TlsError::KeyPair)?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn trusting(&self, crypto: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
        let builder = ClientConfig::builder_with_provider(crypto.clone());
        let builder = builder.with_safe_default_protocol_versions().map_err(TlsError::Setup)?;
        match self.authorities {
            Authorities::Anyone => Ok(self.verified(builder, Arc::new(Anyone(crypto)))),
            Authorities::SystemAnd(pem) => {
                let extra = certificates_of_authorities(pem)?;
                let verifier = Verifier::new_with_extra_roots(extra, crypto).map_err(TlsError::Setup)?;
                Ok(self.verified(builder, Arc::new(verifier)))
            }
            Authorities::Only(pem) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates_of_authorities(pem)?);
                let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto);
                Ok(self.verified(builder, verifier.build().map_err(|_| TlsError::Authority)?))
            }
            Authorities::System => Ok(match Verifier::new(crypto) {
                Ok(verifier) => self.verified(builder, Arc::new(verifier)),
                // A system without authorities must not keep anyone from services without TLS.
                Err(error) => {
                    tracing::debug!(%error, "no authorities found on this system; no TLS server will be trusted");
                    builder.with_root_certificates(RootCertStore::empty())
                }
            }),
        }
    }

    fn verified(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsVerifier>,
        verifier: Arc<dyn ServerCertVerifier>,
    ) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let verifier = match &self.server_name {
            Some(name) => Arc::new(Renamed { verifier, name: name.clone() }),
            None => verifier,
        };
        builder.dangerous().with_custom_certificate_verifier(verifier)
    }
}

/// Everything that comes out of files. A client lives for as long as this stays the same.
#[derive(Default, Clone, PartialEq, Eq)]
pub(crate) struct Material {
    authorities: Option<Vec<u8>>,
    identity: Option<ClientIdentity>,
}

impl Material {
    /// Reads the files. Blocks.
    pub(crate) fn read(trust: &Trust, credentials: Option<&dyn CredentialProvider>) -> Result<Self, Error> {
        let authorities = trust.ca_cert.as_deref().filter(|_| !trust.anyone).map(authorities).transpose()?;
        let identity = credentials.map(CredentialProvider::client_identity).transpose()?.flatten();
        Ok(Self { authorities, identity })
    }

    /// The TLS side of a client.
    pub(crate) fn client_config(&self, trust: &Trust) -> Result<ClientConfig, TlsError> {
        let authorities = match self.authorities.clone() {
            _ if trust.anyone => Authorities::Anyone,
            None => Authorities::System,
            Some(own) if trust.system => Authorities::SystemAnd(own),
            Some(own) => Authorities::Only(own),
        };
        ClientSetup { authorities: &authorities, identity: self.identity.as_ref(), server_name: None }.config()
    }
}

fn authorities(path: &Path) -> Result<Vec<u8>, ServiceError> {
    let unreadable = |source| ServiceError::Unreadable { what: "CA certificate", path: path.to_owned(), source };
    std::fs::read(path).map_err(unreadable)
}

/// The certificates among what a CA file holds; there has to be at least one.
fn certificates_of_authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsError::Authority),
    }
}

fn key_pair(identity: &ClientIdentity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let no_pem = TlsError::Material("PEM data could not be found");
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&identity.certificates).collect();
    let chain = match chain {
        Ok(chain) if !chain.is_empty() => chain,
        _ => return Err(no_pem),
    };
    match PrivateKeyDer::from_pem_slice(&identity.private_key) {
        Ok(key) => Ok((chain, key)),
        Err(PemError::NoItemsFound) => Err(TlsError::Material("private key is invalid")),
        Err(error) => Err(TlsError::KeyFormat(error)),
    }
}
