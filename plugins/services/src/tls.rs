//! TLS towards services: whom to trust, and who the agent is.
//!
//! Cryptography is ring's, named at each use: nothing depends on a process-wide default. TLS 1.2 is the least.

mod anyone;

use std::path::Path;
use std::sync::Arc;

use regent_core::Error;
use regent_core::service::{ClientIdentity, CredentialProvider};
use rustls::client::WantsClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::config::Trust;
use crate::error::ServiceError;
use anyone::Anyone;

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
    pub(crate) fn client_config(&self, trust: &Trust) -> Result<ClientConfig, ServiceError> {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let builder = self.trusting(trust, crypto)?;
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = key_pair(identity)?;
                builder.with_client_auth_cert(chain, key).map_err(ServiceError::KeyPair)?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn trusting(
        &self,
        trust: &Trust,
        crypto: Arc<CryptoProvider>,
    ) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, ServiceError> {
        let builder = ClientConfig::builder_with_provider(crypto.clone());
        let builder = builder.with_safe_default_protocol_versions().map_err(ServiceError::Tls)?;
        if trust.anyone {
            return Ok(with_verifier(builder, Anyone(crypto)));
        }
        let own = self.authorities.as_deref().map(certificates_of_authorities).transpose()?;
        match own {
            Some(own) if trust.system => {
                let verifier = Verifier::new_with_extra_roots(own, crypto).map_err(ServiceError::Tls)?;
                Ok(with_verifier(builder, verifier))
            }
            Some(own) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(own);
                Ok(builder.with_root_certificates(roots))
            }
            None => Ok(match Verifier::new(crypto) {
                Ok(verifier) => with_verifier(builder, verifier),
                // A system without authorities must not keep anyone from services without TLS.
                Err(error) => {
                    tracing::debug!(%error, "no authorities found on this system; no TLS server will be trusted");
                    builder.with_root_certificates(RootCertStore::empty())
                }
            }),
        }
    }
}

fn with_verifier(
    builder: ConfigBuilder<ClientConfig, rustls::WantsVerifier>,
    verifier: impl ServerCertVerifier + 'static,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
}

fn authorities(path: &Path) -> Result<Vec<u8>, ServiceError> {
    let unreadable = |source| ServiceError::Unreadable { what: "CA certificate", path: path.to_owned(), source };
    std::fs::read(path).map_err(unreadable)
}

/// The certificates among what a CA file holds; there has to be at least one.
fn certificates_of_authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ServiceError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(ServiceError::Authority),
    }
}

fn key_pair(identity: &ClientIdentity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ServiceError> {
    let no_pem = ServiceError::Material("PEM data could not be found");
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&identity.certificates).collect();
    let chain = match chain {
        Ok(chain) if !chain.is_empty() => chain,
        _ => return Err(no_pem),
    };
    match PrivateKeyDer::from_pem_slice(&identity.private_key) {
        Ok(key) => Ok((chain, key)),
        Err(PemError::NoItemsFound) => Err(ServiceError::Material("private key is invalid")),
        Err(error) => Err(ServiceError::KeyFormat(error)),
    }
}
