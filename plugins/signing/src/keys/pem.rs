//! PEM blocks, found in text as leniently as Go finds them.

use std::borrow::Cow;

use crate::base64;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it says it is: `CERTIFICATE`.
    pub label: &'a str,
    /// The lines before the content that say more of it, such as `DEK-Info: …`.
    pub headers: &'a str,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The first block that is whole, and what follows it. Text before it and broken blocks are passed over.
///
/// Blocks are looked for by their ends, each with the last beginning before it, so that the time is linear however many
/// beginnings there are.
pub fn first(text: &str) -> Option<(Block<'_>, &str)> {
    let mut rest = text;
    loop {
        let start = after_line_start(rest, BEGIN)?;
        let end = after_line_start(start, END)?;
        let mut block = &start[..start.len() - end.len() - END.len()];
        while let Some(inner) = after_line_start(block, BEGIN) {
            block = inner;
        }
        let (trailer, after) = cut_line(end);
        if let Some(found) = whole(block, trailer) {
            return Some((found, after));
        }
        rest = after;
    }
}

impl<'a> Block<'a> {
    /// The value of a header, if the block has it.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    }
}

/// All blocks that are whole.
pub fn all(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (block, after) = first(rest)?;
        rest = after;
        Some(block)
    })
}

/// The text of a block.
pub fn spell(label: &str, bytes: &[u8]) -> String {
    let digits = base64::spell(bytes);
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    for line in digits.as_bytes().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + END + label + DASHES + "\n"
}

/// What follows the next place where a line begins with the mark.
fn after_line_start<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let at_line_start = |(at, _): &(usize, &str)| *at == 0 || text[..*at].ends_with('\n');
    text.match_indices(mark).find(at_line_start).map(|(at, mark)| &text[at + mark.len()..])
}

/// The block between the two marks, if they say the same and base64 is between them.
fn whole<'a>(block: &'a str, trailer: &str) -> Option<Block<'a>> {
    let (line, body) = cut_line(block);
    let label = line.strip_suffix(DASHES)?;
    if trailer.strip_suffix(DASHES) != Some(label) {
        return None;
    }
    let content = skip_headers(body);
    let digits = content.replace([' ', '\t', '\r', '\n'], "");
    let headers = &body[..body.len() - content.len()];
    Some(Block { label, headers, bytes: base64::standard_bytes(&digits).ok()? })
}

/// What follows the lines such as `Proc-Type: 4,ENCRYPTED`.
fn skip_headers(mut body: &str) -> &str {
    loop {
        let (line, rest) = cut_line(body);
        if line.contains(':') && !rest.is_empty() {
            body = rest;
        } else {
            return body;
        }
    }
}

/// A line without the blanks at its end, and what follows it.
fn cut_line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.trim_end_matches([' ', '\t', '\r']), rest)
}

/// The text in the bytes, for looking for blocks in it.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_other_text() {
        let text = "hello\n-----BEGIN A-----\nAQ\nI=\n-----END A-----\nbye\n-----BEGIN B C-----\r\nX: y\r\n\r\nAw==\r\n-----END B C-----";
        let found: Vec<_> = all(text).map(|block| (block.label, block.bytes)).collect();
        assert_eq!(found, [("A", vec![1, 2]), ("B C", vec![3])]);
        let headers: Vec<_> = all(text).map(|block| (block.header("X"), block.header("Y"))).collect();
        assert_eq!(headers, [(None, None), (Some("y"), None)]);
        let (_, rest) = first("-----BEGIN A-----\nAQI=\n-----END A-----\n more").expect("a block");
        assert_eq!(rest, " more");
    }

    #[test]
    fn broken_blocks_are_passed_over() {
        for text in [
            "",
            "-----BEGIN",
            "-----BEGIN A-----",
            "-----BEGIN A-----\nAQI=",
            "-----BEGIN A\nAQI=\n-----END A-----",
            "-----BEGIN A-----\nAQI=\n-----END B-----\n",
            "-----BEGIN A-----\n*\n-----END A-----\n",
            " -----BEGIN A-----\nAQI=\n-----END A-----\n",
        ] {
            assert_eq!(first(text), None, "{text:?}");
        }
        let text = "-----BEGIN A-----\n*\n-----END A-----\n-----BEGIN B-----\n-----END B-----\n";
        assert_eq!(all(text).map(|block| block.label).collect::<Vec<_>>(), ["B"]);
    }

    #[test]
    fn many_beginnings_take_no_longer() {
        let begin = "-----BEGIN A-----\n";
        let text = begin.repeat(50_000) + "-----END B-----\n" + begin + "-----END A-----";
        assert_eq!(first(&text).map(|(block, rest)| (block.label, rest)), Some(("A", "")));
        assert_eq!(first(&begin.repeat(50_000)), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(first(&spell("KEY", &bytes)), Some((Block { label: "KEY", headers: "", bytes }, "")));
    }
}
