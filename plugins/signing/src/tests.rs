//! Signatures made by the default signer, told apart by the default verifier.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use regent_core::config::{Key, KeyAlgorithm, Keys, Secret};
use regent_core::signing::{Signatures, SignedFile, Signer, SigningKey, Verification, Verifier, Verifiers};
use regent_core::value::{Value, decode};

use crate::base64;
use crate::jws::{self, Algorithm};
use crate::keys::jwk::Key as RawKey;
use crate::{TokenSigner, TokenVerifier};

fn algorithm(name: &str) -> KeyAlgorithm {
    KeyAlgorithm::of_name(name).expect("an algorithm")
}

fn key(text: &str, name: &str, scope: &str) -> Key {
    Key { key: Secret::new(text), algorithm: algorithm(name), scope: scope.to_owned(), ..Key::default() }
}

fn keys<const N: usize>(keys: [(&str, Key); N]) -> Verification {
    let keys: Keys = keys.into_iter().map(|(id, key)| (id.to_owned(), key)).collect();
    Verification { keys, ..Verification::default() }
}

fn file() -> SignedFile {
    SignedFile { name: "a/data.json".to_owned(), hash: "00ff".to_owned(), algorithm: "SHA-256".to_owned() }
}

fn sign(key: &str, name: &str, key_id: &str, claims: Option<&str>) -> String {
    let claims = claims.map(|claims| decode(claims.as_bytes()).expect("JSON"));
    let key = SigningKey { key: Secret::new(key), algorithm: algorithm(name), key_id: key_id.to_owned(), claims };
    TokenSigner.sign(&[file()], &key).expect("a token")
}

fn verify(token: &str, verification: &Verification) -> Result<(), String> {
    let signatures = Signatures { tokens: vec![token.to_owned()], plugin: String::new() };
    let files = TokenVerifier.verify(&signatures, verification).map_err(|error| error.to_string())?;
    assert_eq!(files, [file()]);
    Ok(())
}

/// A token of any header and payload, with the code of a secret.
fn forge(header: &str, payload: &str, secret: &str) -> String {
    let algorithm = Algorithm::of_name("HS256").expect("an algorithm");
    jws::sign(header, payload, algorithm, &RawKey::Secret(secret.as_bytes().to_vec())).expect("a token")
}

