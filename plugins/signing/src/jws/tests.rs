//! Every algorithm, with keys in every form.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

use super::{Algorithm, sign, signing_key, verification_key};
use crate::base64;
use crate::keys::ec::Curve;
use crate::keys::jwk::Key;
use crate::keys::pem;
use crate::keys::private::PrivateKey;
use crate::keys::tests::rsa_key;

const NAMES: [&str; 13] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

fn algorithm(name: &str) -> Algorithm {
    Algorithm::of_name(name).expect("an algorithm")
}

/// A key of the algorithm's kind, and its public half.
fn keys(name: &str) -> (Key, Key) {
    let private = match &name[..2] {
        "HS" => return (Key::Secret(b"secret".to_vec()), Key::Secret(b"secret".to_vec())),
        "RS" | "PS" => rsa_key(),
        "Ed" => PrivateKey::ed25519([9; 32]),
        _ => {
            let curve = [("ES256", Curve::P256), ("ES384", Curve::P384), ("ES512", Curve::P521)];
            let curve = curve.into_iter().find(|(of, _)| *of == name).expect("a curve").1;
            PrivateKey::ec(curve, &[0x5a; 31]).expect("a key")
        }
    };
    let public = private.public().expect("a public key");
    (Key::Private(private), Key::Public(public))
}

fn verifies(token: &str, algorithm: Algorithm, key: &Key) -> bool {
    let (signed, signature) = token.rsplit_once('.').expect("a token");
    algorithm.verifies(key, signed.as_bytes(), &base64::url_bytes(signature).expect("base64"))
}

#[test]
fn each_algorithm_verifies_what_it_signed_and_no_other_does() {
    for name in NAMES {
        let (private, public) = keys(name);
        let token = sign(r#"{"alg":"any"}"#, "{}", algorithm(name), &private).expect("a token");
        for other in NAMES {
            assert_eq!(verifies(&token, algorithm(other), &public), other == name, "{name} as {other}");
            assert!(!verifies(&token, algorithm(other), &keys(other).1) || other == name, "{name} as {other}");
        }
        assert!(verifies(&token, algorithm(name), &private), "a private key has a public half");
        assert!(!verifies(&token.replacen('.', "0.", 1), algorithm(name), &public));
    }
    for unknown in ["none", "", "HS", "HS1", "hs256", "XS256", "RS2560"] {
        assert_eq!(Algorithm::of_name(unknown), None, "{unknown}");
    }
}

#[test]
fn an_ecdsa_signature_is_as_long_as_its_curve_asks_for() {
    for name in ["ES256", "ES384", "ES512"] {
        let (private, public) = keys(name);
        let signature = algorithm(name).sign(&private, b"message").expect("a signature");
        assert!(algorithm(name).verifies(&public, b"message", &signature));
        // The same two numbers, longer: another text for what should have but one.
        let (r, s) = signature.split_at(signature.len() / 2);
        let longer = [&[0], r, &[0], s].concat();
        assert!(!algorithm(name).verifies(&public, b"message", &longer), "{name}");
        assert!(algorithm(name).verifies_loosely(&public, b"message", &longer), "{name}");
    }
}

#[test]
fn keys_are_read_from_pem_of_every_kind() {
    for (kind, name) in [(&PKCS_ECDSA_P256_SHA256, "ES256"), (&PKCS_ECDSA_P384_SHA384, "ES384")] {
        let pair = KeyPair::generate_for(kind).expect("a key");
        let certificate = CertificateParams::default().self_signed(&pair).expect("a certificate");
        let signing = signing_key(&pair.serialize_pem(), algorithm(name)).expect("a private key");
        let token = sign("{}", "{}", algorithm(name), &signing).expect("a token");
        for text in [pair.public_key_pem(), certificate.pem(), pair.serialize_pem()] {
            let key = verification_key(&text, algorithm(name)).expect("a key");
            assert!(verifies(&token, algorithm(name), &key), "{text}");
        }
        let refused = signing_key(&pair.public_key_pem(), algorithm(name)).expect_err("a public key cannot sign");
        assert_eq!(refused.to_string(), "unsupported key type: PUBLIC KEY");
        // The text of a public key is a secret to nobody.
        let confused = verification_key(&pair.public_key_pem(), algorithm(name)).expect("a key");
        let secret = Key::Secret(pair.public_key_pem().into_bytes());
        let forged = sign("{}", "{}", algorithm("HS256"), &secret).expect("a token");
        assert!(!verifies(&forged, algorithm(name), &confused));
    }
}

#[test]
fn the_public_key_of_rsa_may_have_a_block_of_its_own() {
    let PrivateKey::Rsa(private) = rsa_key() else { panic!("a key of RSA") };
    // A modulus of 256 bytes, and the exponent 65537.
    let modulus = private.public.modulus.to_bytes_be();
    let bytes = [&[0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0][..], &modulus, &[2, 3, 1, 0, 1]].concat();
    let text = pem::spell("RSA PUBLIC KEY", &bytes);
    let token = sign("{}", "{}", algorithm("PS384"), &Key::Private(rsa_key())).expect("a token");
    let key = verification_key(&text, algorithm("PS384")).expect("a key");
    assert!(verifies(&token, algorithm("PS384"), &key));
}

#[test]
fn what_holds_no_key_is_told_without_showing_it() {
    let no_block = "failed to parse PEM block containing the key";
    let unknown = "-----BEGIN X-----\nAQI=\n-----END X-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n";
    for (text, message) in [("s3cret", no_block), (unknown, no_block), (broken, "x509: malformed certificate")] {
        let error = verification_key(text, algorithm("RS256")).expect_err("no key");
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(signing_key("s3cret", algorithm("ES256")).expect_err("no key").to_string(), no_block);
    let secret = signing_key("s3cret", algorithm("HS256")).expect("a secret");
    assert_eq!(format!("{secret:?}"), "Secret");
}
