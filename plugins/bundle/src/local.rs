//! Bundles that a command line names: `-b DIRECTORY`, `-b ARCHIVE`.

use std::path::Path;

use regent_core::engine::{Engine, RegoVersion};
use regent_core::store::BundleContent;

use crate::content::{self, ContentError, Naming};
use crate::files::Ignore;
use crate::format::{Bundle, FormatError, Limits};

/// A bundle of the machine.
#[derive(Debug, Clone)]
pub struct LocalBundle {
    /// The bundle's name: the path as it was given.
    pub name: String,
    /// What its file names begin with: the path for a directory, nothing for an archive.
    pub base: String,
    /// What was read.
    pub bundle: Bundle,
}

/// Reads the bundle at a path, `file:` URLs included. Blocks.
///
/// # Errors
/// When it cannot be read or is no bundle.
pub fn load_local(path: &str, limits: &Limits, ignore: &Ignore) -> Result<LocalBundle, FormatError> {
    let path = crate::files::clean_url(path);
    if crate::files::is_remote(path) {
        return Err(FormatError::Remote(path.to_owned()));
    }
    let unreadable = |source| FormatError::Unreadable { path: format!("stat {path}"), source };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    let (base, bundle) = if about.is_dir() {
        let bundle = Bundle::from_directory_without(Path::new(path), limits, &|name| ignore.matches(name))?;
        (path.to_owned(), bundle)
    } else {
        (String::new(), crate::download::read_local(Path::new(path), limits)?)
    };
    Ok(LocalBundle { name: path.to_owned(), base, bundle })
}

impl LocalBundle {
    /// Parses the modules. Ids are `NAME/FILE`, and for a directory the file begins with the directory once more, as
    /// OPA has it: `policies/policies/authz.rego`. `version` is the dialect where the bundle names none. Blocks.
    ///
    /// # Errors
    /// When modules do not parse or lie outside the bundle's roots.
    pub fn prepare(&self, engine: &dyn Engine, version: RegoVersion) -> Result<BundleContent, ContentError> {
        content::prepare(&self.bundle, Naming { name: &self.name, base: &self.base, version }, None, engine)
    }
}
