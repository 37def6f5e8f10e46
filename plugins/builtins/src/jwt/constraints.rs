//! What a token has to meet.

use regent_core::builtin::BuiltinError;
use regent_core::value::{Number, Object, Value};
use regent_signing::jws::Algorithm;

use super::super::keys::jwk::Key;
use super::token::{Header, Token};
use super::verification::{VerificationKeys, read_keys};

/// The constraints of a call.
#[derive(Debug)]
pub(crate) struct Constraints {
    keys: VerificationKeys,
    /// Empty when any algorithm will do, and so for issuer and audience.
    algorithm: String,
    issuer: String,
    audience: String,
    /// In seconds.
    time: Number,
}

impl Constraints {
    /// Reads the constraints; the time is `now` unless they give one.
    ///
    /// # Errors
    /// `unknown token validation constraint: colour` and the like.
    pub(crate) fn new(constraints: &Object, now: i64) -> Result<Self, BuiltinError> {
        let (mut algorithm, mut issuer, mut audience) = (String::new(), String::new(), String::new());
        let (mut keys, mut secret, mut time) = (None, String::new(), None);
        for (name, value) in constraints {
            let name = name.as_str().unwrap_or_default();
            let text = || {
                let not_string = || BuiltinError::failed(format!("{name} constraint: must be a string"));
                value.as_str().map(str::to_owned).ok_or_else(not_string)
            };
            match name {
                "alg" => algorithm = text()?,
                "iss" => issuer = text()?,
                "aud" => audience = text()?,
                "secret" => secret = text()?,
                "cert" => keys = Some(read_keys(&text()?)?),
                "time" => time = Some(seconds(value)?),
                _ => return Err(BuiltinError::failed(format!("unknown token validation constraint: {name}"))),
            }
        }
        let keys = match (keys, secret.is_empty()) {
            (Some(_), false) => return Err(BuiltinError::failed("duplicate key constraints")),
            (None, true) => return Err(BuiltinError::failed("no key constraint")),
            (Some(keys), true) => keys,
            (None, false) => VerificationKeys::one(Key::Secret(secret.into_bytes())),
        };
        let time = match time {
            Some(time) => time,
            None => seconds(&now.into())?,
        };
        Ok(Self { keys, algorithm, issuer, audience, time })
    }

    /// Whether the token may be believed: its algorithm is one that may be, and its signature is right.
    ///
    /// # Errors
    /// When the signature is not base64.
    pub(crate) fn trust(&self, token: &Token, header: &Header) -> Result<bool, BuiltinError> {
        if !header.is_valid() || !self.algorithm.is_empty() && self.algorithm != header.algorithm {
            return Ok(false);
        }
        let signature = token.signature()?;
        let Some(algorithm) = Algorithm::of_name(&header.algorithm) else { return Ok(false) };
        Ok(self.keys.any(header, |key| algorithm.verifies(key, token.signed(), &signature)))
    }

    /// Whether the claims are meant for us and for now.
    ///
    /// # Errors
    /// `exp value must be a number` and the same of `nbf`.
    pub(crate) fn accept(&self, claims: &Value) -> Result<bool, BuiltinError> {
        let issued = self.issuer.is_empty() || claims.get("iss").and_then(Value::as_str) == Some(&self.issuer);
        if !issued || !self.is_audience(claims.get("aud")) {
            return Ok(false);
        }
        if let Some(expiry) = moment(claims, "exp")?
            && self.time >= expiry
        {
            return Ok(false);
        }
        Ok(moment(claims, "nbf")?.is_none_or(|begin| self.time >= begin))
    }

    /// A token for some audience needs a constraint that names it, and the other way round.
    fn is_audience(&self, claim: Option<&Value>) -> bool {
        let is_ours = |name: &Value| name.as_str() == Some(&self.audience);
        match claim {
            None => self.audience.is_empty(),
            Some(claim) => is_ours(claim) || claim.as_array().is_some_and(|names| names.iter().any(is_ours)),
        }
    }
}

/// A claim that is a time in seconds.
fn moment(claims: &Value, name: &str) -> Result<Option<Number>, BuiltinError> {
    let not_number = || BuiltinError::failed(format!("{name} value must be a number"));
    claims.get(name).map(|value| value.as_number().ok_or_else(not_number)).transpose()
}

/// The seconds that nanoseconds are, as exact as a float is.
fn seconds(nanoseconds: &Value) -> Result<Number, BuiltinError> {
    let fail = |what: &str| BuiltinError::failed(format!("token time constraint: {what}"));
    let nanoseconds = nanoseconds.as_number().ok_or_else(|| fail("must be a number"))?.as_f64();
    if nanoseconds.is_infinite() {
        return Err(fail("unvalid float64"));
    }
    if nanoseconds < 0.0 {
        return Err(fail("must not be negative"));
    }
    Ok(Number::parse(&(nanoseconds / 1e9).to_string()).expect("a finite float is written as a JSON number"))
}
