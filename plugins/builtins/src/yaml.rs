//! YAML as text.

mod plain;
mod scalar;
mod writer;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::yaml;

use super::bounds;
use super::table::{Entry, function};

const ENCODING: &[&str] = &["encoding"];

pub(super) const TABLE: &[Entry] = &[
    function("yaml.marshal(x: any) => y: string", "Writes a value as YAML.", |operands, call| {
        bounds::written(operands.any(0), call.cancel)?;
        Ok(Some(writer::write(operands.any(0)).into()))
    })
    .categories(ENCODING),
    function("yaml.unmarshal(x: string) => y: any", "Reads a value from YAML.", unmarshal).categories(ENCODING),
    function("yaml.is_valid(x: string) => result: boolean", "Tells whether a string is YAML.", |operands, _| {
        Ok(Some(operands.any(0).as_str().is_some_and(|text| yaml::parse(text).is_ok()).into()))
    })
    .categories(ENCODING),
];

fn unmarshal(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (value, _) = yaml::parse(operands.string(0)?).map_err(|error| BuiltinError::failed(error.to_string()))?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    fn writes(value: &str, expected: &str) {
        let expected = regent_core::value::encode(&expected.into());
        check("yaml.marshal", &format!("[{value}]"), &expected);
        check("yaml.is_valid", &format!("[{expected}]"), "true");
    }

    #[test]
    fn collections() {
        writes(
            r#"{"b": [1, {"c": [], "d": {}}, [2, [3]]], "a": {"x": null, "w": true}}"#,
            "a:\n  w: true\n  x: null\nb:\n- 1\n- c: []\n  d: {}\n- - 2\n  - - 3\n",
        );
        writes(r#"[{"foo": {"$set": [1, 2]}}]"#, "- foo:\n  - 1\n  - 2\n");
        writes("[]", "[]\n");
        writes("{}", "{}\n");
        writes(r#"{"a10": 1, "a2": 2, "B": 3, "_": 4, "1": 5}"#, "_: 4\n\"1\": 5\nB: 3\na2: 2\na10: 1\n");
    }

    #[test]
    fn numbers() {
        writes(
            "[1, -2, 1.5, 1.0, 1e3, 1234567.5, 1e-7, 123456789123456789123]",
            "- 1\n- -2\n- 1.5\n- 1\n- 1000\n- 1.2345675e+06\n- 1e-07\n- 1.234567891234568e+20\n",
        );
    }

    #[test]
    fn strings_are_quoted_where_they_would_be_taken_for_something_else() {
        for (text, expected) in [
            ("abc", "abc"),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("null", "\"null\""),
            ("012", "\"012\""),
            ("1_000", "\"1_000\""),
            ("1:30", "\"1:30\""),
            ("1e3", "\"1e3\""),
            (".5", "\".5\""),
            ("2001-01-02", "\"2001-01-02\""),
            ("0x1f", "\"0x1f\""),
            ("1.2.3", "1.2.3"),
            ("a: b", "'a: b'"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            ("a #b", "'a #b'"),
            ("a#b", "a#b"),
            ("[a", "'[a'"),
            ("'a", "'''a'"),
            (" a", "' a'"),
            ("é ö", "é ö"),
            ("<a>&", "<a>&"),
        ] {
            let value = regent_core::value::encode(&text.into());
            writes(&value, &format!("{expected}\n"));
        }
        writes(r#"["a\tb", "😀", "a\u0000\"\\"]"#, "- \"a\\tb\"\n- \"\\U0001F600\"\n- \"a\\0\\\"\\\\\"\n");
    }

    #[test]
    fn lines() {
        writes(
            r#"{"a": "x\ny", "b": "x\ny\n", "c": "x\n\n", "d": " x\ny"}"#,
            "a: |-\n  x\n  y\nb: |\n  x\n  y\nc: |+\n  x\n\nd: |2-\n   x\n  y\n",
        );
        writes(r#"["x \ny", "x\ny "]"#, "- \"x \\ny\"\n- \"x\\ny \"\n");
        let long = "word ".repeat(20) + "end";
        let (first, rest) = long.split_at(79);
        writes(&format!("{{\"a\": \"{long}\"}}"), &format!("a: {first}\n  {}\n", rest.trim_start()));
    }

    #[test]
    fn yaml_is_read() {
        check("yaml.unmarshal", r#"["a: [1, yes]\nb: 1.0"]"#, r#"{"a":[1,true],"b":1}"#);
        check("yaml.is_valid", r#"["a: ["]"#, "false");
        check("yaml.is_valid", "[1]", "false");
    }
}
