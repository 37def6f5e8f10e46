//! Bundles that a command line names: `-b DIRECTORY`, `-b ARCHIVE`.

use std::path::Path;
use std::sync::Arc;

use regent_core::Store;
use regent_core::engine::RegoVersion;
use regent_core::signing::{Verification, Verifiers};
use regent_core::store::BundleContent;

use crate::content::{self, ContentError, Naming};
use crate::files::Ignore;
use crate::format::{Bundle, FormatError, Limits, Trust};

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

/// What is asked of the signatures of bundles that a command line names.
#[derive(Debug, Clone)]
pub enum LocalTrust {
    /// Nothing.
    Blind,
    /// What the verification asks; without one, no bundle may be signed.
    Verified(Option<Verification>, Arc<Verifiers>),
}

impl Default for LocalTrust {
    /// No bundle may be signed, since nothing could tell whether its signature is right.
    fn default() -> Self {
        Self::Verified(None, Arc::default())
    }
}

impl LocalTrust {
    /// The same for a bundle whose files are called so in its signature.
    fn at<'a>(&'a self, base: &'a str) -> Trust<'a> {
        match self {
            Self::Blind => Trust::Blind,
            Self::Verified(verification, verifiers) => {
                Trust::Verified { verification: verification.as_ref(), verifiers, base }
            }
        }
    }
}

/// Reads the bundle at a path, `file:` URLs included. In the signature of a directory names begin with the directory, as
/// `opa sign` writes them. Blocks.
///
/// # Errors
/// When it cannot be read, is no bundle, or is not signed as it should be.
pub fn load_local(
    path: &str,
    limits: &Limits,
    ignore: &Ignore,
    trust: &LocalTrust,
) -> Result<LocalBundle, FormatError> {
    let path = crate::files::clean_url(path);
    if crate::files::is_remote(path) {
        return Err(FormatError::Remote(path.to_owned()));
    }
    let unreadable = |source| FormatError::Unreadable { path: format!("stat {path}"), source };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    let (base, bundle) = if about.is_dir() {
        let bundle =
            Bundle::from_directory_without(Path::new(path), limits, &|name| ignore.matches(name), trust.at(path))?;
        (path.to_owned(), bundle)
    } else {
        (String::new(), crate::download::read_local(Path::new(path), limits, trust.at(""))?)
    };
    for warning in bundle.warnings() {
        tracing::warn!(name = path, "Bundle: {warning}.");
    }
    Ok(LocalBundle { name: path.to_owned(), base, bundle })
}

impl LocalBundle {
    /// Parses the modules for a store. Ids are `NAME/FILE`, and for a directory the file begins with the directory once more, as
    /// OPA has it: `policies/policies/authz.rego`. `version` is the dialect where the bundle names none. Blocks.
    ///
    /// # Errors
    /// When modules do not parse or lie outside the bundle's roots.
    pub fn prepare(&self, store: &Store, version: RegoVersion) -> Result<BundleContent, ContentError> {
        content::prepare(&self.bundle, Naming { name: &self.name, base: &self.base, version }, None, store)
    }
}
