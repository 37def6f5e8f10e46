//! Strings: joining, cutting, searching, replacing. Positions count characters, not bytes.

mod case;
pub(super) use case::lower;
mod replacer;

use num_bigint::BigInt;
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View};
use replacer::Replacer;

use super::bounds;
use super::decimal::{Decimal, truncated};
use super::operand::{integer, strings};
use super::table::{Entry, function};
use crate::spelling::spell;

const STRINGS: &[&str] = &["strings"];

pub(super) const TABLE: &[Entry] = &[
    function(
        "strings.any_prefix_match(search: any<string, array[string], set[string]>, base: any<string, array[string], set[string]>) => result: boolean",
        "Tells whether one of the searched strings begins with one of the base strings.",
        any_prefix_match,
    )
    .categories(STRINGS),
    function(
        "strings.any_suffix_match(search: any<string, array[string], set[string]>, base: any<string, array[string], set[string]>) => result: boolean",
        "Tells whether one of the searched strings ends with one of the base strings.",
        any_suffix_match,
    )
    .categories(STRINGS),
    function(
        "concat(delimiter: string, collection: any<array[string], set[string]>) => output: string",
        "Joins the strings of a collection, with a delimiter in between.",
        concat,
    )
    .categories(STRINGS),
    function(
        "format_int(number: number, base: number) => output: string",
        "Writes a number in base 2, 8, 10 or 16, without its fraction.",
        format_int,
    )
    .categories(STRINGS),
    function(
        "indexof(haystack: string, needle: string) => output: number",
        "Finds the first position of a string within another, or -1.",
        indexof,
    )
    .categories(STRINGS),
    function(
        "indexof_n(haystack: string, needle: string) => output: array[number]",
        "Finds all positions of a string within another.",
        indexof_n,
    )
    .categories(STRINGS),
    function(
        "substring(value: string, offset: number, length: number) => output: string",
        "Cuts a piece out of a string; a negative length takes all that follows.",
        substring,
    )
    .categories(STRINGS),
    function(
        "contains(haystack: string, needle: string) => result: boolean",
        "Tells whether a string lies within another.",
        |operands, _| of_two(operands, str::contains),
    )
    .categories(STRINGS),
    function(
        "strings.count(search: string, substring: string) => output: number",
        "Counts how often a string lies within another, without overlaps.",
        count,
    )
    .categories(STRINGS),
    function(
        "startswith(search: string, base: string) => result: boolean",
        "Tells whether a string begins with another.",
        |operands, _| of_two(operands, str::starts_with),
    )
    .categories(STRINGS),
    function(
        "endswith(search: string, base: string) => result: boolean",
        "Tells whether a string ends with another.",
        |operands, _| of_two(operands, str::ends_with),
    )
    .categories(STRINGS),
    function("lower(x: string) => y: string", "Writes a string in lower case.", |operands, _| {
        some(lower(operands.string(0)?))
    })
    .categories(STRINGS),
    function("upper(x: string) => y: string", "Writes a string in upper case.", |operands, _| {
        some(case::upper(operands.string(0)?))
    })
    .categories(STRINGS),
    function(
        "split(x: string, delimiter: string) => ys: array[string]",
        "Cuts a string at each delimiter.",
        split,
    )
    .categories(STRINGS),
    function(
        "strings.split_n(
            x: string, # what is cut
            delimiter: string, # where it is cut
            n: number # how many pieces are given; if negative, how many of the last
        ) => ys: array[string] # the pieces",
        "Cuts a string at each delimiter and gives the first or last so many pieces.",
        split_n,
    )
    .categories(STRINGS),
    function(
        "replace(x: string, old: string, new: string) => y: string",
        "Puts one string in the place of another wherever it occurs.",
        replace,
    )
    .categories(STRINGS),
    function(
        "strings.replace_n(patterns: object[string: string], value: string) => output: string",
        "Replaces several strings at once, in one pass and without overlaps.",
        replace_n,
    ),
    function(
        "trim(value: string, cutset: string) => output: string",
        "Takes given characters off both ends.",
        |operands, _| of_two(operands, |text, set| text.trim_matches(|c| set.contains(c))),
    )
    .categories(STRINGS),
    function(
        "trim_left(value: string, cutset: string) => output: string",
        "Takes given characters off the beginning.",
        |operands, _| of_two(operands, |text, set| text.trim_start_matches(|c| set.contains(c))),
    )
    .categories(STRINGS),
    function(
        "trim_prefix(value: string, prefix: string) => output: string",
        "Takes a prefix off, if it is there.",
        |operands, _| of_two(operands, |text, prefix| text.strip_prefix(prefix).unwrap_or(text)),
    )
    .categories(STRINGS),
    function(
        "trim_right(value: string, cutset: string) => output: string",
        "Takes given characters off the end.",
        |operands, _| of_two(operands, |text, set| text.trim_end_matches(|c| set.contains(c))),
    )
    .categories(STRINGS),
    function(
        "trim_suffix(value: string, suffix: string) => output: string",
        "Takes a suffix off, if it is there.",
        |operands, _| of_two(operands, |text, suffix| text.strip_suffix(suffix).unwrap_or(text)),
    )
    .categories(STRINGS),
    function(
        "trim_space(value: string) => output: string",
        "Takes white space off both ends.",
        |operands, _| some(operands.string(0)?.trim()),
    )
    .categories(STRINGS),
    function("strings.reverse(x: string) => y: string", "Turns a string around.", |operands, _| {
        some(operands.string(0)?.chars().rev().collect::<String>())
    })
    .categories(STRINGS),
    function(
        "internal.template_string(array[any]) => string",
        "",
        template_string,
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "in the form of what calls give")]
fn some(value: impl Into<Value>) -> Outcome {
    Ok(Some(value.into()))
}

