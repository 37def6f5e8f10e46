//! Why events cannot be written to a file.

use std::io;
use std::path::PathBuf;

use regent_core::{Error, ErrorKind};

/// Why events cannot be written to a file. All of it can be mended while the agent runs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("cannot make the directory {}", .0.display())]
    Directory(PathBuf, #[source] io::Error),
    #[error("cannot open {}", .0.display())]
    Open(PathBuf, #[source] io::Error),
    #[error("cannot write to {}: it is no regular file", .0.display())]
    Kind(PathBuf),
    #[error("cannot write to {}: another process does; give each agent a path of its own", .0.display())]
    Taken(PathBuf),
    #[error("cannot write to {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    #[error("cannot roll {}", .0.display())]
    Roll(PathBuf, #[source] io::Error),
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::new(ErrorKind::Unavailable, "decisions cannot be written").caused_by(error)
    }
}
