//! The default signer: one token, made with a key at hand.

use regent_core::signing::{DEFAULT, SignedFile, Signer, SigningError, SigningKey};
use regent_core::value::{Value, encode};

use crate::jws::{self, Algorithm};

/// Makes the token of `.signatures.json` as OPA does.
///
/// Its payload lists the files; beside them are the claims that were given, else the name of the key.
pub struct TokenSigner;

impl Signer for TokenSigner {
    fn name(&self) -> &'static str {
        DEFAULT
    }

    fn sign(&self, files: &[SignedFile], key: &SigningKey) -> Result<String, SigningError> {
        let name = key.algorithm.name();
        let unknown = || SigningError::new(format!("unknown signature algorithm: {name}"));
        let algorithm = Algorithm::of_name(name).ok_or_else(unknown)?;
        let signing_key = jws::signing_key(key.key.expose(), algorithm);
        let signing_key = signing_key.map_err(|error| SigningError::new(error.to_string()))?;
        let (header, payload) = (encode(&header(key)), encode(&payload(files, key)?));
        jws::sign(&header, &payload, algorithm, &signing_key).map_err(|error| SigningError::new(error.to_string()))
    }
}

fn header(key: &SigningKey) -> Value {
    let header = Value::object([("alg", key.algorithm.name()), ("typ", "JWT")]);
    if key.key_id.is_empty() { header } else { header.with(&["kid"], key.key_id.as_str().into()) }
}

fn payload(files: &[SignedFile], key: &SigningKey) -> Result<Value, SigningError> {
    let claims = match &key.claims {
        Some(claims) if claims.is_object() => claims.clone(),
        Some(_) => return Err(SigningError::new("the claims are not an object")),
        None if key.key_id.is_empty() => Value::empty_object(),
        None => Value::object([("keyid", key.key_id.as_str())]),
    };
    let file = |file: &SignedFile| {
        Value::object([("name", &*file.name), ("hash", &*file.hash), ("algorithm", &*file.algorithm)])
    };
    Ok(claims.with(&["files"], Value::array(files.iter().map(file))))
}
