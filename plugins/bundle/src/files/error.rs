//! What is wrong with files, in OPA's words where it has them.

use std::fmt;
use std::io;

/// What is wrong with one file; shown as OPA does, `FILE: WHY`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FileError(String);

impl FileError {
    pub(super) fn new(path: &str, why: impl fmt::Display) -> Self {
        Self(format!("{path}: {why}"))
    }

    /// A path that on some systems leads to another host.
    pub(super) fn remote(path: &str) -> Self {
        Self(format!("{}: {path}", super::REMOTE))
    }

    /// A path where nothing can be looked at.
    pub(super) fn stat(path: &str, error: &io::Error) -> Self {
        Self(match error.kind() {
            io::ErrorKind::NotFound => format!("stat {path}: no such file or directory"),
            io::ErrorKind::PermissionDenied => format!("stat {path}: permission denied"),
            _ => format!("stat {path}: {error}"),
        })
    }
}

/// Everything that is wrong, in the order it was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadErrors(pub Vec<FileError>);

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [one] => write!(f, "1 error occurred during loading: {one}"),
            all => {
                write!(f, "{} errors occurred during loading:", all.len())?;
                all.iter().try_for_each(|error| write!(f, "\n{error}"))
            }
        }
    }
}
