//! Signatures of bundles: who verifies them, who makes them, and what both go by.
//!
//! A signature names the files of a bundle with their digests. To tell whether it may be believed is the business of a
//! [`Verifier`], which may keep its keys wherever it likes; to compare the digests is that of whoever reads the bundle.
//! A bundle chooses among the verifiers by the name that it says it was signed under, the configuration may insist on one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{Key, KeyAlgorithm, Keys, Secret};
use crate::value::Value;

/// The name of the verifier and the signer that are meant where nobody names one.
pub const DEFAULT: &str = "_default";

/// What `.signatures.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signatures {
    /// The signatures themselves; for the default verifier a single token.
    pub tokens: Vec<String>,
    /// Who can verify them; empty for the default verifier.
    pub plugin: String,
}

/// A file as a signature lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedFile {
    /// Its path in the bundle, without a slash at the beginning.
    pub name: String,
    /// The digest of its content, in hexadecimal.
    pub hash: String,
    /// The name of the digest: `SHA-256`. Empty if the signature does not tell.
    pub algorithm: String,
}

/// What is asked of the signatures of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// All keys of the configuration.
    pub keys: Keys,
    /// Which of them counts, whatever the signature says; empty if the signature may choose.
    pub key_id: String,
    /// The scope that the signature must have; empty for that of the key.
    pub scope: String,
    /// Patterns of files that need no signature, as Go's `path.Match` reads them.
    pub exclude_files: Vec<String>,
    /// Whether a bundle without a signature is refused.
    pub required: bool,
    /// The verifier that counts, whatever the bundle says; absent if the bundle may choose.
    pub plugin: Option<String>,
}

impl Verification {
    /// The key of that name.
    ///
    /// # Errors
    /// `verification key corresponding to ID x not found`
    pub fn key(&self, id: &str) -> Result<&Key, SigningError> {
        let missing = || SigningError::new(format!("verification key corresponding to ID {id} not found"));
        self.keys.get(id).ok_or_else(missing)
    }
}

/// What a signature is made with.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The private key as PEM, or the secret; whatever else a signer of one's own understands.
    pub key: Secret,
    /// How the key signs.
    pub algorithm: KeyAlgorithm,
    /// Its name, which the signature shows; empty for none.
    pub key_id: String,
    /// What else the signature says, an object, in place of what signers say by themselves.
    pub claims: Option<Value>,
}

/// Tells whether signatures may be believed.
pub trait Verifier: Send + Sync + 'static {
    /// The name that bundles and configurations choose it by.
    fn name(&self) -> &'static str;

    /// The files that the signatures list, if they may be believed. Called where it may block.
    ///
    /// # Errors
    /// Why they may not be believed.
    fn verify(&self, signatures: &Signatures, verification: &Verification) -> Result<Vec<SignedFile>, SigningError>;
}

/// Makes signatures.
pub trait Signer: Send + Sync + 'static {
    /// The name that is written beside the signature, so that the verifier of that name is asked.
    fn name(&self) -> &'static str;

    /// The signature of the files. Called where it may block.
    ///
    /// # Errors
    /// Why there can be none.
    fn sign(&self, files: &[SignedFile], key: &SigningKey) -> Result<String, SigningError>;
}

/// Why a signature is not believed, or none could be made. Never tells what a key holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SigningError(String);

impl SigningError {
    /// The error with that text.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// All verifiers by their names.
#[derive(Clone, Default)]
pub struct Verifiers(BTreeMap<&'static str, Arc<dyn Verifier>>);

impl Verifiers {
    /// Adds one, in place of another one of its name.
    pub fn add(&mut self, verifier: Arc<dyn Verifier>) {
        self.0.insert(verifier.name(), verifier);
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// The verifier of that name; the default one if the name is empty.
    ///
    /// # Errors
    /// `no verifier exists under id x`
    pub fn find(&self, name: &str) -> Result<&dyn Verifier, SigningError> {
        let name = if name.is_empty() { DEFAULT } else { name };
        let found = self.0.get(name).map(|verifier| &**verifier);
        found.ok_or_else(|| SigningError::new(format!("no verifier exists under id {name}")))
    }
}

impl std::fmt::Debug for Verifiers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// All signers by their names.
#[derive(Clone, Default)]
pub struct Signers(BTreeMap<&'static str, Arc<dyn Signer>>);

impl Signers {
    /// Adds one, in place of another one of its name.
    pub fn add(&mut self, signer: Arc<dyn Signer>) {
        self.0.insert(signer.name(), signer);
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// The signer of that name; the default one if the name is empty.
    ///
    /// # Errors
    /// `no signer exists under id x`
    pub fn find(&self, name: &str) -> Result<&dyn Signer, SigningError> {
        let name = if name.is_empty() { DEFAULT } else { name };
        let found = self.0.get(name).map(|signer| &**signer);
        found.ok_or_else(|| SigningError::new(format!("no signer exists under id {name}")))
    }
}
