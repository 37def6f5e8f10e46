//! GraphQL text as tokens. Offsets count characters, as OPA's positions do.

mod block;

use super::problem::Position;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invalid,
    End,
    Bang,
    Dollar,
    Amp,
    ParenOpen,
    ParenClose,
    Spread,
    Colon,
    Equals,
    At,
    BracketOpen,
    BracketClose,
    BraceOpen,
    BraceClose,
    Pipe,
    Name,
    Int,
    Float,
    String,
    Block,
    Comment,
}

impl Kind {
    /// Its name in error messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Invalid => "<Invalid>",
            Self::End => "<EOF>",
            Self::Bang => "!",
            Self::Dollar => "$",
            Self::Amp => "&",
            Self::ParenOpen => "(",
            Self::ParenClose => ")",
            Self::Spread => "...",
            Self::Colon => ":",
            Self::Equals => "=",
            Self::At => "@",
            Self::BracketOpen => "[",
            Self::BracketClose => "]",
            Self::BraceOpen => "{",
            Self::BraceClose => "}",
            Self::Pipe => "|",
            Self::Name => "Name",
            Self::Int => "Int",
            Self::Float => "Float",
            Self::String => "String",
            Self::Block => "BlockString",
            Self::Comment => "Comment",
        }
    }
}

/// One token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its text, of strings without quotes and escapes; of what is invalid, why. Punctuation has none.
    pub(super) value: String,
    /// Where it stands.
    pub(super) at: Position,
}

/// A place in the text.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    /// In bytes.
    byte: usize,
    /// In characters.
    character: i64,
}

