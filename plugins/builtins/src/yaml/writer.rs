//! Writing YAML as Go's libraries do: blocks, indented by two, lists not indented below keys, sorted keys.

use std::cmp::Ordering;
use std::fmt::Write as _;

use regent_core::value::{Number, Value, View, encode};

use super::plain;
use super::scalar::{self, Style};

/// The column after which a line is broken at the next space.
const WIDTH: usize = 80;
/// Keys that are longer stand on a line of their own.
const MAX_SIMPLE_KEY: usize = 128;

/// The value as a document.
pub(super) fn write(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), line: 0, fresh: true };
    writer.node(value, None, false);
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    writer.out
}

struct Writer {
    out: String,
    /// Where the current line begins.
    line: usize,
    /// Whether the line has nothing but indentation and list markers so far.
    fresh: bool,
}

/// Continuation lines are indented further than what they belong to.
fn deeper(indent: Option<usize>) -> usize {
    indent.map_or(0, |indent| indent + 2)
}

impl Writer {
    fn column(&self) -> usize {
        self.out[self.line..].chars().count()
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.fresh = false;
    }

    fn break_line(&mut self) {
        self.out.push('\n');
        self.line = self.out.len();
    }

    /// Goes to the column on a fresh line: this one, if it is fresh and not beyond.
    fn indent(&mut self, indent: usize) {
        if !self.fresh || self.column() > indent {
            self.break_line();
        }
        let lack = indent.saturating_sub(self.column());
        self.out.extend(std::iter::repeat_n(' ', lack));
        self.fresh = true;
    }

    fn node(&mut self, value: &Value, indent: Option<usize>, below_key: bool) {
        stacker::maybe_grow(64 << 10, 1 << 20, || match value.view() {
            View::Array(items) if !items.is_empty() => self.list(items.iter(), indent, below_key),
            View::Set(members) if !members.is_empty() => self.list(members.iter(), indent, below_key),
            View::Object(entries) if !entries.is_empty() => self.mapping(value, indent),
            _ => {
                if !(self.out.is_empty() || self.out.ends_with(' ')) {
                    self.out.push(' ');
                }
                self.scalar(value, indent);
            }
        });
    }

