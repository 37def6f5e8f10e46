//! Why a bundle did not come in, and how status tells it.

use std::path::Path;

use http::StatusCode;
use regent_core::engine::PolicyErrors;
use regent_core::service::PullError;
use regent_core::status::BundleStatus;
use regent_core::store::StoreError;
use regent_core::trigger::{Failure, Fault};
use regent_core::{Error, Value};

use crate::content::ContentError;
use crate::format::FormatError;

/// Why a bundle was not loaded or not activated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The service could not be asked.
    #[error("request failed: {0}")]
    Request(String),
    /// The service refused.
    #[error("server replied with {}", .0.canonical_reason().unwrap_or(.0.as_str()))]
    Status(StatusCode),
    /// A registry did not give it. The text is whole, and tells what the registry answered if that is the reason.
    #[error("{0}")]
    Pull(PullError),
    /// The answer broke off, or its encoding is broken.
    #[error("archive read failed: {0}")]
    Body(String),
    /// What came is not a bundle.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Its policies do not parse.
    #[error("{0}")]
    Policy(PolicyErrors),
    /// It does not fit the rest of policy and data.
    #[error("{0}")]
    Activation(#[from] StoreError),
    /// It is sound, but of no use to whoever asked for it.
    #[error("{0}")]
    Refused(String),
    /// The copy on disk cannot be read or written.
    #[error("{0}")]
    Disk(String),
    /// A bug.
    #[error("bundle load failed: {0}")]
    Internal(String),
}

impl From<ContentError> for LoadError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Policy(errors) => Self::Policy(errors),
            ContentError::Format(error) => Self::Format(error),
        }
    }
}

impl From<tokio::task::JoinError> for LoadError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl LoadError {
    /// Why a service gave no answer, or no whole one; `otherwise` is what the text is made to unless it is a registry's.
    pub(crate) fn of_service(error: &Error, otherwise: impl FnOnce(String) -> Self) -> Self {
        PullError::of(error).map_or_else(|| otherwise(error.chain()), |why| Self::Pull(why.clone()))
    }

    pub(crate) fn disk(path: &Path, error: &std::io::Error) -> Self {
        Self::Disk(format!("{}: {error}", path.display()))
    }

    /// The errors of policies, if these are what is wrong.
    fn policy_errors(&self) -> Option<&PolicyErrors> {
        match self {
            Self::Policy(errors) | Self::Activation(StoreError::Policy(errors) | StoreError::RuleConflict(errors)) => {
                Some(errors)
            }
            _ => None,
        }
    }

    /// Notes the error in a bundle's status.
    pub fn note(&self, status: &mut BundleStatus) {
        let Failure { code, message, errors, http_code, .. } = self.failure();
        (status.code, status.message, status.errors, status.http_code) = (Some(code), Some(message), errors, http_code);
    }

    /// The error for whoever asked for the load.
    pub fn failure(&self) -> Failure {
        let policy = self.policy_errors();
        Failure {
            fault: match self {
                Self::Request(_) | Self::Status(_) | Self::Pull(_) | Self::Body(_) => Fault::Unreachable,
                Self::Disk(_) | Self::Internal(_) => Fault::Agent,
                _ => Fault::Content,
            },
            code: "bundle_error",
            message: match policy {
                Some(_) => "error(s) occurred while compiling module(s)".to_owned(),
                None => self.to_string(),
            },
            errors: policy.map(|errors| Value::array(errors.0.iter().map(|error| Value::object(error.to_fields())))),
            http_code: match self {
                Self::Status(code) => Some(code.as_u16()),
                Self::Pull(why) => why.status.map(|code| code.as_u16()),
                _ => None,
            },
        }
    }
}
