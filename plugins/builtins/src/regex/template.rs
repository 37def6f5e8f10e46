//! Texts with something to fill in: replacements with groups, and patterns within delimiters.

use regex_automata::util::captures::Captures;

use super::pattern::Pattern;
use crate::spelling::quote;

/// Appends the replacement of a match: `$1`, `$name`, `${name}` are its groups, `$$` is a dollar sign.
pub(super) fn expand(out: &mut String, template: &str, text: &str, found: &Captures) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        if let Some((name, after)) = reference(after) {
            if let Some(span) = group(name, found) {
                out.push_str(&text[span.start..span.end]);
            }
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

/// The name after a dollar sign, as long as can be, and what follows it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (braced, inside) = text.strip_prefix('{').map_or((false, text), |inside| (true, inside));
    let is_part = |c: char| c == '_' || c.is_alphabetic() || c.is_numeric();
    let end = inside.find(|c| !is_part(c)).unwrap_or(inside.len());
    let (name, after) = inside.split_at(end);
    if name.is_empty() {
        return None;
    }
    if braced { Some((name, after.strip_prefix('}')?)) } else { Some((name, after)) }
}

fn group(name: &str, found: &Captures) -> Option<regex_automata::Span> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0')) {
        return found.get_group(name.parse().ok()?);
    }
    found.get_group_by_name(name)
}

/// The pattern of a template: what lies between delimiters is one, all else stands for itself.
///
/// # Errors
/// When delimiters do not pair up, or a pattern between them is wrong.
pub(super) fn to_pattern(template: &str, start: u8, end: u8) -> Result<String, String> {
    let mut out = String::from("^");
    let (mut level, mut opened, mut closed) = (0_i32, 0, 0);
    let unbalanced = || format!("unbalanced braces in {}", quote(template));
    for (at, byte) in template.bytes().enumerate() {
        // A delimiter that opens and closes alike only ever opens, as in OPA.
        if byte == start {
            level += 1;
            if level == 1 {
                opened = at;
            }
        } else if byte == end {
            level -= 1;
            if level < 0 {
                return Err(unbalanced());
            }
            if level == 0 {
                let inside = &template[opened + 1..at];
                Pattern::new(&format!("^{inside}$"))?;
                quote_pattern(&mut out, &template[closed..opened]);
                out.push('(');
                out.push_str(inside);
                out.push(')');
                closed = at + 1;
            }
        }
    }
    if level != 0 {
        return Err(unbalanced());
    }
    quote_pattern(&mut out, &template[closed..]);
    out.push('$');
    Ok(out)
}

fn quote_pattern(out: &mut String, text: &str) {
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
}
