//! From Go's syntax to that of the engine used here.
//!
//! The two agree on most, but Go's `\d`, `\w`, `\s` and `\b` know ASCII only, its classes nest no further, `\Q…\E`
//! quotes, and other things are wrong in other words. So every pattern is read here and written anew, in a form that
//! means one thing only.

mod class;
mod escape;

use std::collections::HashSet;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

/// How large a compiled pattern may become, in bytes.
const SIZE_LIMIT: usize = 32 << 20;
/// How deep groups may nest; deeper ones would cost stack.
const MAX_DEPTH: u32 = 200;
/// How often something may be repeated, as in Go.
const MAX_REPEAT: u32 = 1000;

/// A compiled pattern.
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
}

impl Pattern {
    /// Compiles a pattern in Go's syntax.
    ///
    /// # Errors
    /// What Go says of a wrong pattern.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Self::compile(&translate(text)?).map_err(|()| "error parsing regexp: expression too large".to_owned())
    }

    /// Compiles a pattern in the engine's own syntax.
    pub(crate) fn compile(text: &str) -> Result<Self, ()> {
        // Matches never begin or end within a character; `(?-u:\B)` alone could, so it is only the parser that must
        // not mind.
        let syntax = syntax::Config::new().utf8(false).nest_limit(4 * MAX_DEPTH);
        let config = Regex::config().utf8_empty(true).nfa_size_limit(Some(SIZE_LIMIT));
        let regex = Regex::builder().syntax(syntax).configure(config).build(text).map_err(|_| ())?;
        Ok(Self { regex })
    }
}

/// What is wrong with a pattern: a phrase, and the piece that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {what}: `{piece}`")]
pub(super) struct SyntaxError {
    what: &'static str,
    piece: String,
}

impl SyntaxError {
    fn new(what: &'static str, piece: impl Into<String>) -> Self {
        Self { what, piece: piece.into() }
    }
}

/// The pattern in the engine's syntax.
///
/// # Errors
/// What Go says of a wrong pattern.
pub(crate) fn translate(text: &str) -> Result<String, String> {
    Translator::new(text).run().map_err(|error| error.to_string())
}

/// The piece of `from` that ends where `to` begins; `to` is an end of `from`.
fn between<'a>(from: &'a str, to: &str) -> &'a str {
    &from[..from.len() - to.len()]
}

fn first(text: &str) -> Option<(char, &str)> {
    let character = text.chars().next()?;
    Some((character, &text[character.len_utf8()..]))
}

struct Translator<'a> {
    whole: &'a str,
    rest: &'a str,
    out: String,
    depth: u32,
    /// Whether there is something that can be repeated.
    operand: bool,
    /// The repetition that was read last, if nothing came after it.
    repetition: Option<&'a str>,
    names: HashSet<&'a str>,
}

impl<'a> Translator<'a> {
    fn new(whole: &'a str) -> Self {
        Self {
            whole,
            rest: whole,
            out: String::with_capacity(whole.len() + 16),
            depth: 0,
            operand: false,
            repetition: None,
            names: HashSet::new(),
        }
    }

    fn run(mut self) -> Result<String, SyntaxError> {
        while let Some((character, after)) = first(self.rest) {
            let before = self.rest;
            let repeats = match character {
                '(' => {
                    self.open()?;
                    false
                }
                ')' => {
                    self.close(after)?;
                    false
                }
                '|' => {
                    self.push("|", after, false);
                    false
                }
                '^' | '$' | '.' => {
                    self.push(character.encode_utf8(&mut [0; 4]), after, true);
                    false
                }
                '[' => {
                    let (class, after) = class::bracketed(self.rest)?;
                    self.push(&class, after, true);
                    false
                }
                '*' | '+' | '?' => {
                    self.repeat(after)?;
                    true
                }
                '{' => self.counted(after)?,
                '\\' => {
                    self.escape()?;
                    false
                }
                _ => {
                    self.literal(character, after);
                    false
                }
            };
            self.repetition = repeats.then_some(before);
        }
        if self.depth > 0 {
            return Err(SyntaxError::new("missing closing )", self.whole));
        }
        Ok(self.out)
    }

    fn push(&mut self, text: &str, after: &'a str, operand: bool) {
        self.out.push_str(text);
        self.rest = after;
        self.operand = operand;
    }

    fn literal(&mut self, character: char, after: &'a str) {
        self.rest = after;
        self.operand = true;
        escape::write_literal(&mut self.out, u32::from(character));
    }

