//! One event as text.

use super::{Entry, Format, Layout, Level};
use crate::value::{Value, decode, encode, encode_pretty};

pub(super) fn render(entry: &Entry, format: Format, layout: &Layout) -> Vec<u8> {
    let mut line = match format {
        Format::Json => encode(&object(entry, layout)),
        Format::JsonPretty => encode_pretty(&object(entry, layout)),
        Format::Text => text(entry),
    };
    line.push('\n');
    line.into_bytes()
}

fn object(entry: &Entry, layout: &Layout) -> Value {
    // A field that has the name of one of the three is moved aside, as OPA's logger does.
    let named = |(name, value): (&String, &Value)| {
        let reserved = matches!(name.as_str(), "level" | "msg" | "time");
        (if reserved { format!("fields.{name}") } else { name.clone() }, value.clone())
    };
    let own = [
        ("level".to_owned(), Value::from(level(entry.level))),
        ("msg".to_owned(), Value::from(&entry.message)),
        ("time".to_owned(), Value::from(layout.now())),
    ];
    Value::object(entry.fields.iter().map(named).chain(own))
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
    }
}

fn text(entry: &Entry) -> String {
    use std::fmt::Write as _;
    let mut out = format!("[{}] {}\n", level(entry.level).to_uppercase(), entry.message);
    for (name, value) in &entry.fields {
        let shown = field(value);
        let _ = if shown.contains('\n') {
            writeln!(out, "  {name} = |\n      {}", shown.replace('\n', "\n      "))
        } else {
            writeln!(out, "  {name} = {shown}")
        };
    }
    out
}

fn field(value: &Value) -> String {
    match value.as_str() {
        Some(text) if text.contains('\n') => text.to_owned(),
        Some(text) => decode(text.as_bytes()).map_or_else(|_| encode(value), |json| encode_pretty(&json)),
        None => encode_pretty(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let fields = [("b", Value::from(1_i64)), ("a", Value::from("x\ny")), ("time", Value::from("noon"))];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Entry { level: Level::Warn, message: "Careful.".to_owned(), fields: fields.into_iter().collect() }
    }

    #[test]
    fn json_is_one_line_with_sorted_keys() {
        let layout: Layout = "at".parse().expect("a layout");
        let line = String::from_utf8(render(&entry(), Format::Json, &layout)).expect("text");
        let expected = r#"{"a":"x\ny","b":1,"fields.time":"noon","level":"warning","msg":"Careful.","time":"at"}"#;
        assert_eq!(line, format!("{expected}\n"));
    }

    #[test]
    fn text_is_for_people() {
        let line = String::from_utf8(render(&entry(), Format::Text, &Layout::default())).expect("text");
        assert_eq!(line, "[WARNING] Careful.\n  a = |\n      x\n      y\n  b = 1\n  time = \"noon\"\n\n");
    }
}
