//! Tokens signed in the compact form: `HEADER.PAYLOAD.SIGNATURE`, each part in base64 for URLs.

mod algorithm;
mod key;
#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub use key::{signing_key, verification_key};

use crate::base64;
use crate::error::KeyError;
use crate::keys::jwk::Key;

/// Makes a token of a header and a payload, which are taken to the letter.
///
/// # Errors
/// When the key is not of the algorithm's kind, or cannot sign.
pub fn sign(header: &str, payload: &str, algorithm: Algorithm, key: &Key) -> Result<String, KeyError> {
    let mut token = format!("{}.{}", base64::spell_url(header.as_bytes()), base64::spell_url(payload.as_bytes()));
    let signature = algorithm.sign(key, token.as_bytes())?;
    token.push('.');
    token.push_str(&base64::spell_url(&signature));
    Ok(token)
}
