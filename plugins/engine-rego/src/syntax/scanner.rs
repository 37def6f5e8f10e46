//! From text to tokens.
//!
//! Keeps OPA's ways of counting, because they show in locations: the row grows and the column becomes 0 when a line feed
//! is looked at, so the end of a text that ends in a line feed is at column 0 of the next row.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::token::{Keywords, Token};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// One token with its place.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub(super) token: Token,
    /// Offset of its first byte, as OPA counts: it may lie within a character at the end of the text.
    pub(super) offset: usize,
    /// Offset behind its last byte.
    pub(super) end: usize,
    pub(super) row: u32,
    pub(super) col: u32,
    pub(super) literal: Literal,
    /// What is wrong with it.
    pub(super) errors: Vec<&'static str>,
}

/// The text of a token.
#[derive(Debug, Clone, Default)]
pub(super) enum Literal {
    /// As it stands in the source.
    Source(Range<usize>),
    /// A part of a template without the `\` of `\{`.
    Unescaped(Rc<str>),
    /// The token has no text.
    #[default]
    None,
}

/// A place in a text. Cheap to copy, to come back to it.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    text: Arc<str>,
    /// Offsets of characters that stand for bytes that are no UTF-8, sorted.
    illegal: Rc<[usize]>,
    pub(super) keywords: Keywords,
    errors: Vec<&'static str>,
    /// Behind the current character; one behind the text at its end.
    offset: usize,
    /// Of the current character; at the end of the text, of the last one.
    width: usize,
    row: u32,
    col: u32,
    current: Option<char>,
}

impl Scanner {
    /// At the start of a text.
    pub(super) fn new(text: Arc<str>, illegal: Rc<[usize]>, keywords: Keywords) -> Self {
        let errors = Vec::new();
        let mut scanner = Self { text, illegal, keywords, errors, offset: 0, width: 0, row: 1, col: 0, current: None };
        scanner.next();
        if scanner.current == Some(BYTE_ORDER_MARK) {
            scanner.next();
        }
        scanner
    }

    /// The text of a literal.
    pub(super) fn literal<'a>(&'a self, literal: &'a Literal) -> &'a str {
        match literal {
            Literal::Source(range) => self.text.get(range.clone()).unwrap_or_default(),
            Literal::Unescaped(text) => text,
            Literal::None => "",
        }
    }

    /// The next token, white space and comments included.
    pub(super) fn scan(&mut self) -> Scanned {
        self.scanned(Self::token)
    }

    /// The next part of a template string, behind the `}` that the parser has just seen.
    pub(super) fn scan_template(&mut self, raw: bool) -> Scanned {
        // The brace plays the quote's part.
        self.scanned(|scanner| scanner.template(raw))
    }

    fn scanned(&mut self, token: impl FnOnce(&mut Self) -> (Token, Literal)) -> Scanned {
        let (offset, row, col) = (self.offset - self.width, self.row, self.col);
        let (token, literal) = token(self);
        let errors = std::mem::take(&mut self.errors);
        Scanned { token, offset, end: self.here(), row, col, literal, errors }
    }

    /// The offset of the current character.
    fn here(&self) -> usize {
        if self.current.is_none() { self.text.len() } else { self.offset - self.width }
    }

    fn token(&mut self) -> (Token, Literal) {
        let start = self.here();
        let Some(first) = self.current else {
            return (Token::Eof, Literal::None);
        };
        self.next();
        let token = match first {
            ' ' | '\t' | '\n' | '\r' => Token::Whitespace,
            'a'..='z' | 'A'..='Z' | '_' => {
                self.skip_name();
                self.keywords.token(&self.text[start..self.here()])
            }
            '0'..='9' => {
                self.number();
                Token::Number
            }
            '#' => {
                self.skip_while(|c| c != '\n');
                let text = &self.text[start..self.here()];
                let text = text.strip_suffix('\r').unwrap_or(text);
                return (Token::Comment, Literal::Source(start..start + text.len()));
            }
            '"' => {
                self.string();
                Token::String
            }
            '`' => {
                self.raw_string();
                Token::String
            }
            '$' => return self.template_start(),
            other => return (self.symbol(other), Literal::None),
        };
        (token, Literal::Source(start..self.here()))
    }

    fn symbol(&mut self, first: char) -> Token {
        match first {
            '[' => Token::LBrack,
            ']' => Token::RBrack,
            '{' => Token::LBrace,
            '}' => Token::RBrace,
            '(' => Token::LParen,
            ')' => Token::RParen,
            ',' => Token::Comma,
            ':' => self.or_equals(Token::Colon, Token::Assign),
            '+' => Token::Add,
            '-' => Token::Sub,
            '*' => Token::Mul,
            '/' => Token::Quo,
            '%' => Token::Rem,
            '&' => Token::And,
            '|' => Token::Or,
            '=' => self.or_equals(Token::Unify, Token::Equal),
            '>' => self.or_equals(Token::Gt, Token::Gte),
            '<' => self.or_equals(Token::Lt, Token::Lte),
            '!' if self.current == Some('=') => self.or_equals(Token::Illegal, Token::Neq),
            '!' => {
                self.errors.push("illegal ! character");
                Token::Illegal
            }
            ';' => Token::Semicolon,
            '.' => Token::Dot,
            _ => Token::Illegal,
        }
    }