fn of_two<'a, V: Into<Value>>(operands: Operands<'a>, of: impl Fn(&'a str, &'a str) -> V) -> Outcome {
    some(of(operands.string(0)?, operands.string(1)?))
}

fn one_or_more(operands: Operands<'_>, position: usize) -> Result<Vec<&str>, BuiltinError> {
    match operands.any(position).as_str() {
        Some(text) => Ok(vec![text]),
        None => strings(operands, position, "one of {string, set, array}"),
    }
}

fn any_pair(operands: Operands<'_>, call: &Call<'_>, holds: impl Fn(&str, &str) -> bool) -> Outcome {
    let (texts, others) = (one_or_more(operands, 0)?, one_or_more(operands, 1)?);
    for text in texts {
        if call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        if others.iter().any(|other| holds(text, other)) {
            return some(true);
        }
    }
    some(false)
}

fn any_prefix_match(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    any_pair(operands, call, |text, prefix| text.starts_with(prefix))
}

fn any_suffix_match(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    any_pair(operands, call, |text, suffix| text.ends_with(suffix))
}

fn concat(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let delimiter = operands.string(0)?;
    let parts = strings(operands, 1, "one of {set, array}")?;
    let length = |part: &&str| part.len().saturating_add(delimiter.len());
    bounds::text(parts.iter().map(length).fold(0, usize::saturating_add))?;
    some(parts.join(delimiter))
}

fn format_int(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let number = operands.number(0)?;
    let base = operands.number(1)?;
    let radix = match &*base.to_literal() {
        "2" => 2,
        "8" => 8,
        "10" => 10,
        "16" => 16,
        _ => return Err(BuiltinError::operand(1, "must be one of {2, 8, 10, 16}")),
    };
    let literal = number.to_literal();
    let whole = if let Ok(whole) = literal.parse::<i64>() {
        BigInt::from(whole)
    } else {
        let number = Decimal::parse(&literal).and_then(|decimal| decimal.number());
        number.and_then(|number| truncated(&number).to_bigint()).ok_or_else(|| too_large(&literal))?
    };
    some(whole.to_str_radix(radix))
}

fn too_large(literal: &str) -> BuiltinError {
    BuiltinError::failed(format!("number {literal} is too large"))
}

/// The positions of `needle`, in characters.
///
/// # Errors
/// When `needle` is empty.
fn positions<'a>(haystack: &'a str, needle: &'a str) -> Result<impl Iterator<Item = i64> + 'a, BuiltinError> {
    let Some(first) = needle.chars().next() else {
        return Err(BuiltinError::failed("empty search character"));
    };
    let characters = haystack.char_indices().zip(0_i64..);
    Ok(characters
        .filter(move |((at, character), _)| *character == first && haystack[*at..].starts_with(needle))
        .map(|(_, position)| position))
}

