//! JSON as text.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Object, Value, View, decode, encode, write_json, write_json_string};

use super::bounds;
use super::table::{Entry, function};
use crate::spelling::{quote, spell};

const ENCODING: &[&str] = &["encoding"];

pub(super) const TABLE: &[Entry] = &[
    function("json.marshal(x: any) => y: string", "Writes a value as JSON.", |operands, call| {
        bounds::written(operands.any(0), call.cancel)?;
        Ok(Some(encode(operands.any(0)).into()))
    })
    .categories(ENCODING),
    function(
        "json.marshal_with_options(x: any, opts: object<indent: string, prefix: string, pretty: boolean>[string: any]) => y: string",
        "Writes a value as JSON, on several lines if asked to.",
        marshal_with_options,
    )
    .categories(ENCODING),
    function("json.unmarshal(x: string) => y: any", "Reads a value from JSON.", unmarshal).categories(ENCODING),
    function("json.is_valid(x: string) => result: boolean", "Tells whether a string is JSON.", |operands, _| {
        Ok(Some(operands.any(0).as_str().is_some_and(|text| decode(text.as_bytes()).is_ok()).into()))
    })
    .categories(ENCODING),
];

fn unmarshal(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let value = decode(operands.string(0)?.as_bytes());
    Ok(Some(value.map_err(|error| BuiltinError::failed(error.to_string()))?))
}

/// How JSON is laid out on several lines.
struct Layout<'a> {
    prefix: &'a str,
    indent: &'a str,
}

fn marshal_with_options(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let value = operands.any(0);
    bounds::written(value, call.cancel)?;
    let Some(layout) = layout(operands.object(1)?)? else {
        return Ok(Some(encode(value).into()));
    };
    let mut out = layout.prefix.as_bytes().to_vec();
    layout.write(&mut out, value, 0);
    Ok(Some(String::from_utf8(out).expect("JSON of strings is UTF-8").into()))
}

/// The layout that the options ask for; none when all goes on one line.
fn layout(options: &Object) -> Result<Option<Layout<'_>>, BuiltinError> {
    let mut layout = Layout { prefix: "", indent: "\t" };
    let (mut explicit, mut implicit) = (None, false);
    for (index, (key, value)) in options.iter().enumerate() {
        let failed_cast = |key: &str, position: usize| {
            let found = value.type_name();
            let key = quote(key);
            let cause = format_args!("operand {position} must be string but got {found}");
            BuiltinError::operand(1, format_args!("key {key} failed cast to string: {cause}"))
        };
        match key.as_str() {
            Some("prefix") => {
                layout.prefix = value.as_str().ok_or_else(|| failed_cast("prefix", index))?;
                implicit = true;
            }
            Some("indent") => {
                layout.indent = value.as_str().ok_or_else(|| failed_cast("indent", index))?;
                implicit = true;
            }
            Some("pretty") => {
                let error = || BuiltinError::operand(1, "key \"pretty\" failed cast to bool");
                explicit = Some(value.as_bool().ok_or_else(error)?);
            }
            Some(other) => {
                return Err(BuiltinError::operand(1, format_args!("object contained unknown key {}", quote(other))));
            }
            None => {
                let (found, key) = (key.type_name(), spell(key));
                let cause = format_args!("operand {index} must be string but got {found}");
                let error = format_args!("failed to stringify key {key} at index {index}: {cause}");
                return Err(BuiltinError::operand(1, error));
            }
        }
    }
    Ok(explicit.unwrap_or(implicit).then_some(layout))
}

impl Layout<'_> {
    fn new_line(&self, out: &mut Vec<u8>, depth: usize) {
        out.push(b'\n');
        out.extend_from_slice(self.prefix.as_bytes());
        for _ in 0..depth {
            out.extend_from_slice(self.indent.as_bytes());
        }
    }

    fn write(&self, out: &mut Vec<u8>, value: &Value, depth: usize) {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.write_here(out, value, depth));
    }

    fn write_here(&self, out: &mut Vec<u8>, value: &Value, depth: usize) {
        match value.view() {
            View::Array(items) if !items.is_empty() => self.write_items(out, items.iter(), depth),
            View::Set(members) if !members.is_empty() => self.write_items(out, members.iter(), depth),
            View::Object(entries) if !entries.is_empty() => {
                let text = |key: &Value| key.as_str().map_or_else(|| encode(key), str::to_owned);
                let mut entries: Vec<_> = entries.iter().map(|(key, value)| (text(key), value)).collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                for (index, (key, value)) in entries.into_iter().enumerate() {
                    out.push(if index == 0 { b'{' } else { b',' });
                    self.new_line(out, depth + 1);
                    write_json_string(out, &key);
                    out.extend_from_slice(b": ");
                    self.write(out, value, depth + 1);
                }
                self.new_line(out, depth);
                out.push(b'}');
            }
            _ => write_json(out, value),
        }
    }

    fn write_items<'v>(&self, out: &mut Vec<u8>, items: impl Iterator<Item = &'v Value>, depth: usize) {
        for (index, item) in items.enumerate() {
            out.push(if index == 0 { b'[' } else { b',' });
            self.new_line(out, depth + 1);
            self.write(out, item, depth + 1);
        }
        self.new_line(out, depth);
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn values_are_written_and_read() {
        check("json.marshal", r#"[{"b": {"$set": [2, 1]}, "a": "<"}]"#, r#""{\"a\":\"\\u003c\",\"b\":[1,2]}""#);
        check("json.unmarshal", r#"["[{\"foo\":1.0}]"]"#, r#"[{"foo":1.0}]"#);
        check("json.is_valid", r#"["{"]"#, "false");
        check("json.is_valid", "[1]", "false");
        check("json.is_valid", r#"["{\"a\": 1} "]"#, "true");
        check_error("json.unmarshal", r#"["{"]"#, "unexpected EOF");
    }

    #[test]
    fn options_lay_it_out() {
        check("json.marshal_with_options", "[[1,[]], {}]", r#""[1,[]]""#);
        check("json.marshal_with_options", r#"[[1,[]], {"pretty": true}]"#, r#""[\n\t1,\n\t[]\n]""#);
        check("json.marshal_with_options", r#"[[1], {"pretty": false, "prefix": "NO!"}]"#, r#""[1]""#);
        check(
            "json.marshal_with_options",
            r#"[{"b": 1, "a": {"$set": [2]}}, {"prefix": ">", "indent": " "}]"#,
            r#""\u003e{\n\u003e \"a\": [\n\u003e  2\n\u003e ],\n\u003e \"b\": 1\n\u003e}""#,
        );
        check("json.marshal_with_options", r#"[[], {"indent": " ", "prefix": "---"}]"#, r#""---[]""#);
    }

    #[test]
    fn wrong_options_are_named() {
        check_error("json.marshal_with_options", r#"[1, {"x": 1}]"#, "operand 2 object contained unknown key \"x\"");
        check_error(
            "json.marshal_with_options",
            r#"[1, {"pretty": 1}]"#,
            "operand 2 key \"pretty\" failed cast to bool",
        );
        check_error(
            "json.marshal_with_options",
            r#"[1, {"indent": 1}]"#,
            "operand 2 key \"indent\" failed cast to string: operand 0 must be string but got number",
        );
    }
}
