//! Signatures of bundles: the files that they list, and the text of `.signatures.json`.

use std::io::Read;
use std::path::Path;

use regent_core::Value;
use regent_core::signing::{DEFAULT, Signatures, SignedFile, Signer, SigningError, SigningKey};
use regent_core::value::encode_pretty;
use regent_signing::digest::FileDigest;

use super::trust::{digest, signed_name};
use super::{FormatError, Limits, archive, directory};

pub use super::trust::SIGNATURES as FILE;

/// The files of a directory with their digests, sorted by name. Names begin with `base`: nothing if the directory becomes
/// a bundle that is downloaded, the directory as it is named if that is what `run -b` will name. Files and directories
/// for which `ignore` says so, given their names, are left out, and so is a signature that is there. Blocks.
///
/// # Errors
/// When something cannot be read, or a file that should hold JSON or YAML does not.
pub fn files_of_directory(
    root: &Path,
    base: &str,
    limits: &Limits,
    ignore: &dyn Fn(&str) -> bool,
) -> Result<Vec<SignedFile>, FormatError> {
    let mut listing = Listing { base, files: Vec::new() };
    directory::each_file(root, limits, ignore, &mut |path, bytes| listing.add(path, bytes))?;
    Ok(listing.sorted())
}

/// The files of an archive with their digests, sorted by name, without a signature that is there. Blocks.
///
/// # Errors
/// As [`files_of_directory`].
pub fn files_of_archive(archive: impl Read, limits: &Limits) -> Result<Vec<SignedFile>, FormatError> {
    let mut listing = Listing { base: "", files: Vec::new() };
    archive::each_file(archive, limits, &mut |path, bytes| listing.add(path, bytes))?;
    Ok(listing.sorted())
}

/// The signature of the files. Blocks.
///
/// # Errors
/// When the signer refuses.
pub fn sign(files: &[SignedFile], signer: &dyn Signer, key: &SigningKey) -> Result<Signatures, SigningError> {
    let plugin = if signer.name() == DEFAULT { "" } else { signer.name() };
    Ok(Signatures { tokens: vec![signer.sign(files, key)?], plugin: plugin.to_owned() })
}

/// The text of the `.signatures.json`.
pub fn text(signatures: &Signatures) -> String {
    let content = Value::object([("signatures", Value::array(signatures.tokens.iter().map(String::as_str)))]);
    encode_pretty(&match signatures.plugin.as_str() {
        "" => content,
        plugin => content.with(&["plugin"], plugin.into()),
    })
}

struct Listing<'a> {
    base: &'a str,
    files: Vec<SignedFile>,
}

impl Listing<'_> {
    fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), FormatError> {
        if path == FILE {
            return Ok(());
        }
        let kind = FileDigest::default();
        let name = signed_name(self.base, path);
        let hash = digest(kind, &name, bytes)?;
        self.files.push(SignedFile { name, hash, algorithm: kind.name().to_owned() });
        Ok(())
    }

    fn sorted(mut self) -> Vec<SignedFile> {
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
        self.files
    }
}
