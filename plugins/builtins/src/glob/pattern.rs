//! From a glob to a regular expression.

use std::fmt::Write as _;

use super::super::cursor::Cursor;

/// How deep alternatives may nest.
const MAX_DEPTH: usize = 100;

/// The regular expression of a glob whose `*` and `?` stop at the delimiters.
///
/// # Errors
/// What the library says of a wrong pattern.
pub(super) fn translate(glob: &str, delimiters: &str) -> Result<String, String> {
    // To the library, a NUL is the end.
    let rest = glob.split('\0').next().unwrap_or_default();
    let mut parser = Parser { text: Cursor { rest }, delimiters, depth: 0 };
    let mut out = String::from("(?s)^(?:");
    parser.alternative(&mut out)?;
    out.push_str(")$");
    Ok(out)
}

struct Parser<'a> {
    text: Cursor<'a>,
    delimiters: &'a str,
    depth: usize,
}

/// A piece of a pattern.
enum Piece {
    Text(String),
    /// What goes over delimiters too.
    Super,
    /// Anything else, as a regular expression.
    Other(String),
}

impl Parser<'_> {
    /// A pattern up to its end, or within braces up to a comma or the closing one, which are left.
    fn alternative(&mut self, out: &mut String) -> Result<(), String> {
        let mut pieces = Vec::new();
        while let Some(next) = self.text.rest.chars().next() {
            if self.depth > 0 && matches!(next, ',' | '}') {
                break;
            }
            let piece = match next {
                '*' if self.text.rest.starts_with("**") => {
                    self.text.rest = &self.text.rest[2..];
                    Piece::Super
                }
                '*' => {
                    self.text.take();
                    if self.delimiters.is_empty() { Piece::Super } else { Piece::Other(self.no_delimiter() + "*") }
                }
                '?' => {
                    self.text.take();
                    Piece::Other(self.no_delimiter())
                }
                '[' => {
                    self.text.take();
                    Piece::Other(self.range()?)
                }
                '{' => {
                    self.text.take();
                    Piece::Other(self.alternatives()?)
                }
                _ => Piece::Text(self.text()),
            };
            pieces.push(piece);
        }
        write_pieces(out, &pieces);
        Ok(())
    }

    /// What stands between braces; the closing one may be missing at the end.
    fn alternatives(&mut self) -> Result<String, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("glob nests too deeply".to_owned());
        }
        let mut out = String::from("(?:");
        loop {
            self.alternative(&mut out)?;
            if !self.text.take_if(',') {
                break;
            }
            out.push('|');
        }
        self.text.take_if('}');
        self.depth -= 1;
        out.push(')');
        Ok(out)
    }

    fn no_delimiter(&self) -> String {
        if self.delimiters.is_empty() {
            return ".".to_owned();
        }
        let mut out = String::from("[^");
        self.delimiters.chars().for_each(|delimiter| write_char(&mut out, delimiter));
        out.push(']');
        out
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(next) = self.text.rest.chars().next() {
            match next {
                '?' | '*' | '[' | '{' => break,
                '}' | ',' if self.depth > 0 => break,
                '\\' => {
                    self.text.take();
                    text.extend(self.text.take());
                }
                _ => text.extend(self.text.take()),
            }
        }
        text
    }

    /// What stands between brackets: one range, or a list of characters.
    fn range(&mut self) -> Result<String, String> {
        let mut out = String::from(if self.text.take_if('!') { "[^" } else { "[" });
        let end = || "unexpected end of input".to_owned();
        let first = self.text.rest.chars().next().ok_or_else(end)?;
        if let Some(after) = self.text.rest[first.len_utf8()..].strip_prefix('-') {
            self.text.rest = after;
            let last = self.text.take().ok_or_else(end)?;
            self.close()?;
            if last < first {
                return Err(format!("hi character '{last}' should be greater than lo '{first}'"));
            }
            write_char(&mut out, first);
            out.push('-');
            write_char(&mut out, last);
        } else {
            let mut list = String::new();
            while let Some(next) = self.text.rest.chars().next().filter(|next| *next != ']') {
                self.text.take();
                list.extend(if next == '\\' { self.text.take() } else { Some(next) });
            }
            self.close()?;
            if list.is_empty() {
                return Err("could not parse range".to_owned());
            }
            list.chars().for_each(|character| write_char(&mut out, character));
        }
        out.push(']');
        Ok(out)
    }

    fn close(&mut self) -> Result<(), String> {
        match self.text.take() {
            Some(']') => Ok(()),
            Some(_) => Err("expected close range character".to_owned()),
            None => Err("unexpected end of input".to_owned()),
        }
    }
}

fn write_char(out: &mut String, character: char) {
    write!(out, "\\x{{{:x}}}", u32::from(character)).expect("a string takes all that is written to it");
}

fn write_text(out: &mut String, text: &str) {
    for character in text.chars() {
        if character.is_ascii_alphanumeric() { out.push(character) } else { write_char(out, character) }
    }
}

fn write_pieces(out: &mut String, pieces: &[Piece]) {
    if let [Piece::Text(start), Piece::Super, Piece::Text(end)] = pieces {
        return write_ends(out, start, end);
    }
    for piece in pieces {
        match piece {
            Piece::Text(text) => write_text(out, text),
            Piece::Super => out.push_str(".*"),
            Piece::Other(pattern) => out.push_str(pattern),
        }
    }
}

/// The library asks only whether a text begins and ends as wanted: the two may overlap, so `ab**ba` matches `aba`.
fn write_ends(out: &mut String, start: &str, end: &str) {
    out.push_str("(?:");
    write_text(out, start);
    out.push_str(".*");
    write_text(out, end);
    let overlaps = end.char_indices().skip(1).map(|(at, _)| at).chain([end.len()]);
    for overlap in overlaps.filter(|overlap| start.ends_with(&end[..*overlap])) {
        out.push('|');
        write_text(out, start);
        write_text(out, &end[overlap..]);
    }
    out.push(')');
}
