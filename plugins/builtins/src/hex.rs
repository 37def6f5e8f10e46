//! Hexadecimal.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};

pub(super) use regent_signing::hex::spell;

use super::table::{Entry, function};

const ENCODING: &[&str] = &["encoding"];

pub(super) const TABLE: &[Entry] = &[
    function("hex.encode(x: string) => y: string", "Writes the bytes of a string in hexadecimal.", encode)
        .categories(ENCODING),
    function("hex.decode(x: string) => y: string", "Reads a string written in hexadecimal.", decode)
        .categories(ENCODING),
];

fn encode(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(spell(operands.string(0)?.as_bytes()).into()))
}

fn decode(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let text = operands.string(0)?.as_bytes();
    let digit = |byte: u8| {
        let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digit.ok_or_else(|| BuiltinError::failed(invalid(byte)))
    };
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut pairs = text.chunks_exact(2);
    for pair in &mut pairs {
        out.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    if let [last] = pairs.remainder() {
        digit(*last)?;
        return Err(BuiltinError::failed("encoding/hex: odd length hex string"));
    }
    Ok(Some(String::from_utf8_lossy(&out).into_owned().into()))
}

fn invalid(byte: u8) -> String {
    let character = char::from(byte);
    let mut quoted = String::new();
    crate::spelling::quote_into(
        &mut quoted,
        character.encode_utf8(&mut [0; 4]),
        '\'',
        crate::spelling::Charset::Printable,
    );
    // Go shows no picture of what cannot be printed.
    if crate::spelling::is_printable(character) {
        format!("encoding/hex: invalid byte: U+{byte:04X} {quoted}")
    } else {
        format!("encoding/hex: invalid byte: U+{byte:04X}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn bytes_go_there_and_back() {
        check("hex.encode", r#"["lö"]"#, r#""6cc3b6""#);
        check("hex.decode", r#"["6CC3b6"]"#, r#""lö""#);
        check_error("hex.decode", r#"["fghijkl"]"#, "encoding/hex: invalid byte: U+0067 'g'");
        check_error("hex.decode", r#"["abc"]"#, "encoding/hex: odd length hex string");
    }
}
