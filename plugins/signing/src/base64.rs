//! Base64 in both alphabets, as leniently as Go reads it.

use crate::error::KeyError;

type Alphabet = &'static [u8; 64];

const STANDARD: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8], alphabet: Alphabet, padded: bool) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..=chunk.len() {
            let sextet = group >> (18 - 6 * index) & 63;
            out.push(char::from(alphabet[usize::try_from(sextet).expect("six bits")]));
        }
        if padded {
            out.push_str(&"=="[..3 - chunk.len()]);
        }
    }
    out
}

/// The bytes, or the position of the first byte that is out of place. Line breaks do not count.
fn decode(text: &str, alphabet: Alphabet) -> Result<Vec<u8>, usize> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let mut symbols = bytes.iter().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let (mut group, mut count) = (0_u32, 0_usize);
    while let Some((at, byte)) = symbols.next() {
        if *byte == b'=' {
            return finish(out, group, count, at, symbols.map(|(at, byte)| (at, *byte)), bytes.len());
        }
        let sextet = alphabet.iter().position(|symbol| symbol == byte).ok_or(at)?;
        group = group << 6 | u32::try_from(sextet).expect("six bits");
        count += 1;
        if count == 4 {
            out.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, count) = (0, 0);
        }
    }
    if count == 0 { Ok(out) } else { Err(bytes.len() - count) }
}

/// What comes from the first `=` on: padding of the right length and nothing else.
fn finish(
    mut out: Vec<u8>,
    group: u32,
    count: usize,
    at: usize,
    mut rest: impl Iterator<Item = (usize, u8)>,
    length: usize,
) -> Result<Vec<u8>, usize> {
    if count < 2 {
        return Err(at);
    }
    if count == 2 {
        match rest.next() {
            Some((_, b'=')) => {}
            Some((at, _)) => return Err(at),
            None => return Err(length),
        }
    }
    if let Some((at, _)) = rest.next() {
        return Err(at);
    }
    let group = group << (6 * (4 - count));
    out.extend_from_slice(&group.to_be_bytes()[1..count]);
    Ok(out)
}

fn bytes(text: &str, alphabet: Alphabet) -> Result<Vec<u8>, KeyError> {
    decode(text, alphabet).map_err(|at| KeyError::new(format!("illegal base64 data at input byte {at}")))
}

/// The bytes of padded base64 in the standard alphabet.
pub fn standard_bytes(text: &str) -> Result<Vec<u8>, KeyError> {
    bytes(text, STANDARD)
}

/// The bytes of base64 for URLs, padded or not.
pub fn url_bytes(text: &str) -> Result<Vec<u8>, KeyError> {
    let padding = match text.len() % 4 {
        _ if text.ends_with('=') => "",
        0 => "",
        2 => "==",
        3 => "=",
        _ => return Err(KeyError::new(format!("illegal base64url string: {text}"))),
    };
    bytes(&format!("{text}{padding}"), URL)
}

/// The bytes of base64 in either alphabet, padded or not, as keys in JSON are written.
pub fn any_bytes(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['+', '/']) { STANDARD } else { URL };
    let text = text.trim_end_matches('=');
    let padding = ["", "===", "==", "="][text.len() % 4];
    decode(&format!("{text}{padding}"), alphabet).ok()
}

/// Writes bytes in the standard alphabet, padded.
pub fn spell(bytes: &[u8]) -> String {
    encode(bytes, STANDARD, true)
}

/// Writes bytes for URLs, without padding.
pub fn spell_url(bytes: &[u8]) -> String {
    encode(bytes, URL, false)
}

/// Writes bytes for URLs, padded.
pub fn spell_url_padded(bytes: &[u8]) -> String {
    encode(bytes, URL, true)
}
