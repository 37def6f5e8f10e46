//! What is asked of the signature of a bundle, and the check of each of its files.

use std::collections::BTreeMap;

use regent_core::signing::{Signatures, SignedFile, SigningError, Verification, Verifiers};
use regent_core::value::decode_shallow;
use regent_core::{Value, yaml};
use regent_signing::digest::{Feeding, FileDigest, is_structured};

use super::FormatError;
use super::pattern::Pattern;
use crate::format::path::join;

/// The file with the signature.
pub const SIGNATURES: &str = ".signatures.json";

/// What is asked of the signature of a bundle that is read.
#[derive(Clone, Copy)]
pub enum Trust<'a> {
    /// Nothing: whoever names the bundle trusts it.
    Blind,
    /// What the verification asks. Without one nothing could tell whether a signature is right, so a bundle that has one
    /// is refused.
    Verified {
        /// What it asks.
        verification: Option<&'a Verification>,
        /// Who can tell whether the signature may be believed.
        verifiers: &'a Verifiers,
        /// What the names of files begin with in the signature: nothing, but for directories of the command line.
        base: &'a str,
    },
}

/// What lets files in.
pub(super) enum Gate {
    /// Every file.
    Open,
    /// Every file but a signature.
    Unsigned,
    /// The files that the signature lists.
    Sealed(Seal),
}

/// A signature that may be believed.
pub(super) struct Seal {
    /// Files that have not been seen yet, by name.
    listed: BTreeMap<String, SignedFile>,
    excluded: Vec<Pattern>,
    base: String,
    /// Whether the file that it came from has been seen.
    met: bool,
}

/// What a file must be.
pub(super) struct Expected {
    name: String,
    digest: FileDigest,
    hash: String,
}

impl Trust<'_> {
    /// What lets files in, given the bytes of the file with the signature, if there is one.
    pub(super) fn gate(
        &self,
        signatures: impl FnOnce() -> Result<Option<Vec<u8>>, FormatError>,
    ) -> Result<Gate, FormatError> {
        let Self::Verified { verification, verifiers, base } = self else { return Ok(Gate::Open) };
        let Some(verification) = verification else { return Ok(Gate::Unsigned) };
        let signatures = signatures()?.map(|bytes| decode(&bytes)).transpose()?.unwrap_or_default();
        if !is_empty(&signatures) {
            let seal = Seal::new(&signatures, verification, verifiers, base)?;
            return Ok(Gate::Sealed(seal));
        }
        if verification.required || !verification.key_id.is_empty() {
            return Err(SigningError::new("bundle missing .signatures.json file").into());
        }
        Ok(Gate::Unsigned)
    }
}

impl Gate {
    /// Whether every file has to be one that the signature lists.
    pub(super) fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// Takes notice of the file with the signature.
    pub(super) fn meet_signatures(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        match self {
            Self::Open => Ok(()),
            Self::Unsigned if is_empty(&decode(bytes)?) => Ok(()),
            Self::Unsigned => Err(SigningError::new("verification key not provided").into()),
            // The first one is the one that was verified.
            Self::Sealed(seal) if seal.met => Err(FormatError::archive(format!("more than one {SIGNATURES}"))),
            Self::Sealed(seal) => {
                seal.met = true;
                Ok(())
            }
        }
    }

    /// What the file at that path must be; nothing if it may be anything.
    pub(super) fn expect(&mut self, path: &str) -> Result<Option<Expected>, FormatError> {
        match self {
            Self::Sealed(seal) => Ok(seal.expect(path)?),
            Self::Open | Self::Unsigned => Ok(None),
        }
    }

    /// Refuses a bundle in which files are missing.
    pub(super) fn close(self) -> Result<(), FormatError> {
        let Self::Sealed(seal) = self else { return Ok(()) };
        if seal.listed.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = seal.listed.into_keys().collect();
        let names = names.join(" ");
        let text = format!("file(s) [{names}] specified in bundle signatures but not found in the target bundle");
        Err(SigningError::new(text).into())
    }
}

