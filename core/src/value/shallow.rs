//! JSON from untrusted hands: bundles and their signatures.

use super::{DecodeError, Value, decode};

/// Deepest nesting of arrays and objects. The reader itself would go on to 10,000, but it recurses, as does most of
/// what is done with its values later on, and threads have stacks of 2 MiB.
const MOST_NESTING: usize = 500;

/// Reads one JSON value that is not nested deeply: 500 arrays and objects at most.
///
/// # Errors
/// As [`decode`], and for deeper nesting.
pub fn decode_shallow(json: &[u8]) -> Result<Value, DecodeError> {
    if nesting(json) > MOST_NESTING { Err(DecodeError::Depth) } else { decode(json) }
}

/// How deeply brackets outside of strings are nested. What is no JSON may give any number.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

/// Goes on behind the quote that ends a string.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        assert_eq!(nesting(br#"{"a": [[], {}], "[[[[\"[[[[": 1}"#), 3);
        assert_eq!(nesting(b"]]]["), 1);
        assert_eq!(nesting(br#""\"#), 0);
    }

    #[test]
    fn values_nested_too_deeply_are_refused() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(decode_shallow(deep(MOST_NESTING).as_bytes()).is_ok());
        assert_eq!(decode_shallow(deep(MOST_NESTING + 1).as_bytes()).err(), Some(DecodeError::Depth));
        assert_eq!(decode_shallow("[".repeat(1_000_000).as_bytes()).err(), Some(DecodeError::Depth));
    }
}
