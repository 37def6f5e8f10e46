//! JSON in, as tolerant as OPA's reader and with its words for what is wrong.
//!
//! Own code rather than serde's, because clients see its behaviour: the spelling of numbers survives, of doubled keys
//! the last wins, broken UTF-8 and lone surrogates become U+FFFD, and the texts of errors reach the client.

mod scan;
mod shared;

use std::borrow::Cow;

use smallvec::SmallVec;

use super::text::Short;
use super::{Number, Repr, Value};
use shared::Shared;

/// Deepest nesting of arrays and objects. OPA takes ten times as much; whoever walks a value does so on the stack, though,
/// and a stack that overflows ends the process.
const MAX_DEPTH: usize = 1_000;

/// Keys and values of unfinished objects and arrays that are held without an allocation.
const USUAL: usize = 8;

/// Why a text is not JSON, in the words that OPA's clients know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There is nothing but white space.
    #[error("EOF")]
    Empty,
    /// The text ends within a value.
    #[error("unexpected EOF")]
    Truncated,
    /// A character is out of place.
    #[error("invalid character {character} {context}")]
    Syntax {
        /// The character in quotes.
        character: String,
        /// Where it stands, for example `looking for beginning of value`.
        context: String,
        /// Its position in bytes.
        offset: usize,
    },
    /// Arrays and objects are nested too deeply.
    #[error("exceeded max depth")]
    Depth,
}

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// When the bytes are not one JSON value.
pub fn decode(json: &[u8]) -> Result<Value, DecodeError> {
    let (value, end) = decode_prefix(json)?;
    let mut rest = Reader { at: end, ..Reader::new(json) };
    match rest.skip_space() {
        None => Ok(value),
        Some(_) => Err(rest.unexpected("after top-level value")),
    }
}

/// Reads the JSON value that the bytes begin with; gives it and the position behind it.
///
/// # Errors
/// When the bytes do not begin with a JSON value.
pub fn decode_prefix(json: &[u8]) -> Result<(Value, usize), DecodeError> {
    let mut reader = Reader::new(json);
    if reader.skip_space().is_none() {
        return Err(DecodeError::Empty);
    }
    let value = reader.value()?;
    Ok((value, reader.at))
}

/// A document whose outermost object, if it is one, is taken apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Parted {
    /// The names and values of the object's fields, as they stand in the text: in its order, and with doubles.
    Fields(SmallVec<[(Value, Value); 2]>),
    /// Another document.
    Whole(Value),
}

