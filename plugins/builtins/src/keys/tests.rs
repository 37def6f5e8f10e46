//! Keys made for tests, and tests of reading them.

use num_bigint::BigUint;
use regent_core::value::{Value, encode};
use serde_json::json;

use super::super::testing::{Query, check, check_error};
use super::jwk::{self, Key};
use super::private::{self, PrivateKey};
use super::{der, pem, rsa};
use regent_signing::KeyError;
use regent_signing::keys::ec::Curve;

/// An RSA key of two of the largest primes below 2 to the power of 1024.
pub(crate) fn rsa_key() -> PrivateKey {
    rsa_of(105, 179)
}

/// An RSA key of 2048 bits with the primes 2^1024 - `p` and 2^1024 - `q`.
pub(crate) fn rsa_of(p: u32, q: u32) -> PrivateKey {
    let primes = [p, q].map(|below| (BigUint::from(1_u32) << 1024) - below);
    let order = primes.iter().map(|prime| prime - 1_u32).product();
    let public = rsa::Public { modulus: primes.iter().product(), exponent: 65_537_u32.into() };
    let exponent = public.exponent.modinv(&order).expect("the exponent has an inverse");
    PrivateKey::Rsa(Box::new(rsa::Private::new(public, exponent, primes).expect("a key")))
}

/// A key on a curve.
pub(crate) fn ec_key(curve: Curve) -> PrivateKey {
    PrivateKey::ec(curve, &[0x5a; 31]).expect("a key")
}

/// The key as JWK.
pub(crate) fn jwk(key: &PrivateKey) -> Value {
    jwk::spell(key).expect("a JWK")
}

/// The public half of the key as JWK.
pub(crate) fn public_jwk(key: &PrivateKey) -> Value {
    ["d", "p", "q", "dp", "dq", "qi"].iter().fold(jwk(key), |jwk, field| jwk.without(&[field]))
}

/// An element in DER.
pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).expect("a short element").to_be_bytes();
    let head = match contents.len() {
        0..=0x7f => vec![tag, length[1]],
        0x80..=0xff => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [head, contents.to_vec()].concat()
}

fn integer(number: &BigUint) -> Vec<u8> {
    element(
        der::INTEGER,
        &[
            vec![0; usize::from(number.bit(number.bits().max(1) - 1) && number.bits().is_multiple_of(8))],
            number.to_bytes_be(),
        ]
        .concat(),
    )
}

/// The DER of an `RSA PRIVATE KEY`.
pub(crate) fn pkcs1(key: &PrivateKey) -> Vec<u8> {
    let PrivateKey::Rsa(key) = key else { panic!("not an RSA key") };
    let ([p, q], [dp, dq]) = (&key.primes, &key.derived.exponents);
    let zero = BigUint::default();
    let numbers = [&zero, &key.public.modulus, &key.public.exponent, &key.exponent, p, q, dp, dq, &key.derived.inverse];
    element(der::SEQUENCE, &numbers.map(integer).concat())
}

