//! RSA. Private numbers are only ever used by ring, where the time taken tells nothing of them. ring checks no signatures
//! with other salts than the usual ones, though, and takes fewer keys than Go, so those are checked here.

mod encoding;
#[cfg(test)]
mod tests;

use num_bigint::BigUint;
use num_traits::{One, Zero};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::signature::{self, RsaEncoding};

use super::hash::Hash;

/// How a digest is filled up to the length of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// PKCS #1 v1.5.
    Pkcs1,
    /// PSS, with the same digest in its mask.
    Pss(Salt),
}

/// How many random bytes a signature is made with. What is signed here has as many as the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Salt {
    /// Any number.
    Any,
    /// As many as the digest has, which RFC 7518 and RFC 4055 ask for.
    AsDigest,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// The product of the primes.
    pub modulus: BigUint,
    /// The public exponent.
    pub exponent: BigUint,
}

/// Sizes of keys that signatures are checked with, in bits. Go takes larger ones too.
const BITS: std::ops::RangeInclusive<u64> = 1024..=16_384;

impl Public {
    /// Whether the signature is one of the message. Keys have 1024 to 16384 bits.
    ///
    /// Nothing here is secret, so it does not matter that the time taken depends on the numbers.
    pub fn verifies(&self, padding: Padding, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.opened(signature) else { return false };
        let digest = hash.digest(message);
        match padding {
            Padding::Pkcs1 => encoding::is_pkcs1(hash, &digest, &encoded),
            Padding::Pss(salt) => encoding::is_pss(hash, salt, &digest, &encoded, self.modulus.bits()),
        }
    }

    /// What was signed, as many bytes as the key has; nothing if the key or the signature cannot be one.
    fn opened(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let Self { modulus, exponent } = self;
        let size = usize::try_from(modulus.bits().div_ceil(8)).ok()?;
        // As Go has it: both odd, the exponent above 1 and below 2^31.
        let is_key = BITS.contains(&modulus.bits()) && modulus.bit(0) && exponent.bit(0);
        let is_exponent = !exponent.is_one() && exponent.bits() <= 31;
        let number = BigUint::from_bytes_be(signature);
        if !is_key || !is_exponent || signature.len() != size || number >= *modulus {
            return None;
        }
        let opened = number.modpow(exponent, modulus).to_bytes_be();
        Some([vec![0; size - opened.len()], opened].concat())
    }
}

/// A private key of two primes. It is not shown by `Debug`.
#[derive(Clone)]
pub struct Private {
    /// The public half.
    pub public: Public,
    /// The private exponent.
    pub exponent: BigUint,
    /// The two primes.
    pub primes: [BigUint; 2],
    /// What follows from the primes.
    pub derived: Derived,
}

/// The exponents modulo each prime less one, and the inverse of the second prime modulo the first.
#[derive(Clone)]
pub struct Derived {
    /// The private exponent modulo each prime less one.
    pub exponents: [BigUint; 2],
    /// The inverse of the second prime modulo the first.
    pub inverse: BigUint,
}

impl Private {
    /// The key of these numbers.
    ///
    /// # Errors
    /// When they do not belong together.
    pub fn new(public: Public, exponent: BigUint, primes: [BigUint; 2]) -> Result<Self, &'static str> {
        let [p, q] = &primes;
        if p <= &BigUint::one() || q <= &BigUint::one() {
            return Err("crypto/rsa: invalid prime value");
        }
        if p * q != public.modulus {
            return Err("crypto/rsa: p * q != n");
        }
        let exponents = [p, q].map(|prime| &exponent % (prime - 1_u32));
        let fits = |(prime, part): (&BigUint, &BigUint)| {
            let order = prime - 1_u32;
            order.is_one() || (&public.exponent * part % order).is_one()
        };
        if exponent.is_zero() || !primes.iter().zip(&exponents).all(fits) {
            return Err("crypto/rsa: invalid exponents");
        }
        let inverse = q.modinv(p).ok_or("crypto/rsa: invalid prime value")?;
        Ok(Self { public, exponent, primes, derived: Derived { exponents, inverse } })
    }

    /// Signs a message. Keys have 2048 to 4096 bits and a public exponent of at least 65537.
    ///
    /// # Errors
    /// When ring does not take the key.
    pub fn sign(&self, padding: Padding, hash: Hash, message: &[u8]) -> Result<Vec<u8>, String> {
        let key = self.key_pair()?;
        let encoding: &'static dyn RsaEncoding = match (padding, hash) {
            (Padding::Pkcs1, Hash::Sha256) => &signature::RSA_PKCS1_SHA256,
            (Padding::Pkcs1, Hash::Sha384) => &signature::RSA_PKCS1_SHA384,
            (Padding::Pkcs1, Hash::Sha512) => &signature::RSA_PKCS1_SHA512,
            (Padding::Pss(_), Hash::Sha256) => &signature::RSA_PSS_SHA256,
            (Padding::Pss(_), Hash::Sha384) => &signature::RSA_PSS_SHA384,
            (Padding::Pss(_), Hash::Sha512) => &signature::RSA_PSS_SHA512,
        };
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| "the RSA key cannot sign".to_owned())?;
        Ok(signature)
    }

    fn key_pair(&self) -> Result<KeyPair, String> {
        let [p, q] = &self.primes;
        let [p_exponent, q_exponent] = &self.derived.exponents;
        // ring wants the larger prime first.
        let (p, q, p_exponent, q_exponent, inverse) = if p > q {
            (p, q, p_exponent, q_exponent, Some(self.derived.inverse.clone()))
        } else {
            (q, p, q_exponent, p_exponent, p.modinv(q))
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: self.public.modulus.to_bytes_be(),
                e: self.public.exponent.to_bytes_be(),
            },
            d: self.exponent.to_bytes_be(),
            p: p.to_bytes_be(),
            q: q.to_bytes_be(),
            dP: p_exponent.to_bytes_be(),
            dQ: q_exponent.to_bytes_be(),
            qInv: inverse.ok_or("the primes of the RSA key are not prime")?.to_bytes_be(),
        };
        KeyPair::from_components(&components).map_err(|reason| format!("the RSA key cannot sign: {reason}"))
    }
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Private").field("public", &self.public).finish_non_exhaustive()
    }
}
