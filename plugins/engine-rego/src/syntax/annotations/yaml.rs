//! YAML with the spelling of its scalars, because a text such as `yes` or `1.10` means what the field wants it to mean.

use regent_core::Value;
use regent_core::value::Number;
use saphyr_parser::{Event, Parser, ScalarStyle};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 100;

/// A part of a document and the line it begins on.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) line: usize,
}

/// What a part is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// The text, and whether it stands without quotes and tags.
    Scalar(String, bool),
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Why a document cannot be read.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    /// The line it speaks of, counted from 1.
    pub(super) line: Option<usize>,
}

/// Reads the first document.
pub(super) fn read(text: &str) -> Result<Node, Failure> {
    // The words for what is wrong are those of the reader of configuration files.
    if let Err(error) = regent_core::yaml::parse(text) {
        return Err(Failure { message: error.to_string(), line: Some(error.line) });
    }
    let mut parser = Parser::new_from_str(text);
    let broken =
        |message: &str, line: usize| Failure { message: format!("yaml: line {line}: {message}"), line: Some(line) };
    let mut stack: Vec<(Node, Vec<Node>)> = Vec::new();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| broken(error.info(), error.marker().line()))?;
        let line = span.start.line();
        let done = match event {
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                Node { kind: Kind::Scalar(text.into_owned(), plain), line }
            }
            Event::Alias(_) => return Err(broken("aliases are not supported in annotations", line)),
            Event::SequenceStart(..) if stack.len() < MAX_DEPTH => {
                stack.push((Node { kind: Kind::Seq(Vec::new()), line }, Vec::new()));
                continue;
            }
            Event::MappingStart(..) if stack.len() < MAX_DEPTH => {
                stack.push((Node { kind: Kind::Map(Vec::new()), line }, Vec::new()));
                continue;
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => return Err(broken("exceeded max depth", line)),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((node, items)) = stack.pop() else { continue };
                close(&node, items)
            }
            _ => continue,
        };
        match stack.last_mut() {
            Some((_, items)) => items.push(done),
            None => return Ok(done),
        }
    }
    Ok(Node { kind: Kind::Scalar(String::new(), true), line: 1 })
}

fn close(node: &Node, items: Vec<Node>) -> Node {
    let line = node.line;
    if matches!(node.kind, Kind::Seq(_)) {
        return Node { kind: Kind::Seq(items), line };
    }
    let mut entries = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        entries.push((key, value));
    }
    Node { kind: Kind::Map(entries), line }
}

impl Node {
    /// Whether nothing is there, or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(text, true) if is_null(text))
    }

    /// The tag that errors name, with the text of a scalar.
    pub(super) fn described(&self) -> String {
        match &self.kind {
            Kind::Seq(_) => "!!seq".into(),
            Kind::Map(_) => "!!map".into(),
            Kind::Scalar(text, _) => {
                let tag = match self.value() {
                    value if value.as_bool().is_some() => "!!bool",
                    value if value.as_number().is_some_and(|number| number.as_i64().is_some()) => "!!int",
                    value if value.as_number().is_some() => "!!float",
                    value if value.as_str().is_some() => "!!str",
                    _ => "!!null",
                };
                let shown =
                    if text.len() > 10 { format!("{}...", text.get(..7).unwrap_or(text)) } else { text.clone() };
                format!("{tag} `{shown}`")
            }
        }
    }

    /// The value it has where nothing tells its type.
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(text, true) => plain(text),
            Kind::Scalar(text, false) => Value::from(&**text),
            Kind::Seq(items) => Value::array(items.iter().map(Node::value)),
            Kind::Map(entries) => Value::object(entries.iter().map(|(key, value)| (key.text(), value.value()))),
        }
    }

    /// The text of a scalar, whatever it means.
    pub(super) fn text(&self) -> String {
        match &self.kind {
            Kind::Scalar(text, _) => text.clone(),
            _ => String::new(),
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn plain(text: &str) -> Value {
    match text {
        _ if is_null(text) => Value::default(),
        "true" | "True" | "TRUE" => Value::from(true),
        "false" | "False" | "FALSE" => Value::from(false),
        _ => integer(text).or_else(|| float(text)).unwrap_or_else(|| Value::from(text)),
    }
}

/// An integer in any of the bases that Go's YAML knows.
fn integer(text: &str) -> Option<Value> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == '-' || first == '+') {
        return None;
    }
    let text = text.replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok().map(Value::from)
}

fn float(text: &str) -> Option<Value> {
    let text = text.replace('_', "");
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let shown = if number == 0.0 || (1e-4..1e21).contains(&number.abs()) {
        format!("{number}")
    } else {
        let shown = format!("{number:e}");
        let (mantissa, exponent) = shown.split_once('e')?;
        let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
        format!("{mantissa}e{sign}{digits:0>2}")
    };
    Number::parse(&shown).ok().map(Value::from)
}
