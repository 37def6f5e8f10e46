//! Keys and sets of keys in JSON.

use crate::error::KeyError;
use num_bigint::BigUint;
use regent_core::value::{Value, decode};

use super::der::LONGEST_NUMBER;
use super::ec::Curve;
use super::private::PrivateKey;
use super::public::PublicKey;
use super::rsa;
use crate::base64;

/// A key in JSON.
#[derive(Debug)]
pub struct Jwk {
    /// The key itself.
    pub key: Key,
    /// What it is for; empty when it does not say.
    pub algorithm: String,
    /// Its name; empty when it has none.
    pub id: String,
}

/// What a key in JSON is.
pub enum Key {
    /// To verify with.
    Public(PublicKey),
    /// To sign with.
    Private(PrivateKey),
    /// For message authentication codes.
    Secret(Vec<u8>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public(key) => key.fmt(f),
            Self::Private(key) => key.fmt(f),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}

/// Reads a key, or the `keys` of a set.
///
/// # Errors
/// What is wrong with it, without a word of what it holds.
pub fn read(json: &str) -> Result<Vec<Jwk>, KeyError> {
    let fail = |message: String| KeyError::new(format!("jwk.Parse: failed to parse: {message}"));
    let set = decode(json.as_bytes()).map_err(|error| fail(format!("failed to unmarshal JWK set: {error}")))?;
    if !set.is_object() {
        return Err(fail("failed to unmarshal JWK set: not an object".to_owned()));
    }
    let Some(keys) = set.get("keys") else {
        return Ok(vec![jwk(&set).map_err(|error| fail(format!("failed to unmarshal JWK set: {error}")))?]);
    };
    let keys = keys.as_array().ok_or_else(|| fail(r#"failed to decode "keys": not an array"#.to_owned()))?;
    let read = |(at, key)| jwk(key).map_err(|error| fail(format!(r#"failed to decode key #{at} in "keys": {error}"#)));
    keys.iter().enumerate().map(read).collect()
}

/// A field's text; empty when there is none.
fn text(object: &Value, name: &str) -> Result<String, String> {
    match object.get(name) {
        None => Ok(String::new()),
        Some(value) => value.as_str().map(str::to_owned).ok_or_else(|| format!("field `{name}` is not a string")),
    }
}

/// A field's bytes, if it is there.
fn bytes(object: &Value, name: &str) -> Result<Option<Vec<u8>>, String> {
    let Some(value) = object.get(name) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| format!("field `{name}` is not a string"))?;
    let bytes = base64::any_bytes(text).ok_or_else(|| format!("field `{name}` is not base64"))?;
    Ok(Some(bytes))
}

fn required(object: &Value, name: &str) -> Result<Vec<u8>, String> {
    bytes(object, name)?.ok_or_else(|| format!("required field {name} is missing"))
}

fn number(object: &Value, name: &str) -> Result<BigUint, String> {
    limited(&required(object, name)?, name)
}

fn limited(bytes: &[u8], name: &str) -> Result<BigUint, String> {
    if bytes.len() > LONGEST_NUMBER {
        return Err(format!("field `{name}` is too long"));
    }
    Ok(BigUint::from_bytes_be(bytes))
}

fn jwk(object: &Value) -> Result<Jwk, String> {
    let kind = text(object, "kty")?;
    let key = match kind.as_str() {
        "RSA" => rsa_key(object)?,
        "EC" => ec_key(object)?,
        "OKP" => octet_pair(object)?,
        "oct" => Key::Secret(required(object, "k")?),
        _ => return Err(format!("invalid key type from JSON ({kind})")),
    };
    Ok(Jwk { key, algorithm: text(object, "alg")?, id: text(object, "kid")? })
}

fn rsa_key(object: &Value) -> Result<Key, String> {
    let public = rsa::Public { modulus: number(object, "n")?, exponent: number(object, "e")? };
    let Some(private) = bytes(object, "d")? else { return Ok(Key::Public(PublicKey::Rsa(public))) };
    let primes = [number(object, "p")?, number(object, "q")?];
    let key = rsa::Private::new(public, limited(&private, "d")?, primes)?;
    Ok(Key::Private(PrivateKey::Rsa(Box::new(key))))
}

fn ec_key(object: &Value) -> Result<Key, String> {
    let name = text(object, "crv")?;
    let curve = Curve::of_name(&name).ok_or_else(|| format!("invalid curve algorithm {name}"))?;
    let (x, y) = (required(object, "x")?, required(object, "y")?);
    let point = curve.point(&x, &y).ok_or("the point is not on the curve")?;
    match bytes(object, "d")? {
        None => Ok(Key::Public(PublicKey::Ec(point))),
        Some(number) => match PrivateKey::ec(curve, &number) {
            Some(PrivateKey::Ec { public, .. }) if public != point => {
                Err("the point does not belong to `d`".to_owned())
            }
            key => key.map(Key::Private).ok_or_else(|| "field `d` is out of range".to_owned()),
        },
    }
}

fn octet_pair(object: &Value) -> Result<Key, String> {
    let curve = text(object, "crv")?;
    let public = required(object, "x")?;
    let public: [u8; 32] = public.try_into().map_err(|_| "field `x` is not 32 bytes".to_owned())?;
    match (curve.as_str(), bytes(object, "d")?) {
        ("Ed25519", None) => Ok(Key::Public(PublicKey::Ed25519(public))),
        ("Ed25519", Some(seed)) => {
            let seed = seed.try_into().map_err(|_| "wrong private key size".to_owned())?;
            match PrivateKey::ed25519(seed) {
                PrivateKey::Ed25519 { public: own, .. } if own != public => {
                    Err("invalid x value given d value".to_owned())
                }
                key => Ok(Key::Private(key)),
            }
        }
        ("X25519", None) => Ok(Key::Public(PublicKey::X25519(public))),
        ("X25519", Some(_)) => Ok(Key::Private(PrivateKey::X25519)),
        _ => Err(format!("invalid curve algorithm {curve}")),
    }
}

/// The private key in JSON; an error for one that has no such form.
pub fn spell(key: &PrivateKey) -> Result<Value, KeyError> {
    let digits = |bytes: &[u8]| base64::spell_url(bytes).into();
    let number = |number: &BigUint| digits(&number.to_bytes_be());
    match key {
        PrivateKey::Rsa(key) => {
            let ([p, q], [dp, dq]) = (&key.primes, &key.derived.exponents);
            Ok(Value::object([
                ("kty", "RSA".into()),
                ("n", number(&key.public.modulus)),
                ("e", number(&key.public.exponent)),
                ("d", number(&key.exponent)),
                ("p", number(p)),
                ("q", number(q)),
                ("dp", number(dp)),
                ("dq", number(dq)),
                ("qi", number(&key.derived.inverse)),
            ]))
        }
        PrivateKey::Ec { public, number } => {
            let (x, y) = public.coordinates();
            let name: Value = public.curve.name().into();
            Ok(Value::object([
                ("kty", "EC".into()),
                ("crv", name),
                ("x", digits(x)),
                ("y", digits(y)),
                ("d", digits(number)),
            ]))
        }
        PrivateKey::Ed25519 { seed, public } => Ok(Value::object([
            ("kty", "OKP".into()),
            ("crv", "Ed25519".into()),
            ("x", digits(public)),
            ("d", digits(seed)),
        ])),
        PrivateKey::X25519 => Err(KeyError::new("invalid key type *ecdh.PrivateKey")),
    }
}
