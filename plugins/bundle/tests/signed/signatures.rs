//! What `.signatures.json` itself may hold, and who is asked whether it may be believed.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use regent_bundle::format::sign::{self, files_of_archive};
use regent_bundle::format::{Bundle, FormatError, Limits, Trust};
use regent_core::config::{Key, KeyAlgorithm, Secret};
use regent_core::signing::{
    Signatures, SignedFile, Signer, SigningError, SigningKey, Verification, Verifier, Verifiers,
};
use regent_core::value::decode;
use regent_kit::Bundle as Kit;
use regent_signing::TokenSigner;

use crate::{plain, read_as, refusal, signature_of, signed, trusting, verifiers};

/// Signs with the sum of all digests, more or less.
struct Notary;

fn stamp(files: &[SignedFile]) -> String {
    files.iter().flat_map(|file| [file.name.as_str(), "=", file.hash.as_str(), ";"]).collect()
}

impl Signer for Notary {
    fn name(&self) -> &'static str {
        "notary"
    }

    fn sign(&self, files: &[SignedFile], _: &SigningKey) -> Result<String, SigningError> {
        Ok(stamp(files))
    }
}

impl Verifier for Notary {
    fn name(&self) -> &'static str {
        "notary"
    }

    fn verify(&self, signatures: &Signatures, _: &Verification) -> Result<Vec<SignedFile>, SigningError> {
        let [stamp] = &signatures.tokens[..] else { return Err(SigningError::new("one stamp, please")) };
        let file = |entry: &str| {
            let (name, hash) = entry.split_once('=')?;
            Some(SignedFile { name: name.to_owned(), hash: hash.to_owned(), algorithm: "SHA-256".to_owned() })
        };
        Ok(stamp.split(';').filter_map(file).collect())
    }
}

fn key(text: &str, algorithm: &str) -> Key {
    let algorithm = KeyAlgorithm::of_name(algorithm).expect("an algorithm");
    Key { key: Secret::new(text), algorithm, ..Key::default() }
}

fn sign_with(key: &str, algorithm: &str, claims: &str) -> Kit {
    let files = files_of_archive(&plain().build()[..], &Limits::default()).expect("a list");
    let claims = Some(decode(claims.as_bytes()).expect("JSON"));
    let algorithm = KeyAlgorithm::of_name(algorithm).expect("an algorithm");
    let key = SigningKey { key: Secret::new(key), algorithm, key_id: String::new(), claims };
    plain().file(".signatures.json", sign::text(&sign::sign(&files, &TokenSigner, &key).expect("a signature")))
}

