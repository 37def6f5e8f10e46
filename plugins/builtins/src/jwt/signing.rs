//! Signing tokens.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View, decode, encode};
use regent_signing::jws::{self, Algorithm};

use super::super::bounds;
use super::super::keys::jwk;

/// Signs what is given as objects.
pub(super) fn encode_sign(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    for operand in operands.all() {
        bounds::written(operand, call.cancel)?;
    }
    let [header, payload, key] = [0, 1, 2].map(|position| encode(operands.any(position)));
    sign(&header, &payload, &key)
}

/// Signs what is given as text, to the letter.
pub(super) fn encode_sign_raw(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let key = operands.string(2)?;
    sign(operands.string(0)?, operands.string(1)?, key)
}

fn sign(header: &str, payload: &str, key: &str) -> Outcome {
    let keys = jwk::read(key)?;
    let key = keys.first().ok_or_else(|| BuiltinError::failed("no keys found in JWK set"))?;
    let name = field(header, "alg")
        .map_err(|error| BuiltinError::failed(format!("missing or invalid 'alg' header: {error}")))?;
    let unknown = || BuiltinError::failed(format!("unknown JWS algorithm: {name}"));
    let algorithm = Algorithm::of_name(&name).ok_or_else(unknown)?;
    let is_token = field(header, "typ").map_or(true, |kind| kind == "JWT");
    if is_token && decode(payload.as_bytes()).is_err() {
        return Err(BuiltinError::failed("type is JWT but payload is not JSON"));
    }
    Ok(Some(jws::sign(header, payload, algorithm, &key.key)?.into()))
}

/// A field of the header that is a string.
fn field(header: &str, name: &str) -> Result<String, String> {
    let header = decode(header.as_bytes()).map_err(|error| format!("cannot parse JSON: {error}"))?;
    let value = header.get(name).ok_or_else(|| format!("jwsbb: header \"{name}\" not found"))?;
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("value doesn't contain string; it contains {}", kind(value)))
}

fn kind(value: &Value) -> &'static str {
    match value.view() {
        View::Bool(true) => "true",
        View::Bool(false) => "false",
        _ => value.type_name(),
    }
}
