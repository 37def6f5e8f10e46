//! Private keys as text, and what the families that use keys share: reading them, signing and verifying with them.

pub(crate) mod shape;

use std::borrow::Cow;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::Value;
pub(crate) use regent_signing::keys::{der, hash, jwk, pem, private, public, rsa};

use super::base64;
use super::table::{Entry, function};
use private::PrivateKey;

pub(super) const TABLE: &[Entry] = &[
    function(
        "crypto.parse_private_keys(
            keys: string # the keys as PEM blocks, which may be in base64 once more
        ) => output: array[object[string: any]] # the keys",
        "Reads private keys from PEM. Gives null for an empty string.",
        parse_private_keys,
    ),
    function(
        "crypto.x509.parse_rsa_private_key(
            pem: string # a private key as PEM, which may be in base64 once more
        ) => output: object[string: any] # the key as JWK",
        "Reads a private key from PEM and gives it in the form that tokens are signed with.",
        parse_rsa_private_key,
    ),
];

fn parse_private_keys(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let text = operands.string(0)?;
    if text.is_empty() {
        return Ok(Some(Value::NULL));
    }
    Ok(Some(Value::array(private_keys(text)?.iter().map(shape::private))))
}

fn parse_rsa_private_key(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let text = operands.string(0)?;
    if text.is_empty() {
        return Err(BuiltinError::failed("input PEM data was empty"));
    }
    let text = if text.starts_with("-----BEGIN") {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(pem::text(&base64::standard_bytes(text)?).into_owned())
    };
    match private_keys(&text)?.first() {
        Some(key) => Ok(Some(jwk::spell(key)?)),
        None => Ok(Some(Value::NULL)),
    }
}

/// The private keys among the PEM blocks of a text, which may be in base64.
fn private_keys(text: &str) -> Result<Vec<PrivateKey>, BuiltinError> {
    let decoded = base64::standard_bytes(text).ok();
    let text = decoded.as_deref().map_or(Cow::Borrowed(text), pem::text);
    let read = |block: pem::Block<'_>| match block.label {
        "RSA PRIVATE KEY" => Some(private::pkcs1(&block.bytes)),
        "PRIVATE KEY" => Some(private::pkcs8(&block.bytes)),
        "EC PRIVATE KEY" => Some(private::sec1(&block.bytes)),
        _ => None,
    };
    Ok(pem::all(&text).filter_map(read).collect::<Result<_, _>>()?)
}

#[cfg(test)]
pub(crate) mod tests;