#[test]
fn what_is_signed_verifies_and_a_changed_part_does_not() {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    for (private, public, name, wrong) in [
        ("s3cret".to_owned(), "s3cret".to_owned(), "HS256", "invalid HMAC signature"),
        ("s3cret".to_owned(), "s3cret".to_owned(), "HS384", "invalid HMAC signature"),
        ("s3cret".to_owned(), "s3cret".to_owned(), "HS512", "invalid HMAC signature"),
        (pair.serialize_pem(), pair.public_key_pem(), "ES256", "invalid ECDSA signature"),
    ] {
        let token = sign(&private, name, "k", None);
        let trusting = keys([("k", key(&public, name, ""))]);
        assert_eq!(verify(&token, &trusting), Ok(()), "{name}");
        let wrong = Err(format!("failed to verify JWT signature: {wrong}"));
        let parts: Vec<&str> = token.split('.').collect();
        let other = base64::spell_url(br#"{"keyid":"k","files":[]}"#);
        assert_eq!(verify(&format!("{}.{other}.{}", parts[0], parts[2]), &trusting), wrong, "{name}");
        assert_eq!(verify(&format!("{}.{}.", parts[0], parts[1]), &trusting), wrong, "{name}: no signature");
        let other = keys([("k", key("0ther", "HS256", ""))]);
        assert!(verify(&token, &other).is_err());
    }
}

#[test]
fn only_the_algorithm_of_the_key_counts() {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let public = pair.public_key_pem();
    let payload = r#"{"keyid": "k", "files": []}"#;
    // A token whose code is made with the public key as the secret.
    let confused = forge(r#"{"alg": "HS256"}"#, payload, &public);
    let expected = Err("failed to verify JWT signature: invalid ECDSA signature".to_owned());
    assert_eq!(verify(&confused, &keys([("k", key(&public, "ES256", ""))])), expected);
    for header in [r#"{"alg": "none"}"#, r#"{"alg": "None"}"#, "{}"] {
        let bare = format!("{}.{}.", base64::spell_url(header.as_bytes()), base64::spell_url(payload.as_bytes()));
        assert_eq!(verify(&bare, &keys([("k", key(&public, "ES256", ""))])), expected);
        let expected = Err("failed to verify JWT signature: invalid HMAC signature".to_owned());
        assert_eq!(verify(&bare, &keys([("k", key("s3cret", "HS256", ""))])), expected);
    }
    // And a right one may say what it likes.
    let signatures =
        Signatures { tokens: vec![forge(r#"{"alg": "none"}"#, payload, "s3cret")], ..Signatures::default() };
    assert_eq!(TokenVerifier.verify(&signatures, &keys([("k", key("s3cret", "HS256", ""))])), Ok(Vec::new()));
    // Nothing is signed with nothing, though a code can be made with it.
    let empty = Key { private_key: Secret::new("p"), ..key("", "HS256", "") };
    let expected = Err("failed to verify JWT signature: missing key".to_owned());
    assert_eq!(verify(&forge("{}", payload, ""), &keys([("k", empty)])), expected);
}

#[test]
fn the_configured_key_comes_before_that_of_the_header_and_of_the_payload() {
    let both = keys([("one", key("1", "HS256", "")), ("two", key("2", "HS256", ""))]);
    let configured = |id: &str| Verification { key_id: id.to_owned(), ..both.clone() };
    let payload = |id: &str| {
        format!(r#"{{"keyid":"{id}","files":[{{"name":"a/data.json","hash":"00ff","algorithm":"SHA-256"}}]}}"#)
    };
    let wrong = Err("failed to verify JWT signature: invalid HMAC signature".to_owned());
    let token = forge(r#"{"kid": "one"}"#, &payload("two"), "1");
    assert_eq!(verify(&token, &both), Ok(()), "the header before the payload");
    assert_eq!(verify(&token, &configured("two")), wrong, "the configuration before the header");
    assert_eq!(verify(&token, &configured("one")), Ok(()));
    assert_eq!(verify(&forge("{}", &payload("two"), "2"), &both), Ok(()), "the payload if nothing else");
    assert_eq!(verify(&forge("{}", "{}", "2"), &both), Err("verification key ID is empty".to_owned()));
    let unknown = Err("verification key corresponding to ID three not found".to_owned());
    assert_eq!(verify(&forge("{}", &payload("three"), "1"), &both), unknown);
    let odd = forge(r#"{"kid": 1}"#, &payload("one"), "1");
    assert!(verify(&odd, &both).is_err_and(|error| error.starts_with("failed to extract key ID from headers: ")));
}

#[test]
fn scopes_have_to_be_the_same_on_both_sides() {
    let token = |scope: &str| sign("s", "HS256", "", Some(&format!(r#"{{"keyid": "k"{scope}}}"#)));
    let (none, read) = (token(""), token(r#", "scope": "read""#));
    let verification = |of_key: &str, of_bundle: &str| Verification {
        scope: of_bundle.to_owned(),
        ..keys([("k", key("s", "HS256", of_key))])
    };
    let mismatch = Err("scope mismatch".to_owned());
    for (token, of_key, of_bundle, expected) in [
        (&none, "", "", Ok(())),
        (&read, "", "", mismatch.clone()),
        (&none, "read", "", mismatch.clone()),
        (&none, "", "read", mismatch.clone()),
        (&read, "read", "", Ok(())),
        (&read, "", "read", Ok(())),
        (&read, "write", "read", Ok(())),
        (&read, "read", "write", mismatch.clone()),
    ] {
        assert_eq!(verify(token, &verification(of_key, of_bundle)), expected, "{of_key:?} {of_bundle:?}");
    }
}

#[test]
fn there_is_exactly_one_token_and_it_is_whole() {
    let trusting = keys([("k", key("s", "HS256", ""))]);
    let verify_all = |tokens: &[&str]| {
        let tokens = tokens.iter().map(ToString::to_string).collect();
        let signatures = Signatures { tokens, plugin: String::new() };
        TokenVerifier.verify(&signatures, &trusting).expect_err("refused").to_string()
    };
    assert_eq!(verify_all(&[]), ".signatures.json: missing JWT (expected exactly one)");
    let token = sign("s", "HS256", "k", None);
    assert_eq!(verify_all(&[&token, &token]), ".signatures.json: multiple JWTs not supported (expected exactly one)");
    for broken in ["", "a", "a.b", "a.b.c.d"] {
        assert_eq!(verify_all(&[broken]), "failed to split compact JWT: invalid number of segments", "{broken}");
    }
    verify_all(&[".."]);
    for odd in
        [r#"{"keyid":"k","files":1}"#, r#"{"keyid":"k","files":[{"name":1}]}"#, r#"{"keyid":"k","scope":1}"#, "[]", "{"]
    {
        verify_all(&[&forge("{}", odd, "s")]);
    }
    // Rightly signed, and with a key that need not be looked for in it.
    let configured = Verification { key_id: "k".to_owned(), ..trusting.clone() };
    for odd in ["[]", "null", "1", r#""files""#] {
        assert_eq!(
            verify(&forge("{}", odd, "s"), &configured),
            Err("JWT payload is not an object".to_owned()),
            "{odd}"
        );
    }
    // Deeper than a bundle may be, and not too deep for the reader itself.
    let deep = "[".repeat(700) + &"]".repeat(700);
    assert!(verify_all(&[&forge("{}", &format!(r#"{{"keyid":"k","files":{deep}}}"#), "s")]).contains("depth"));
    assert!(verify_all(&[&forge(&deep, r#"{"keyid":"k","files":[]}"#, "s")]).contains("depth"));
    let padded = token.rsplit_once('.').map(|(signed, signature)| format!("{signed}.{signature}=")).expect("a token");
    assert!(verify_all(&[&padded]).starts_with("failed to base64 decode JWT signature: "));
}

#[test]
fn claims_take_the_place_of_the_key_id_and_never_of_the_files() {
    let payload = |token: &str| {
        let part = token.split('.').nth(1).expect("a payload").to_owned();
        decode(&base64::url_bytes(&part).expect("base64")).expect("JSON")
    };
    let token = sign("s", "HS256", "k", None);
    let header = base64::url_bytes(token.split('.').next().expect("a header")).expect("base64");
    assert_eq!(header, br#"{"alg":"HS256","kid":"k","typ":"JWT"}"#);
    let files = r#""files":[{"algorithm":"SHA-256","hash":"00ff","name":"a/data.json"}]"#;
    let expected = |text: &str| decode(text.as_bytes()).expect("JSON");
    assert_eq!(payload(&token), expected(&format!(r#"{{{files},"keyid":"k"}}"#)));
    let token = sign("s", "HS256", "k", Some(r#"{"iss": "ci", "files": []}"#));
    assert_eq!(payload(&token), expected(&format!(r#"{{{files},"iss":"ci"}}"#)));
    let odd = SigningKey {
        key: Secret::new("s"),
        algorithm: algorithm("HS256"),
        key_id: String::new(),
        claims: Some(Value::NULL),
    };
    assert!(TokenSigner.sign(&[], &odd).is_err());
}

#[test]
fn verifiers_are_found_by_name() {
    let mut registry = regent_core::Registry::default();
    crate::register(&mut registry);
    let found = |verifiers: &Verifiers, name: &str| verifiers.find(name).map(Verifier::name).map_err(|e| e.to_string());
    assert_eq!(found(registry.verifiers(), ""), Ok("_default"));
    assert_eq!(found(registry.verifiers(), "_default"), Ok("_default"));
    assert_eq!(found(registry.verifiers(), "kms"), Err("no verifier exists under id kms".to_owned()));
    assert_eq!(registry.signers().find("").map(Signer::name), Ok("_default"));
    let missing = registry.signers().find("kms").map(Signer::name).map_err(|error| error.to_string());
    assert_eq!(missing, Err("no signer exists under id kms".to_owned()));
}
