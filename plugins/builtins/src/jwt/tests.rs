//! Tokens signed, verified, and tampered with.

use regent_core::value::{Value, encode};
use serde_json::json;

use super::super::base64;
use super::super::keys::jwk::Key;
use super::super::keys::pem;
use super::super::keys::private::PrivateKey;
use super::super::keys::tests::{ec_key, element, jwk, public_jwk, rsa_key, rsa_of};
use super::super::testing::{NOW, Query, check, check_error};
use regent_signing::keys::ec::Curve;

fn call(name: &str, operands: &serde_json::Value) -> Result<String, String> {
    let result = Query::new(Value::default()).call(name, &operands.to_string());
    result.map(|value| encode(&value.expect("a result"))).map_err(|error| error.to_string())
}

fn sign_raw(header: &str, payload: &str, key: &Value) -> String {
    let token = call("io.jwt.encode_sign_raw", &json!([header, payload, encode(key)])).expect("a token");
    token.trim_matches('"').to_owned()
}

fn sign(algorithm: &str, payload: &serde_json::Value, key: &Value) -> String {
    sign_raw(&json!({"alg": algorithm}).to_string(), &payload.to_string(), key)
}

/// The first of what `io.jwt.decode_verify` gives.
fn verified(token: &str, constraints: &serde_json::Value) -> Result<bool, String> {
    let result = call("io.jwt.decode_verify", &json!([token, constraints]))?;
    assert!(result.starts_with("[true,") || result == "[false,{},{}]", "{result}");
    Ok(result.starts_with("[true,"))
}

fn secret() -> Value {
    Value::object([("kty", "oct"), ("k", "c2VjcmV0")])
}

