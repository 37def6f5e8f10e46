//! Regular expressions, in the syntax of Go's `regexp`.

mod intersection;
pub(super) mod pattern;
mod template;

use std::sync::Arc;

use pattern::Pattern;
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::Value;

use super::bounds;
use super::cache::{self, Cache};
use super::operand::integer;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "regex.match(pattern: string, value: string) => result: boolean",
        "Tells whether a regular expression is found in a string.",
        is_match,
    ),
    function(
        "regex.is_valid(pattern: string) => result: boolean",
        "Tells whether a string is a regular expression.",
        |operands, _| Ok(Some(operands.any(0).as_str().is_some_and(|text| pattern::translate(text).is_ok()).into())),
    ),
    function(
        "regex.find_all_string_submatch_n(pattern: string, value: string, number: number) => output: array[array[string]]",
        "Finds so many matches with their groups; a negative number means all.",
        find_all_string_submatch_n,
    ),
    function(
        "regex.template_match(template: string, value: string, delimiter_start: string, delimiter_end: string) => result: boolean",
        "Tells whether a string matches a text with regular expressions between delimiters.",
        template_match,
    ),
    function(
        "regex.split(pattern: string, value: string) => output: array[string]",
        "Cuts a string at each match.",
        split,
    ),
    function(
        "regex.find_n(pattern: string, value: string, number: number) => output: array[string]",
        "Finds so many matches; a negative number means all.",
        find_n,
    ),
    function(
        "regex.globs_match(glob1: string, glob2: string) => result: boolean",
        "Tells whether some text matches two simple patterns of `.`, `*`, `+` and `[…]`.",
        globs_match,
    ),
    function(
        "regex.replace(s: string, pattern: string, value: string) => output: string",
        "Replaces each match; `$1` and `${name}` stand for its groups.",
        replace,
    ),
    function("re_match(string, string) => boolean", "", is_match).deprecated(),
];

/// How many matches are found between two looks at the cancel signal.
const PATIENCE: usize = 1 << 10;

/// The compiled pattern, which is kept for other queries too.
fn compiled(call: &Call<'_>, text: &str) -> Result<Arc<Pattern>, BuiltinError> {
    call.shared
        .get::<Cache<Pattern>>()
        .get(cache::most(call), text, || Pattern::new(text))
        .map_err(BuiltinError::failed)
}

/// As many as the operand says; all if it is negative.
fn limit(operands: Operands<'_>, position: usize) -> Result<usize, BuiltinError> {
    Ok(usize::try_from(integer(operands, position)?).unwrap_or(usize::MAX))
}

/// Passes the matches on, with a look at the cancel signal now and then.
fn patiently<'c, T>(
    call: &'c Call<'_>,
    items: impl Iterator<Item = T> + 'c,
) -> impl Iterator<Item = Result<T, BuiltinError>> + 'c {
    items.enumerate().map(|(index, item)| {
        let cancelled = index.is_multiple_of(PATIENCE) && call.cancel.is_cancelled();
        if cancelled { Err(BuiltinError::Cancelled) } else { Ok(item) }
    })
}

fn is_match(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (pattern, text) = (operands.string(0)?, operands.string(1)?);
    Ok(Some(compiled(call, pattern)?.regex.is_match(text).into()))
}

fn find_n(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (pattern, text, limit) = (operands.string(0)?, operands.string(1)?, limit(operands, 2)?);
    let pattern = compiled(call, pattern)?;
    let found = patiently(call, pattern.regex.find_iter(text).take(limit));
    let found = found.map(|found| Ok(Value::from(&text[found?.range()])));
    Ok(Some(Value::array(found.collect::<Result<Vec<_>, BuiltinError>>()?)))
}

fn find_all_string_submatch_n(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (pattern, text, limit) = (operands.string(0)?, operands.string(1)?, limit(operands, 2)?);
    let pattern = compiled(call, pattern)?;
    let found = patiently(call, pattern.regex.captures_iter(text).take(limit));
    let found = found.map(|found| {
        let found = found?;
        let groups = found.iter().map(|group| Value::from(group.map_or("", |span| &text[span])));
        Ok(Value::array(groups))
    });
    Ok(Some(Value::array(found.collect::<Result<Vec<_>, BuiltinError>>()?)))
}

fn split(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (source, text) = (operands.string(0)?, operands.string(1)?);
    let pattern = compiled(call, source)?;
    if !source.is_empty() && text.is_empty() {
        return Ok(Some(Value::array([""])));
    }
    let mut parts: Vec<Value> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in patiently(call, pattern.regex.find_iter(text)) {
        let found = found?;
        end = found.start();
        // An empty match at the beginning cuts nothing off.
        if found.end() != 0 {
            parts.push(text[begin..end].into());
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.push(text[begin..].into());
    }
    Ok(Some(parts.into()))
}

fn replace(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (text, pattern, template) = (operands.string(0)?, operands.string(1)?, operands.string(2)?);
    let pattern = compiled(call, pattern)?;
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for found in patiently(call, pattern.regex.captures_iter(text)) {
        let found = found?;
        bounds::text(out.len())?;
        let span = found.get_match().expect("an iterator over matches gives matches");
        out.push_str(&text[kept..span.start()]);
        template::expand(&mut out, template, text, &found);
        kept = span.end();
    }
    out.push_str(&text[kept..]);
    Ok(Some(out.into()))
}

fn template_match(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (template, text) = (operands.string(0)?, operands.string(1)?);
    let (start, end) = (operands.string(2)?, operands.string(3)?);
    let delimiter = |which: &str, delimiter: &str| match delimiter.as_bytes() {
        [only] => Ok(*only),
        // OPA tells the length of the first delimiter for either.
        _ => Err(BuiltinError::failed(format!(
            "{which} delimiter has to be exactly one character long but is {} long",
            start.len()
        ))),
    };
    let (start, end) = (delimiter("start", start)?, delimiter("end", end)?);
    let source = template::to_pattern(template, start, end).map_err(BuiltinError::failed)?;
    Ok(Some(compiled(call, &source)?.regex.is_match(text).into()))
}

fn globs_match(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (one, other) = (operands.string(0)?, operands.string(1)?);
    let (one, other) = (intersection::parse(one)?, intersection::parse(other)?);
    Ok(Some(intersection::is_nonempty(&one, &other, call.cancel)?.into()))
}

#[cfg(test)]
mod tests;