#[test]
fn public_keys_and_certificates_verify_what_their_private_keys_signed() {
    for (kind, algorithm) in [(&PKCS_ECDSA_P256_SHA256, "ES256"), (&PKCS_ECDSA_P384_SHA384, "ES384")] {
        let (pair, other) = (KeyPair::generate_for(kind).expect("a key"), KeyPair::generate_for(kind).expect("a key"));
        let certificate = CertificateParams::default().self_signed(&pair).expect("a certificate");
        let kit = sign_with(&pair.serialize_pem(), algorithm, r#"{"keyid": "k"}"#);
        let read = |text: &str, algorithm: &str| {
            let keys = [("k".to_owned(), key(text, algorithm))].into_iter().collect();
            let verification = Verification { keys, ..Verification::default() };
            read_as(&kit, Some(&verification)).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(read(&pair.public_key_pem(), algorithm), Ok(()));
        assert_eq!(read(&certificate.pem(), algorithm), Ok(()));
        let wrong = Err("failed to verify JWT signature: invalid ECDSA signature".to_owned());
        assert_eq!(read(&other.public_key_pem(), algorithm), wrong);
        assert!(read(&pair.public_key_pem(), "RS256").is_err());
        let no_pem = Err("failed to parse PEM block containing the key".to_owned());
        assert_eq!(read("no key", algorithm), no_pem);
    }
}

#[test]
fn the_token_of_another_scope_does_not_count() {
    let kit = sign_with(crate::SECRET, "HS256", r#"{"keyid": "k", "scope": "write"}"#);
    assert_eq!(refusal(&kit), "scope mismatch");
    let scoped = Verification { scope: "write".to_owned(), ..trusting() };
    assert!(read_as(&kit, Some(&scoped)).is_ok());
    assert_eq!(read_as(&signed(&plain()), Some(&scoped)).expect_err("no scope").to_string(), "scope mismatch");
}

#[test]
fn what_is_no_list_of_signatures_is_refused() {
    let with = |text: &str| refusal(&plain().file(".signatures.json", text));
    assert_eq!(with(r#"{"signatures": []}"#.replace("[]", r#"["a.b"]"#).as_str()), {
        "failed to split compact JWT: invalid number of segments"
    });
    let exactly = "(expected exactly one)";
    assert_eq!(
        with(r#"{"signatures": ["a", "b"]}"#),
        format!(".signatures.json: multiple JWTs not supported {exactly}")
    );
    assert_eq!(with(r#"{"plugin": "_default"}"#), format!(".signatures.json: missing JWT {exactly}"));
    for odd in ["", "{", "[]", "1", r#"{"signatures": 1}"#, r#"{"signatures": [1]}"#, r#"{"plugin": 1}"#] {
        let error = with(odd);
        assert!(error.starts_with("bundle load failed on signatures decode: "), "{odd}: {error}");
    }
    let deep = "[".repeat(700) + &"]".repeat(700);
    assert!(with(&format!(r#"{{"signatures": ["a"], "x": {deep}}}"#)).contains("exceeded max depth"));
    assert_eq!(with(r#"{"signatures": ["a"], "plugin": "kms"}"#), "no verifier exists under id kms");
}

#[test]
fn the_bundle_or_the_configuration_names_the_verifier() {
    let mut both = verifiers();
    both.add(Arc::new(Notary));
    let files = files_of_archive(&plain().build()[..], &Limits::default()).expect("a list");
    let key =
        SigningKey { key: Secret::default(), algorithm: KeyAlgorithm::default(), key_id: String::new(), claims: None };
    let stamped = sign::sign(&files, &Notary, &key).expect("a signature");
    assert_eq!(stamped.plugin, "notary");
    let stamped = plain().file(".signatures.json", sign::text(&stamped));
    let read = |kit: &Kit, plugin: Option<&str>, verifiers: &Verifiers| -> Result<Bundle, FormatError> {
        let verification = Verification { plugin: plugin.map(str::to_owned), ..trusting() };
        let trust = Trust::Verified { verification: Some(&verification), verifiers, base: "" };
        Bundle::from_archive(&kit.build()[..], &Limits::default(), trust)
    };
    let error = |found: Result<Bundle, FormatError>| found.expect_err("a refusal").to_string();
    assert!(read(&stamped, None, &both).is_ok() && read(&stamped, Some("notary"), &both).is_ok());
    assert_eq!(error(read(&stamped, None, &verifiers())), "no verifier exists under id notary");
    let other = "bundle names verifier notary, but the configuration asks for _default";
    assert_eq!(error(read(&stamped, Some("_default"), &both)), other);
    assert!(read(&signed(&plain()), Some("_default"), &both).is_ok());
    assert_eq!(error(read(&signed(&plain()), Some("kms"), &both)), "no verifier exists under id kms");
    // Whoever vouches for the list, the files are compared by the reader.
    let more = stamped.file("more.txt", "x");
    assert_eq!(error(read(&more, None, &both)), "file more.txt not included in bundle signature");
}

#[test]
fn hostile_signatures_never_panic_and_never_count() {
    let required = Verification { required: true, ..trusting() };
    let good = signature_of(&plain()).into_bytes();
    for at in (0..good.len()).step_by(7) {
        let cut = plain().file(".signatures.json", good[..at].to_vec());
        assert!(read_as(&cut, Some(&required)).is_err(), "cut at {at}");
    }
    // Of the last digit of a token some bits say nothing.
    let last = good.iter().rposition(u8::is_ascii_alphanumeric).expect("a token");
    for at in (0..good.len()).filter(|at| *at != last && !good[*at].is_ascii_whitespace()) {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        let kit = plain().file(".signatures.json", flipped);
        assert!(read_as(&kit, Some(&required)).is_err(), "flipped at {at}");
    }
}
