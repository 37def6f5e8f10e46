//! The algorithms that tokens are signed with.

use crate::error::KeyError;

use crate::keys::hash::Hash;
use crate::keys::jwk::Key;
use crate::keys::private::PrivateKey;
use crate::keys::public::PublicKey;
use crate::keys::rsa::{Padding, Salt};

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `HS…`: a message authentication code.
    Hmac(Hash),
    /// `RS…` and `PS…`.
    Rsa(Padding, Hash),
    /// `ES…`.
    Ecdsa(Hash),
    /// `EdDSA`.
    EdDsa,
}

impl Algorithm {
    /// The algorithm of the name; nothing for `none` and other unknown ones.
    pub fn of_name(name: &str) -> Option<Self> {
        let (family, size) = name.split_at_checked(2)?;
        let hash = match size {
            "256" => Hash::Sha256,
            "384" => Hash::Sha384,
            "512" => Hash::Sha512,
            _ => return (name == "EdDSA").then_some(Self::EdDsa),
        };
        match family {
            "HS" => Some(Self::Hmac(hash)),
            "RS" => Some(Self::Rsa(Padding::Pkcs1, hash)),
            "PS" => Some(Self::Rsa(Padding::Pss(Salt::AsDigest), hash)),
            "ES" => Some(Self::Ecdsa(hash)),
            _ => None,
        }
    }

    /// Whether the signature is one of the message, the key being of the right kind. Both numbers of an ECDSA signature
    /// are half of it, however long it is, which is what the functions named after an algorithm take.
    pub fn verifies_loosely(self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        matches!(key, Key::Public(key) if self.verifies_public(key, message, signature))
    }

    /// The same, but an ECDSA signature has the length that its curve asks for, a private key stands for its public one,
    /// and a secret is for codes and nothing else.
    pub fn verifies(self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Hmac(hash), Key::Secret(secret)) => hash.authenticates(secret, message, signature),
            (Self::Hmac(_), _) | (_, Key::Secret(_)) => false,
            (_, Key::Public(key)) => self.verifies_exactly(key, message, signature),
            (_, Key::Private(key)) => key.public().is_some_and(|key| self.verifies_exactly(&key, message, signature)),
        }
    }

    fn verifies_exactly(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let fits = |point: &crate::keys::ec::Point| signature.len() == 2 * point.curve.size();
        (!matches!(key, PublicKey::Ec(point) if !fits(point))) && self.verifies_public(key, message, signature)
    }

    fn verifies_public(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Rsa(padding, hash), _) => key.verifies_rsa(padding, hash, message, signature),
            (Self::Ecdsa(hash), PublicKey::Ec(point)) => {
                let (r, s) = signature.split_at(signature.len() / 2);
                point.verifies(&hash.digest(message), r, s)
            }
            (Self::EdDsa, _) => key.verifies_ed25519(message, signature),
            (Self::Hmac(_) | Self::Ecdsa(_), _) => false,
        }
    }

    /// Signs the message.
    ///
    /// # Errors
    /// When the key is of another kind, or cannot sign.
    pub fn sign(self, key: &Key, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match (self, key) {
            (Self::Hmac(hash), Key::Secret(secret)) => Ok(hash.authenticate(secret, message)),
            (Self::Rsa(padding, hash), Key::Private(PrivateKey::Rsa(key))) => {
                key.sign(padding, hash, message).map_err(KeyError::new)
            }
            (Self::Ecdsa(hash), Key::Private(PrivateKey::Ec { public, number })) => {
                let signature = public.curve.sign(number, &hash.digest(message));
                signature.ok_or_else(|| KeyError::new("the EC key cannot sign"))
            }
            (Self::EdDsa, Key::Private(PrivateKey::Ed25519 { seed, .. })) => {
                let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed);
                let pair = pair.map_err(|_| KeyError::new("the Ed25519 key cannot sign"))?;
                Ok(pair.sign(message).as_ref().to_vec())
            }
            _ => {
                let (found, wanted) = (kind(key), self.wants());
                Err(KeyError::new(format!("jwsbb.Sign: invalid key type {found}. {wanted} is required")))
            }
        }
    }

    fn wants(self) -> &'static str {
        match self {
            Self::Hmac(_) => "[]byte",
            Self::Rsa(..) => "*rsa.PrivateKey",
            Self::Ecdsa(_) => "*ecdsa.PrivateKey",
            Self::EdDsa => "ed25519.PrivateKey",
        }
    }
}

fn kind(key: &Key) -> &'static str {
    match key {
        Key::Secret(_) => "*jwk.symmetricKey",
        Key::Public(PublicKey::Rsa(_)) => "*jwk.rsaPublicKey",
        Key::Public(PublicKey::Ec(_)) => "*jwk.ecdsaPublicKey",
        Key::Public(_) => "*jwk.okpPublicKey",
        Key::Private(PrivateKey::Rsa(_)) => "*jwk.rsaPrivateKey",
        Key::Private(PrivateKey::Ec { .. }) => "*jwk.ecdsaPrivateKey",
        Key::Private(_) => "*jwk.okpPrivateKey",
    }
}
