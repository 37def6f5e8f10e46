//! Signed bundles: who gets in, and every way of being kept out.

mod files;
mod rules;
mod signatures;

use regent_bundle::format::sign::{self, files_of_archive};
use regent_bundle::format::{Bundle, FormatError, Limits, Trust};
use regent_core::config::{Key, KeyAlgorithm, Secret};
use regent_core::signing::{SignedFile, SigningKey, Verification, Verifiers};
use regent_kit::Bundle as Kit;
use regent_signing::{TokenSigner, TokenVerifier};
use serde_json::json;

pub(crate) const SECRET: &str = "s3cret";

/// A file of every kind.
pub(crate) const FILES: [(&str, &str); 8] = [
    ("authz/policy.rego", "package authz\n\nallow := true\n"),
    ("authz/other.rego", "package authz\n\nallow if input.x\n"),
    ("roles/data.json", r#"{"admin": 1.50, "b": ["<x>"]}"#),
    ("users/data.yaml", "ann: 1.50\n"),
    ("teams/data.yml", "ops: 1\n"),
    ("README.md", "read me"),
    ("notes/.manifest", r#"{"a": 1}"#),
    ("policy.wasm", "\0asm"),
];

/// A bundle with a file of every kind.
pub(crate) fn plain() -> Kit {
    with_files(Kit::new())
}

/// The same behind what the bundle begins with.
pub(crate) fn with_files(beginning: Kit) -> Kit {
    let files = FILES.into_iter().fold(beginning, |kit, (name, content)| kit.file(name, content));
    files.manifest(json!({"revision": "r1"}))
}

pub(crate) fn verifiers() -> Verifiers {
    let mut verifiers = Verifiers::default();
    verifiers.add(std::sync::Arc::new(TokenVerifier));
    verifiers
}

/// What trusts the secret.
pub(crate) fn trusting() -> Verification {
    let algorithm = KeyAlgorithm::of_name("HS256").expect("an algorithm");
    let key = Key { key: Secret::new(SECRET), algorithm, ..Key::default() };
    Verification { keys: [("k".to_owned(), key)].into_iter().collect(), ..Verification::default() }
}

/// A `.signatures.json` of these files.
pub(crate) fn signature(files: &[SignedFile]) -> String {
    let algorithm = KeyAlgorithm::of_name("HS256").expect("an algorithm");
    let key = SigningKey { key: Secret::new(SECRET), algorithm, key_id: "k".to_owned(), claims: None };
    sign::text(&sign::sign(files, &TokenSigner, &key).expect("a signature"))
}

/// What signs the bundle as it is.
pub(crate) fn signature_of(kit: &Kit) -> String {
    signature(&files_of_archive(&kit.build()[..], &Limits::default()).expect("a list"))
}

pub(crate) fn signed(kit: &Kit) -> Kit {
    kit.clone().file(".signatures.json", signature_of(kit))
}

pub(crate) fn read_as(kit: &Kit, verification: Option<&Verification>) -> Result<Bundle, FormatError> {
    let trust = Trust::Verified { verification, verifiers: &verifiers(), base: "" };
    Bundle::from_archive(&kit.build()[..], &Limits::default(), trust)
}

/// Why the bundle is kept out.
pub(crate) fn refusal(kit: &Kit) -> String {
    read_as(kit, Some(&trusting())).expect_err("a refusal").to_string()
}
