//! What can go wrong between a request and its answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use regent_core::{Error, ErrorKind};
use regent_signing::KeyError;

use crate::tls::TlsError;

/// Why a service could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error("cannot read {what} {path}")]
    Unreadable { what: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot read the files for TLS")]
    Interrupted(#[source] tokio::task::JoinError),
    #[error("{0}")]
    Material(&'static str),
    #[error("private key cannot be decrypted")]
    Encrypted(#[source] KeyError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
    #[error("token is not fit for a header")]
    Token,
    #[error("url {0:?} is invalid")]
    Url(String, #[source] url::ParseError),
    #[error("timeout awaiting response headers after {0:?}")]
    HeaderTimeout(Duration),
    #[error("answer stalled for {0:?}")]
    Stalled(Duration),
    #[error("answer too slow: {bytes} bytes in {time:?}")]
    Slow { bytes: u64, time: Duration },
    #[error("no answer")]
    Transport(#[source] reqwest::Error),
    #[error("stopped after {0} redirects")]
    Redirects(usize),
    #[error("answer sends the request on to an address that is none")]
    Location,
    #[error("answer broke off")]
    Body(#[source] reqwest::Error),
}

impl ServiceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::HeaderTimeout(_)
            | Self::Stalled(_)
            | Self::Slow { .. }
            | Self::Transport(_)
            | Self::Body(_)
            | Self::Interrupted(_) => ErrorKind::Unavailable,
            Self::Redirects(_) | Self::Location => ErrorKind::Protocol,
            _ => ErrorKind::Config,
        }
    }
}

impl From<ServiceError> for Error {
    /// Message and cause stay two links of one chain.
    fn from(error: ServiceError) -> Self {
        let outer = Error::new(error.kind(), error.to_string());
        match error {
            ServiceError::Unreadable { source, .. } => outer.caused_by(source),
            ServiceError::Interrupted(source) => outer.caused_by(source),
            ServiceError::Encrypted(source) => outer.caused_by(source),
            ServiceError::Tls(TlsError::KeyFormat(source)) => outer.caused_by(source),
            ServiceError::Tls(TlsError::KeyPair(source) | TlsError::Setup(source)) => outer.caused_by(source),
            ServiceError::Client(source) | ServiceError::Transport(source) | ServiceError::Body(source) => {
                // The address may carry a password, and the caller knows whom it asked.
                outer.caused_by(source.without_url())
            }
            ServiceError::Url(_, source) => outer.caused_by(source),
            ServiceError::Material(_)
            | ServiceError::Tls(TlsError::Material(_) | TlsError::Authority)
            | ServiceError::Token
            | ServiceError::Stalled(_)
            | ServiceError::Redirects(_)
            | ServiceError::Location
            | ServiceError::Slow { .. }
            | ServiceError::HeaderTimeout(_) => outer,
        }
    }
}
