//! Keys: reading them, signing and verifying with them. Texts of errors are Go's, where OPA shows them.

pub mod der;
pub mod ec;
pub mod encrypted;
pub mod hash;
pub mod jwk;
pub mod pem;
pub mod private;
pub mod public;
pub mod rsa;

#[cfg(test)]
pub(crate) mod tests;
