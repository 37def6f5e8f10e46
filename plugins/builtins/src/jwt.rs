//! JSON web tokens.

mod constraints;
mod signing;
#[cfg(test)]
mod tests;
mod token;
mod verification;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::Value;
use regent_signing::jws::Algorithm;
use sha2::{Digest, Sha256};

use super::cache::Cache;
use super::hex;
use super::keys::hash::Hash;
use super::keys::rsa::{Padding, Salt};
use super::table::{Entry, Run, function};
use constraints::Constraints;
use token::{Header, Token, object};

const TOKENS: &[&str] = &["tokens"];
const SIGNING: &[&str] = &["tokensign"];

pub(super) const TABLE: &[Entry] = &[
    function(
        "io.jwt.decode(
            jwt: string # the token
        ) => output: array<object[any: any], object[any: any], string> # header, payload and signature in hexadecimal",
        "Takes a token apart without looking at its signature.",
        decode,
    )
    .categories(TOKENS),
    verifying(
        "io.jwt.verify_rs256(
            jwt: string, # JWT token whose signature is to be verified
            certificate: string # PEM encoded certificate, PEM encoded public key, or the JWK key (set) used to verify the signature
        ) => result: boolean # `true` if the signature is valid, `false` otherwise",
        "Verifies if a RS256 JWT signature is valid.",
        |operands, call| verify(operands, call, Algorithm::Rsa(Padding::Pkcs1, Hash::Sha256)),
    ),
    verifying(
        "io.jwt.verify_rs384(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid RS384 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Rsa(Padding::Pkcs1, Hash::Sha384)),
    ),
    verifying(
        "io.jwt.verify_rs512(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid RS512 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Rsa(Padding::Pkcs1, Hash::Sha512)),
    ),
    verifying(
        "io.jwt.verify_ps256(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid PS256 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Rsa(Padding::Pss(Salt::Any), Hash::Sha256)),
    ),
    verifying(
        "io.jwt.verify_ps384(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid PS384 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Rsa(Padding::Pss(Salt::Any), Hash::Sha384)),
    ),
    verifying(
        "io.jwt.verify_ps512(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid PS512 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Rsa(Padding::Pss(Salt::Any), Hash::Sha512)),
    ),
    verifying(
        "io.jwt.verify_es256(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid ES256 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Ecdsa(Hash::Sha256)),
    ),
    verifying(
        "io.jwt.verify_es384(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid ES384 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Ecdsa(Hash::Sha384)),
    ),
    verifying(
        "io.jwt.verify_es512(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid ES512 signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::Ecdsa(Hash::Sha512)),
    ),
    verifying(
        "io.jwt.verify_eddsa(jwt: string, certificate: string) => result: boolean",
        "Tells whether a token has a valid EdDSA signature. Keys are PEM, certificates or JWK.",
        |operands, call| verify(operands, call, Algorithm::EdDsa),
    ),
    verifying(
        "io.jwt.verify_hs256(jwt: string, secret: string) => result: boolean",
        "Tells whether a token has a valid HS256 code.",
        |operands, _| verify_secret(operands, Hash::Sha256),
    ),
    verifying(
        "io.jwt.verify_hs384(jwt: string, secret: string) => result: boolean",
        "Tells whether a token has a valid HS384 code.",
        |operands, _| verify_secret(operands, Hash::Sha384),
    ),
    verifying(
        "io.jwt.verify_hs512(jwt: string, secret: string) => result: boolean",
        "Tells whether a token has a valid HS512 code.",
        |operands, _| verify_secret(operands, Hash::Sha512),
    ),
    function(
        "io.jwt.decode_verify(
            jwt: string, # the token
            constraints: object[string: any] # `cert` or `secret`, and `alg`, `iss`, `aud`, `time` if wanted
        ) => output: array<boolean, object[any: any], object[any: any]> # whether it is valid; its header and payload if so",
        "Verifies a token's signature and claims, and takes it apart if they are valid.",
        decode_verify,
    )
    .categories(TOKENS)
    .nondeterministic(),
    function(
        "io.jwt.encode_sign_raw(
            headers: string, # the header
            payload: string, # the payload
            key: string # a JWK
        ) => output: string # the token",
        "Makes a signed token of texts, which it takes to the letter.",
        signing::encode_sign_raw,
    )
    .categories(SIGNING)
    .nondeterministic(),
    function(
        "io.jwt.encode_sign(
            headers: object[string: any], # the header
            payload: object[string: any], # the payload
            key: object[string: any] # a JWK
        ) => output: string # the token",
        "Makes a signed token of objects.",
        signing::encode_sign,
    )
    .categories(SIGNING)
    .nondeterministic(),
];

