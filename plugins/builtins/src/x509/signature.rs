//! How certificates are signed.

use super::super::keys::der::{self, Der, Oid};
use super::super::keys::hash::Hash;
use super::super::keys::public::{Identifier, PublicKey};
use super::super::keys::rsa::{Padding, Salt};

/// A way of signing, in the order in which Go numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    Unknown = 0,
    Md5WithRsa = 2,
    Sha1WithRsa = 3,
    Sha256WithRsa = 4,
    Sha384WithRsa = 5,
    Sha512WithRsa = 6,
    DsaWithSha1 = 7,
    DsaWithSha256 = 8,
    EcdsaWithSha1 = 9,
    EcdsaWithSha256 = 10,
    EcdsaWithSha384 = 11,
    EcdsaWithSha512 = 12,
    Sha256WithRsaPss = 13,
    Sha384WithRsaPss = 14,
    Sha512WithRsaPss = 15,
    Ed25519 = 16,
}

impl SignatureAlgorithm {
    /// The algorithm that the identifier names.
    pub(crate) fn new(identifier: &Identifier<'_>) -> Self {
        match identifier.oid.arcs() {
            [1, 2, 840, 113_549, 1, 1, 4] => Self::Md5WithRsa,
            [1, 2, 840, 113_549, 1, 1, 5] | [1, 3, 14, 3, 2, 29] => Self::Sha1WithRsa,
            [1, 2, 840, 113_549, 1, 1, 10] => pss(identifier.parameters).unwrap_or(Self::Unknown),
            [1, 2, 840, 113_549, 1, 1, 11] => Self::Sha256WithRsa,
            [1, 2, 840, 113_549, 1, 1, 12] => Self::Sha384WithRsa,
            [1, 2, 840, 113_549, 1, 1, 13] => Self::Sha512WithRsa,
            [1, 2, 840, 10040, 4, 3] => Self::DsaWithSha1,
            [2, 16, 840, 1, 101, 3, 4, 3, 2] => Self::DsaWithSha256,
            [1, 2, 840, 10045, 4, 1] => Self::EcdsaWithSha1,
            [1, 2, 840, 10045, 4, 3, 2] => Self::EcdsaWithSha256,
            [1, 2, 840, 10045, 4, 3, 3] => Self::EcdsaWithSha384,
            [1, 2, 840, 10045, 4, 3, 4] => Self::EcdsaWithSha512,
            [1, 3, 101, 112] if identifier.parameters.is_empty() => Self::Ed25519,
            _ => Self::Unknown,
        }
    }

    /// Whether the signature is one of the message. Nothing signed with MD5, SHA-1 or DSA is taken.
    pub(crate) fn verifies(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let rsa = |padding, hash| key.verifies_rsa(padding, hash, message, signature);
        match self {
            Self::Sha256WithRsa => rsa(Padding::Pkcs1, Hash::Sha256),
            Self::Sha384WithRsa => rsa(Padding::Pkcs1, Hash::Sha384),
            Self::Sha512WithRsa => rsa(Padding::Pkcs1, Hash::Sha512),
            Self::Sha256WithRsaPss => rsa(Padding::Pss(Salt::AsDigest), Hash::Sha256),
            Self::Sha384WithRsaPss => rsa(Padding::Pss(Salt::AsDigest), Hash::Sha384),
            Self::Sha512WithRsaPss => rsa(Padding::Pss(Salt::AsDigest), Hash::Sha512),
            Self::EcdsaWithSha256 => ecdsa(key, &Hash::Sha256.digest(message), signature),
            Self::EcdsaWithSha384 => ecdsa(key, &Hash::Sha384.digest(message), signature),
            Self::EcdsaWithSha512 => ecdsa(key, &Hash::Sha512.digest(message), signature),
            Self::Ed25519 => key.verifies_ed25519(message, signature),
            Self::Unknown
            | Self::Md5WithRsa
            | Self::Sha1WithRsa
            | Self::DsaWithSha1
            | Self::DsaWithSha256
            | Self::EcdsaWithSha1 => false,
        }
    }
}

/// Both numbers are in DER.
fn ecdsa(key: &PublicKey, digest: &[u8], signature: &[u8]) -> bool {
    let PublicKey::Ec(point) = key else { return false };
    let mut outer = Der::new(signature);
    let numbers = outer.read(der::SEQUENCE).filter(|_| outer.is_empty()).and_then(|mut inner| {
        let numbers = (inner.integer()?, inner.integer()?);
        inner.is_empty().then_some(numbers)
    });
    let positive = num_bigint::Sign::Plus;
    numbers.is_some_and(|(r, s)| {
        let are_positive = r.sign() == positive && s.sign() == positive;
        are_positive && point.verifies(digest, &r.magnitude().to_bytes_be(), &s.magnitude().to_bytes_be())
    })
}

/// PSS with one digest throughout and as much salt as it is long; other ways are unknown.
fn pss(parameters: &[u8]) -> Option<SignatureAlgorithm> {
    let mut fields = Der::new(parameters).read(der::SEQUENCE)?;
    let digest = Identifier::read(fields.read(der::constructed(0))?.read(der::SEQUENCE)?).ok()?;
    let mask = Identifier::read(fields.read(der::constructed(1))?.read(der::SEQUENCE)?).ok()?;
    let mask_digest = Identifier::read(Der::new(mask.parameters).read(der::SEQUENCE)?).ok()?;
    let salt = fields.read(der::constructed(2))?.small()?;
    let trailer = fields.optional(der::constructed(3))?.map_or(Some(1), |mut trailer| trailer.small())?;
    let plain = |identifier: &Identifier<'_>| matches!(identifier.parameters, [] | [der::NULL, 0]);
    let is_usual = mask.oid.arcs() == [1, 2, 840, 113_549, 1, 1, 8]
        && mask_digest.oid == digest.oid
        && plain(&digest)
        && plain(&mask_digest)
        && trailer == 1;
    is_usual.then(|| of_digest(&digest.oid, salt)).flatten()
}

fn of_digest(digest: &Oid, salt: i64) -> Option<SignatureAlgorithm> {
    match (digest.arcs(), salt) {
        ([2, 16, 840, 1, 101, 3, 4, 2, 1], 32) => Some(SignatureAlgorithm::Sha256WithRsaPss),
        ([2, 16, 840, 1, 101, 3, 4, 2, 2], 48) => Some(SignatureAlgorithm::Sha384WithRsaPss),
        ([2, 16, 840, 1, 101, 3, 4, 2, 3], 64) => Some(SignatureAlgorithm::Sha512WithRsaPss),
        _ => None,
    }
}
