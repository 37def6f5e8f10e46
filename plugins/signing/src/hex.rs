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

/// The bytes that are spelt; nothing if the text is something else.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelt_is_read_again() {
        assert_eq!(bytes(&spell(&[0, 15, 255])), Some(vec![0, 15, 255]));
        assert_eq!(bytes("aAfF"), Some(vec![0xaa, 0xff]));
        for wrong in ["a", "0g", "é", "+1"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
