//! Why nothing was pulled.

use http::{Method, StatusCode};
use regent_core::service::PullError;
use regent_core::{Error, ErrorKind};
use url::Url;

use super::reference::Digest;

/// What went wrong. [`Failure::told_of`] tells it in the words of OPA.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("invalid reference {reference:?}: {why}")]
    Reference { reference: String, why: String },
    #[error("{request}: {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())]
    Status { request: String, status: StatusCode },
    #[error("{request}: {text}")]
    Unreachable { request: String, text: String, kind: ErrorKind },
    #[error("missing Docker-Content-Digest header in response")]
    NoDigest,
    #[error("invalid digest {0:?}")]
    InvalidDigest(String),
    #[error("unable to unmarshal manifest: {0}")]
    Manifest(String),
    #[error("{0}")]
    Content(String),
    #[error("no layers in manifest")]
    NoLayers,
    #[error("no tarball descriptor found in the layers")]
    NoTarball,
    #[error("no manifest in the image index contains a {0} layer")]
    NoTarballInIndex(&'static str),
    #[error("image index is nested more than {0} levels deep")]
    TooDeep(usize),
    #[error("image index names more than {0} manifests")]
    TooMany(usize),
    #[error("token endpoint {endpoint}: {text}")]
    Token { endpoint: String, text: String, status: Option<StatusCode> },
}

impl Failure {
    pub(super) fn reference(reference: &str, why: &str) -> Self {
        Self::Reference { reference: reference.to_owned(), why: why.to_owned() }
    }

    /// A request that was answered with something else than success.
    pub(super) fn answered(method: &Method, url: &Url, status: StatusCode) -> Self {
        Self::Status { request: format!("{method} {url}"), status }
    }

    /// A request that was not answered, or not to its end.
    pub(super) fn unanswered(method: &Method, url: &Url, error: &Error) -> Self {
        Self::Unreachable { request: format!("{method} {url}"), text: error.chain(), kind: error.kind() }
    }

    /// Content that does not have the digest by which it is called.
    pub(super) fn mismatch(promised: &Digest, found: &str) -> Self {
        Self::Content(format!("content of {promised} has another digest: sha256:{found}"))
    }

    fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Token { status, .. } => *status,
            _ => None,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable { kind, .. } => *kind,
            Self::Status { .. } | Self::Token { .. } => ErrorKind::Unavailable,
            Self::Reference { .. } => ErrorKind::Config,
            _ => ErrorKind::Protocol,
        }
    }

    /// The error of whoever asked for the reference.
    pub(super) fn told_of(self, reference: &str) -> Error {
        let text = match &self {
            Self::Manifest(_) | Self::NoLayers | Self::NoTarball | Self::NoTarballInIndex(_) | Self::TooDeep(_) => {
                self.to_string()
            }
            Self::Reference { .. } => format!("failed to pull {reference}: {self}"),
            _ => format!("failed to pull {reference}: download for '{reference}' failed: {self}"),
        };
        let status = self.status();
        Error::new(self.kind(), "nothing was pulled").caused_by(PullError { text, status })
    }
}