    fn or_equals(&mut self, alone: Token, with_equals: Token) -> Token {
        if self.current == Some('=') {
            self.next();
            with_equals
        } else {
            alone
        }
    }

    fn number(&mut self) {
        self.skip_while(|c| c.is_ascii_digit());
        if self.current == Some('.') {
            self.next();
            self.digits_or("expected fraction");
        }
        if matches!(self.current, Some('e' | 'E')) {
            self.next();
            if matches!(self.current, Some('+' | '-')) {
                self.next();
            }
            self.digits_or("expected exponent");
        }
        if self.current.is_some_and(is_letter) {
            self.errors.push("illegal number format");
            self.skip_name();
        }
    }

    fn digits_or(&mut self, complaint: &'static str) {
        if !self.current.is_some_and(|c| c.is_ascii_digit()) {
            self.errors.push(complaint);
        }
        self.skip_while(|c| c.is_ascii_digit());
    }

    fn string(&mut self) {
        loop {
            match self.current {
                None | Some('\n') => return self.errors.push("non-terminated string"),
                Some('"') => return self.next(),
                Some('\\') => {
                    self.next();
                    self.escape();
                }
                Some(_) => self.next(),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) {
        match self.current {
            Some('\\' | '"' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.next(),
            Some('u') => (0..4).for_each(|_| self.next()),
            _ => self.errors.push("illegal escape sequence"),
        }
    }

    fn raw_string(&mut self) {
        self.skip_while(|c| c != '`');
        if self.current.is_none() {
            self.errors.push("non-terminated string");
        }
        self.next();
    }

    fn template_start(&mut self) -> (Token, Literal) {
        if let Some(quote @ ('"' | '`')) = self.current {
            self.next();
            return self.template(quote == '`');
        }
        self.errors.push("illegal $ character");
        (Token::Illegal, Literal::None)
    }

    /// A part of a template, its delimiters left out.
    fn template(&mut self, raw: bool) -> (Token, Literal) {
        let (part, whole) = if raw {
            (Token::RawTemplatePart, Token::RawTemplateEnd)
        } else {
            (Token::TemplatePart, Token::TemplateEnd)
        };
        let start = self.here();
        let mut escapes = Vec::new();
        let (token, end) = loop {
            let at = self.here();
            match self.current {
                None => {
                    self.errors.push("non-terminated string");
                    break (part, at);
                }
                Some('\n') if !raw => {
                    self.errors.push("non-terminated string");
                    break (part, at);
                }
                Some('`') if raw => {
                    self.next();
                    break (whole, at);
                }
                Some('"') if !raw => {
                    self.next();
                    break (whole, at);
                }
                Some('{') => {
                    self.next();
                    break (part, at);
                }
                Some('\\') => {
                    self.next();
                    if self.current == Some('{') {
                        escapes.push(at);
                        self.next();
                    } else if !raw {
                        self.escape();
                    }
                }
                Some(_) => self.next(),
            }
        };
        (token, self.without(&escapes, start..end))
    }

    /// A part of the text without the bytes at the given offsets.
    fn without(&self, dropped: &[usize], range: Range<usize>) -> Literal {
        if dropped.is_empty() {
            return Literal::Source(range);
        }
        let mut text = String::with_capacity(range.len());
        let mut from = range.start;
        for &at in dropped {
            text.push_str(&self.text[from..at]);
            from = at + 1;
        }
        text.push_str(&self.text[from..range.end]);
        Literal::Unescaped(text.into())
    }

    fn skip_name(&mut self) {
        self.skip_while(|c| is_letter(c) || is_digit(c));
    }

    fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        while self.current.is_some_and(&accept) {
            self.next();
        }
    }

    fn next(&mut self) {
        let Some(next) = self.text.get(self.offset..).and_then(|rest| rest.chars().next()) else {
            self.current = None;
            self.offset = self.text.len() + 1;
            return;
        };
        if next == '\0' {
            self.errors.push("illegal null character");
        } else if next == char::REPLACEMENT_CHARACTER && self.illegal.binary_search(&self.offset).is_ok() {
            self.errors.push("illegal utf-8 character");
        } else if next == BYTE_ORDER_MARK && self.offset > 0 {
            self.errors.push("illegal byte-order mark");
        }
        self.current = Some(next);
        self.width = next.len_utf8();
        self.offset += self.width;
        if next == '\n' {
            self.row += 1;
            self.col = 0;
        } else {
            self.col += 1;
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (c.is_numeric() && is_decimal(c))
}

/// Whether a character of the Basic Multilingual Plane beyond ASCII is a decimal digit.
fn is_decimal(c: char) -> bool {
    const ZEROS: &[u32] = &[
        0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
        0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
        0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    ];
    ZEROS.iter().any(|&zero| (zero..zero + 10).contains(&u32::from(c)))
}
