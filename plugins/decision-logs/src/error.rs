//! What can go wrong between a decision and its record.

use std::time::Duration;

use http::StatusCode;
use regent_core::engine::QueryError;

/// Why an event could not be masked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum MaskError {
    /// The policy did not answer.
    #[error("{0}")]
    Policy(#[from] QueryError),
    /// The policy answered with something that is no collection of rules.
    #[error("unexpected rule format {0}")]
    NoRules(&'static str),
    /// A rule is neither text nor object.
    #[error("invalid mask rule format encountered: {0}")]
    NoRule(&'static str),
    /// A rule's key has a value of the wrong type.
    #[error("invalid {key:?} value: {found}")]
    Key {
        /// The key.
        key: &'static str,
        /// The type of its value.
        found: &'static str,
    },
    /// A rule points nowhere.
    #[error("mask must be non-empty")]
    Empty,
    /// A rule's path is no pointer.
    #[error("mask must be slash-prefixed")]
    NoPointer,
    /// A rule's path leads to a part of the event that masks must not touch.
    #[error("mask prefix not allowed: {0}")]
    Prefix(String),
    /// A rule wants something that masks cannot do.
    #[error("mask op is not supported: {0}")]
    Operation(String),
    /// A rule's path is longer than any document is deep.
    #[error("mask path has {0} keys")]
    TooDeep(usize),
}

/// Why an upload did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UploadError {
    /// The service refused it.
    #[error("log upload failed, server replied with HTTP {} {}", .status.as_u16(), .status.canonical_reason().unwrap_or_default())]
    Refused {
        /// The status that it answered with.
        status: StatusCode,
        /// How long it wants to be left alone.
        wait: Option<Duration>,
    },
    /// The service could not be asked.
    #[error("log upload failed: {0}")]
    Unreachable(String),
    /// What was to be sent cannot be read back from disk.
    #[error("log upload failed: cannot read decisions back: {0}")]
    Unreadable(std::io::Error),
}

impl UploadError {
    /// The status with which the service refused.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(status.as_u16()),
            Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }

    /// How long the service wants to be left alone.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { wait, .. } => *wait,
            Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }
}