impl Seal {
    fn new(
        signatures: &Signatures,
        verification: &Verification,
        verifiers: &Verifiers,
        base: &str,
    ) -> Result<Self, SigningError> {
        let plugin = match &verification.plugin {
            // What the bundle says is not signed.
            Some(wanted) if !signatures.plugin.is_empty() && signatures.plugin != *wanted => {
                let named = &signatures.plugin;
                let text = format!("bundle names verifier {named}, but the configuration asks for {wanted}");
                return Err(SigningError::new(text));
            }
            Some(wanted) => wanted,
            None => &signatures.plugin,
        };
        let files = verifiers.find(plugin)?.verify(signatures, verification)?;
        Ok(Self {
            listed: files.into_iter().map(|file| (file.name.clone(), file)).collect(),
            excluded: verification.exclude_files.iter().filter_map(|text| Pattern::new(text)).collect(),
            base: base.to_owned(),
            met: false,
        })
    }

    fn expect(&mut self, path: &str) -> Result<Option<Expected>, SigningError> {
        let name = signed_name(&self.base, path);
        let file = self.listed.remove(&name);
        if self.excluded.iter().any(|pattern| pattern.matches(&name)) {
            return Ok(None);
        }
        let file = file.ok_or_else(|| SigningError::new(format!("file {name} not included in bundle signature")))?;
        if file.algorithm.is_empty() {
            return Err(SigningError::new(format!("no hashing algorithm provided for file {name}")));
        }
        let digest = FileDigest::of_name(&file.algorithm)?;
        Ok(Some(Expected { name, digest, hash: file.hash.to_ascii_lowercase() }))
    }
}

impl Expected {
    /// A digest to be fed with the bytes of a file that is not structured.
    pub(super) fn start(&self) -> Feeding {
        self.digest.start()
    }

    /// Refuses a file with another digest.
    pub(super) fn confirm(&self, found: &str) -> Result<(), FormatError> {
        if self.hash == found {
            return Ok(());
        }
        let Self { name, hash, .. } = self;
        Err(SigningError::new(format!("{name}: digest mismatch (want: {hash}, got: {found})")).into())
    }

    /// Refuses other bytes.
    pub(super) fn confirm_bytes(&self, bytes: &[u8]) -> Result<(), FormatError> {
        self.confirm(&digest(self.digest, &self.name, bytes)?)
    }

    /// Refuses another value in a structured file.
    pub(super) fn confirm_value(&self, value: &Value) -> Result<(), FormatError> {
        self.confirm(&self.digest.of_value(value))
    }
}

/// The digest of a file, for what it holds if it is structured: JSON, or else YAML.
pub(crate) fn digest(digest: FileDigest, path: &str, bytes: &[u8]) -> Result<String, FormatError> {
    if !is_structured(path) {
        return Ok(digest.of_bytes(bytes));
    }
    if let Ok(value) = decode_shallow(bytes) {
        return Ok(digest.of_value(&value));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| FormatError::file(path, "file is not valid UTF-8"))?;
    let (value, _) = yaml::parse(text).map_err(|error| FormatError::file(path, error))?;
    Ok(digest.of_value(&value))
}

/// What a signature calls the file at that path.
pub(crate) fn signed_name(base: &str, path: &str) -> String {
    if base.is_empty() { path.to_owned() } else { join(base, path).trim_start_matches('/').to_owned() }
}

fn is_empty(signatures: &Signatures) -> bool {
    signatures.tokens.is_empty() && signatures.plugin.is_empty()
}

/// Reads a `.signatures.json`.
fn decode(bytes: &[u8]) -> Result<Signatures, FormatError> {
    let wrong = |reason: &dyn std::fmt::Display| FormatError::SignaturesDecode(reason.to_string());
    let content = decode_shallow(bytes).map_err(|error| wrong(&error))?;
    if !content.is_object() {
        return Err(wrong(&format_args!("cannot use {} as signatures, want object", content.type_name())));
    }
    let field = |name: &str| content.get(name).filter(|value| !value.is_null());
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(&"not a string"));
    let tokens = match field("signatures") {
        None => Vec::new(),
        Some(tokens) => {
            let tokens = tokens.as_array().ok_or_else(|| wrong(&"`signatures` is not an array"))?;
            tokens.iter().map(text).collect::<Result<_, _>>()?
        }
    };
    Ok(Signatures { tokens, plugin: field("plugin").map(text).transpose()?.unwrap_or_default() })
}