/// A function that verifies signatures of one algorithm.
const fn verifying(signature: &'static str, description: &'static str, run: Run) -> Entry {
    function(signature, description, run).categories(TOKENS)
}

fn verify(operands: Operands<'_>, call: &Call<'_>, algorithm: Algorithm) -> Outcome {
    let (token, keys) = (operands.string(0)?, operands.string(1)?);
    let valid = known(
        call,
        || format!("{:?}", (algorithm, token, keys)),
        || {
            let token = Token::new(token)?;
            let keys = verification::read_keys(keys)?;
            let signature = token.signature()?;
            let header = Header::new(&token.header()?)?;
            Ok(keys.any(&header, |key| algorithm.verifies_loosely(key, token.signed(), &signature)))
        },
    );
    Ok(Some(valid?.into()))
}

/// Whether a token is valid, as it was found out before if verdicts are kept, which the configuration has to ask for.
fn known(
    call: &Call<'_>,
    depends_on: impl FnOnce() -> String,
    verify: impl FnOnce() -> Result<bool, BuiltinError>,
) -> Result<bool, BuiltinError> {
    /// Verdicts by the digest of all that they depend on.
    #[derive(Default)]
    struct Verdicts(Cache<bool>);

    let most = call.caching.values.most(Some("io_jwt"), 0);
    if most == 0 {
        return verify();
    }
    let key = hex::spell(&Sha256::digest(depends_on()));
    call.shared.get::<Verdicts>().0.get(most, &key, verify).map(|valid| *valid)
}

fn verify_secret(operands: Operands<'_>, hash: Hash) -> Outcome {
    let (token, secret) = (operands.string(0)?, operands.string(1)?);
    let token = Token::new(token)?;
    let code = token.signature()?;
    Ok(Some(hash.authenticates(secret.as_bytes(), token.signed(), &code).into()))
}

fn decode_verify(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let constraints = Constraints::new(operands.object(1)?, call.now)?;
    // What a verdict on the signature depends on, in debug spelling, which tells all parts apart.
    let trusted =
        |token: &Token| format!("{:?}", (token.text(), ["cert", "secret", "alg"].map(|key| operands.any(1).get(key))));
    let unverified = Ok(Some(Value::array([false.into(), Value::empty_object(), Value::empty_object()])));
    let mut token = Token::new(operands.string(0)?)?;
    loop {
        let header = token.header()?;
        let fields = Header::new(&header)?;
        if !known(call, || trusted(&token), || constraints.trust(&token, &fields))? {
            return unverified;
        }
        let payload = token.payload()?;
        if fields.is_nested() {
            token = Token::new(&String::from_utf8_lossy(&payload))?;
            continue;
        }
        let claims = object(&payload)?;
        return if constraints.accept(&claims)? {
            Ok(Some(Value::array([true.into(), header, claims])))
        } else {
            unverified
        };
    }
}

/// The token's parts, or those of the innermost token in it.
fn decode(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let mut token = Token::new(operands.string(0)?)?;
    loop {
        let header = token.header()?;
        let payload = token.payload()?;
        if header.get("cty").and_then(Value::as_str) == Some("JWT") {
            // A token within a token is usually a JSON string.
            token = Token::new(String::from_utf8_lossy(&payload).trim_matches(['"', '\'']))?;
            continue;
        }
        let claims = object(&payload)?;
        let signature = hex::spell(&token.checked_signature()?);
        return Ok(Some(Value::array([header, claims, signature.into()])));
    }
}
