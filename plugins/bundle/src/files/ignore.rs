//! `--ignore`: names of files and directories to leave out.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regent_core::{Error, ErrorKind};

/// Patterns of names, as of a shell. They judge what lies below an argument, never the argument itself.
#[derive(Debug, Clone, Default)]
pub struct Ignore(GlobSet);

impl Ignore {
    /// Reads the patterns.
    ///
    /// # Errors
    /// When one is no pattern.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, Error> {
        let invalid =
            |error: globset::Error| Error::new(ErrorKind::Config, "invalid --ignore pattern").caused_by(error);
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(GlobBuilder::new(pattern.as_ref()).literal_separator(true).build().map_err(invalid)?);
        }
        Ok(Self(set.build().map_err(invalid)?))
    }

    /// Whether a file or directory of that name is left out.
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}
