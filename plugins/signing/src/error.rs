//! What is wrong with a key, or with a text that should hold one.

use std::borrow::Cow;

use regent_core::builtin::BuiltinError;

/// Why a key cannot be read, or cannot be used. Never tells what the key holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(Cow<'static, str>);

impl KeyError {
    pub(crate) fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

impl From<KeyError> for BuiltinError {
    fn from(error: KeyError) -> Self {
        Self::failed(error.0)
    }
}
