//! Why a plugin does not do what it is asked.

use regent_plugin_abi::{self as abi, Status};

/// Why a plugin does not do what it is asked, with a text for people: without secrets, it is logged and shown in status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub(crate) status: Status,
    pub(crate) text: String,
}

impl Error {
    /// Trying again later may help.
    pub fn unavailable(text: impl Into<String>) -> Self {
        Self { status: abi::UNAVAILABLE, text: text.into() }
    }

    /// Trying the same again will not help.
    pub fn refused(text: impl Into<String>) -> Self {
        Self { status: abi::REFUSED, text: text.into() }
    }

    /// A sink does not take so many events of a batch, and has taken the others. `why` is about the first of them.
    pub fn refused_events(count: usize, why: &str) -> Self {
        Self::refused(serde_json::json!({"refused": count, "why": why}).to_string())
    }

    /// The configuration has to change.
    pub fn config(text: impl Into<String>) -> Self {
        Self { status: abi::CONFIG, text: text.into() }
    }

    /// A function of policies was given an operand, counted from 0, that it cannot take: `must be a string`.
    pub fn operand(position: usize, text: &str) -> Self {
        Self { status: abi::OPERAND, text: format!("operand {} {text}", position + 1) }
    }

    /// Anything else.
    pub fn failed(text: impl Into<String>) -> Self {
        Self { status: abi::FAILED, text: text.into() }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
