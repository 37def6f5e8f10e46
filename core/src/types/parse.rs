//! Reads types as [`Type`]'s `Display` writes them.

use std::collections::BTreeMap;

use super::{Signature, Type};
use crate::value::Value;

/// A text is no type or no declaration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at `{rest}`, byte {offset} of `{text}`")]
pub struct ParseError {
    /// What is wrong.
    pub problem: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// The text from there on, or `end`.
    rest: String,
    /// The whole text.
    text: String,
}

/// How deep types may lie in one another.
const DEPTH: usize = 64;

impl Type {
    /// Reads a type as it is displayed. Keys of objects are read as strings.
    ///
    /// # Errors
    /// When the text is no type: what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        let parsed = parser.any_type()?;
        parser.end()?;
        Ok(parsed)
    }
}

/// Reads a text from left to right.
pub(crate) struct Parser<'a> {
    text: &'a str,
    offset: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, offset: 0, depth: 0 }
    }

    /// What is left, after white space.
    pub(crate) fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.offset..];
        self.offset += rest.len() - rest.trim_start().len();
        &self.text[self.offset..]
    }

    /// Takes the token, if it is the next one.
    pub(crate) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.offset += token.len();
        }
        found
    }

    /// Takes the token, which must be the next one.
    pub(crate) fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.take(token) { Ok(()) } else { Err(self.error(format!("expected `{token}`"))) }
    }

    /// Takes everything up to where `ends` is true.
    pub(crate) fn take_until(&mut self, ends: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.offset += taken.len();
        taken.trim_end()
    }

    /// Takes a name: letters, digits, underscores and dots within it.
    pub(crate) fn name(&mut self, what: &str) -> Result<&'a str, ParseError> {
        let start = self.offset;
        let word = self.take_until(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
        // What follows the dots that a name ends with belongs to the notation: `rest...: any`, `any...`.
        let name = word.trim_end_matches('.');
        if name.is_empty() || name.starts_with('.') {
            self.offset = start;
            return Err(self.error(format!("expected {what}")));
        }
        self.offset -= word.len() - name.len();
        Ok(name)
    }

    /// Whether a type is next that has a name, `name: type` or `name...: type`. The name may be of several words.
    pub(crate) fn named(&mut self) -> Option<&'a str> {
        let start = self.offset;
        if self.name("a name").is_ok() {
            while self.rest().starts_with(|c: char| c.is_ascii_alphabetic()) && self.name("a name").is_ok() {}
            let named = self.offset;
            let name = self.text[start..named].trim();
            let variadic = self.take("...");
            if self.take(":") {
                self.offset = if variadic { named } else { self.offset };
                return Some(name);
            }
        }
        self.offset = start;
        None
    }

    /// Nothing may be left.
    pub(crate) fn end(&mut self) -> Result<(), ParseError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.error("expected the end")) }
    }

    /// Takes a type.
    pub(crate) fn any_type(&mut self) -> Result<Type, ParseError> {
        if self.depth == DEPTH {
            return Err(self.error("too deep"));
        }
        self.depth += 1;
        let parsed = self.one_type();
        self.depth -= 1;
        parsed
    }

    fn one_type(&mut self) -> Result<Type, ParseError> {
        if self.take("(") {
            return self.function();
        }
        let start = self.offset;
        Ok(match self.name("a type")? {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "number" => Type::Number,
            "string" => Type::String,
            "any" => Type::any_of(self.angled(Self::any_type)?),
            "array" => {
                let items = self.angled(Self::any_type)?;
                Type::Array { items, rest: self.bracketed(Self::any_type)?.map(Box::new) }
            }
            "object" => {
                let fields = self.angled(Self::field)?;
                let rest = self.bracketed(|parser| {
                    let key = parser.any_type()?;
                    parser.expect(":")?;
                    Ok((Box::new(key), Box::new(parser.any_type()?)))
                })?;
                Type::Object { fields: BTreeMap::from_iter(fields), rest }
            }
            "set" => match self.bracketed(Self::any_type)? {
                Some(member) => Type::set_of(member),
                None => return Err(self.error("expected `[`")),
            },
            other => {
                self.offset = start;
                return Err(self.error(format!("unknown type `{other}`")));
            }
        })
    }

    /// The rest of a function's type, after the opening parenthesis.
    fn function(&mut self) -> Result<Type, ParseError> {
        let mut signature = Signature { parameters: Vec::new(), variadic: None, result: None };
        while !self.take(")") {
            let parameter = self.any_type()?;
            if self.take("...") {
                signature.variadic = Some(parameter);
                self.expect(")")?;
                break;
            }
            signature.parameters.push(parameter);
            if !self.rest().starts_with(')') {
                self.expect(",")?;
            }
        }
        self.expect("=>")?;
        if !self.take("???") {
            signature.result = Some(self.any_type()?);
        }
        Ok(Type::Function(Box::new(signature)))
    }

    fn field(&mut self) -> Result<(Value, Type), ParseError> {
        let key = self.take_until(|c| c == ':');
        self.expect(":")?;
        Ok((Value::from(key), self.any_type()?))
    }

    /// A list between angle brackets, or an empty one.
    fn angled<T>(&mut self, one: impl Fn(&mut Self) -> Result<T, ParseError>) -> Result<Vec<T>, ParseError> {
        let mut list = Vec::new();
        if self.take("<") {
            list.push(one(self)?);
            while self.take(",") {
                list.push(one(self)?);
            }
            self.expect(">")?;
        }
        Ok(list)
    }

    /// Something between square brackets, if there are any.
    fn bracketed<T>(&mut self, one: impl Fn(&mut Self) -> Result<T, ParseError>) -> Result<Option<T>, ParseError> {
        if !self.take("[") {
            return Ok(None);
        }
        let inner = one(self)?;
        self.expect("]")?;
        Ok(Some(inner))
    }

    /// The error for what comes next.
    pub(crate) fn error(&mut self, problem: impl Into<String>) -> ParseError {
        let rest: String = self.rest().chars().take(20).collect();
        let rest = if rest.is_empty() { "end".to_owned() } else { rest };
        ParseError { problem: problem.into(), offset: self.offset, rest, text: self.text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_displayed_reads_back() {
        let texts = [
            "any",
            "any<number, set[any]>",
            "array",
            "array<any>[string]",
            "array<boolean, array[object[string: any]]>",
            "object<a: string, b c: array[number]>[string: any]",
            "object<op: string, path: any>",
            "set[any<string, array[string]>]",
            "(string, number) => boolean",
            "(string, any...) => ???",
            "() => null",
        ];
        for text in texts {
            assert_eq!(Type::parse(text).expect("a type").to_string(), text);
        }
    }

    #[test]
    fn parts_of_any_are_sorted_with_open_ended_ones_last() {
        let parsed = Type::parse("any<set[any], array[null], array<string>, null>").expect("a type");
        assert_eq!(parsed.to_string(), "any<null, array<string>, array[null], set[any]>");
    }

    #[test]
    fn errors_name_the_place() {
        let message = |text| Type::parse(text).expect_err("no type").to_string();
        assert_eq!(message("array[strin]"), "unknown type `strin` at `strin]`, byte 6 of `array[strin]`");
        assert_eq!(message("set"), "expected `[` at `end`, byte 3 of `set`");
        assert_eq!(message("null x"), "expected the end at `x`, byte 5 of `null x`");
        assert!(message(&"set[".repeat(10_000)).starts_with("too deep at "));
    }
}
