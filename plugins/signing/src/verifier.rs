//! The default verifier: one token, whose key the configuration holds.

use regent_core::config::Key;
use regent_core::signing::{DEFAULT, Signatures, SignedFile, SigningError, Verification, Verifier};
use regent_core::value::{Value, decode_shallow};

use crate::base64;
use crate::jws::{self, Algorithm};

/// Verifies `.signatures.json` as OPA does.
///
/// Which key counts: that of the configuration, else that of the token's header (`kid`), else that of its payload
/// (`keyid`). What the token says of its algorithm never counts, only what the configuration says of the key.
pub struct TokenVerifier;

impl Verifier for TokenVerifier {
    fn name(&self) -> &'static str {
        DEFAULT
    }

    fn verify(&self, signatures: &Signatures, verification: &Verification) -> Result<Vec<SignedFile>, SigningError> {
        let fail = |reason: &str| SigningError::new(format!(".signatures.json: {reason} (expected exactly one)"));
        let token = match &signatures.tokens[..] {
            [] => return Err(fail("missing JWT")),
            [token] => Token::split(token)?,
            _ => return Err(fail("multiple JWTs not supported")),
        };
        let payload = token.payload()?;
        let key = verification.key(&key_id(verification, &token, &payload)?)?;
        token.verify(key)?;
        let expected = if verification.scope.is_empty() { &key.scope } else { &verification.scope };
        if text(&payload, "scope")? != expected {
            return Err(SigningError::new("scope mismatch"));
        }
        files(&payload)
    }
}

/// The parts of a token as they are written.
struct Token<'a> {
    header: &'a str,
    payload: &'a str,
    /// Both, with the dot between them.
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    fn split(token: &'a str) -> Result<Self, SigningError> {
        let split = || {
            let (signed, signature) = token.rsplit_once('.')?;
            let (header, payload) = signed.split_once('.')?;
            (!payload.contains('.')).then_some(Self { header, payload, signed, signature })
        };
        split().ok_or_else(|| SigningError::new("failed to split compact JWT: invalid number of segments"))
    }

    fn payload(&self) -> Result<Value, SigningError> {
        let bytes = part(self.payload, "payload")?;
        // Nothing is known yet of who wrote it.
        let payload = decode_shallow(&bytes).map_err(|error| SigningError::new(error.to_string()))?;
        if payload.is_object() { Ok(payload) } else { Err(SigningError::new("JWT payload is not an object")) }
    }

    /// The name of the key in the header; empty if there is none.
    fn key_id(&self) -> Result<String, SigningError> {
        let fail = |reason: &str| SigningError::new(format!("failed to extract key ID from headers: {reason}"));
        let bytes = base64::url_bytes(self.header).map_err(|error| fail(&error.to_string()))?;
        let header = decode_shallow(&bytes).map_err(|error| fail(&error.to_string()))?;
        let id = text(&header, "kid").map_err(|error| fail(&error.to_string()))?;
        Ok(id.to_owned())
    }

    fn verify(&self, key: &Key) -> Result<(), SigningError> {
        let name = key.algorithm.name();
        let unknown = || SigningError::new(format!("unknown signature algorithm: {name}"));
        let algorithm = Algorithm::of_name(name).ok_or_else(unknown)?;
        let fail = |reason: &str| SigningError::new(format!("failed to verify JWT signature: {reason}"));
        if let (Algorithm::Hmac(_), "") = (algorithm, key.key.expose()) {
            return Err(fail("missing key")); // else anyone could sign
        }
        let key = jws::verification_key(key.key.expose(), algorithm);
        let key = key.map_err(|error| SigningError::new(error.to_string()))?;
        if algorithm.verifies(&key, self.signed.as_bytes(), &part(self.signature, "signature")?) {
            return Ok(());
        }
        Err(fail(match algorithm {
            Algorithm::Hmac(_) => "invalid HMAC signature",
            Algorithm::Rsa(..) => "crypto/rsa: verification error",
            Algorithm::Ecdsa(_) | Algorithm::EdDsa => "invalid ECDSA signature",
        }))
    }
}

/// The bytes of a part, which has no padding.
fn part(text: &str, name: &str) -> Result<Vec<u8>, SigningError> {
    let fail = |reason: &str| SigningError::new(format!("failed to base64 decode JWT {name}: {reason}"));
    if text.contains('=') {
        return Err(fail("padding"));
    }
    base64::url_bytes(text).map_err(|error| fail(&error.to_string()))
}

fn key_id(verification: &Verification, token: &Token<'_>, payload: &Value) -> Result<String, SigningError> {
    let mut id = verification.key_id.clone();
    if id.is_empty() {
        id = token.key_id()?;
    }
    if id.is_empty() {
        text(payload, "keyid")?.clone_into(&mut id);
    }
    if id.is_empty() { Err(SigningError::new("verification key ID is empty")) } else { Ok(id) }
}

/// A field's text; empty if it is not there.
fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, SigningError> {
    match object.get(name) {
        None => Ok(""),
        Some(null) if null.is_null() => Ok(""),
        Some(value) => value.as_str().ok_or_else(|| SigningError::new(format!("`{name}` is not a string"))),
    }
}

fn files(payload: &Value) -> Result<Vec<SignedFile>, SigningError> {
    let listed = match payload.get("files") {
        None => &[][..],
        Some(null) if null.is_null() => &[],
        Some(files) => files.as_array().ok_or_else(|| SigningError::new("`files` is not an array"))?,
    };
    let file = |file: &Value| {
        let field = |name: &str| text(file, name).map(str::to_owned);
        Ok(SignedFile { name: field("name")?, hash: field("hash")?, algorithm: field("algorithm")? })
    };
    listed.iter().map(file).collect()
}
