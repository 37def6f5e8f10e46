//! Query strings of URLs.

use std::collections::BTreeMap;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View, encode as to_json};

use super::table::{Entry, function};
use crate::spelling::quote;

const ENCODING: &[&str] = &["encoding"];

pub(super) const TABLE: &[Entry] = &[
    function("urlquery.encode(x: string) => y: string", "Escapes a string for a query string.", |operands, _| {
        Ok(Some(escape(operands.string(0)?).into()))
    })
    .categories(ENCODING),
    function("urlquery.decode(x: string) => y: string", "Reads a string out of a query string.", |operands, _| {
        Ok(Some(unescape(operands.string(0)?).map_err(BuiltinError::failed)?.into()))
    })
    .categories(ENCODING),
    function(
        "urlquery.encode_object(object: object[string: any<string, array[string], set[string]>]) => y: string",
        "Writes an object as a query string.",
        encode_object,
    )
    .categories(ENCODING),
    function(
        "urlquery.decode_object(x: string) => object: object[string: array[string]]",
        "Reads a query string into an object.",
        decode_object,
    )
    .categories(ENCODING),
];

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
            }
        }
    }
    out
}

fn unescape(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits = bytes.get(at + 1..at + 3).map(|pair| pair.iter().map(|b| char::from(*b).to_digit(16)));
                let byte = digits.and_then(std::iter::Iterator::collect::<Option<Vec<_>>>);
                let Some([high, low]) = byte.as_deref() else {
                    let wrong = String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 3)]);
                    return Err(format!("invalid URL escape {}", quote(&wrong)));
                };
                out.push(u8::try_from(high << 4 | low).expect("eight bits"));
                at += 2;
            }
            b'+' => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn encode_object(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let wrong = || BuiltinError::operand(0, "values must be string, array[string], or set[string]");
    let mut query: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, value) in operands.object(0)? {
        let key = key.as_str().map_or_else(|| to_json(key), str::to_owned);
        let text = |item: &'_ Value| item.as_str().map(|_| ()).ok_or_else(wrong);
        let values: Vec<&str> = match value.view() {
            View::String(only) => vec![only],
            View::Array(items) => {
                items.iter().try_for_each(text)?;
                items.iter().filter_map(Value::as_str).collect()
            }
            View::Set(members) => {
                members.iter().try_for_each(text)?;
                members.iter().filter_map(Value::as_str).collect()
            }
            _ => return Err(wrong()),
        };
        query.entry(key).or_default().extend(values);
    }
    let pairs = query.iter().flat_map(|(key, values)| {
        let key = escape(key);
        values.iter().map(move |value| format!("{key}={}", escape(value)))
    });
    Ok(Some(pairs.collect::<Vec<_>>().join("&").into()))
}

fn decode_object(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut failure = None;
    // All is read before the first failure is reported, as in Go, though nothing of it is kept then.
    for pair in operands.string(0)?.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            failure.get_or_insert_with(|| "invalid semicolon separator in query".to_owned());
            continue;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match unescape(key).and_then(|key| Ok((key, unescape(value)?))) {
            Ok((key, value)) => parameters.entry(key).or_default().push(value),
            Err(error) => {
                failure.get_or_insert(error);
            }
        }
    }
    match failure {
        Some(error) => Err(BuiltinError::failed(error)),
        None => Ok(Some(Value::object(parameters))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn strings() {
        check("urlquery.encode", r#"["a=b+1 ö~"]"#, r#""a%3Db%2B1+%C3%B6~""#);
        check("urlquery.decode", r#"["a%3Db%2b1+%C3%B6"]"#, r#""a=b+1 ö""#);
        check_error("urlquery.decode", r#"["a%3"]"#, "invalid URL escape \"%3\"");
        check_error("urlquery.decode", r#"["a%zzx"]"#, "invalid URL escape \"%zz\"");
    }

    #[test]
    fn objects() {
        check(
            "urlquery.encode_object",
            r#"[{"b": "1", "a": ["b+1", "c"], "c": {"$set": ["x"]}}]"#,
            r#""a=b%2B1\u0026a=c\u0026b=1\u0026c=x""#,
        );
        check("urlquery.decode_object", r#"["a=1&b&a=2&&=x"]"#, r#"{"":["x"],"a":["1","2"],"b":[""]}"#);
        check("urlquery.decode_object", r#"[""]"#, "{}");
        check_error("urlquery.decode_object", r#"["a;b"]"#, "invalid semicolon separator in query");
        check_error(
            "urlquery.encode_object",
            r#"[{"a": 1}]"#,
            "operand 1 values must be string, array[string], or set[string]",
        );
    }
}
