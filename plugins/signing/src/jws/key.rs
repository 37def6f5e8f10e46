//! Keys as configurations hold them: PEM, or a secret that is the text itself.

use super::Algorithm;
use crate::error::KeyError;
use crate::keys::jwk::Key;
use crate::keys::{pem, private, public};

/// Reads a key to verify with: for codes (`HS…`) the text itself, else the first PEM block that it holds, which may be a
/// public key, a certificate, or a private key, whose public half counts.
///
/// # Errors
/// When there is no block, or none that holds a key.
pub fn verification_key(text: &str, algorithm: Algorithm) -> Result<Key, KeyError> {
    if let Algorithm::Hmac(_) = algorithm {
        return Ok(Key::Secret(text.as_bytes().to_vec()));
    }
    let (block, _) = pem::first(text).ok_or_else(no_block)?;
    match block.label {
        "PUBLIC KEY" => public::read(&block.bytes).map(Key::Public),
        "RSA PUBLIC KEY" => public::pkcs1(&block.bytes).map(Key::Public),
        "CERTIFICATE" => public::certificate(&block.bytes).map(Key::Public),
        _ => private_key(&block).unwrap_or_else(|| Err(no_block())),
    }
}

/// Reads a key to sign with: for codes (`HS…`) the text itself, else the first PEM block that it holds.
///
/// # Errors
/// When there is no block, or none that holds a private key.
pub fn signing_key(text: &str, algorithm: Algorithm) -> Result<Key, KeyError> {
    if let Algorithm::Hmac(_) = algorithm {
        return Ok(Key::Secret(text.as_bytes().to_vec()));
    }
    let (block, _) = pem::first(text).ok_or_else(no_block)?;
    let unsupported = || Err(KeyError::new(format!("unsupported key type: {}", block.label)));
    private_key(&block).unwrap_or_else(unsupported)
}

/// The private key in the block; nothing if it does not say that it holds one.
fn private_key(block: &pem::Block<'_>) -> Option<Result<Key, KeyError>> {
    let key = match block.label {
        "RSA PRIVATE KEY" => private::pkcs1(&block.bytes),
        "PRIVATE KEY" => private::pkcs8(&block.bytes),
        "EC PRIVATE KEY" => private::sec1(&block.bytes),
        _ => return None,
    };
    Some(key.map(Key::Private))
}

fn no_block() -> KeyError {
    KeyError::new("failed to parse PEM block containing the key")
}
