//! Keys and signatures: what signs and verifies tokens, and requests to AWS.
//!
//! The library part, which other plugins use: [`jws`] signs and verifies with every algorithm that OPA knows, [`keys`]
//! reads keys from PEM, certificates and JSON, [`sigv4`] signs requests to AWS. None of it speaks to anyone or reads files.
//!
//! Private keys and secrets are never shown: not by `Debug`, not in errors.

pub mod base64;
mod error;
pub mod hex;
pub mod jws;
pub mod keys;
pub mod sigv4;

pub use error::KeyError;
