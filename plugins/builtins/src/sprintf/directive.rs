//! Reading a format: text, and directives such as `%-5.2[1]f` in between.

use super::super::cursor::Cursor;
use super::{Argument, Spec};

/// Widths, precisions and indexes beyond this are none.
const TOO_LARGE: usize = 1_000_000;

/// What a `%` begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Directive {
    /// `%%`
    Percent,
    /// The format ends within it.
    Missing,
    /// Its index names no argument.
    BadIndex(char),
    /// No argument is left for it.
    NoArgument(char),
    /// It shows an argument.
    Verb {
        /// How.
        verb: char,
        /// Which.
        argument: usize,
        /// In which form.
        spec: Spec,
    },
}

/// A place in a format, and in the arguments.
pub(super) struct Reader<'a> {
    text: Cursor<'a>,
    arguments: &'a [Argument],
    next: usize,
    /// Whether an index was given anywhere; then nobody counts which arguments were used.
    reordered: bool,
    good_index: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(format: &'a str, arguments: &'a [Argument]) -> Self {
        Self { text: Cursor { rest: format }, arguments, next: 0, reordered: false, good_index: true }
    }

    /// Copies the text before the next directive; false when there is none.
    pub(super) fn copy_plain(&mut self, out: &mut String) -> bool {
        if let Some((plain, rest)) = self.text.rest.split_once('%') {
            out.push_str(plain);
            self.text.rest = rest;
            true
        } else {
            out.push_str(std::mem::take(&mut self.text.rest));
            false
        }
    }

    /// The arguments that no directive asked for.
    pub(super) fn unused(&self) -> &'a [Argument] {
        if self.reordered { &[] } else { self.arguments.get(self.next..).unwrap_or(&[]) }
    }

    /// Reads what follows a `%`. Complaints about width and precision go to `out` at once, as in Go.
    pub(super) fn directive(&mut self, out: &mut String) -> Directive {
        self.good_index = true;
        let mut spec = self.flags();
        let indexed = self.index();
        let indexed = self.width(&mut spec, indexed, out);
        let indexed = self.precision(&mut spec, indexed, out);
        if !indexed {
            self.index();
        }
        let Some(verb) = self.text.take() else {
            return Directive::Missing;
        };
        if verb == '%' {
            return Directive::Percent;
        }
        if !self.good_index {
            return Directive::BadIndex(verb);
        }
        if self.next >= self.arguments.len() {
            return Directive::NoArgument(verb);
        }
        if matches!(verb, 'v' | 'w') {
            spec.go_syntax = std::mem::take(&mut spec.sharp);
            spec.plus = false;
        }
        let argument = self.next;
        self.next += 1;
        Directive::Verb { verb, argument, spec }
    }

    fn flags(&mut self) -> Spec {
        let mut spec = Spec::default();
        loop {
            let flag = match self.text.rest.as_bytes().first() {
                Some(b'#') => &mut spec.sharp,
                Some(b'0') => &mut spec.zero,
                Some(b'+') => &mut spec.plus,
                Some(b'-') => &mut spec.minus,
                Some(b' ') => &mut spec.space,
                _ => return spec,
            };
            *flag = true;
            self.text.rest = &self.text.rest[1..];
        }
    }

    /// An index in brackets, counted from 1. True when there was one that could be read.
    fn index(&mut self) -> bool {
        if !self.text.rest.starts_with('[') {
            return false;
        }
        self.reordered = true;
        let close = if self.text.rest.len() < 3 { None } else { self.text.rest.find(']') };
        let Some(close) = close else {
            self.good_index = false;
            self.text.rest = &self.text.rest[1..];
            return false;
        };
        let inside = &self.text.rest[1..close];
        self.text.rest = &self.text.rest[close + 1..];
        let number = number(inside).filter(|(_, length)| *length == inside.len()).map(|(number, _)| number);
        if let Some(index) =
            number.and_then(|number| number.checked_sub(1)).filter(|index| *index < self.arguments.len())
        {
            self.next = index;
            true
        } else {
            self.good_index = false;
            number.is_some()
        }
    }

    fn width(&mut self, spec: &mut Spec, indexed: bool, out: &mut String) -> bool {
        if !self.text.take_if('*') {
            spec.width = self.number();
            if indexed && spec.width.is_some() {
                self.good_index = false;
            }
            return indexed;
        }
        match self.star() {
            Some(width) => {
                spec.minus |= width < 0;
                spec.width = usize::try_from(width.unsigned_abs()).ok();
            }
            None => out.push_str("%!(BADWIDTH)"),
        }
        false
    }

    fn precision(&mut self, spec: &mut Spec, indexed: bool, out: &mut String) -> bool {
        if !self.text.take_if('.') {
            return indexed;
        }
        if indexed {
            self.good_index = false;
        }
        let indexed = self.index();
        if !self.text.take_if('*') {
            spec.precision = Some(self.number().unwrap_or(0));
            return indexed;
        }
        spec.precision = self.star().and_then(|precision| usize::try_from(precision).ok());
        if spec.precision.is_none() {
            out.push_str("%!(BADPREC)");
        }
        false
    }

    fn number(&mut self) -> Option<usize> {
        if let Some((number, length)) = number(self.text.rest) {
            self.text.rest = &self.text.rest[length..];
            Some(number)
        } else {
            // A number too large to be one swallows the rest of the format.
            if self.text.rest.starts_with(|c: char| c.is_ascii_digit()) {
                self.text.rest = "";
            }
            None
        }
    }

    /// The argument that stands for a `*`.
    fn star(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match argument {
            Argument::Int(int) if int.unsigned_abs() <= TOO_LARGE as u64 => Some(*int),
            _ => None,
        }
    }
}

/// The number that the text begins with and its length, if there is one of a sensible size.
fn number(text: &str) -> Option<(usize, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut number = 0;
    for digit in text[..length].bytes() {
        if number > TOO_LARGE {
            return None;
        }
        number = number * 10 + usize::from(digit - b'0');
    }
    (length > 0).then_some((number, length))
}
