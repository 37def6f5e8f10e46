//! Private keys, as `PRIVATE KEY` blocks and their older kin hold them.

use crate::error::KeyError;
use num_bigint::{BigInt, Sign};
use ring::signature::KeyPair as _;

use super::der::{self, Der};
use super::ec::{self, Curve, Point};
use super::public::{Algorithm, Identifier, PublicKey};
use super::rsa;

/// A private key. None of its numbers is shown by `Debug`.
#[derive(Clone)]
pub enum PrivateKey {
    /// Of RSA.
    Rsa(Box<rsa::Private>),
    /// On a curve of NIST.
    Ec {
        /// The public point.
        public: Point,
        /// The private number, as many bytes as the curve has.
        number: Vec<u8>,
    },
    /// Of Ed25519.
    Ed25519 {
        /// What the key is made of.
        seed: [u8; 32],
        /// The public key.
        public: [u8; 32],
    },
    /// For key agreement; nothing is signed with it.
    X25519,
}

impl PrivateKey {
    /// The key on a curve.
    pub fn ec(curve: Curve, number: &[u8]) -> Option<Self> {
        Some(Self::Ec { public: curve.public(number)?, number: ec::padded(number, curve.size())? })
    }

    /// The Ed25519 key of a seed.
    ///
    /// # Panics
    /// Never: any 32 bytes are a seed.
    pub fn ed25519(seed: [u8; 32]) -> Self {
        let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 bytes are a seed");
        let public = pair.public_key().as_ref().try_into().expect("a public key has 32 bytes");
        Self::Ed25519 { seed, public }
    }

    /// The public key that belongs to it; nothing for a key that is not for signing.
    pub fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Rsa(key) => Some(PublicKey::Rsa(key.public.clone())),
            Self::Ec { public, .. } => Some(PublicKey::Ec(public.clone())),
            Self::Ed25519 { public, .. } => Some(PublicKey::Ed25519(*public)),
            Self::X25519 => None,
        }
    }
}

fn fail(message: impl std::fmt::Display) -> KeyError {
    KeyError::new(format!("x509: {message}"))
}

fn malformed() -> KeyError {
    KeyError::new("asn1: structure error: malformed private key")
}

/// The elements of the one sequence that the bytes are.
fn sequence(der: &[u8]) -> Result<Der<'_>, KeyError> {
    let mut whole = Der::new(der);
    let inner = whole.read(der::SEQUENCE).ok_or_else(malformed)?;
    if whole.is_empty() { Ok(inner) } else { Err(KeyError::new("asn1: syntax error: trailing data")) }
}

/// Reads an `RSA PRIVATE KEY`.
///
/// # Errors
/// What Go says of it.
pub fn pkcs1(der: &[u8]) -> Result<PrivateKey, KeyError> {
    rsa_key(der).map_err(|error| {
        if ec_key(der, None).is_ok() {
            fail("failed to parse private key (use ParseECPrivateKey instead for this key format)")
        } else if wrapped(der).is_ok() {
            fail("failed to parse private key (use ParsePKCS8PrivateKey instead for this key format)")
        } else {
            error
        }
    })
}

/// Reads a `PRIVATE KEY`.
///
/// # Errors
/// What Go says of it.
pub fn pkcs8(der: &[u8]) -> Result<PrivateKey, KeyError> {
    if wrapped(der).is_err() {
        if ec_key(der, None).is_ok() {
            return Err(fail("failed to parse private key (use ParseECPrivateKey instead for this key format)"));
        }
        if rsa_key(der).is_ok() {
            return Err(fail("failed to parse private key (use ParsePKCS1PrivateKey instead for this key format)"));
        }
    }
    let (algorithm, key) = wrapped(der)?;
    let embedded = |kind: &'static str| {
        move |error: KeyError| fail(format_args!("failed to parse {kind} private key embedded in PKCS#8: {error}"))
    };
    match algorithm.algorithm() {
        Algorithm::Rsa => pkcs1(key).map_err(embedded("RSA")),
        Algorithm::Ecdsa => {
            let named = Der::new(algorithm.parameters).oid();
            ec_key(key, named.as_ref().and_then(Curve::of_oid)).map_err(embedded("EC"))
        }
        Algorithm::Ed25519 if !algorithm.parameters.is_empty() => Err(fail("invalid Ed25519 private key parameters")),
        Algorithm::Ed25519 => {
            let seed = Der::new(key).bytes(der::OCTET_STRING).ok_or_else(|| fail("invalid Ed25519 private key"))?;
            let length = || fail(format_args!("invalid Ed25519 private key length: {}", seed.len()));
            Ok(PrivateKey::ed25519(seed.try_into().map_err(|_| length())?))
        }
        Algorithm::Unknown if algorithm.oid.arcs() == [1, 3, 101, 110] => Ok(PrivateKey::X25519),
        Algorithm::Dsa | Algorithm::Unknown => {
            let oid = algorithm.oid;
            Err(fail(format_args!("PKCS#8 wrapping contained private key with unknown algorithm: {oid}")))
        }
    }
}

