//! When something is fetched: from time to time, by hand, or now.
//!
//! A plugin that fetches something fills the role [`Triggers`]. Whoever wants it fetched asks the host
//! ([`Host::trigger`](crate::Host::trigger)) and need not know which plugin that is. A fetch belongs to the plugin:
//! it goes on when the one who asked for it has gone.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::service::BoxFuture;
use crate::value::Value;

/// What makes a plugin ask, or tell, a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriggerMode {
    /// Time.
    #[default]
    Periodic,
    /// Only whoever triggers it.
    Manual,
}

impl TriggerMode {
    /// The mode of a section whose `trigger` says this, below a discovery of that mode.
    ///
    /// # Errors
    /// What is wrong with it, in OPA's words.
    pub fn of(written: Option<&str>, discovery: Option<Self>) -> Result<Self, String> {
        let mode = match written {
            None | Some("") => return Ok(discovery.unwrap_or_default()),
            Some("periodic") => Self::Periodic,
            Some("manual") => Self::Manual,
            Some(other) => return Err(format!(r#"invalid trigger mode {other:?} (want "periodic" or "manual")"#)),
        };
        match discovery.filter(|discovery| *discovery != mode) {
            Some(discovery) => {
                let hint = "hint: check discovery configuration";
                Err(format!("trigger mode mismatch: {} and {} ({hint})", mode.as_str(), discovery.as_str()))
            }
            None => Ok(mode),
        }
    }

    /// As the configuration has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Manual => "manual",
        }
    }
}

/// How long [`Host::trigger`](crate::Host::trigger) waits for a fetch.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The bundle of that name.
    Bundle(String),
    /// The configuration that is discovered.
    Discovery,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(name) => write!(f, "bundle {name:?}"),
            Self::Discovery => f.write_str("discovery"),
        }
    }
}

/// What a fetch that worked came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Whether something has changed.
    pub outcome: Outcome,
    /// The revision that is active now, if there is any and it says.
    pub revision: Option<String>,
    /// What went wrong although the fetch worked, such as a copy that could not be kept.
    pub warning: Option<String>,
}

/// Whether a fetch has changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What came is in effect.
    Activated,
    /// There was nothing new, or nothing at all.
    Unchanged,
}

impl Outcome {
    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Why a fetch failed, as status tells it. What was active is active still.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Where to look for the cause.
    pub fault: Fault,
    /// `bundle_error`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The errors of modules that do not compile, each with `code`, `message` and `location`.
    pub errors: Option<Value>,
    /// The status with which the service refused.
    pub http_code: Option<u16>,
}

/// Where the cause of a failure lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The source could not be asked, or refused; asking again may help.
    Unreachable,
    /// What the source gave is of no use.
    Content,
    /// The agent or its machine.
    Agent,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure.fault {
            Fault::Unreachable => ErrorKind::Unavailable,
            Fault::Content => ErrorKind::Refused,
            Fault::Agent => ErrorKind::Internal,
        };
        let errors = failure.errors.map(|errors| format!(": {errors}")).unwrap_or_default();
        Self::new(kind, failure.message + &errors)
    }
}

/// Why a trigger was of no use.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// Nobody fetches that.
    #[error("{0} not found")]
    Unknown(Subject),
    /// It has not come to an end in time.
    #[error("{0}: the fetch has not ended within {1:?} and goes on; status will tell what becomes of it")]
    Slow(Subject, Duration),
    /// Whoever fetched it was stopped or configured anew.
    #[error("{0}: the fetch was given up because the configuration changed; ask again")]
    Interrupted(Subject),
    /// It was fetched in vain.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Fetches when asked to. A running plugin fills this role.
pub trait Triggers: Send + Sync {
    /// Asks for a fetch that begins no earlier than now, and gives what it comes to; none if that is fetched by somebody
    /// else. Those who ask while a fetch runs share the next one. Dropping the future does not end the fetch.
    fn fetch(&self, subject: &Subject) -> Option<BoxFuture<'static, Result<Fetched, TriggerError>>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_modules_are_not_lost_in_plain_text() {
        let failure = Failure {
            fault: Fault::Content,
            code: "bundle_error",
            message: "error(s) occurred while compiling module(s)".to_owned(),
            errors: Some(Value::array([Value::object([("code", "rego_parse_error")])])),
            http_code: None,
        };
        let error = Error::from(failure);
        assert_eq!(error.kind(), ErrorKind::Refused);
        let expected = r#"error(s) occurred while compiling module(s): [{"code":"rego_parse_error"}]"#;
        assert_eq!(error.chain(), expected);
    }
}
