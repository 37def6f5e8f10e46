//! Tokens taken apart.

use std::collections::BTreeSet;

use regent_core::builtin::BuiltinError;
use regent_core::value::{Value, decode};

use super::super::base64;

/// The three parts of a token, as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    text: String,
    /// Where the second and the third part begin.
    payload: usize,
    signature: usize,
}

impl Token {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `encoded JWT must have 3 sections, found 2`
    pub(crate) fn new(text: &str) -> Result<Self, BuiltinError> {
        let dots: Vec<usize> = text.match_indices('.').map(|(at, _)| at).collect();
        match dots[..] {
            [] => Err(BuiltinError::failed("encoded JWT had no period separators")),
            [first, second] => Ok(Self { text: text.to_owned(), payload: first + 1, signature: second + 1 }),
            _ => {
                let found = dots.len() + 1;
                Err(BuiltinError::failed(format!("encoded JWT must have 3 sections, found {found}")))
            }
        }
    }

    /// The token as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What is signed.
    pub(crate) fn signed(&self) -> &[u8] {
        &self.text.as_bytes()[..self.signature - 1]
    }

    /// The signature's bytes.
    ///
    /// # Errors
    /// `illegal base64 data at input byte 3`
    pub(crate) fn signature(&self) -> Result<Vec<u8>, BuiltinError> {
        Ok(base64::url_bytes(&self.text[self.signature..])?)
    }

    /// The signature's bytes, said to be the token's when there are none.
    ///
    /// # Errors
    /// `JWT signature had invalid encoding: illegal base64 data at input byte 3`
    pub(crate) fn checked_signature(&self) -> Result<Vec<u8>, BuiltinError> {
        self.signature().map_err(|error| BuiltinError::failed(format!("JWT signature had invalid encoding: {error}")))
    }

    /// The header.
    ///
    /// # Errors
    /// When it is no JSON object, or the token is encrypted.
    pub(crate) fn header(&self) -> Result<Value, BuiltinError> {
        let bytes = base64::url_bytes(&self.text[..self.payload - 1])
            .map_err(|error| BuiltinError::failed(format!("JWT header had invalid encoding: {error}")))?;
        let header = object(&bytes).map_err(|error| BuiltinError::failed(format!("bad JWT header: {error}")))?;
        if header.get("enc").is_some() {
            return Err(BuiltinError::failed("JWT is a JWE object, which is not supported"));
        }
        Ok(header)
    }

    /// The payload's bytes.
    ///
    /// # Errors
    /// `JWT payload had invalid encoding: illegal base64 data at input byte 3`
    pub(crate) fn payload(&self) -> Result<Vec<u8>, BuiltinError> {
        base64::url_bytes(&self.text[self.payload..self.signature - 1])
            .map_err(|error| BuiltinError::failed(format!("JWT payload had invalid encoding: {error}")))
    }
}

/// The JSON object that the bytes are.
///
/// # Errors
/// `invalid JSON: …` or `decoded JSON type was not an Object`
pub(crate) fn object(bytes: &[u8]) -> Result<Value, BuiltinError> {
    let value = decode(String::from_utf8_lossy(bytes).as_bytes())
        .map_err(|error| BuiltinError::failed(format!("invalid JSON: {error}")))?;
    let not_object = || BuiltinError::failed("decoded JSON type was not an Object");
    value.is_object().then_some(value).ok_or_else(not_object)
}

/// The fields of a header that verification looks at.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// Empty when there is none.
    pub(crate) algorithm: String,
    /// The name of the key; empty when there is none.
    pub(crate) key_id: String,
    content_type: String,
    /// Some field that must be understood is not.
    unknown_critical: bool,
}

impl Header {
    /// Reads the fields.
    ///
    /// # Errors
    /// `alg: must be a string`, `crit: must be a list` and the like.
    pub(crate) fn new(header: &Value) -> Result<Self, BuiltinError> {
        let mut read = Self::default();
        let (mut critical, mut unknown) = (BTreeSet::new(), Vec::new());
        for (key, value) in header.as_object().into_iter().flatten() {
            let name = key.as_str().unwrap_or_default();
            let field = match name {
                "alg" => &mut read.algorithm,
                "kid" => &mut read.key_id,
                "cty" => &mut read.content_type,
                "typ" => &mut String::new(),
                "crit" => {
                    critical = critical_names(value)?;
                    continue;
                }
                _ => {
                    unknown.push(name);
                    continue;
                }
            };
            let not_string = || BuiltinError::failed(format!("{name}: must be a string"));
            value.as_str().ok_or_else(not_string)?.clone_into(field);
        }
        read.unknown_critical = unknown.iter().any(|name| critical.contains(name));
        Ok(read)
    }

    /// It names an algorithm, and asks for nothing that is unknown.
    pub(crate) fn is_valid(&self) -> bool {
        !self.algorithm.is_empty() && !self.unknown_critical
    }

    /// The payload is a token itself.
    pub(crate) fn is_nested(&self) -> bool {
        self.content_type.eq_ignore_ascii_case("JWT")
    }
}

/// The names up to the first that is no string, at which OPA stops reading.
fn critical_names(value: &Value) -> Result<BTreeSet<&str>, BuiltinError> {
    let names = value.as_array().ok_or_else(|| BuiltinError::failed("crit: must be a list"))?;
    let names: BTreeSet<&str> = names.iter().map_while(Value::as_str).collect();
    if names.is_empty() { Err(BuiltinError::failed("crit: must be a nonempty list")) } else { Ok(names) }
}
