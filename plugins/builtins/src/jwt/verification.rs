//! The keys that tokens are verified with.

use regent_core::builtin::BuiltinError;
use regent_signing::jws::Algorithm;

use super::super::keys::jwk::{self, Key};
use super::super::keys::{pem, public};
use super::super::x509;
use super::token::Header;

/// Keys, some with a name and an algorithm of their own.
#[derive(Debug)]
pub(crate) struct VerificationKeys(Vec<jwk::Jwk>);

impl VerificationKeys {
    /// One key without a name.
    pub(crate) fn one(key: Key) -> Self {
        Self(vec![jwk::Jwk { key, algorithm: String::new(), id: String::new() }])
    }

    /// Whether the check passes with the key that the header names, or, when there is none of that name, with any that is
    /// for the header's algorithm or does not say what it is for.
    pub(crate) fn any(&self, header: &Header, check: impl Fn(&Key) -> bool) -> bool {
        let named = self.0.iter().find(|key| !header.key_id.is_empty() && key.id == header.key_id);
        if let Some(named) = named {
            return check(&named.key);
        }
        let suits = |key: &&jwk::Jwk| key.algorithm.is_empty() || key.algorithm == header.algorithm;
        self.0.iter().filter(suits).any(|key| check(&key.key))
    }
}

/// Reads a certificate or public key in PEM, or a key or set of keys in JSON. Keys for an unknown algorithm are left out.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read_keys(text: &str) -> Result<VerificationKeys, BuiltinError> {
    let fail = |message: String| BuiltinError::failed(message);
    let Some((block, rest)) = pem::first(text) else {
        let keys = jwk::read(text).map_err(|error| fail(format!("failed to parse a JWK key (set): {error}")))?;
        let known = |key: &jwk::Jwk| key.algorithm.is_empty() || Algorithm::of_name(&key.algorithm).is_some();
        return Ok(VerificationKeys(keys.into_iter().filter(known).collect()));
    };
    if !rest.is_empty() {
        return Err(fail("extra data after a PEM certificate block".to_owned()));
    }
    match block.label {
        "CERTIFICATE" => {
            let certificate = x509::certificate(&block.bytes)
                .map_err(|error| fail(format!("failed to parse a PEM certificate: {error}")))?;
            // A certificate may be for a kind of key that is not known here.
            Ok(certificate
                .public_key
                .map_or(VerificationKeys(Vec::new()), |key| VerificationKeys::one(Key::Public(key))))
        }
        "PUBLIC KEY" => {
            let key = public::read(&block.bytes);
            let key = key.map_err(|error| fail(format!("failed to parse a PEM public key: {error}")))?;
            Ok(VerificationKeys::one(Key::Public(key)))
        }
        _ => Err(fail("failed to extract a Key from the PEM certificate".to_owned())),
    }
}
