//! Why there are no credentials.

use std::path::Path;

use regent_core::{Error, ErrorKind};

use crate::error::ServiceError;

/// An error that several requests can share, since they waited for the same answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Failure {
    kind: ErrorKind,
    text: String,
}

impl Failure {
    /// Whoever should give credentials cannot be reached, or does not want to give any.
    pub(crate) fn unavailable(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Unavailable, text: text.into() }
    }

    /// What came is not what was asked for.
    pub(crate) fn protocol(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Protocol, text: text.into() }
    }

    /// The configuration, a file or the environment has to change.
    pub(crate) fn config(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Config, text: text.into() }
    }

    /// The same failure, told as part of a larger one.
    pub(crate) fn within(self, context: &str) -> Self {
        Self { text: format!("{context}: {}", self.text), ..self }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure.kind, failure.text)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let error = Error::from(error);
        Self { kind: error.kind(), text: error.chain() }
    }
}

/// The text of a file without white space at its ends, read anew each time so that whoever rotates it only writes it.
pub(crate) async fn read_file(what: &'static str, path: &Path) -> Result<String, Failure> {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(source) => Err(ServiceError::Unreadable { what, path: path.to_owned(), source }.into()),
    }
}
