//! What `!!binary` holds.

/// The text that base64 hides; bytes that are no UTF-8 are replaced.
pub(super) fn text(encoded: &str) -> Result<String, String> {
    let invalid = || "!!binary value contains invalid base64 data".to_owned();
    let symbols: Vec<u8> = encoded.bytes().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let padding = symbols.iter().rev().take_while(|b| **b == b'=').count();
    if !symbols.len().is_multiple_of(4) || padding > 2 {
        return Err(invalid());
    }
    let (mut bits, mut bytes) = (0_u32, Vec::with_capacity(symbols.len()));
    for (index, symbol) in symbols[..symbols.len() - padding].iter().enumerate() {
        bits = bits << 6 | u32::from(sextet(*symbol).ok_or_else(invalid)?);
        if index % 4 > 0 {
            let shift = 6 - 2 * (index % 4);
            bytes.push(u8::try_from(bits >> shift & 0xff).expect("masked to eight bits"));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn sextet(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol - b'A'),
        b'a'..=b'z' => Some(symbol - b'a' + 26),
        b'0'..=b'9' => Some(symbol - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