/// Reads an `EC PRIVATE KEY`.
///
/// # Errors
/// What Go says of it.
pub fn sec1(der: &[u8]) -> Result<PrivateKey, KeyError> {
    ec_key(der, None).map_err(|error| {
        if wrapped(der).is_ok() {
            fail("failed to parse private key (use ParsePKCS8PrivateKey instead for this key format)")
        } else if rsa_key(der).is_ok() {
            fail("failed to parse private key (use ParsePKCS1PrivateKey instead for this key format)")
        } else {
            error
        }
    })
}

fn rsa_key(der: &[u8]) -> Result<PrivateKey, KeyError> {
    let mut der = sequence(der)?;
    let version = der.small().ok_or_else(malformed)?;
    let mut next = || der.integer().ok_or_else(malformed);
    let [modulus, public, private, p, q] = [next()?, next()?, next()?, next()?, next()?];
    // The rest of the numbers follows from these, but has to be there.
    for _ in 0..3 {
        next()?;
    }
    match version {
        0 => {}
        1 => return Err(fail("private keys of more than two primes are not supported")),
        _ => return Err(fail("unsupported private key version")),
    }
    let positive = |number: BigInt| {
        let is_positive = number.sign() == Sign::Plus;
        is_positive.then(|| number.into_parts().1).ok_or_else(|| fail("private key contains zero or negative value"))
    };
    let public = rsa::Public { modulus: positive(modulus)?, exponent: positive(public)? };
    let key = rsa::Private::new(public, positive(private)?, [positive(p)?, positive(q)?]);
    key.map(|key| PrivateKey::Rsa(Box::new(key))).map_err(KeyError::new)
}

/// The kind of a wrapped key, and the key.
fn wrapped(der: &[u8]) -> Result<(Identifier<'_>, &[u8]), KeyError> {
    let mut der = sequence(der)?;
    der.small().ok_or_else(malformed)?;
    let algorithm = Identifier::read(der.read(der::SEQUENCE).ok_or_else(malformed)?)?;
    Ok((algorithm, der.bytes(der::OCTET_STRING).ok_or_else(malformed)?))
}

/// A key on the curve that was named outside, or on the one that it names itself.
fn ec_key(der: &[u8], outside: Option<Curve>) -> Result<PrivateKey, KeyError> {
    let unreadable = || fail("failed to parse EC private key: asn1: structure error: malformed private key");
    let mut der = sequence(der).map_err(|error| fail(format_args!("failed to parse EC private key: {error}")))?;
    let version = der.small().ok_or_else(unreadable)?;
    let number = der.bytes(der::OCTET_STRING).ok_or_else(unreadable)?;
    let inside = der.optional(der::constructed(0)).ok_or_else(unreadable)?;
    if version != 1 {
        return Err(fail(format_args!("unknown EC private key version {version}")));
    }
    let inside = inside.and_then(|mut parameters| parameters.oid());
    let curve = outside.or_else(|| Curve::of_oid(&inside?)).ok_or_else(|| fail("unknown elliptic curve"))?;
    PrivateKey::ec(curve, number).ok_or_else(|| fail("invalid elliptic curve private key value"))
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PrivateKey").field(&self.public()).finish()
    }
}
