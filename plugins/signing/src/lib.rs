//! Keys and signatures: of bundles, of tokens, of requests to AWS.
//!
//! [`register`] adds the [default verifier](TokenVerifier) and the [default signer](TokenSigner) of bundles.
//!
//! The library part, which other plugins use: [`jws`] signs and verifies with every algorithm that OPA knows, [`keys`]
//! reads keys from PEM, certificates and JSON, [`digest`] takes
//! the digests of files that signatures of bundles list, [`sigv4`] and [`sigv4a`] sign requests to AWS. None of it speaks to anyone or reads files.
//!
//! Private keys and secrets are never shown: not by `Debug`, not in errors.

pub mod base64;
pub mod digest;
mod error;
pub mod hex;
pub mod jws;
pub mod keys;
mod signer;
pub mod sigv4;
pub mod sigv4a;
#[cfg(test)]
mod tests;
mod verifier;

use std::sync::Arc;

use regent_core::Registry;

pub use error::KeyError;
pub use signer::TokenSigner;
pub use verifier::TokenVerifier;

/// Adds the default verifier and the default signer of bundles.
pub fn register(registry: &mut Registry) {
    registry.verifier(Arc::new(TokenVerifier));
    registry.signer(Arc::new(TokenSigner));
}
