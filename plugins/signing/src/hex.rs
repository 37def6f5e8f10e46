//! Hexadecimal.

use std::fmt::Write as _;

/// The bytes in hexadecimal, in small letters.
pub fn spell(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(out, "{byte:02x}").expect("a string takes all that is written to it");
    }
    out
}