/// As [`decode_prefix`], for whoever wants the fields of an object and not the object.
///
/// # Errors
/// When the bytes do not begin with a JSON value.
pub fn decode_fields(json: &[u8]) -> Result<Parted, DecodeError> {
    let mut reader = Reader::new(json);
    match reader.skip_space() {
        None => Err(DecodeError::Empty),
        Some(b'{') => {
            reader.nested(Reader::entries)?;
            Ok(Parted::Fields(reader.keys.drain(..).zip(reader.values.drain(..)).collect()))
        }
        Some(_) => reader.value().map(Parted::Whole),
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    depth: usize,
    shared: Shared,
    /// The keys and values of the objects and arrays being read, one behind the other.
    keys: SmallVec<[Value; USUAL]>,
    values: SmallVec<[Value; USUAL]>,
}

impl<'a> Reader<'a> {
    fn new(json: &'a [u8]) -> Self {
        Self { json, at: 0, depth: 0, shared: Shared::new(json.len()), keys: SmallVec::new(), values: SmallVec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn skip_space(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn unexpected(&self, context: impl Into<String>) -> DecodeError {
        let Some(byte) = self.peek() else {
            return DecodeError::Truncated;
        };
        let character = match byte {
            b'\'' => r"'\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            b'\n' => r"'\n'".to_owned(),
            b'\r' => r"'\r'".to_owned(),
            b'\t' => r"'\t'".to_owned(),
            0..0x20 | 0x7f => format!(r"'\x{byte:02x}'"),
            // One byte of a longer character is shown as the character with that number.
            _ => format!("'{}'", char::from(byte)),
        };
        DecodeError::Syntax { character, context: context.into(), offset: self.at }
    }

    fn value(&mut self) -> Result<Value, DecodeError> {
        match self.skip_space() {
            None => Err(DecodeError::Truncated),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.text(),
            Some(b't') => self.literal("true", true.into()),
            Some(b'f') => self.literal("false", false.into()),
            Some(b'n') => self.literal("null", Value::NULL),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(DecodeError::Depth);
        }
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, DecodeError> {
        let (first_key, first_value) = (self.keys.len(), self.values.len());
        self.entries()?;
        if self.keys.len() == first_key {
            return Ok(Value::empty_object());
        }
        let object = self.shared.object(&mut self.keys[first_key..], &mut self.values[first_value..]);
        self.keys.truncate(first_key);
        self.values.truncate(first_value);
        Ok(object.into())
    }

    /// Puts keys and values behind those of the objects around.
    fn entries(&mut self) -> Result<(), DecodeError> {
        if self.skip_space() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.skip_space() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.text()?;
            self.keys.push(key);
            if self.skip_space() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            let value = self.value()?;
            self.values.push(value);
            match self.skip_space() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn text(&mut self) -> Result<Value, DecodeError> {
        let rest = &self.json[self.at + 1..];
        let plain = scan::plain(rest);
        if rest.get(plain) == Some(&b'"')
            && let Some(short) = Short::ascii(&rest[..plain])
        {
            self.at += plain + 2;
            return Ok(Value(Repr::Short(short)));
        }
        let text = self.string()?;
        Ok(self.shared.text(&text))
    }

    fn array(&mut self) -> Result<Value, DecodeError> {
        if self.skip_space() == Some(b']') {
            self.at += 1;
            return Ok(Value::array::<Value>([]));
        }
        let first = self.values.len();
        loop {
            let item = self.value()?;
            self.values.push(item);
            match self.skip_space() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    let array = self.shared.array(&mut self.values[first..]);
                    self.values.truncate(first);
                    return Ok(array);
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn literal(&mut self, text: &str, value: Value) -> Result<Value, DecodeError> {
        for expected in text.bytes() {
            if self.peek() != Some(expected) {
                let expected = char::from(expected);
                return Err(self.unexpected(format!("in literal {text} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, DecodeError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.expect_digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.expect_digit("in exponent of numeric literal")?;
            self.digits();
        }
        let literal = std::str::from_utf8(&self.json[start..self.at]).expect("digits and signs are ASCII");
        Ok(Number::from_literal(literal).into())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn expect_digit(&self, context: &str) -> Result<(), DecodeError> {
        if matches!(self.peek(), Some(b'0'..=b'9')) { Ok(()) } else { Err(self.unexpected(context)) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.at += 1;
        let start = self.at;
        let rest = &self.json[start..];
        let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        // What is plain needs no second look, and there is more of it than of all else.
        let plain = scan::plain(rest);
        let length = plain + rest[plain..].iter().position(is_end).unwrap_or(rest.len() - plain);
        self.at += length;
        match self.peek() {
            None => Err(DecodeError::Truncated),
            Some(b'"') => {
                self.at += 1;
                let raw = &rest[..length];
                // Nearly all texts are sound, and to see that is faster than to look for what is not.
                Ok(str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed))
            }
            Some(b'\\') => self.escaped_string(start).map(Into::into),
            Some(_) => Err(self.unexpected("in string literal")),
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<String, DecodeError> {
        let mut text = String::from_utf8_lossy(&self.json[start..self.at]).into_owned();
        loop {
            let plain = self.at;
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            text.push_str(&String::from_utf8_lossy(&self.json[plain..self.at]));
            match self.peek() {
                None => return Err(DecodeError::Truncated),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, DecodeError> {
        let plain = match self.peek() {
            Some(b'u') => return self.unicode_escape(),
            Some(quoted @ (b'"' | b'\\' | b'/')) => char::from(quoted),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, DecodeError> {
        self.at += 1;
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after = self.at;
        if self.json[after..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, DecodeError> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;

    fn round_trip(json: &str) -> String {
        encode(&decode(json.as_bytes()).expect("valid JSON"))
    }

    fn error(json: &str) -> String {
        decode(json.as_bytes()).expect_err("invalid JSON").to_string()
    }

    #[test]
    fn documents_survive() {
        assert_eq!(
            round_trip(r#" {"b":[1.0,-0,1e400,true,null],"a":"x"} "#),
            r#"{"a":"x","b":[1.0,-0,1e400,true,null]}"#
        );
        assert_eq!(round_trip(r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
        assert_eq!(round_trip(r#""\u0061\/\ud834\udd1e\ud800x\ud800\u0041""#), "\"a/𝄞\u{fffd}x\u{fffd}A\"");
    }

    #[test]
    fn broken_utf8_is_replaced() {
        let value = decode(b"\"a\xffb\xc3\"").expect("tolerated");
        assert_eq!(value.as_str(), Some("a\u{fffd}b\u{fffd}"));
    }

    #[test]
    fn errors_speak_as_opa_does() {
        assert_eq!(error(""), "EOF");
        assert_eq!(error(" \n"), "EOF");
        assert_eq!(error("{"), "unexpected EOF");
        assert_eq!(error("\"abc"), "unexpected EOF");
        assert_eq!(error("a: 1"), "invalid character 'a' looking for beginning of value");
        assert_eq!(error("{a}"), "invalid character 'a' looking for beginning of object key string");
        assert_eq!(error("{\"a\" 1}"), "invalid character '1' after object key");
        assert_eq!(error("{\"a\":1 2}"), "invalid character '2' after object key:value pair");
        assert_eq!(error("[1 2]"), "invalid character '2' after array element");
        assert_eq!(error("1 2"), "invalid character '2' after top-level value");
        assert_eq!(error("trux"), "invalid character 'x' in literal true (expecting 'e')");
        assert_eq!(error("-x"), "invalid character 'x' in numeric literal");
        assert_eq!(error("1.x"), "invalid character 'x' after decimal point in numeric literal");
        assert_eq!(error("1e,"), "invalid character ',' in exponent of numeric literal");
        assert_eq!(error("\"\n\""), "invalid character '\\n' in string literal");
        assert_eq!(error("\"\\q\""), "invalid character 'q' in string escape code");
        assert_eq!(error("\"\\u12x4\""), "invalid character 'x' in \\u hexadecimal character escape");
    }

    #[test]
    fn only_the_first_value_is_taken_where_the_rest_does_not_matter() {
        let (value, end) = decode_prefix(br#" {"a": 1} {"b": 2}"#).expect("valid JSON");
        assert_eq!((encode(&value).as_str(), end), (r#"{"a":1}"#, 9));
    }

    #[test]
    fn nesting_is_bounded() {
        let test = || {
            assert!(decode("[".repeat(MAX_DEPTH + 1).as_bytes()) == Err(DecodeError::Depth));
            let deepest = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
            assert_eq!(round_trip(&deepest), deepest);
        };
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test).expect("a thread");
        thread.join().expect("no overflow");
    }

    /// Random texts of JSON's own pieces: nothing panics, and serde agrees on what is JSON and what it says.
    #[test]
    fn random_texts_are_read_as_serde_reads_them() {
        const PIECES: &[&str] = &[
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"b\":", "0", "1", "-", "12", ".5", "e3", "E-", "+", "true",
            "fals", "null", " ", "\n", "\\", "\\n", "\\u0041", "\\u12", "\u{e9}", "\u{1}",
        ];
        // A fixed linear congruential sequence: the same texts at each run.
        let mut state: u64 = 0x2545_f491_4f6c_dd1d;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % below
        };
        let mut agreed = 0;
        for _ in 0..200_000 {
            let text: String = (0..=random(9)).map(|_| PIECES[random(PIECES.len())]).collect();
            let ours = decode(text.as_bytes());
            match (&ours, serde_json::from_str::<serde_json::Value>(&text)) {
                (Ok(value), Ok(theirs)) => {
                    // serde rounds large exponents, we do not.
                    if !text.contains("e3") {
                        assert_eq!(*value, super::super::from_serialize(&theirs).expect("JSON"), "{text:?}");
                    }
                    agreed += 1;
                }
                (Err(_), Err(_)) => {}
                // What a float cannot hold is no JSON for serde.
                (Ok(_), Err(error)) => assert!(error.to_string().contains("out of range"), "{text:?}: {error}"),
                (Err(error), Ok(_)) => panic!("{text:?} is JSON: {error}"),
            }
        }
        assert!(agreed > 1000, "the sequence makes valid texts too: {agreed}");
    }
}
