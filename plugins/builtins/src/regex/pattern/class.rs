//! Classes of characters: `[a-z]`, `[[:alpha:]]`, `\d`, `\p{Greek}`.

use std::fmt::Write as _;

use regex_automata::util::syntax;

use super::{SyntaxError, between, escape, first};

/// The general categories that Go knows.
const CATEGORIES: &[&str] = &[
    "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi",
    "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs", "Cc", "Cf", "Co",
];

/// A class in brackets, and what follows it.
pub(super) fn bracketed(text: &str) -> Result<(String, &str), SyntaxError> {
    let mut rest = &text[1..];
    let mut out = String::from("[");
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut only_surrogates = true;
    let mut at_start = true;
    while at_start || !rest.starts_with(']') {
        at_start = false;
        if let Some((class, after)) = posix(rest)? {
            out.push_str(class);
            rest = after;
            only_surrogates = false;
        } else if let Some((class, after)) = escaped(rest)? {
            out.push_str(&class);
            rest = after;
            only_surrogates = false;
        } else {
            let (low, high, after) = range(rest, text)?;
            only_surrogates &= !write_range(&mut out, low, high);
            rest = after;
        }
    }
    if only_surrogates {
        // Nothing matches a surrogate, everything matches what is none.
        let negated = out.starts_with("[^");
        return Ok((if negated { "(?s:.)" } else { "[a&&b]" }.to_owned(), &rest[1..]));
    }
    out.push(']');
    Ok((out, &rest[1..]))
}

/// A single character or a range of them, and what follows.
fn range<'a>(text: &'a str, whole: &str) -> Result<(u32, u32, &'a str), SyntaxError> {
    let (low, rest) = member(text, whole)?;
    let Some(after) = rest.strip_prefix('-').filter(|after| !after.is_empty() && !after.starts_with(']')) else {
        return Ok((low, low, rest));
    };
    let (high, after) = member(after, whole)?;
    if high < low {
        return Err(SyntaxError::new("invalid character class range", between(text, after)));
    }
    Ok((low, high, after))
}

fn member<'a>(text: &'a str, whole: &str) -> Result<(u32, &'a str), SyntaxError> {
    match first(text) {
        None => Err(SyntaxError::new("missing closing ]", whole)),
        Some(('\\', _)) => escape::character(text),
        Some((character, after)) => Ok((u32::from(character), after)),
    }
}

/// Appends a range without the surrogates in it; false when nothing is left.
fn write_range(out: &mut String, low: u32, high: u32) -> bool {
    let mut written = false;
    for (low, high) in [(low, high.min(0xd7ff)), (low.max(0xe000), high)] {
        if low <= high {
            write!(out, "\\x{{{low:x}}}-\\x{{{high:x}}}").expect("a string takes all that is written to it");
            written = true;
        }
    }
    written
}

/// `[:alpha:]`, and what follows it.
fn posix(text: &str) -> Result<Option<(&'static str, &str)>, SyntaxError> {
    let Some(end) = text.strip_prefix("[:").and_then(|inside| inside.find(":]")) else {
        return Ok(None);
    };
    let (name, rest) = text.split_at(end + 4);
    let class = match &name[2..name.len() - 2] {
        "alnum" => "0-9A-Za-z",
        "^alnum" => "[^0-9A-Za-z]",
        "alpha" => "A-Za-z",
        "^alpha" => "[^A-Za-z]",
        "ascii" => r"\x00-\x7f",
        "^ascii" => r"[^\x00-\x7f]",
        "blank" => r"\t\x20",
        "^blank" => r"[^\t\x20]",
        "cntrl" => r"\x00-\x1f\x7f",
        "^cntrl" => r"[^\x00-\x1f\x7f]",
        "digit" => "0-9",
        "^digit" => "[^0-9]",
        "graph" => r"\x21-\x7e",
        "^graph" => r"[^\x21-\x7e]",
        "lower" => "a-z",
        "^lower" => "[^a-z]",
        "print" => r"\x20-\x7e",
        "^print" => r"[^\x20-\x7e]",
        "punct" => r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
        "^punct" => r"[^\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]",
        "space" => r"\t\n\x0b\f\r\x20",
        "^space" => r"[^\t\n\x0b\f\r\x20]",
        "upper" => "A-Z",
        "^upper" => "[^A-Z]",
        "word" => "0-9A-Za-z_",
        "^word" => "[^0-9A-Za-z_]",
        "xdigit" => "0-9A-Fa-f",
        "^xdigit" => "[^0-9A-Fa-f]",
        _ => return Err(SyntaxError::new("invalid character class range", name)),
    };
    Ok(Some((class, rest)))
}

/// `\d` or `\p{Greek}` as a class of its own, and what follows it.
pub(super) fn escaped(text: &str) -> Result<Option<(String, &str)>, SyntaxError> {
    let Some((letter, after)) = text.strip_prefix('\\').and_then(first) else {
        return Ok(None);
    };
    let class = match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\f\r\x20]",
        'S' => r"[^\t\n\f\r\x20]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'p' | 'P' => return unicode(text, letter == 'P', after).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((class.to_owned(), after)))
}

fn unicode<'a>(text: &'a str, negated: bool, after: &'a str) -> Result<(String, &'a str), SyntaxError> {
    let invalid = |piece: &str| SyntaxError::new("invalid character class range", piece);
    let (name, rest) = match after.strip_prefix('{') {
        Some(inside) => inside.split_once('}').ok_or_else(|| invalid(text))?,
        None => after.split_at(after.chars().next().map_or(0, char::len_utf8)),
    };
    let (negated, name) = name.strip_prefix('^').map_or((negated, name), |name| (!negated, name));
    let members = table(name).ok_or_else(|| invalid(between(text, rest)))?;
    Ok((format!("[{}{members}]", if negated { "^" } else { "" }), rest))
}

/// The members of a category or script under Go's name for it.
fn table(name: &str) -> Option<String> {
    match name {
        "Any" => return Some(r"\x{0}-\x{10ffff}".to_owned()),
        "C" => return Some(r"\p{Cc}\p{Cf}\p{Co}".to_owned()),
        // Surrogates, which no text has.
        "Cs" => return Some("a&&b".to_owned()),
        _ if CATEGORIES.contains(&name) => return Some(format!("\\p{{gc={name}}}")),
        _ => {}
    }
    let is_name = name.len() > 2
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    // Go knows scripts by their long names only; those are longer than the four letters of a short one, or known here.
    let is_long = name.len() != 4 || matches!(name, "Cham" | "Kawi" | "Lisu" | "Thai" | "Toto");
    let script = format!("\\p{{sc={name}}}");
    (is_name && is_long && syntax::parse(&script).is_ok()).then_some(script)
}
