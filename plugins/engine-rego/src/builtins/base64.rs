//! Base64, in both alphabets.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};

use super::table::{Entry, function};

const ENCODING: &[&str] = &["encoding"];

pub(super) const TABLE: &[Entry] = &[
    function("base64.encode(x: string) => y: string", "Writes a string in base64.", |operands, _| {
        Ok(Some(encode(operands.string(0)?.as_bytes(), STANDARD, true).into()))
    })
    .categories(ENCODING),
    function("base64.decode(x: string) => y: string", "Reads a string written in base64.", |operands, _| {
        decoded(operands.string(0)?, STANDARD)
    })
    .categories(ENCODING),
    function("base64.is_valid(x: string) => result: boolean", "Tells whether a string is base64.", |operands, _| {
        Ok(Some(operands.any(0).as_str().is_some_and(|text| decode(text, STANDARD).is_ok()).into()))
    })
    .categories(ENCODING),
    function("base64url.encode(x: string) => y: string", "Writes a string in base64 for URLs.", |operands, _| {
        Ok(Some(encode(operands.string(0)?.as_bytes(), URL, true).into()))
    })
    .categories(ENCODING),
    function(
        "base64url.encode_no_pad(x: string) => y: string",
        "Writes a string in base64 for URLs, without padding.",
        |operands, _| Ok(Some(encode(operands.string(0)?.as_bytes(), URL, false).into())),
    )
    .categories(ENCODING),
    function(
        "base64url.decode(x: string) => y: string",
        "Reads a string written in base64 for URLs, padded or not.",
        decode_url,
    )
    .categories(ENCODING),
];

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

fn decoded(text: &str, alphabet: Alphabet) -> Outcome {
    Ok(Some(String::from_utf8_lossy(&bytes(text, alphabet)?).into_owned().into()))
}

fn bytes(text: &str, alphabet: Alphabet) -> Result<Vec<u8>, BuiltinError> {
    decode(text, alphabet).map_err(|at| BuiltinError::failed(format!("illegal base64 data at input byte {at}")))
}

fn decode_url(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(String::from_utf8_lossy(&url_bytes(operands.string(0)?)?).into_owned().into()))
}

/// The bytes of padded base64 in the standard alphabet.
pub(super) fn standard_bytes(text: &str) -> Result<Vec<u8>, BuiltinError> {
    bytes(text, STANDARD)
}

/// The bytes of base64 for URLs, padded or not.
pub(super) fn url_bytes(text: &str) -> Result<Vec<u8>, BuiltinError> {
    let padding = match text.len() % 4 {
        _ if text.ends_with('=') => "",
        0 => "",
        2 => "==",
        3 => "=",
        _ => return Err(BuiltinError::failed(format!("illegal base64url string: {text}"))),
    };
    bytes(&format!("{text}{padding}"), URL)
}

/// The bytes of base64 in either alphabet, padded or not, as keys in JSON are written.
pub(super) fn any_bytes(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['+', '/']) { STANDARD } else { URL };
    let text = text.trim_end_matches('=');
    let padding = ["", "===", "==", "="][text.len() % 4];
    decode(&format!("{text}{padding}"), alphabet).ok()
}

/// Writes bytes in the standard alphabet, padded.
pub(super) fn spell(bytes: &[u8]) -> String {
    encode(bytes, STANDARD, true)
}

/// Writes bytes for URLs, without padding.
pub(super) fn spell_url(bytes: &[u8]) -> String {
    encode(bytes, URL, false)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn both_alphabets() {
        check("base64.encode", r#"["subjects?_d"]"#, r#""c3ViamVjdHM/X2Q=""#);
        check("base64.decode", r#"["c3ViamVjdHM/X2Q="]"#, r#""subjects?_d""#);
        check("base64.decode", r#"["aGVs\nbG8="]"#, r#""hello""#);
        check("base64.encode", r#"[""]"#, r#""""#);
        check("base64url.encode", r#"["subjects?_d"]"#, r#""c3ViamVjdHM_X2Q=""#);
        check("base64url.encode_no_pad", r#"["hello"]"#, r#""aGVsbG8""#);
        check("base64url.decode", r#"["aGVsbG8"]"#, r#""hello""#);
        check("base64url.decode", r#"["aGVsbG8="]"#, r#""hello""#);
        check("base64.is_valid", r#"["{'not':'base64'}"]"#, "false");
        check("base64.is_valid", "[1]", "false");
    }

    #[test]
    fn errors_tell_the_position() {
        check_error("base64.decode", r#"["aGVsbG8"]"#, "illegal base64 data at input byte 4");
        check_error("base64.decode", r#"["a*=="]"#, "illegal base64 data at input byte 1");
        check_error("base64.decode", r#"["aG=="]"#.replace("aG", "a").as_str(), "illegal base64 data at input byte 1");
        check_error("base64.decode", r#"["aGVsbG8=x"]"#, "illegal base64 data at input byte 8");
        check_error("base64url.decode", r#"["aGVsb"]"#, "illegal base64url string: aGVsb");
    }
}