/// Goes through the text token by token.
pub(super) struct Lexer<'a> {
    text: &'a str,
    start: Mark,
    end: Mark,
    line: i64,
    line_start: i64,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, start: Mark::default(), end: Mark::default(), line: 1, line_start: 0 }
    }

    /// The next token, at the end of the text or at what is invalid the same again and again.
    pub(super) fn next(&mut self) -> Token {
        self.skip_ignored();
        self.start = self.end;
        let Some(first) = self.peek() else { return self.token(Kind::End, String::new()) };
        let kind = match first {
            b'!' => Kind::Bang,
            b'$' => Kind::Dollar,
            b'&' => Kind::Amp,
            b'(' => Kind::ParenOpen,
            b')' => Kind::ParenClose,
            b'.' if self.rest().starts_with("...") => Kind::Spread,
            b':' => Kind::Colon,
            b'=' => Kind::Equals,
            b'@' => Kind::At,
            b'[' => Kind::BracketOpen,
            b']' => Kind::BracketClose,
            b'{' => Kind::BraceOpen,
            b'}' => Kind::BraceClose,
            b'|' => Kind::Pipe,
            b'#' => return self.comment(),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => return self.name(),
            b'-' | b'0'..=b'9' => return self.number(),
            b'"' if self.rest().starts_with("\"\"\"") => return self.block(),
            b'"' => return self.string(),
            _ => return self.unexpected(first),
        };
        self.skip(if kind == Kind::Spread { 3 } else { 1 });
        self.token(kind, String::new())
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.end.byte..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.end.byte).copied()
    }

    /// Goes over characters of ASCII.
    fn skip(&mut self, count: u8) {
        self.end.byte += usize::from(count);
        self.end.character += i64::from(count);
    }

    /// Goes over characters while they are of a sort.
    fn skip_while(&mut self, mut sort: impl FnMut(char) -> bool) {
        for character in self.rest().chars().take_while(|character| sort(*character)) {
            self.end.byte += character.len_utf8();
            self.end.character += 1;
        }
    }

    fn break_line(&mut self) {
        self.line += 1;
        self.line_start = self.end.character;
    }

    fn token(&self, kind: Kind, value: String) -> Token {
        let column = self.start.character - self.line_start + 1;
        Token { kind, value, at: Position { line: self.line, column } }
    }

    fn spelled(&self, kind: Kind) -> Token {
        self.token(kind, self.text[self.start.byte..self.end.byte].to_owned())
    }

    /// What cannot be read stands where reading it ended.
    fn invalid(&self, why: impl Into<String>) -> Token {
        let column = self.end.character - self.line_start + 1;
        Token { kind: Kind::Invalid, value: why.into(), at: Position { line: self.line, column } }
    }

    fn unexpected(&self, byte: u8) -> Token {
        match byte {
            0..0x20 => self.invalid(format!("Cannot contain the invalid character \"\\u{byte:04x}\"")),
            b'\'' => self.invalid("Unexpected single quote character ('), did you mean to use a double quote (\")?"),
            _ => self.invalid(format!("Cannot parse the unexpected character \"{}\".", char::from(byte))),
        }
    }

    /// Goes over spaces, commas, line ends and byte order marks.
    fn skip_ignored(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\t' | b' ' | b',' => self.skip(1),
                b'\n' => {
                    self.skip(1);
                    self.break_line();
                }
                b'\r' => {
                    self.skip(1);
                    self.break_line();
                    // The line feed of a pair counts as the first character of its line.
                    if self.peek() == Some(b'\n') {
                        self.skip(1);
                    }
                }
                _ if self.rest().starts_with('\u{feff}') => self.skip_while(|character| character == '\u{feff}'),
                _ => return,
            }
        }
    }

    fn comment(&mut self) -> Token {
        self.skip_while(|character| character >= ' ' || character == '\t');
        self.spelled(Kind::Comment)
    }

    fn name(&mut self) -> Token {
        self.skip_while(|character| character.is_ascii_alphanumeric() || character == '_');
        self.spelled(Kind::Name)
    }

    fn accept(&mut self, bytes: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| bytes.contains(&byte));
        if found {
            self.skip(1);
        }
        found
    }

    /// Whether digits follow, which it goes over.
    fn digits(&mut self) -> bool {
        let before = self.end.byte;
        self.skip_while(|character| character.is_ascii_digit());
        self.end.byte > before
    }

    fn no_digit(&self) -> Token {
        let next = self.peek().map_or("<EOF>".to_owned(), |byte| format!("\"{}\"", char::from(byte)));
        self.invalid(format!("Invalid number, expected digit but got: {next}."))
    }

    fn number(&mut self) -> Token {
        self.accept(b"-");
        if self.accept(b"0") {
            if let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
                let digit = char::from(digit);
                return self.invalid(format!("Invalid number, unexpected digit after 0: \"{digit}\"."));
            }
        } else if !self.digits() {
            return self.no_digit();
        }
        let mut kind = Kind::Int;
        if self.accept(b".") {
            kind = Kind::Float;
            if !self.digits() {
                return self.no_digit();
            }
        }
        if self.accept(b"eE") {
            kind = Kind::Float;
            self.accept(b"-+");
            if !self.digits() {
                return self.no_digit();
            }
        }
        self.spelled(kind)
    }

    fn string(&mut self) -> Token {
        self.skip(1);
        self.start = self.end;
        let mut value = String::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let token = self.token(Kind::String, value);
                    self.skip(1);
                    return token;
                }
                b'\n' | b'\r' => break,
                b'\\' => match self.escape() {
                    Ok(character) => value.push(character),
                    Err(token) => return token,
                },
                0..0x20 if byte != b'\t' => {
                    return self.invalid(format!("Invalid character within String: \"\\u{byte:04x}\"."));
                }
                _ => {
                    let before = self.end.byte;
                    self.skip_while(is_plain);
                    value.push_str(&self.text[before..self.end.byte]);
                }
            }
        }
        self.invalid("Unterminated string.")
    }

    /// The character that an escape stands for.
    fn escape(&mut self) -> Result<char, Token> {
        let rest = self.rest().as_bytes();
        let Some(&escaped) = rest.get(1) else {
            self.skip(1);
            return Err(self.invalid("Invalid character escape sequence."));
        };
        let character = match escaped {
            b'"' | b'/' | b'\\' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let code = rest.get(2..6).filter(|digits| rest.len() > 6 && digits.iter().all(u8::is_ascii_hexdigit));
                let code = code.and_then(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
                let Some(code) = code else {
                    let shown = String::from_utf8_lossy(if rest.len() > 6 { &rest[1..6] } else { &rest[1..] });
                    self.skip(1);
                    return Err(self.invalid(format!("Invalid character escape sequence: \\{shown}.")));
                };
                self.skip(4);
                // Halves of pairs do not make a character of their pair.
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => {
                self.skip(1);
                let escaped = char::from(escaped);
                return Err(self.invalid(format!("Invalid character escape sequence: \\{escaped}.")));
            }
        };
        self.skip(2);
        Ok(character)
    }

    fn block(&mut self) -> Token {
        self.skip(3);
        self.start = self.end;
        let mut value = String::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let quotes = self.rest().bytes().take_while(|byte| *byte == b'"').count();
                    if quotes < 3 {
                        value.push('"');
                        self.skip(1);
                        continue;
                    }
                    // The last three end the string; those before them belong to it.
                    value.extend(std::iter::repeat_n('"', quotes - 3));
                    let token = self.token(Kind::Block, block::value(&value));
                    self.skip_while(|character| character == '"');
                    return token;
                }
                b'\\' if self.rest().starts_with("\\\"\"\"") => {
                    value.push_str("\"\"\"");
                    self.skip(4);
                }
                b'\n' | b'\r' => {
                    value.push('\n');
                    self.skip(if self.rest().starts_with("\r\n") { 2 } else { 1 });
                    self.break_line();
                }
                0..0x20 if byte != b'\t' => {
                    return self.invalid(format!("Invalid character within String: \"\\u{byte:04x}\"."));
                }
                _ => {
                    let mut first = true;
                    let before = self.end.byte;
                    self.skip_while(|character| {
                        let plain = first || is_plain(character);
                        first = false;
                        plain
                    });
                    value.push_str(&self.text[before..self.end.byte]);
                }
            }
        }
        self.invalid("Unterminated string.")
    }
}