fn indexof(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (haystack, needle) = (operands.string(0)?, operands.string(1)?);
    some(positions(haystack, needle)?.next().unwrap_or(-1))
}

fn indexof_n(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (haystack, needle) = (operands.string(0)?, operands.string(1)?);
    let mut found: Vec<Value> = Vec::new();
    for position in positions(haystack, needle)? {
        if call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        found.push(position.into());
    }
    some(found)
}

fn substring(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (text, offset, length) = (operands.string(0)?, integer(operands, 1)?, integer(operands, 2)?);
    let Ok(offset) = usize::try_from(offset) else {
        return Err(BuiltinError::failed("negative offset"));
    };
    let after = |text: &str, count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    let rest = &text[after(text, offset)..];
    // A negative length asks for all the rest.
    some(usize::try_from(length).map_or(rest, |length| &rest[..after(rest, length)]))
}

fn count(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (text, piece) = (operands.string(0)?, operands.string(1)?);
    let count = if piece.is_empty() { text.chars().count() + 1 } else { text.matches(piece).count() };
    some(i64::try_from(count).expect("no text has more than 2^63 bytes"))
}

fn split(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    some(Value::array(pieces(operands.string(0)?, operands.string(1)?)))
}

/// The pieces between delimiters; characters if the delimiter is empty.
fn pieces(text: &str, delimiter: &str) -> Vec<Value> {
    if delimiter.is_empty() {
        return text.chars().map(|character| Value::from(character.encode_utf8(&mut [0; 4]) as &str)).collect();
    }
    text.split(delimiter).map(Value::from).collect()
}

fn split_n(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (text, delimiter) = (operands.string(0)?, operands.string(1)?);
    let wanted = integer(operands, 2)?;
    let count = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
    let mut pieces = pieces(text, delimiter);
    if wanted < 0 {
        pieces.drain(..pieces.len().saturating_sub(count));
    } else {
        pieces.truncate(count);
    }
    some(Value::array(pieces))
}

fn replace(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (text, old, new) = (operands.string(0)?, operands.string(1)?, operands.string(2)?);
    if old.is_empty() {
        return some(Replacer::new(vec![(old, new)]).replace(text, call.cancel)?);
    }
    let mut out = String::with_capacity(text.len());
    for (index, piece) in text.split(old).enumerate() {
        if call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        bounds::text(out.len())?;
        if index > 0 {
            out.push_str(new);
        }
        out.push_str(piece);
    }
    some(out)
}

fn replace_n(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let patterns = operands.object(0)?;
    let text = operands.string(1)?;
    let mut pairs = Vec::with_capacity(patterns.len());
    for (old, new) in patterns {
        let wrong = |what| BuiltinError::operand(0, format_args!("non-string {what} found in pattern object"));
        let old = old.as_str().ok_or_else(|| wrong("key"))?;
        pairs.push((old, new.as_str().ok_or_else(|| wrong("value"))?));
    }
    some(Replacer::new(pairs).replace(text, call.cancel)?)
}

/// What template strings are compiled to: the parts one after another, a set standing for what it holds.
fn template_string(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let mut out = String::new();
    for part in operands.array(0)? {
        bounds::text(out.len())?;
        bounds::written(part, call.cancel)?;
        match part.view() {
            View::Set(members) => match (members.iter().next(), members.len()) {
                (None, _) => out.push_str("<undefined>"),
                (Some(only), 1) => push_part(&mut out, only),
                _ => return Err(BuiltinError::Fatal("template-strings must not produce multiple outputs".to_owned())),
            },
            View::Array(_) | View::Object(_) => {
                return Err(BuiltinError::Fatal(format!("illegal argument type: {}", part.type_name())));
            }
            _ => push_part(&mut out, part),
        }
    }
    some(out)
}

fn push_part(out: &mut String, part: &Value) {
    match part.as_str() {
        Some(text) => out.push_str(text),
        None => out.push_str(&spell(part)),
    }
}

#[cfg(test)]
mod tests;
