//! What Go's JSON makes of the values that keys and certificates consist of.

use num_bigint::BigUint;
use regent_core::value::{Number, Value};
use regent_signing::keys::der::Oid;
use regent_signing::keys::ec::Point;
use regent_signing::keys::private::PrivateKey;
use regent_signing::keys::public::PublicKey;
use regent_signing::keys::rsa;

use super::super::base64;

/// Bytes are base64.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    base64::spell(bytes).into()
}

/// A list without items is null, as lists are that nothing was ever added to.
pub(crate) fn list<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
    let items: Vec<Value> = items.into_iter().map(Into::into).collect();
    if items.is_empty() { Value::NULL } else { items.into() }
}

/// Numbers of any size are numbers.
pub(crate) fn number(digits: &impl ToString) -> Value {
    Number::parse(&digits.to_string()).expect("a whole number is a JSON number").into()
}

/// Object identifiers are arrays of numbers.
pub(crate) fn oid(oid: &Oid) -> Value {
    Value::array(oid.arcs().iter().copied())
}

/// A public key.
pub(crate) fn public(key: &PublicKey) -> Value {
    match key {
        PublicKey::Rsa(key) => Value::object(rsa_fields(key)),
        PublicKey::Ec(point) => Value::object(ec_fields(point)),
        PublicKey::Ed25519(key) => bytes(key),
        PublicKey::X25519(_) => Value::empty_object(),
        PublicKey::Dsa { parameters: [p, q, g], y } => {
            Value::object([("P", p), ("Q", q), ("G", g), ("Y", y)].map(|(name, value)| (name, number(value))))
        }
    }
}

/// A private key.
pub(crate) fn private(key: &PrivateKey) -> Value {
    match key {
        PrivateKey::Rsa(key) => {
            let [p_exponent, q_exponent] = &key.derived.exponents;
            let precomputed = Value::object([
                ("Dp", number(p_exponent)),
                ("Dq", number(q_exponent)),
                ("Qinv", number(&key.derived.inverse)),
                ("CRTValues", Value::array::<Value>([])),
            ]);
            let private = [
                ("D", number(&key.exponent)),
                ("Primes", Value::array(key.primes.iter().map(number))),
                ("Precomputed", precomputed),
            ];
            Value::object(rsa_fields(&key.public).into_iter().chain(private))
        }
        PrivateKey::Ec { public, number: digits } => {
            let private = ("D", number(&BigUint::from_bytes_be(digits)));
            Value::object(ec_fields(public).into_iter().chain([private]))
        }
        PrivateKey::Ed25519 { seed, public } => bytes(&[*seed, *public].concat()),
        PrivateKey::X25519 => Value::empty_object(),
    }
}

/// The fields of a public RSA key, which a private one shows as well.
fn rsa_fields(key: &rsa::Public) -> [(&'static str, Value); 2] {
    [("N", number(&key.modulus)), ("E", number(&key.exponent))]
}

/// The fields of a public key on a curve, which a private one shows as well.
fn ec_fields(point: &Point) -> [(&'static str, Value); 3] {
    let (x, y) = point.coordinates();
    let coordinate = |bytes| number(&BigUint::from_bytes_be(bytes));
    [("Curve", Value::empty_object()), ("X", coordinate(x)), ("Y", coordinate(y))]
}
