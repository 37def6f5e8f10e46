//! Single scalars.

use super::*;

fn json(text: &str) -> String {
    match resolve(text, Tag::Untyped).and_then(Scalar::into_value) {
        Ok(value) => crate::value::encode(&value),
        Err(error) => error,
    }
}

#[test]
fn numbers_are_those_of_yaml_1_1() {
    let table = [
        ("010", "8"),
        ("0o17", "15"),
        ("0x1F", "31"),
        ("0X1f", "31"),
        ("0b101", "5"),
        ("-0b101", "-5"),
        ("-010", "-8"),
        ("1_000", "1000"),
        ("0_10", "8"),
        ("0x_1", "1"),
        ("+12", "12"),
        ("-0", "0"),
        ("0", "0"),
        ("08", "8"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("123456789012345678901234", "1.2345678901234569e+23"),
        ("-18446744073709551616", "-18446744073709552000"),
        ("1.0", "1"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("1.", "1"),
        ("+1.5", "1.5"),
        ("007.5", "7.5"),
        ("1.e3", "1000"),
        ("1_0.5", "10.5"),
    ];
    for (text, expected) in table {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn what_looks_like_a_number_and_is_none_is_a_string() {
    for text in [
        "-",
        "+",
        ".",
        "1e",
        "1e+",
        "0x",
        "0o",
        "0b",
        "0b2",
        "0xZ",
        "1e400",
        "1.2.3",
        "--1",
        "+-1",
        "1:30",
        "0x+1",
        "2001-12-14",
        "12e03x",
        "1 000",
        "0x1p-2",
        "-_",
        "._",
        "e5",
        "０",
    ] {
        assert_eq!(json(text), format!("\"{text}\""));
    }
    assert_eq!(json(".inf"), "unsupported value: +Inf");
    assert_eq!(json("-.INF"), "unsupported value: -Inf");
    assert_eq!(json(".nan"), "unsupported value: NaN");
}

#[test]
fn words_are_those_of_yaml_1_1() {
    for text in ["y", "Y", "yes", "YES", "on", "On", "true", "TRUE"] {
        assert_eq!(json(text), "true");
    }
    for text in ["n", "No", "off", "OFF", "false"] {
        assert_eq!(json(text), "false");
    }
    for text in ["", "~", "null", "NULL"] {
        assert_eq!(json(text), "null");
    }
    for text in ["yEs", "tRue", "nULL", "oN"] {
        assert_eq!(json(text), format!("\"{text}\""));
    }
}

#[test]
fn keys_are_spelled_as_go_spells_them() {
    let key = |text: &str| resolve(text, Tag::Untyped).and_then(Scalar::into_key);
    let table = [
        ("y", "true"),
        ("off", "false"),
        ("010", "8"),
        ("1.50", "1.5"),
        ("1e6", "1e+06"),
        ("1.5e-7", "1.5e-07"),
        ("0.1", "0.1"),
        ("123456.5", "123456.5"),
        ("1234567.0", "1.234567e+06"),
        ("1e300", ".inf"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("12345678901234567890", "12345678901234567890"),
        ("text", "text"),
    ];
    for (text, expected) in table {
        assert_eq!(key(text).as_deref(), Ok(expected), "{text}");
    }
    assert!(key("~").is_err());
}

#[test]
fn tags_decide_or_complain() {
    assert_eq!(resolve("12", Tag::Str), Ok(Scalar::Text("12".into())));
    assert_eq!(resolve("yes", Tag::Bool), Ok(Scalar::Bool(true)));
    assert_eq!(resolve("3", Tag::Float), Ok(Scalar::Float(3_i64.into())));
    assert_eq!(resolve("aGk=", Tag::Binary), Ok(Scalar::Text("hi".into())));
    assert_eq!(resolve("aGkh\nYQ==", Tag::Binary), Ok(Scalar::Text("hi!a".into())));
    assert!(resolve("aGk", Tag::Binary).is_err() && resolve("====", Tag::Binary).is_err());
    assert_eq!(resolve("1.5", Tag::Int), Err("cannot decode !!float `1.5` as a !!int".into()));
    assert_eq!(resolve("x", Tag::Null), Err("cannot decode !!str `x` as a !!null".into()));
}