    fn list<'a>(&mut self, items: impl Iterator<Item = &'a Value>, indent: Option<usize>, below_key: bool) {
        let indent = if below_key { indent.unwrap_or(0) } else { deeper(indent) };
        for item in items {
            self.indent(indent);
            self.out.push_str("- ");
            self.node(item, Some(indent), false);
        }
    }

    fn mapping(&mut self, value: &Value, indent: Option<usize>) {
        let indent = deeper(indent);
        let text = |key: &Value| key.as_str().map_or_else(|| encode(key), str::to_owned);
        let entries = value.as_object().map(regent_core::value::Object::iter).into_iter().flatten();
        let mut entries: Vec<_> = entries.map(|(key, value)| (text(key), value)).collect();
        entries.sort_by(|a, b| naturally(&a.0, &b.0));
        for (key, value) in entries {
            self.indent(indent);
            if key.len() > MAX_SIMPLE_KEY || key.contains('\n') {
                self.out.push_str("? ");
                self.text(&key, Some(indent), false);
                self.indent(indent);
                self.put(":");
            } else {
                self.text(&key, Some(indent), true);
                self.put(":");
            }
            self.node(value, Some(indent), true);
        }
    }

    fn scalar(&mut self, value: &Value, indent: Option<usize>) {
        match value.view() {
            View::Null => self.put("null"),
            View::Bool(truth) => self.put(if truth { "true" } else { "false" }),
            View::Number(number) => self.put(&number_text(&number)),
            View::String(text) => self.text(text, indent, false),
            View::Object(_) => self.put("{}"),
            View::Array(_) | View::Set(_) => self.put("[]"),
        }
    }

    fn text(&mut self, text: &str, indent: Option<usize>, key: bool) {
        let wanted = if text.contains('\n') {
            Style::Literal
        } else if plain::is_string(text) {
            Style::Plain
        } else {
            Style::Double
        };
        let indent = indent.map_or(2, |indent| indent + 2);
        match scalar::choose(text, wanted, key) {
            Style::Plain => self.folded(text, indent, key, false),
            Style::Single => {
                self.put("'");
                self.folded(text, indent, key, true);
                self.put("'");
            }
            Style::Double => self.double(text, indent, key),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// Text that may go on in the next line wherever a single space is.
    fn folded(&mut self, text: &str, indent: usize, key: bool, quoted: bool) {
        let mut characters = text.char_indices().peekable();
        let mut after_space = false;
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let inside = !quoted || at > 0 && next.is_some();
            if character == ' ' && !key && !after_space && inside && next != Some(' ') && self.column() > WIDTH {
                self.break_line();
                self.out.extend(std::iter::repeat_n(' ', indent));
            } else {
                if quoted && character == '\'' {
                    self.out.push('\'');
                }
                self.out.push(character);
            }
            after_space = character == ' ';
        }
        self.fresh = false;
    }

    fn double(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let mut characters = text.char_indices().peekable();
        let mut after_space = false;
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if character == ' ' && !key && !after_space && at > 0 && next.is_some() && self.column() > WIDTH {
                self.break_line();
                self.out.extend(std::iter::repeat_n(' ', indent));
                if next == Some(' ') {
                    self.out.push('\\');
                }
            } else if character == ' ' || scalar::is_printable(character) && !escapes(character) {
                self.out.push(character);
            } else {
                self.escape(character);
            }
            after_space = character == ' ';
        }
        self.put("\"");
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => "",
        };
        self.out.push_str(short);
        if short.is_empty() {
            let code = u32::from(character);
            let written = match code {
                0..0x100 => write!(self.out, "\\x{code:02X}"),
                0x100..0x1_0000 => write!(self.out, "\\u{code:04X}"),
                _ => write!(self.out, "\\U{code:08X}"),
            };
            written.expect("a string takes all that is written to it");
        }
    }

    /// Text line by line, behind a mark that tells of spaces at its beginning and of line breaks at its end.
    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with(|c: char| c == ' ' || scalar::is_break(c)) {
            self.put("2");
        }
        let mut from_end = text.chars().rev();
        if !from_end.next().is_some_and(scalar::is_break) {
            self.put("-");
        } else if from_end.next().is_none_or(scalar::is_break) {
            self.put("+");
        }
        self.break_line();
        let body = text.strip_suffix('\n');
        for (index, line) in body.unwrap_or(text).split('\n').enumerate() {
            if index > 0 {
                self.break_line();
            }
            if !line.is_empty() {
                self.out.extend(std::iter::repeat_n(' ', indent));
                self.out.push_str(line);
            }
        }
        self.fresh = false;
        if body.is_some() {
            self.break_line();
            self.fresh = true;
        }
    }
}

fn escapes(character: char) -> bool {
    matches!(character, '"' | '\\') || scalar::is_break(character)
}

/// Integers of 64 bits as they are; anything else goes through a float, as when Go reads JSON as YAML.
fn number_text(number: &Number) -> String {
    let literal = number.to_literal();
    if literal.parse::<i64>().is_ok() || literal.parse::<u64>().is_ok() {
        return literal.into_owned();
    }
    let float = number.as_f64();
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    crate::sprintf::shortest(float)
}

/// Letters after anything else, and numbers in texts by their value.
fn naturally(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else {
        return a.len().cmp(&b.len());
    };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at].cmp(&b[at]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero within a number counts, one in front of it does not.
    let digits_before = a[..at].iter().rev().take_while(|c| c.is_ascii_digit());
    let within = (a[at] == '0' || b[at] == '0') && digits_before.into_iter().any(|c| *c != '0');
    let number = |text: &[char]| {
        let digits = text[at..].iter().map_while(|c| c.to_digit(10));
        let count = digits.clone().count();
        let start = i64::from(within);
        (digits.fold(start, |number, digit| number.wrapping_mul(10).wrapping_add(digit.into())), count)
    };
    number(&a).cmp(&number(&b)).then_with(|| a[at].cmp(&b[at]))
}
