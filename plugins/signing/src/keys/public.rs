//! Public keys, as certificates and `PUBLIC KEY` blocks hold them.

use crate::error::KeyError;
use num_bigint::{BigInt, Sign};

use super::der::{self, Der, Oid};
use super::ec::{Curve, Point};
use super::hash::Hash;
use super::rsa::{self, Padding};

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Of RSA.
    Rsa(rsa::Public),
    /// On a curve of NIST.
    Ec(Point),
    /// Of Ed25519.
    Ed25519([u8; 32]),
    /// For key agreement; nothing is verified with it.
    X25519([u8; 32]),
    /// Known, so that certificates with it can be read, but nothing can be verified with it.
    Dsa {
        /// Two primes and the generator.
        parameters: [BigInt; 3],
        /// The public number.
        y: BigInt,
    },
}

/// The kind of a key, as Go numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// None of the others.
    Unknown = 0,
    /// RSA.
    Rsa = 1,
    /// DSA.
    Dsa = 2,
    /// ECDSA.
    Ecdsa = 3,
    /// Ed25519.
    Ed25519 = 4,
}

/// A kind of key with its parameters, in DER.
#[derive(Debug, Clone)]
pub struct Identifier<'a> {
    /// The kind.
    pub oid: Oid,
    /// The whole element; empty when there is none.
    pub parameters: &'a [u8],
}

impl<'a> Identifier<'a> {
    /// Reads what the sequence of an algorithm identifier holds.
    ///
    /// # Errors
    /// `x509: malformed OID`
    pub fn read(mut der: Der<'a>) -> Result<Self, KeyError> {
        let oid = der.oid().ok_or_else(|| KeyError::new("x509: malformed OID"))?;
        if der.is_empty() {
            return Ok(Self { oid, parameters: &[] });
        }
        let parameters = der.any().ok_or_else(|| KeyError::new("x509: malformed parameters"))?;
        Ok(Self { oid, parameters: parameters.whole })
    }

    /// The kind of key.
    pub fn algorithm(&self) -> Algorithm {
        match self.oid.arcs() {
            [1, 2, 840, 113_549, 1, 1, 1] => Algorithm::Rsa,
            [1, 2, 840, 10040, 4, 1] => Algorithm::Dsa,
            [1, 2, 840, 10045, 2, 1] => Algorithm::Ecdsa,
            [1, 3, 101, 112] => Algorithm::Ed25519,
            _ => Algorithm::Unknown,
        }
    }

    /// Reads the key of this kind.
    ///
    /// # Errors
    /// What Go says of it.
    pub fn public_key(&self, key: &[u8]) -> Result<PublicKey, KeyError> {
        let fail = |message: &str| KeyError::new(format!("x509: {message}"));
        match self.algorithm() {
            Algorithm::Rsa if self.parameters != [der::NULL, 0] => Err(fail("RSA key missing NULL parameters")),
            Algorithm::Rsa => rsa_key(key).map(PublicKey::Rsa).map_err(fail),
            Algorithm::Ecdsa => {
                let oid = Der::new(self.parameters).oid().ok_or_else(|| fail("invalid ECDSA parameters"))?;
                let curve = Curve::of_oid(&oid).ok_or_else(|| fail("unsupported elliptic curve"))?;
                let point = Point::read(curve, key).ok_or_else(|| fail("failed to unmarshal elliptic curve point"))?;
                Ok(PublicKey::Ec(point))
            }
            Algorithm::Ed25519 if !self.parameters.is_empty() => {
                Err(fail("Ed25519 key encoded with illegal parameters"))
            }
            Algorithm::Ed25519 => {
                key.try_into().map(PublicKey::Ed25519).map_err(|_| fail("wrong Ed25519 public key size"))
            }
            Algorithm::Dsa => dsa_key(self.parameters, key).map_err(fail),
            Algorithm::Unknown if self.oid.arcs() == [1, 3, 101, 110] => {
                if !self.parameters.is_empty() {
                    return Err(fail("X25519 key encoded with illegal parameters"));
                }
                key.try_into().map(PublicKey::X25519).map_err(|_| KeyError::new("crypto/ecdh: invalid public key"))
            }
            Algorithm::Unknown => Err(fail("unknown public key algorithm")),
        }
    }
}

