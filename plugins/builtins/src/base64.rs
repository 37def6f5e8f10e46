//! Base64, in both alphabets.

use regent_core::builtin::Outcome;

pub(super) use regent_signing::base64::{spell, spell_url, spell_url_padded, standard_bytes, url_bytes};

use super::table::{Entry, function};

const ENCODING: &[&str] = &["encoding"];

pub(super) const TABLE: &[Entry] = &[
    function("base64.encode(x: string) => y: string", "Writes a string in base64.", |operands, _| {
        Ok(Some(spell(operands.string(0)?.as_bytes()).into()))
    })
    .categories(ENCODING),
    function("base64.decode(x: string) => y: string", "Reads a string written in base64.", |operands, _| {
        decoded(&standard_bytes(operands.string(0)?)?)
    })
    .categories(ENCODING),
    function("base64.is_valid(x: string) => result: boolean", "Tells whether a string is base64.", |operands, _| {
        Ok(Some(operands.any(0).as_str().is_some_and(|text| standard_bytes(text).is_ok()).into()))
    })
    .categories(ENCODING),
    function("base64url.encode(x: string) => y: string", "Writes a string in base64 for URLs.", |operands, _| {
        Ok(Some(spell_url_padded(operands.string(0)?.as_bytes()).into()))
    })
    .categories(ENCODING),
    function(
        "base64url.encode_no_pad(x: string) => y: string",
        "Writes a string in base64 for URLs, without padding.",
        |operands, _| Ok(Some(spell_url(operands.string(0)?.as_bytes()).into())),
    )
    .categories(ENCODING),
    function(
        "base64url.decode(x: string) => y: string",
        "Reads a string written in base64 for URLs, padded or not.",
        |operands, _| decoded(&url_bytes(operands.string(0)?)?),
    )
    .categories(ENCODING),
];

fn decoded(bytes: &[u8]) -> Outcome {
    Ok(Some(String::from_utf8_lossy(bytes).into_owned().into()))
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