/// Every algorithm with a key for it.
fn algorithms() -> Vec<(&'static str, Value, Value)> {
    let both = |key: PrivateKey| (jwk(&key), public_jwk(&key));
    let mut all = Vec::new();
    for (names, (private, public)) in [
        (&["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..], both(rsa_key())),
        (&["ES256"], both(ec_key(Curve::P256))),
        (&["ES384"], both(ec_key(Curve::P384))),
        (&["ES512"], both(ec_key(Curve::P521))),
        (&["EdDSA"], both(PrivateKey::ed25519([9; 32]))),
        (&["HS256", "HS384", "HS512"], (secret(), secret())),
    ] {
        all.extend(names.iter().map(|name| (*name, private.clone(), public.clone())));
    }
    all
}

fn verify_name(algorithm: &str) -> String {
    format!("io.jwt.verify_{}", algorithm.to_lowercase())
}

#[test]
fn what_is_signed_verifies_with_its_algorithm_and_no_other() {
    let all = algorithms();
    for (algorithm, private, public) in &all {
        let token = sign(algorithm, &json!({"a": 1}), private);
        let is_secret = algorithm.starts_with("HS");
        let key = if is_secret { "secret".to_owned() } else { encode(public) };
        let constraint = if is_secret { json!({"secret": key}) } else { json!({"cert": key}) };
        assert_eq!(verified(&token, &constraint), Ok(true), "{algorithm}");
        for (other, ..) in &all {
            // A curve signs any digest.
            let is_valid = other == algorithm;
            let name = verify_name(other);
            let operands = json!([token, if other.starts_with("HS") { "secret" } else { &key }]);
            if is_secret != other.starts_with("HS") {
                continue;
            }
            assert_eq!(call(&name, &operands), Ok(is_valid.to_string()), "{algorithm} as {other}");
            let mut pinned = constraint.clone();
            pinned["alg"] = json!(other);
            assert_eq!(verified(&token, &pinned), Ok(is_valid), "{algorithm} pinned to {other}");
        }
    }
}

#[test]
fn tampered_and_truncated_tokens_do_not_verify() {
    for (algorithm, private, public) in &algorithms() {
        let token = sign(algorithm, &json!({"a": 1}), private);
        let is_secret = algorithm.starts_with("HS");
        let key = if is_secret { "secret".to_owned() } else { encode(public) };
        let constraint = if is_secret { json!({"secret": key}) } else { json!({"cert": key}) };
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let (header, _) = signed.split_once('.').expect("two parts");
        let bytes = base64::url_bytes(signature).expect("base64");
        let part = |bytes: &[u8]| base64::spell_url(bytes);
        let longer = [&bytes[..], &[0]].concat();
        let wrong = [&bytes[..bytes.len() - 1], &[bytes[bytes.len() - 1] ^ 1]].concat();
        let mut tampered = vec![format!("{header}.{}.{signature}", part(br#"{"a":2}"#))];
        for bytes in [&[][..], &[0], &bytes[..1], &bytes[..bytes.len() / 2], &bytes[..bytes.len() - 1], &longer, &wrong]
        {
            tampered.push(format!("{signed}.{}", part(bytes)));
        }
        for token in tampered {
            assert_eq!(call(&verify_name(algorithm), &json!([token, key])), Ok("false".to_owned()), "{algorithm}");
            assert_eq!(verified(&token, &constraint), Ok(false), "{algorithm}");
        }
    }
}

#[test]
fn nobody_verifies_without_an_algorithm() {
    let part = |json: serde_json::Value| base64::spell_url(json.to_string().as_bytes());
    let key = encode(&public_jwk(&rsa_key()));
    for header in [json!({"alg": "none"}), json!({"alg": "None"}), json!({}), json!({"alg": ""}), json!({"alg": "HS"})]
    {
        let token = format!("{}.{}.", part(header), part(json!({"a": 1})));
        assert_eq!(verified(&token, &json!({"cert": key})), Ok(false));
        assert_eq!(verified(&token, &json!({"secret": "x"})), Ok(false));
        assert_eq!(call("io.jwt.verify_rs256", &json!([token, key])), Ok("false".to_owned()));
    }
    let operands = json!([r#"{"alg":"none"}"#, "{}", encode(&secret())]);
    assert_eq!(call("io.jwt.encode_sign_raw", &operands), Err("unknown JWS algorithm: none".to_owned()));
}

/// The RSA key as a `PUBLIC KEY` block.
fn public_pem() -> String {
    let PrivateKey::Rsa(key) = rsa_key() else { panic!("not an RSA key") };
    let modulus = element(2, &[vec![0], key.public.modulus.to_bytes_be()].concat());
    let numbers = element(0x30, &[modulus, element(2, &key.public.exponent.to_bytes_be())].concat());
    let algorithm = element(0x30, &[element(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), vec![5, 0]].concat());
    let key = element(0x30, &[algorithm, element(3, &[vec![0], numbers].concat())].concat());
    pem::spell("PUBLIC KEY", &key)
}

#[test]
fn a_public_key_is_never_a_secret() {
    let pem = public_pem();
    let as_secret = Value::object([("kty", "oct".to_owned()), ("k", base64::spell_url(pem.as_bytes()))]);
    let forged = sign("HS256", &json!({"admin": true}), &as_secret);
    assert_eq!(verified(&forged, &json!({"cert": pem})), Ok(false));
    assert_eq!(verified(&forged, &json!({"cert": encode(&public_jwk(&rsa_key()))})), Ok(false));
    let ed25519 = public_jwk(&PrivateKey::ed25519([9; 32]));
    let bytes = ed25519.get("x").expect("x").clone();
    let forged = sign("HS256", &json!({}), &Value::object([("kty", "oct".into()), ("k", bytes)]));
    assert_eq!(verified(&forged, &json!({"cert": encode(&ed25519)})), Ok(false));
    // The genuine token does verify with that text.
    let token = sign("RS256", &json!({}), &jwk(&rsa_key()));
    assert_eq!(verified(&token, &json!({"cert": pem})), Ok(true));
}

#[test]
fn keys_of_another_kind_verify_nothing() {
    let token = sign("ES256", &json!({}), &jwk(&ec_key(Curve::P256)));
    for key in
        [public_jwk(&rsa_key()), public_jwk(&PrivateKey::ed25519([9; 32])), public_jwk(&ec_key(Curve::P384)), secret()]
    {
        assert_eq!(call("io.jwt.verify_es256", &json!([token, encode(&key)])), Ok("false".to_owned()));
        assert_eq!(verified(&token, &json!({"cert": encode(&key)})), Ok(false));
    }
    let other = encode(&public_jwk(&rsa_of(1397, 3177)));
    let token = sign("RS256", &json!({}), &jwk(&rsa_key()));
    assert_eq!(call("io.jwt.verify_rs256", &json!([token, other])), Ok("false".to_owned()));
}

#[test]
fn private_keys_and_secrets_in_json_are_for_whole_verification_only() {
    let key = encode(&jwk(&ec_key(Curve::P256)));
    let token = sign("ES256", &json!({}), &jwk(&ec_key(Curve::P256)));
    assert_eq!(call("io.jwt.verify_es256", &json!([token, key])), Ok("false".to_owned()));
    assert_eq!(verified(&token, &json!({"cert": key})), Ok(true));
    let token = sign("HS256", &json!({}), &secret());
    assert_eq!(verified(&token, &json!({"cert": encode(&secret())})), Ok(true));
}

#[test]
fn keys_of_a_set_are_found_by_name_or_algorithm() {
    let (ours, other) = (public_jwk(&rsa_key()), public_jwk(&rsa_of(1397, 3177)));
    let set = |keys: &[&Value]| encode(&Value::object([("keys", Value::array(keys.iter().copied().cloned()))]));
    let named = |key: &Value, field: &str, text: &str| key.with(&[field], text.into());
    let token = sign_raw(r#"{"alg":"RS256","kid":"a"}"#, "{}", &jwk(&rsa_key()));
    let cases = [
        (set(&[&other, &ours]), true),
        (set(&[&other, &named(&ours, "kid", "a")]), true),
        (set(&[&named(&ours, "kid", "b")]), true), // no key has the name, so all are tried
        (set(&[&ours, &named(&other, "kid", "a")]), false), // the name decides
        (set(&[&named(&ours, "alg", "RS256")]), true),
        (set(&[&named(&ours, "alg", "RS512")]), false),
        (set(&[&named(&named(&ours, "alg", "RS512"), "kid", "a")]), true), // the name is enough
        (set(&[&named(&ours, "alg", "RSA-OAEP")]), false),                 // for an algorithm that is unknown
        (set(&[]), false),
    ];
    for (keys, expected) in cases {
        assert_eq!(verified(&token, &json!({"cert": keys})), Ok(expected), "{keys:.80}");
        assert_eq!(call("io.jwt.verify_rs256", &json!([token, keys])), Ok(expected.to_string()), "{keys:.80}");
    }
}

#[test]
fn tokens_are_valid_from_one_time_to_another() {
    let now = NOW / 1_000_000_000;
    let valid = |claims: serde_json::Value, constraints: serde_json::Value| {
        let mut all = json!({"secret": "secret"});
        for (name, value) in constraints.as_object().expect("an object") {
            all[name] = value.clone();
        }
        verified(&sign("HS256", &claims, &secret()), &all)
    };
    assert_eq!(valid(json!({"exp": now + 1, "nbf": now}), json!({})), Ok(true));
    assert_eq!(valid(json!({"exp": now}), json!({})), Ok(false), "the end is not part of it");
    assert_eq!(valid(json!({"nbf": now + 1}), json!({})), Ok(false));
    assert_eq!(valid(json!({"exp": 1000, "nbf": 999.5}), json!({"time": 999_500_000_000_i64})), Ok(true));
    assert_eq!(valid(json!({"exp": 1000}), json!({"time": 1_000_000_000_000_i64})), Ok(false));
    assert_eq!(valid(json!({"exp": 1e300}), json!({"time": 1e30})), Ok(true));
    for (claim, value) in [("exp", json!("1")), ("nbf", json!(null))] {
        let expected = Err(format!("{claim} value must be a number"));
        assert_eq!(valid(json!({claim: value}), json!({})), expected);
    }
    for (time, message) in [
        (json!("1"), "token time constraint: must be a number"),
        (json!(-1), "token time constraint: must not be negative"),
    ] {
        assert_eq!(valid(json!({}), json!({"time": time})), Err(message.to_owned()));
    }
    let huge = r#"["a.b.c", {"secret": "x", "time": 1e999}]"#;
    check_error("io.jwt.decode_verify", huge, "token time constraint: unvalid float64");
}

#[test]
fn audience_and_issuer_have_to_be_the_right_ones() {
    for (claims, constraints, expected) in [
        (json!({}), json!({}), true),
        (json!({"iss": "a"}), json!({}), true),
        (json!({"iss": "a"}), json!({"iss": "a"}), true),
        (json!({"iss": "b"}), json!({"iss": "a"}), false),
        (json!({"iss": 1}), json!({"iss": "a"}), false),
        (json!({}), json!({"iss": "a"}), false),
        (json!({"aud": "a"}), json!({"aud": "a"}), true),
        (json!({"aud": ["b", "a"]}), json!({"aud": "a"}), true),
        (json!({"aud": ["b", 1]}), json!({"aud": "a"}), false),
        (json!({"aud": []}), json!({}), false),
        (json!({"aud": "a"}), json!({}), false),
        (json!({}), json!({"aud": "a"}), false),
        (json!({"aud": {"a": 1}}), json!({"aud": "a"}), false),
    ] {
        let mut all = constraints.clone();
        all["secret"] = json!("secret");
        let token = sign("HS256", &claims, &secret());
        assert_eq!(verified(&token, &all), Ok(expected), "{claims} {constraints}");
    }
}

#[test]
fn constraints_are_checked_before_the_token() {
    for (constraints, message) in [
        (json!({}), "no key constraint"),
        (json!({"secret": ""}), "no key constraint"),
        (json!({"secret": "a", "cert": public_pem()}), "duplicate key constraints"),
        (json!({"secret": "a", "colour": "red"}), "unknown token validation constraint: colour"),
        (json!({"secret": 1}), "secret constraint: must be a string"),
        (json!({"cert": 1}), "cert constraint: must be a string"),
        (json!({"secret": "a", "aud": ["b"]}), "aud constraint: must be a string"),
        (
            json!({"cert": pem::spell("CERTIFICATE", &[1])}),
            "failed to parse a PEM certificate: x509: malformed certificate",
        ),
        (json!({"cert": pem::spell("X", &[1])}), "failed to extract a Key from the PEM certificate"),
        (json!({"cert": public_pem() + " "}), "extra data after a PEM certificate block"),
        (
            json!({"cert": pem::spell("PUBLIC KEY", &[1])}),
            "failed to parse a PEM public key: asn1: structure error: malformed public key",
        ),
    ] {
        assert_eq!(verified("", &constraints), Err(message.to_owned()), "{constraints}");
    }
    check_error("io.jwt.decode_verify", r#"["a", 1]"#, "operand 2 must be object but got number");
}

#[test]
fn tokens_may_be_within_tokens() {
    let key = jwk(&rsa_key());
    let inner = sign("RS256", &json!({"a": 1}), &key);
    let outer = sign_raw(r#"{"alg":"RS256","cty":"jwt","typ":"x"}"#, &inner, &key);
    let constraints = json!({"cert": encode(&public_jwk(&rsa_key()))});
    let expected = r#"[true,{"alg":"RS256"},{"a":1}]"#;
    assert_eq!(call("io.jwt.decode_verify", &json!([outer, constraints])), Ok(expected.to_owned()));
    // The inner one has to be signed as well.
    let inner = sign("RS256", &json!({"a": 1}), &jwk(&rsa_of(1397, 3177)));
    let outer = sign_raw(r#"{"alg":"RS256","cty":"JWT","typ":"x"}"#, &inner, &key);
    assert_eq!(verified(&outer, &constraints), Ok(false));
    let quoted = sign_raw(r#"{"alg":"RS256","cty":"JWT","typ":"x"}"#, &format!("\"{inner}\""), &key);
    let decoded = call("io.jwt.decode", &json!([quoted])).expect("a token");
    assert!(decoded.starts_with(r#"[{"alg":"RS256"},{"a":1},""#), "{decoded}");
}

#[test]
fn headers_have_to_make_sense() {
    let token = |header: &str| format!("{}.e30.", base64::spell_url(header.as_bytes()));
    let constraints = json!({"secret": "a"});
    for (header, message) in [
        ("[]", "bad JWT header: decoded JSON type was not an Object"),
        (r#"{"alg":1}"#, "alg: must be a string"),
        (r#"{"alg":"HS256","cty":1}"#, "cty: must be a string"),
        (r#"{"alg":"HS256","kid":null}"#, "kid: must be a string"),
        (r#"{"alg":"HS256","crit":"a"}"#, "crit: must be a list"),
        (r#"{"alg":"HS256","crit":[]}"#, "crit: must be a nonempty list"),
        (r#"{"alg":"HS256","enc":"a"}"#, "JWT is a JWE object, which is not supported"),
    ] {
        assert_eq!(verified(&token(header), &constraints), Err(message.to_owned()), "{header}");
    }
    let critical = |header: &str| verified(&sign_raw(header, "{}", &secret()), &json!({"secret": "secret"}));
    assert_eq!(critical(r#"{"alg":"HS256","crit":["a"]}"#), Ok(true), "what is not there need not be known");
    assert_eq!(critical(r#"{"alg":"HS256","crit":["kid"],"kid":"a"}"#), Ok(true));
    assert_eq!(critical(r#"{"alg":"HS256","crit":["a"],"a":1}"#), Ok(false));
    assert!(
        verified(&token("{"), &constraints).is_err_and(|error| error.starts_with("bad JWT header: invalid JSON: "))
    );
    check_error("io.jwt.decode", r#"["a.b.c.d"]"#, "encoded JWT must have 3 sections, found 4");
    check_error("io.jwt.decode", "[1]", "operand 1 must be string but got number");
    check_error("io.jwt.decode", r#"["e30.e30.*"]"#, "JWT signature had invalid encoding: illegal base64url string: *");
    check("io.jwt.decode", r#"["e30.e30."]"#, r#"[{},{},""]"#);
}

#[test]
fn texts_are_signed_to_the_letter_and_objects_as_json() {
    let key = secret();
    let token = sign_raw("{ \"alg\": \"HS256\" }", "[1, 2]", &key);
    assert_eq!(base64::url_bytes(token.split('.').next().expect("a header")), Ok(b"{ \"alg\": \"HS256\" }".to_vec()));
    let object =
        json!([{"typ": "JWT", "alg": "HS256"}, {"b": 1, "a": {"$set": ["y", "x"]}}, {"kty": "oct", "k": "c2VjcmV0"}]);
    let token = call("io.jwt.encode_sign", &object).expect("a token");
    let claims = base64::url_bytes(token.split('.').nth(1).expect("a payload"));
    assert_eq!(claims, Ok(br#"{"a":["x","y"],"b":1}"#.to_vec()));
}

#[test]
fn what_cannot_be_signed_is_told() {
    let ec = encode(&jwk(&ec_key(Curve::P256)));
    let public = encode(&public_jwk(&ec_key(Curve::P256)));
    for (header, payload, key, message) in [
        ("{}", "{}", &ec, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found"),
        (
            r#"{"alg":1}"#,
            "{}",
            &ec,
            "missing or invalid 'alg' header: value doesn't contain string; it contains number",
        ),
        (r#"{"alg":"ES256"}"#, "x", &ec, "type is JWT but payload is not JSON"),
        (r#"{"alg":"ES256","typ":"JWT"}"#, "", &ec, "type is JWT but payload is not JSON"),
        (
            r#"{"alg":"RS256"}"#,
            "{}",
            &ec,
            "jwsbb.Sign: invalid key type *jwk.ecdsaPrivateKey. *rsa.PrivateKey is required",
        ),
        (
            r#"{"alg":"ES256"}"#,
            "{}",
            &public,
            "jwsbb.Sign: invalid key type *jwk.ecdsaPublicKey. *ecdsa.PrivateKey is required",
        ),
        (r#"{"alg":"HS256"}"#, "{}", &r#"{"keys":[]}"#.to_owned(), "no keys found in JWK set"),
    ] {
        assert_eq!(call("io.jwt.encode_sign_raw", &json!([header, payload, key])), Err(message.to_owned()));
    }
    let broken = call("io.jwt.encode_sign_raw", &json!(["{", "{}", ec]));
    assert!(broken.is_err_and(|error| error.starts_with("missing or invalid 'alg' header: cannot parse JSON: ")));
    assert_eq!(call("io.jwt.encode_sign_raw", &json!([r#"{"alg":"ES256","typ":"x"}"#, "", ec])).map(|_| ()), Ok(()));
}

#[test]
fn signatures_are_the_same_each_time_but_for_pss() {
    for (algorithm, private, _) in &algorithms() {
        let tokens = [(); 2].map(|()| sign(algorithm, &json!({}), private));
        assert_eq!(tokens[0] == tokens[1], !algorithm.starts_with("PS"), "{algorithm}");
    }
}

#[test]
fn primes_come_in_any_order() {
    let token = sign("RS256", &json!({}), &jwk(&rsa_of(179, 105)));
    let key = encode(&public_jwk(&rsa_key()));
    assert_eq!(call("io.jwt.verify_rs256", &json!([token, key])), Ok("true".to_owned()));
    assert!(
        matches!(super::verification::read_keys(&key), Ok(keys) if keys.any(&super::Header::default(), |key| matches!(key, Key::Public(_))))
    );
}

#[test]
fn kept_verdicts_are_those_of_the_same_token_and_key() {
    let token = sign("HS256", &json!({"sub": "me"}), &secret());
    let other = format!("{}x", &token[..token.len() - 1]);
    let mut query = Query::new(Value::default()).keeping("io_jwt", 8);
    let mut valid = |token: &str, constraints: serde_json::Value| {
        let answer = query.call("io.jwt.decode_verify", &json!([token, constraints]).to_string());
        answer.map(|value| encode(&value.expect("a result")).starts_with("[true,"))
    };
    for _ in 0..2 {
        assert_eq!(valid(&token, json!({"secret": "secret"})), Ok(true));
        assert_eq!(valid(&other, json!({"secret": "secret"})), Ok(false));
        assert_eq!(valid(&token, json!({"secret": "other"})), Ok(false));
        assert_eq!(valid(&token, json!({"secret": "secret", "alg": "HS512"})), Ok(false));
        // Claims are looked at each time.
        assert_eq!(valid(&token, json!({"secret": "secret", "iss": "nobody"})), Ok(false));
    }
    let (rsa, public) = (jwk(&rsa_key()), public_jwk(&rsa_key()));
    let token = sign("RS256", &json!({}), &rsa);
    for _ in 0..2 {
        let operands = json!([token, encode(&public)]).to_string();
        assert_eq!(query.call("io.jwt.verify_rs256", &operands), Ok(Some(true.into())));
        assert_eq!(query.call("io.jwt.verify_rs384", &operands), Ok(Some(false.into())));
    }
}
