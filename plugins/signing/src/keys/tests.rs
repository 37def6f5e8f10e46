//! Keys made for tests. Reading them is tested where the built-in functions are, word by word.

use num_bigint::BigUint;

use super::private::PrivateKey;
use super::rsa;

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