/// Whether the character stands for itself in all strings.
fn is_plain(character: char) -> bool {
    !matches!(character, '"' | '\\') && (character >= ' ' || character == '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(Kind, String, i64, i64)> {
        let mut lexer = Lexer::new(text);
        let mut found = Vec::new();
        loop {
            let token = lexer.next();
            let last = matches!(token.kind, Kind::End | Kind::Invalid);
            found.push((token.kind, token.value, token.at.line, token.at.column));
            if last {
                return found;
            }
        }
    }

    fn only(text: &str) -> (Kind, String) {
        let (kind, value, ..) = tokens(text).swap_remove(0);
        (kind, value)
    }

    #[test]
    fn positions_count_characters() {
        let found = tokens("\u{feff}{ é # ö\n...a1, \r\n\"x\"");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].1, "Cannot parse the unexpected character \"Ã\".");
        let found = tokens("# öö\n...a1, \r\n \"x\"");
        let places: Vec<_> = found.iter().map(|(kind, _, line, column)| (*kind, *line, *column)).collect();
        let expected =
            [(Kind::Comment, 1, 1), (Kind::Spread, 2, 1), (Kind::Name, 2, 4), (Kind::String, 3, 4), (Kind::End, 3, 6)];
        assert_eq!(places, expected);
    }

    #[test]
    fn numbers() {
        assert_eq!(only("-0"), (Kind::Int, "-0".to_owned()));
        assert_eq!(only("1.5e-3"), (Kind::Float, "1.5e-3".to_owned()));
        assert_eq!(only("00").1, "Invalid number, unexpected digit after 0: \"0\".");
        assert_eq!(only("1.").1, "Invalid number, expected digit but got: <EOF>.");
        assert_eq!(only("-a").1, "Invalid number, expected digit but got: \"a\".");
    }

    #[test]
    fn strings() {
        assert_eq!(only(r#""a\n\u00e9\"ü""#).1, "a\né\"ü");
        assert_eq!(only(r#""\ud800 ""#).1, "\u{fffd} ");
        assert_eq!(only(r#""\x""#).1, r"Invalid character escape sequence: \x.");
        assert_eq!(only(r#""\u12"#).1, r"Invalid character escape sequence: \u12.");
        assert_eq!(only("\"a\nb\"").1, "Unterminated string.");
        assert_eq!(only("\"a\u{1}\"").1, "Invalid character within String: \"\\u0001\".");
    }

    #[test]
    fn block_strings() {
        assert_eq!(
            only("\"\"\"\n  a\n    \\\"\"\" \\ \"b\r\n\n\"\"\""),
            (Kind::Block, "a\n  \"\"\" \\ \"b".to_owned())
        );
        assert_eq!(only("\"\"\"a\"\"\"\"").1, "a\"");
        assert_eq!(only("\"\"\"a").0, Kind::Invalid);
    }
}