/// The DER of a `PRIVATE KEY`.
fn pkcs8(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = element(der::SEQUENCE, &[element(der::OBJECT_IDENTIFIER, algorithm), parameters.to_vec()].concat());
    let version = element(der::INTEGER, &[0]);
    element(der::SEQUENCE, &[version, algorithm, element(der::OCTET_STRING, key)].concat())
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// The DER of the RSA key as a `PRIVATE KEY`.
pub(crate) fn rsa_pkcs8(key: &PrivateKey) -> Vec<u8> {
    pkcs8(RSA, &[der::NULL, 0], &pkcs1(key))
}

/// The DER of an `EC PRIVATE KEY`, which names its curve or leaves that to others.
fn sec1(named: bool) -> Vec<u8> {
    let curve = if named { element(der::constructed(0), &element(der::OBJECT_IDENTIFIER, P256)) } else { Vec::new() };
    let number = element(der::OCTET_STRING, &[0x5a; 31]);
    element(der::SEQUENCE, &[element(der::INTEGER, &[1]), number, curve].concat())
}

fn ec_pkcs8() -> Vec<u8> {
    pkcs8(EC, &element(der::OBJECT_IDENTIFIER, P256), &sec1(false))
}

fn ed25519_pkcs8() -> Vec<u8> {
    pkcs8(ED25519, &[], &element(der::OCTET_STRING, &[7; 32]))
}

/// The PEM of a private key on P-256.
fn ec_pem() -> String {
    pem::spell("EC PRIVATE KEY", &sec1(true))
}

fn call(name: &str, text: &str) -> Value {
    let result = Query::new(Value::default()).call(name, &json!([text]).to_string());
    result.expect("no error").expect("a result")
}

#[test]
fn keys_of_every_kind_are_shown_as_go_shows_them() {
    let rsa = pem::spell("RSA PRIVATE KEY", &pkcs1(&rsa_key()));
    let text = rsa + "in between\n" + &ec_pem() + &pem::spell("PRIVATE KEY", &ed25519_pkcs8());
    let keys = call("crypto.parse_private_keys", &text);
    let [rsa, ec, ed25519] = keys.as_array().expect("an array") else { panic!("{keys}") };
    let PrivateKey::Rsa(key) = rsa_key() else { panic!("not an RSA key") };
    let number = |value: &Value, path: &[&str]| value.at(path).map(encode).expect("a number");
    assert_eq!(number(rsa, &["N"]), key.public.modulus.to_string());
    assert_eq!(number(rsa, &["E"]), "65537");
    assert_eq!(number(rsa, &["D"]), key.exponent.to_string());
    assert_eq!(number(rsa, &["Precomputed", "Qinv"]), key.derived.inverse.to_string());
    assert_eq!(number(rsa, &["Precomputed", "CRTValues"]), "[]");
    assert_eq!(rsa.get("Primes").and_then(Value::as_array).map(<[Value]>::len), Some(2));
    assert_eq!(number(ec, &["Curve"]), "{}");
    assert_eq!(number(ec, &["D"]), BigUint::from_bytes_be(&[0x5a; 31]).to_string());
    assert!(ec.get("X").and_then(Value::as_number).is_some() && ec.get("Y").and_then(Value::as_number).is_some());
    assert_eq!(ed25519.as_str().map(str::len), Some(88), "64 bytes in base64");
}

#[test]
fn text_without_keys_gives_none() {
    check("crypto.parse_private_keys", r#"[""]"#, "null");
    check("crypto.parse_private_keys", r#"["nope"]"#, "[]");
    let text = pem::spell("CERTIFICATE", &[1]);
    check("crypto.parse_private_keys", &json!([text]).to_string(), "[]");
    check("crypto.x509.parse_rsa_private_key", &json!([text]).to_string(), "null");
    check_error("crypto.x509.parse_rsa_private_key", r#"[""]"#, "input PEM data was empty");
    check_error("crypto.x509.parse_rsa_private_key", r#"["invalid"]"#, "illegal base64 data at input byte 4");
}

#[test]
fn keys_may_be_in_base64_once_more() {
    let plain = pem::spell("RSA PRIVATE KEY", &pkcs1(&rsa_key()));
    let coded = super::base64::spell(plain.as_bytes());
    for name in ["crypto.parse_private_keys", "crypto.x509.parse_rsa_private_key"] {
        assert_eq!(call(name, &plain), call(name, &coded), "{name}");
    }
    assert_eq!(call("crypto.x509.parse_rsa_private_key", &plain), jwk(&rsa_key()));
    let wrapped = pem::spell("PRIVATE KEY", &rsa_pkcs8(&rsa_key()));
    assert_eq!(call("crypto.x509.parse_rsa_private_key", &wrapped), jwk(&rsa_key()));
    assert_eq!(call("crypto.x509.parse_rsa_private_key", &ec_pem()), jwk(&ec_key(Curve::P256)));
}

#[test]
fn jwks_are_read_as_they_are_written() {
    let kinds =
        [rsa_key(), ec_key(Curve::P256), ec_key(Curve::P384), ec_key(Curve::P521), PrivateKey::ed25519([9; 32])];
    for key in kinds {
        let written = jwk(&key);
        let read = jwk::read(&encode(&written)).expect("a key");
        let [jwk::Jwk { key: Key::Private(read), .. }] = &read[..] else { panic!("{read:?}") };
        assert_eq!(jwk(read), written);
        let public = jwk::read(&encode(&public_jwk(&key))).expect("a key");
        let [jwk::Jwk { key: Key::Public(public), .. }] = &public[..] else { panic!("{public:?}") };
        assert_eq!(Some(public), key.public().as_ref());
    }
}

#[test]
fn wrong_jwks_are_refused_without_a_word_of_what_they_hold() {
    let ec = jwk(&ec_key(Curve::P256));
    let swapped = ec.with(&["x"], ec.get("y").expect("y").clone());
    let other = ec.with(&["d"], "AQ".into());
    let rsa = jwk(&rsa_key());
    let ed = jwk(&PrivateKey::ed25519([9; 32]));
    for (wrong, message) in [
        (json!([]).to_string(), "failed to unmarshal JWK set: not an object"),
        (json!({"keys": 1}).to_string(), "failed to decode \"keys\": not an array"),
        (json!({"kty": "bogus"}).to_string(), "failed to unmarshal JWK set: invalid key type from JSON (bogus)"),
        (
            json!({"keys": [{"kty": "oct"}]}).to_string(),
            "failed to decode key #0 in \"keys\": required field k is missing",
        ),
        (json!({"kty": "oct", "k": "*"}).to_string(), "failed to unmarshal JWK set: field `k` is not base64"),
        (json!({"kty": "RSA", "n": "AQ"}).to_string(), "failed to unmarshal JWK set: required field e is missing"),
        (encode(&rsa.with(&["p"], "AQ".into())), "failed to unmarshal JWK set: crypto/rsa: invalid prime value"),
        (encode(&rsa.with(&["p"], "Aw".into())), "failed to unmarshal JWK set: crypto/rsa: p * q != n"),
        (encode(&rsa.with(&["d"], "Aw".into())), "failed to unmarshal JWK set: crypto/rsa: invalid exponents"),
        (encode(&swapped), "failed to unmarshal JWK set: the point is not on the curve"),
        (encode(&other), "failed to unmarshal JWK set: the point does not belong to `d`"),
        (encode(&ec.with(&["crv"], "P-1".into())), "failed to unmarshal JWK set: invalid curve algorithm P-1"),
        (encode(&ed.with(&["d"], "AQ".into())), "failed to unmarshal JWK set: wrong private key size"),
        (
            encode(&ed.with(&["d"], super::base64::spell_url(&[8; 32]).into())),
            "failed to unmarshal JWK set: invalid x value given d value",
        ),
    ] {
        let error = jwk::read(&wrong).expect_err("refused").to_string();
        assert_eq!(error, format!("jwk.Parse: failed to parse: {message}"));
    }
}

#[test]
fn private_keys_do_not_show_in_debug_output() {
    let keys = [rsa_key(), ec_key(Curve::P256), PrivateKey::ed25519([9; 32])];
    let shown = keys.map(|key| format!("{key:?}")).concat();
    for secret in ["90, 90, 90", "9, 9, 9"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let secret = jwk::read(r#"{"kty": "oct", "k": "c2VjcmV0"}"#).expect("a key");
    assert!(format!("{secret:?}").contains("key: Secret,"), "{secret:?}");
}

#[test]
fn keys_under_the_wrong_label_are_told_apart() {
    let hint = |name: &str| format!("x509: failed to parse private key (use {name} instead for this key format)");
    let message = |result: Result<PrivateKey, _>| result.map(|_| ()).map_err(|error: KeyError| error.to_string());
    assert_eq!(message(private::pkcs1(&sec1(true))), Err(hint("ParseECPrivateKey")));
    assert_eq!(message(private::pkcs1(&ec_pkcs8())), Err(hint("ParsePKCS8PrivateKey")));
    assert_eq!(message(private::pkcs8(&pkcs1(&rsa_key()))), Err(hint("ParsePKCS1PrivateKey")));
    assert_eq!(message(private::sec1(&rsa_pkcs8(&rsa_key()))), Err(hint("ParsePKCS8PrivateKey")));
    assert_eq!(message(private::sec1(&sec1(false))), Err("x509: unknown elliptic curve".to_owned()));
    let unknown = pkcs8(&[0x2a, 3], &[], &[]);
    let expected = "x509: PKCS#8 wrapping contained private key with unknown algorithm: 1.2.3";
    assert_eq!(message(private::pkcs8(&unknown)), Err(expected.to_owned()));
}

#[test]
fn hostile_keys_never_panic() {
    for good in [pkcs1(&rsa_key()), sec1(true), ec_pkcs8(), ed25519_pkcs8()] {
        let mut flipped = good.clone();
        for at in 0..good.len() {
            for read in [private::pkcs1, private::pkcs8, private::sec1] {
                assert!(read(&good[..at]).is_err(), "cut at {at}");
            }
            // Numbers of RSA keys take long to check, and are all alike.
            if at < 40 {
                flipped[at] ^= 0xff;
                let _ = (
                    private::pkcs1(&flipped).is_ok(),
                    private::pkcs8(&flipped).is_ok(),
                    private::sec1(&flipped).is_ok(),
                );
                flipped[at] ^= 0xff;
            }
        }
        let longer = [&good[..], &[0]].concat();
        assert!([private::pkcs1, private::pkcs8, private::sec1].iter().all(|read| read(&longer).is_err()));
    }
}
