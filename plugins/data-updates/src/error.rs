//! The two kinds of failures of whoever is asked for something.

use regent_core::{Error, ErrorKind};

/// Asking again may help.
pub(crate) fn unavailable(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, text)
}

/// Asking the same again will not help.
pub(crate) fn refused(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Refused, text)
}
