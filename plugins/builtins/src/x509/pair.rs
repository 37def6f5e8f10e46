//! Certificates with the private key that belongs to them.

use std::borrow::Cow;

use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::super::base64;
use super::super::keys::pem;
use super::super::keys::private::{self, PrivateKey};
use super::super::keys::public::PublicKey;
use super::super::keys::shape;
use super::certificate::Certificate;

fn fail(message: impl std::fmt::Display) -> BuiltinError {
    BuiltinError::failed(format!("tls: {message}"))
}

/// Reads certificates and a key, each as PEM, or in base64 as PEM or DER, as Go's JSON shows them.
///
/// # Errors
/// `tls: private key does not match public key` and the like.
pub(crate) fn read(certificates: &str, key: &str) -> Result<Value, BuiltinError> {
    let (certificates, key) = (pem_text(certificates, "CERTIFICATE")?, pem_text(key, "PRIVATE KEY")?);
    let certificates = certificate_blocks(&certificates)?;
    let key = key_block(&key)?;
    let leaf = Certificate::one(&certificates[0])?;
    let key = private_key(&key)?;
    check(leaf.public_key.as_ref(), &key)?;
    Ok(Value::object([
        ("Certificate", Value::array(certificates.iter().map(|der| shape::bytes(der)))),
        ("PrivateKey", shape::private(&key)),
        ("SupportedSignatureAlgorithms", Value::NULL),
        ("OCSPStaple", Value::NULL),
        ("SignedCertificateTimestamps", Value::NULL),
        ("Leaf", leaf.shape()),
    ]))
}

fn pem_text<'a>(text: &'a str, label: &str) -> Result<Cow<'a, str>, BuiltinError> {
    const BEGIN: &str = "-----BEGIN ";
    if text.starts_with(BEGIN) {
        return Ok(Cow::Borrowed(text));
    }
    let bytes = base64::standard_bytes(text)?;
    let is_pem = bytes.starts_with(BEGIN.as_bytes());
    Ok(Cow::Owned(if is_pem { pem::text(&bytes).into_owned() } else { pem::spell(label, &bytes) }))
}

/// The certificates, of which there is at least one.
fn certificate_blocks(text: &str) -> Result<Vec<Vec<u8>>, BuiltinError> {
    let (found, others): (Vec<_>, Vec<_>) = pem::all(text).partition(|block| block.label == "CERTIFICATE");
    if !found.is_empty() {
        return Ok(found.into_iter().map(|block| block.bytes).collect());
    }
    Err(match &others[..] {
        [] => fail("failed to find any PEM data in certificate input"),
        [only] if only.label.ends_with("PRIVATE KEY") => fail(
            "failed to find certificate PEM data in certificate input, but did find a private key; \
             PEM inputs may have been switched",
        ),
        others => fail(format_args!(
            "failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the \
             following types: {}",
            labels(others)
        )),
    })
}

fn key_block(text: &str) -> Result<Vec<u8>, BuiltinError> {
    let is_key = |block: &pem::Block<'_>| block.label == "PRIVATE KEY" || block.label.ends_with(" PRIVATE KEY");
    let blocks: Vec<_> = pem::all(text).collect();
    if let Some(block) = blocks.iter().find(|block| is_key(block)) {
        return Ok(block.bytes.clone());
    }
    Err(match &blocks[..] {
        [] => fail("failed to find any PEM data in key input"),
        [only] if only.label == "CERTIFICATE" => {
            fail("found a certificate rather than a key in the PEM for the private key")
        }
        blocks => fail(format_args!(
            "failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks \
             of the following types: {}",
            labels(blocks)
        )),
    })
}

fn labels(blocks: &[pem::Block<'_>]) -> String {
    let labels: Vec<&str> = blocks.iter().map(|block| block.label).collect();
    format!("[{}]", labels.join(" "))
}

/// Labels say little of keys, so all forms are tried.
fn private_key(der: &[u8]) -> Result<PrivateKey, BuiltinError> {
    private::pkcs1(der)
        .or_else(|_| match private::pkcs8(der)? {
            PrivateKey::X25519 => Err(fail("found unknown private key type in PKCS#8 wrapping")),
            key => Ok(key),
        })
        .or_else(|error| {
            let is_ours = error.to_string().starts_with("tls: ");
            if is_ours { Err(error) } else { private::sec1(der).map_err(|_| fail("failed to parse private key")) }
        })
}

fn check(public: Option<&PublicKey>, private: &PrivateKey) -> Result<(), BuiltinError> {
    match (public, private) {
        (Some(PublicKey::Rsa(_)), PrivateKey::Rsa(_))
        | (Some(PublicKey::Ec(_)), PrivateKey::Ec { .. })
        | (Some(PublicKey::Ed25519(_)), PrivateKey::Ed25519 { .. }) => {
            if public == private.public().as_ref() {
                Ok(())
            } else {
                Err(fail("private key does not match public key"))
            }
        }
        (Some(PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Ed25519(_)), _) => {
            Err(fail("private key type does not match public key type"))
        }
        _ => Err(fail("unknown public key algorithm")),
    }
}
