//! The digests that signatures are made of.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A digest of the second SHA family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The digest.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// The message authentication code.
    pub fn authenticate(self, secret: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => mac::<Hmac<Sha256>>(secret, message).finalize().into_bytes().to_vec(),
            Self::Sha384 => mac::<Hmac<Sha384>>(secret, message).finalize().into_bytes().to_vec(),
            Self::Sha512 => mac::<Hmac<Sha512>>(secret, message).finalize().into_bytes().to_vec(),
        }
    }

    /// Whether the code is that of the message, in a time that does not tell where they differ.
    pub fn authenticates(self, secret: &[u8], message: &[u8], code: &[u8]) -> bool {
        match self {
            Self::Sha256 => mac::<Hmac<Sha256>>(secret, message).verify_slice(code).is_ok(),
            Self::Sha384 => mac::<Hmac<Sha384>>(secret, message).verify_slice(code).is_ok(),
            Self::Sha512 => mac::<Hmac<Sha512>>(secret, message).verify_slice(code).is_ok(),
        }
    }
}

fn mac<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> M {
    <M as KeyInit>::new_from_slice(secret).expect("an HMAC takes keys of any length").chain_update(message)
}
