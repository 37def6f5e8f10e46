//! Looking through the bytes of strings, eight at a time.

/// How many bytes come before the first one that is not plain ASCII: a quote, a backslash, a control character, or a
/// part of a longer character.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let found = odd(u64::from_le_bytes(*word));
        if found != 0 {
            return at * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let is_odd = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..);
    bytes.len() - rest.len() + rest.iter().position(is_odd).unwrap_or(rest.len())
}

/// The highest bit of each byte that is not plain. What lies above the lowest such byte may be marked wrongly.
fn odd(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES * 0x80;
    // A byte of zero borrows from its highest bit, and so does one below 0x20 if that is taken away.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control | word) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_told_apart_at_every_place() {
        for byte in 0..=u8::MAX {
            for length in 1..20 {
                for at in 0..length {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let is_plain = (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
                    assert_eq!(plain(&text), if is_plain { length } else { at }, "{byte:#x} at {at} of {length}");
                }
            }
        }
        assert_eq!(plain(b""), 0);
        assert_eq!(plain(b"ab\x7fcdef\"\\\x01\xff"), 7);
    }

    #[test]
    fn the_first_of_several_counts() {
        for first in [b'"', b'\\', 0, 0x1f, 0x80, 0xff] {
            for second in [b'"', b'\\', 0, 0x1f, 0x80, 0xff, b'!', b'#', b' ', b'['] {
                for gap in 0..8 {
                    let mut text = [b'x'; 16];
                    (text[3], text[4 + gap]) = (first, second);
                    assert_eq!(plain(&text), 3, "{first:#x} {second:#x} {gap}");
                }
            }
        }
    }
}
