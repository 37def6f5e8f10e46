//! TLS: what it is made of, and how the files of it are loaded again when they change.
//!
//! A connection keeps what it was made with; the next one finds what the files say now. What cannot be loaded leaves
//! what is there.

mod files;
mod fresh;
mod suites;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub(super) use files::Contents;

/// What listeners need for TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// The file of the certificate and those between it and its authority, in PEM.
    pub certificate: PathBuf,
    /// The file of its private key, in PEM.
    pub key: PathBuf,
    /// The file of the authorities that clients' certificates must come from, in PEM; those of the system if absent.
    pub client_authorities: Option<PathBuf>,
    /// How often the files are looked at. If absent, changes in their directories are noticed at once.
    pub refresh: Option<Duration>,
    /// The oldest version of TLS that clients may speak.
    pub min_version: TlsVersion,
    /// The names of the cipher suites of TLS 1.2 that may be used; all that are safe if absent.
    pub cipher_suites: Option<Vec<String>>,
}

impl TlsOptions {
    /// With a certificate and its private key, and OPA's defaults for the rest.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            client_authorities: None,
            refresh: None,
            min_version: TlsVersion::default(),
            cipher_suites: None,
        }
    }
}

/// A version of TLS. There are none before 1.2 here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2
    #[default]
    V12,
    /// TLS 1.3
    V13,
}

impl TlsVersion {
    fn and_later(self) -> &'static [&'static SupportedProtocolVersion] {
        static ALL: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        match self {
            Self::V12 => &ALL,
            Self::V13 => &ALL[..1],
        }
    }
}

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("open {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// In OPA's words where it has some.
        reason: String,
    },
    /// A file does not hold what it should.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong, without what the file says.
        reason: String,
    },
    /// The authorities cannot be read.
    #[error("failed to parse CA cert {0:?}")]
    Authorities(String),
    /// The system trusts nobody.
    #[error("clients have to show certificates, but no authority is trusted: set --tls-ca-cert-file")]
    NoAuthorities,
    /// Nobody knows such a suite.
    #[error("invalid cipher suite {0}")]
    Suite(String),
    /// A suite that is always on.
    #[error("TLS 1.3 cipher suite {0:?} is not configurable")]
    Fixed(String),
    /// Key and certificate or versions and suites do not go together.
    #[error("tls: {0}")]
    Together(rustls::Error),
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Together(error)
    }
}

/// TLS as it is now.
pub(super) struct Tls {
    options: TlsOptions,
    provider: Arc<CryptoProvider>,
    /// Whether clients have to show a certificate.
    mutual: bool,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Loads the files, and keeps their contents to compare with.
    ///
    /// # Errors
    /// What is wrong with the files or the options.
    pub(super) fn load(options: TlsOptions, mutual: bool) -> Result<(Self, Contents), TlsError> {
        let provider = Arc::new(suites::choose(ring::default_provider(), options.cipher_suites.as_deref())?);
        let contents = Contents::read(&options)?;
        let config = configure(&options, &provider, mutual, &contents)?;
        Ok((Self { current: ArcSwap::from_pointee(config), options, provider, mutual }, contents))
    }

    /// What the next connection is made with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Whether clients have to show a certificate.
    pub(super) fn is_mutual(&self) -> bool {
        self.mutual
    }

    /// Follows the files until `stopped` closes. `contents` is what was loaded last.
    pub(super) async fn keep_fresh(self: Arc<Self>, contents: Contents, stopped: watch::Receiver<()>) {
        fresh::keep(self, contents, stopped).await;
    }

    /// Puts new contents into the place of the old ones.
    fn replace(&self, contents: &Contents) -> Result<(), TlsError> {
        let config = configure(&self.options, &self.provider, self.mutual, contents)?;
        self.current.store(Arc::new(config));
        Ok(())
    }
}

fn configure(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
    mutual: bool,
    contents: &Contents,
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_protocol_versions(options.min_version.and_later())?;
    let builder = if mutual {
        let roots = Arc::new(authorities(options, contents)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build();
        builder.with_client_cert_verifier(verifier.map_err(|_| TlsError::NoAuthorities)?)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(contents.chain(options)?, contents.key(options)?)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if mutual {
        // A resumed session would show the certificate of the first one without another look at its dates.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// Those that clients' certificates must come from.
fn authorities(options: &TlsOptions, contents: &Contents) -> Result<RootCertStore, TlsError> {
    if let Some(roots) = contents.authorities(options)? {
        return Ok(roots);
    }
    tracing::warn!("clients may show certificates of every authority that this system trusts: set --tls-ca-cert-file");
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Ok(roots)
}
