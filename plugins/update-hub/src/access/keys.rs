//! The keys that tokens are signed and verified with, as OPAL's settings have them.

use std::fs;

use regent_core::config::Secret;
use regent_signing::base64;
use regent_signing::jws::{Algorithm, verification_key};
use regent_signing::keys::ec::Curve;
use regent_signing::keys::jwk::Key;
use regent_signing::keys::public::PublicKey;
use regent_signing::keys::{encrypted, pem, private, rsa};
use serde_json::{Value as Json, json};

use super::AccessError;
use crate::config::Auth;

/// Both keys, which belong together and to the algorithm.
pub(super) fn pair(auth: &Auth, algorithm: Algorithm) -> Result<(Key, Key), AccessError> {
    let text = text(auth.private_key.expose()).map_err(AccessError::PrivateKey)?;
    let passphrase = auth.private_key_passphrase.as_ref().map(Secret::expose);
    let signing = private_key(&text, passphrase).map_err(AccessError::PrivateKey)?;
    let own = signing.public().ok_or_else(|| AccessError::PrivateKey("signs nothing".to_owned()))?;
    if let Some(written) = &auth.public_key {
        let shown = self::text(written).and_then(|text| public_key(&text, algorithm));
        if shown.map_err(AccessError::PublicKey)? != own {
            return Err(AccessError::PublicKey("does not belong to the private key".to_owned()));
        }
    }
    let (signing, public) = (Key::Private(signing), Key::Public(own));
    let probe = algorithm.sign(&signing, b"probe").map_err(|error| AccessError::PrivateKey(error.to_string()))?;
    if !algorithm.verifies(&public, b"probe", &probe) {
        return Err(AccessError::PrivateKey("is not one for `algorithm`".to_owned()));
    }
    Ok((signing, public))
}

/// The text of a key: of the file that is named, or what is there itself, in which `_` may stand for an end of line.
fn text(written: &str) -> Result<String, String> {
    let is_text = written.contains("-----BEGIN") || openssh_kind(written).is_some();
    if !is_text {
        return fs::read_to_string(written)
            .map_err(|error| format!("is neither a key nor a file that can be read: {error}"));
    }
    Ok(if written.contains('\n') { written.to_owned() } else { written.replace('_', "\n") })
}

fn private_key(text: &str, passphrase: Option<&str>) -> Result<private::PrivateKey, String> {
    let (block, _) = pem::first(text).ok_or("has no PEM block: OPAL's formats `der` and `ssh` are not read")?;
    let bytes = match passphrase {
        Some(passphrase) if encrypted::is_encrypted(&block) => {
            encrypted::decrypt(&block, passphrase.as_bytes()).map_err(|error| error.to_string())?
        }
        _ if encrypted::is_encrypted(&block) => return Err("is encrypted, and there is no passphrase".to_owned()),
        _ => block.bytes.clone(),
    };
    let read = match block.label {
        "RSA PRIVATE KEY" => private::pkcs1(&bytes),
        "PRIVATE KEY" => private::pkcs8(&bytes),
        "EC PRIVATE KEY" => private::sec1(&bytes),
        label => return Err(format!("has a PEM block of the kind {label:?}, which is not read")),
    };
    read.map_err(|error| error.to_string())
}

fn public_key(text: &str, algorithm: Algorithm) -> Result<PublicKey, String> {
    if let Some(kind) = openssh_kind(text) {
        let blob = text.split_ascii_whitespace().nth(1).and_then(base64::any_bytes);
        return blob.and_then(|blob| wire_key(kind, &blob)).ok_or_else(|| "is broken".to_owned());
    }
    match verification_key(text, algorithm).map_err(|error| error.to_string())? {
        Key::Public(key) => Ok(key),
        Key::Private(key) => key.public().ok_or_else(|| "has no public half".to_owned()),
        Key::Secret(_) => Err("is a secret".to_owned()),
    }
}

/// The kind of key in a line such as `ssh-rsa AAAA… comment`; nothing if the text is no such line.
fn openssh_kind(text: &str) -> Option<&str> {
    text.split_ascii_whitespace().next().filter(|kind| kind.starts_with("ssh-") || kind.starts_with("ecdsa-"))
}

/// A key in the form of RFC 4253.
fn wire_key(kind: &str, mut blob: &[u8]) -> Option<PublicKey> {
    let mut next = || {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        blob = rest;
        Some(field)
    };
    if next()? != kind.as_bytes() {
        return None;
    }
    match kind {
        "ssh-rsa" => {
            let (exponent, modulus) = (next()?, next()?);
            // As in a set of keys, whose numbers are written alike.
            let key = json!({"kty": "RSA", "n": base64::spell_url(modulus), "e": base64::spell_url(exponent)});
            read_jwk(&key)
        }
        "ssh-ed25519" => next()?.try_into().ok().map(PublicKey::Ed25519),
        _ => {
            let curve = match next()? {
                b"nistp256" => Curve::P256,
                b"nistp384" => Curve::P384,
                b"nistp521" => Curve::P521,
                _ => return None,
            };
            regent_signing::keys::ec::Point::read(curve, next()?).map(PublicKey::Ec)
        }
    }
}

fn read_jwk(key: &Json) -> Option<PublicKey> {
    let read = regent_signing::keys::jwk::read(&key.to_string()).ok()?;
    match read.into_iter().next()?.key {
        Key::Public(key) => Some(key),
        _ => None,
    }
}

/// A public key as JSON, as OPAL shows it.
pub(super) fn jwk(key: &PublicKey) -> Json {
    match key {
        PublicKey::Rsa(rsa::Public { modulus, exponent }) => json!({
            "kty": "RSA",
            "key_ops": ["verify"],
            "n": base64::spell_url(&modulus.to_bytes_be()),
            "e": base64::spell_url(&exponent.to_bytes_be()),
        }),
        PublicKey::Ec(point) => {
            let (x, y) = point.coordinates();
            let (x, y) = (base64::spell_url(x), base64::spell_url(y));
            json!({"kty": "EC", "key_ops": ["verify"], "crv": point.curve.name(), "x": x, "y": y})
        }
        PublicKey::Ed25519(x) => {
            json!({"kty": "OKP", "key_ops": ["verify"], "crv": "Ed25519", "x": base64::spell_url(x)})
        }
        PublicKey::X25519(_) | PublicKey::Dsa { .. } => json!({}),
    }
}