fn rsa_key(key: &[u8]) -> Result<rsa::Public, &'static str> {
    let mut key = Der::new(key).read(der::SEQUENCE).ok_or("invalid RSA public key")?;
    let modulus = key.integer().ok_or("invalid RSA modulus")?;
    let exponent = key.small().ok_or("invalid RSA public exponent")?;
    if modulus.sign() != Sign::Plus {
        return Err("RSA modulus is not a positive number");
    }
    let exponent = u64::try_from(exponent).ok().filter(|exponent| *exponent > 0);
    let exponent = exponent.ok_or("RSA public exponent is not a positive number")?;
    Ok(rsa::Public { modulus: modulus.magnitude().clone(), exponent: exponent.into() })
}

fn dsa_key(parameters: &[u8], key: &[u8]) -> Result<PublicKey, &'static str> {
    let y = Der::new(key).integer().ok_or("invalid DSA public key")?;
    let mut sequence = Der::new(parameters).read(der::SEQUENCE).ok_or("invalid DSA parameters")?;
    let mut next = || sequence.integer().ok_or("invalid DSA parameters");
    let parameters = [next()?, next()?, next()?];
    if parameters.iter().chain([&y]).any(|number| number.sign() != Sign::Plus) {
        return Err("zero or negative DSA parameter");
    }
    Ok(PublicKey::Dsa { parameters, y })
}

/// Reads the DER of a `PUBLIC KEY` block.
///
/// # Errors
/// What Go says of it.
pub fn read(der: &[u8]) -> Result<PublicKey, KeyError> {
    let malformed = || KeyError::new("asn1: structure error: malformed public key");
    let mut whole = Der::new(der);
    let mut key = whole.read(der::SEQUENCE).ok_or_else(malformed)?;
    if !whole.is_empty() {
        return Err(KeyError::new("x509: trailing data after ASN.1 of public-key"));
    }
    let algorithm = Identifier::read(key.read(der::SEQUENCE).ok_or_else(malformed)?)?;
    algorithm.public_key(&key.bits().ok_or_else(malformed)?.aligned())
}

/// Reads the DER of an `RSA PUBLIC KEY` block.
///
/// # Errors
/// What Go says of it.
pub fn pkcs1(der: &[u8]) -> Result<PublicKey, KeyError> {
    let fail = |reason: &str| KeyError::new(format!("x509: {reason}"));
    let mut rest = Der::new(der);
    if rest.any().is_none() || !rest.is_empty() {
        return Err(fail("trailing data after ASN.1 of public-key"));
    }
    rsa_key(der).map(PublicKey::Rsa).map_err(fail)
}

/// Reads the key in the DER of a `CERTIFICATE` block. Nothing else in it is looked at, its time and issuer neither: who
/// configures a certificate as a key trusts the key.
///
/// # Errors
/// When it is no certificate, or its key is of no known kind.
pub fn certificate(der: &[u8]) -> Result<PublicKey, KeyError> {
    let malformed = || KeyError::new("x509: malformed certificate");
    let mut whole = Der::new(der);
    let mut outer = whole.read(der::SEQUENCE).ok_or_else(malformed)?;
    let mut signed = outer.read(der::SEQUENCE).ok_or_else(malformed)?;
    if !whole.is_empty() {
        return Err(KeyError::new("x509: trailing data"));
    }
    // Version, serial number, algorithm, issuer, validity, subject.
    signed.optional(der::constructed(0)).ok_or_else(malformed)?;
    signed.integer().ok_or_else(malformed)?;
    for _ in 0..4 {
        signed.element(der::SEQUENCE).ok_or_else(malformed)?;
    }
    read(signed.element(der::SEQUENCE).ok_or_else(malformed)?.whole)
}

impl PublicKey {
    /// Whether the signature, made with RSA, is one of the message.
    pub fn verifies_rsa(&self, padding: Padding, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        matches!(self, Self::Rsa(key) if key.verifies(padding, hash, message, signature))
    }

    /// Whether the signature is one of the message with Ed25519.
    pub fn verifies_ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        let Self::Ed25519(key) = self else { return false };
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key).verify(message, signature).is_ok()
    }
}
