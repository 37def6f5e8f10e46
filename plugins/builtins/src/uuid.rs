//! Universally unique identifiers.

use std::collections::HashMap;
use std::fmt::Write as _;

use regent_core::builtin::{Call, Operands, Outcome};
use regent_core::value::Value;

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "uuid.rfc4122(k: string) => output: string",
        "Makes a random identifier; the same for the same operand within a query.",
        rfc4122,
    )
    .nondeterministic(),
    function(
        "uuid.parse(uuid: string) => result: object[string: any]",
        "Gives what an identifier tells of itself; undefined if it is none.",
        parse,
    ),
];

/// Hundreds of nanoseconds between the beginning of the Gregorian calendar and 1970.
const GREGORIAN: i64 = 0x01b2_1dd2_1381_4000;

/// Identifiers made so far, by what Rego spells the key as.
#[derive(Default)]
struct Made(HashMap<String, String>);

#[expect(clippy::unnecessary_wraps, reason = "in the form of all functions")]
fn rfc4122(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let key = crate::spelling::spell(operands.any(0));
    let made = call.query.get::<Made>().0.entry(key).or_insert_with(|| {
        let mut bytes: [u8; 16] = rand::random();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (index, byte) in bytes.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            write!(text, "{byte:02x}").expect("a string takes all that is written to it");
        }
        text
    });
    Ok(Some(made.as_str().into()))
}

fn parse(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(bytes_of(operands.string(0)?).map(|bytes| describe(&bytes)))
}

/// Reads an identifier with hyphens, as an URN, in braces, or of digits only.
fn bytes_of(text: &str) -> Option<[u8; 16]> {
    if !text.is_ascii() {
        return None;
    }
    let hyphenated = match text.len() {
        36 => text,
        45 if text[..9].eq_ignore_ascii_case("urn:uuid:") => &text[9..],
        // Whatever stands in the place of the braces.
        38 => &text[1..37],
        32 => return from_digits(text),
        _ => return None,
    };
    let has_hyphens = [8, 13, 18, 23].iter().all(|at| hyphenated.as_bytes()[*at] == b'-');
    let digits: String = hyphenated.chars().filter(|c| *c != '-').collect();
    (has_hyphens && digits.len() == 32).then(|| from_digits(&digits)).flatten()
}

fn from_digits(digits: &str) -> Option<[u8; 16]> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

fn describe(bytes: &[u8; 16]) -> Value {
    let number =
        |range: std::ops::Range<usize>| bytes[range].iter().fold(0_i64, |all, byte| all << 8 | i64::from(*byte));
    let version = i64::from(bytes[6] >> 4);
    let variant = match bytes[8] {
        0..0x80 => "Reserved",
        0x80..0xc0 => "RFC4122",
        0xc0..0xe0 => "Microsoft",
        _ => "Future",
    };
    let mut fields = vec![("version", Value::from(version)), ("variant", variant.into())];
    if matches!(version, 1 | 2) {
        let ticks = number(0..4) | number(4..6) << 32 | (number(6..8) & 0xfff) << 48;
        let node: Vec<String> = bytes[10..].iter().map(|byte| format!("{byte:02x}")).collect();
        let scope = match bytes[10] & 3 {
            3 => "local:multicast",
            1 => "global:multicast",
            2 => "local:unicast",
            _ => "global:unicast",
        };
        fields.push(("time", (ticks - GREGORIAN).wrapping_mul(100).into()));
        fields.push(("nodeid", node.join("-").into()));
        fields.push(("macvariables", scope.into()));
        fields.push(("clocksequence", (number(8..10) & 0x3fff).into()));
    }
    if version == 2 {
        let domain = match bytes[9] {
            0 => "Person".to_owned(),
            1 => "Group".to_owned(),
            2 => "Org".to_owned(),
            other => format!("Domain{other}"),
        };
        fields.push(("id", number(0..4).into()));
        fields.push(("domain", domain.into()));
    }
    Value::object(fields)
}

#[cfg(test)]
mod tests {
    use regent_core::value::Value;

    use super::super::testing::{Query, check, check_undefined};

    #[test]
    fn a_query_makes_one_for_each_key() {
        let mut query = Query::new(Value::default());
        let first = query.call("uuid.rfc4122", r#"["a"]"#).expect("works").expect("is defined");
        assert_eq!(query.call("uuid.rfc4122", r#"["a"]"#), Ok(Some(first.clone())));
        assert_ne!(query.call("uuid.rfc4122", r#"["b"]"#), Ok(Some(first.clone())));
        let described = query.call("uuid.parse", &format!("[{first}]")).expect("works").expect("is defined");
        assert_eq!(described.to_string(), r#"{"variant":"RFC4122","version":4}"#);
    }

    #[test]
    fn identifiers_tell_of_themselves() {
        let second = r#"{"clocksequence":12800,"domain":"Person","id":1000,"macvariables":"local:unicast","nodeid":"32-50-96-b3-9f-47","time":1693566990121469600,"variant":"RFC4122","version":2}"#;
        check("uuid.parse", r#"["000003e8-48b9-21ee-b200-325096b39f47"]"#, second);
        check("uuid.parse", r#"["urn:uuid:000003e8-48b9-21ee-b200-325096b39f47"]"#, second);
        check("uuid.parse", r#"["{00000000-0000-4000-8000-000000000000}"]"#, r#"{"variant":"RFC4122","version":4}"#);
        check("uuid.parse", r#"["6bea8ef2d3d33cd184e09bab06a52ece"]"#, r#"{"variant":"RFC4122","version":3}"#);
        check_undefined("uuid.parse", r#"["00000000-0000-4000-8000-00000000000"]"#);
        check_undefined("uuid.parse", r#"["0000000000000-4000-8000-00000000000-"]"#);
    }
}