    fn open(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyntaxError::new("expression nests too deeply", self.whole));
        }
        let Some(special) = self.rest.strip_prefix("(?") else {
            self.push("(", &self.rest[1..], false);
            return Ok(());
        };
        let named = special.strip_prefix("P<").or_else(|| special.strip_prefix('<'));
        match named.filter(|name| !name.is_empty()) {
            Some(name) => self.named(name),
            None => self.flags(special),
        }
    }

    fn named(&mut self, after: &'a str) -> Result<(), SyntaxError> {
        let Some((name, rest)) = after.split_once('>') else {
            return Err(SyntaxError::new("invalid named capture", self.rest));
        };
        let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_word {
            return Err(SyntaxError::new("invalid named capture", between(self.rest, rest)));
        }
        if !self.names.insert(name) {
            return Err(SyntaxError::new("duplicate capture group name", name));
        }
        // The engine takes no name that begins with a digit; nothing can refer to one either.
        let group =
            if name.starts_with(|c: char| c.is_ascii_digit()) { "(".to_owned() } else { format!("(?P<{name}>") };
        self.push(&group, rest, false);
        Ok(())
    }

    /// `(?i-s:` or `(?i)`.
    fn flags(&mut self, flags: &'a str) -> Result<(), SyntaxError> {
        let mut rest = flags;
        let (mut negated, mut seen) = (false, false);
        while let Some((character, after)) = first(rest) {
            rest = after;
            match character {
                'i' | 'm' | 's' | 'U' => seen = true,
                '-' if !negated => (negated, seen) = (true, false),
                ':' | ')' if seen || !negated => {
                    let written = between(flags, after);
                    if character == ')' {
                        self.depth -= 1;
                        // What stands before flags can still be repeated in Go, but not here; nobody writes that.
                        let written = if written == ")" { "" } else { &format!("(?{written}") };
                        self.push(written, after, self.operand);
                    } else {
                        self.push(&format!("(?{written}"), after, false);
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        let piece = between(self.rest, rest);
        // A pattern that ends here lacks its end; anything else is not known.
        Err(SyntaxError::new("invalid or unsupported Perl syntax", piece))
    }

    fn close(&mut self, after: &'a str) -> Result<(), SyntaxError> {
        if self.depth == 0 {
            return Err(SyntaxError::new("unexpected )", self.whole));
        }
        self.depth -= 1;
        self.push(")", after, true);
        Ok(())
    }

    /// `*`, `+`, `?`, each with `?` after it or not.
    fn repeat(&mut self, after: &'a str) -> Result<(), SyntaxError> {
        let after = after.strip_prefix('?').unwrap_or(after);
        let operator = between(self.rest, after);
        self.check_operand(after)?;
        self.push(operator, after, true);
        Ok(())
    }

    fn check_operand(&self, after: &str) -> Result<(), SyntaxError> {
        if let Some(last) = self.repetition {
            return Err(SyntaxError::new("invalid nested repetition operator", between(last, after)));
        }
        if !self.operand {
            return Err(SyntaxError::new("missing argument to repetition operator", between(self.rest, after)));
        }
        Ok(())
    }

    /// `{2,5}`; a brace that begins no such thing stands for itself, and is no repetition.
    fn counted(&mut self, after: &'a str) -> Result<bool, SyntaxError> {
        let Some((least, most, after)) = counts(after) else {
            self.literal('{', after);
            return Ok(false);
        };
        let piece = between(self.rest, after);
        let too_many = |count: Option<u32>| count.is_none_or(|count| count > MAX_REPEAT);
        let most = match most {
            Most::Same => least,
            Most::Any => Some(MAX_REPEAT),
            Most::Count(count) => count,
        };
        if too_many(least) || too_many(most) || least > most {
            return Err(SyntaxError::new("invalid repeat count", piece));
        }
        let after = after.strip_prefix('?').unwrap_or(after);
        let operator = between(self.rest, after);
        self.check_operand(after)?;
        self.push(operator, after, true);
        Ok(true)
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let after = &self.rest[1..];
        match first(after) {
            Some(('A', after)) => self.push("\\A", after, true),
            Some(('z', after)) => self.push("\\z", after, true),
            Some(('b', after)) => self.push("(?-u:\\b)", after, true),
            Some(('B', after)) => self.push("(?-u:\\B)", after, true),
            Some(('C', after)) => return Err(SyntaxError::new("invalid escape sequence", between(self.rest, after))),
            Some(('Q', after)) => {
                let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
                self.rest = after;
                for character in quoted.chars() {
                    self.literal(character, after);
                }
            }
            _ => {
                if let Some((class, after)) = class::escaped(self.rest)? {
                    self.push(&class, after, true);
                } else {
                    let (code, after) = escape::character(self.rest)?;
                    self.rest = after;
                    self.operand = true;
                    escape::write_literal(&mut self.out, code);
                }
            }
        }
        Ok(())
    }
}

/// The upper bound of a repetition.
enum Most {
    /// That of `{2}`.
    Same,
    /// That of `{2,}`.
    Any,
    /// That of `{2,5}`; none when the number is too large to be read.
    Count(Option<u32>),
}

/// The bounds after a brace, and what follows them, if that is what the text is. A bound that is too large is none.
fn counts(text: &str) -> Option<(Option<u32>, Most, &str)> {
    let (least, rest) = count(text)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((least, Most::Same, rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((least, Most::Any, rest));
    }
    let (most, rest) = count(rest)?;
    Some((least, Most::Count(most), rest.strip_prefix('}')?))
}

fn count(text: &str) -> Option<(Option<u32>, &str)> {
    let (digits, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let readable = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
    readable.then(|| (digits.parse().ok(), rest))
}
