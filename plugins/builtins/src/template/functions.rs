//! The functions that templates may call.

use std::cmp::Ordering;

use regent_core::builtin::{BuiltinError, Call, Operands};
use regent_core::value::{Value, View};

use super::item::Item;

/// Their names. `and` and `or` are among them, but evaluate no more operands than they need.
pub(super) const NAMES: &[&str] =
    &["and", "eq", "ge", "gt", "html", "index", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println"];

/// Calls a function.
///
/// # Errors
/// What is wrong, in Go's words.
pub(super) fn call(name: &str, operands: &[Item], call: &mut Call<'_>) -> Result<Item, String> {
    match (name, operands) {
        ("not", [one]) => Ok(Item::Bool(!one.is_true())),
        ("len", [one]) => {
            let len = one.len().ok_or_else(|| format!("len of type {}", kind(one)))?;
            Ok(Item::Int(i64::try_from(len).unwrap_or(i64::MAX)))
        }
        ("index", [first, keys @ ..]) => keys.iter().try_fold(first.clone(), |item, key| index(&item, key)),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            let found = others.iter().try_fold(false, |found, other| Ok::<_, String>(found || equal(first, other)?));
            found.map(Item::Bool)
        }
        ("ne", [a, b]) => equal(a, b).map(|equal| Item::Bool(!equal)),
        ("lt", [a, b]) => order(a, b).map(|order| Item::Bool(order.is_lt())),
        ("le", [a, b]) => order(a, b).map(|order| Item::Bool(order.is_le())),
        ("gt", [a, b]) => order(a, b).map(|order| Item::Bool(order.is_gt())),
        ("ge", [a, b]) => order(a, b).map(|order| Item::Bool(order.is_ge())),
        ("print", _) => Ok(Item::Text(print(operands))),
        ("println", _) => {
            let texts: Vec<_> = operands.iter().map(printed).collect();
            Ok(Item::Text(texts.join(" ") + "\n"))
        }
        ("printf", [Item::Text(format), values @ ..]) => {
            let values = Value::array(values.iter().map(Item::to_value));
            let done = super::super::sprintf::sprintf(Operands::new(&[Value::from(format.as_str()), values]), call);
            let text = done.map_err(|error: BuiltinError| error.to_string())?;
            Ok(text.as_ref().map_or(Item::Nothing, Item::of))
        }
        ("html", _) => Ok(Item::Text(html(&print(operands)))),
        _ => Err(format!("wrong number of args for {name}: got {}", operands.len())),
    }
}

fn kind(item: &Item) -> &'static str {
    match item {
        Item::Nothing => "nil",
        Item::Bool(_) => "bool",
        Item::Int(_) => "int",
        Item::Float(_) => "float64",
        Item::Text(_) => "string",
        Item::Json(value) => match value.view() {
            View::Array(_) => "[]interface {}",
            _ => "map[string]interface {}",
        },
    }
}

fn index(item: &Item, key: &Item) -> Result<Item, String> {
    let Item::Json(value) = item else {
        return Err(format!("can't index item of type {}", kind(item)));
    };
    match (value.view(), key) {
        (View::Array(items), Item::Int(place)) => {
            let found = usize::try_from(*place).ok().and_then(|place| items.get(place));
            found.map(Item::of).ok_or_else(|| format!("error calling index: index out of range: {place}"))
        }
        (View::Array(_), _) => Err(format!("cannot index slice/array with type {}", kind(key))),
        (View::Object(entries), Item::Text(key)) => Ok(entries.get_str(key).map_or(Item::Nothing, Item::of)),
        _ => Err(format!("value has type {}; should be string", kind(key))),
    }
}

fn equal(a: &Item, b: &Item) -> Result<bool, String> {
    match (a, b) {
        (Item::Json(_), Item::Nothing) | (Item::Nothing, Item::Json(_)) => Ok(false),
        (Item::Json(_), _) | (_, Item::Json(_)) => Err("non-comparable type".to_owned()),
        (Item::Nothing, _) | (_, Item::Nothing) => Ok(a == b),
        (Item::Bool(a), Item::Bool(b)) => Ok(a == b),
        (Item::Int(_), Item::Int(_)) | (Item::Float(_), Item::Float(_)) | (Item::Text(_), Item::Text(_)) => {
            order(a, b).map(Ordering::is_eq)
        }
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn order(a: &Item, b: &Item) -> Result<Ordering, String> {
    match (a, b) {
        (Item::Int(a), Item::Int(b)) => Ok(a.cmp(b)),
        (Item::Float(a), Item::Float(b)) => Ok(a.total_cmp(b)),
        (Item::Text(a), Item::Text(b)) => Ok(a.cmp(b)),
        (Item::Bool(_), Item::Bool(_)) | (Item::Json(_) | Item::Nothing, _) => {
            Err("invalid type for comparison".to_owned())
        }
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

/// As Go's `Sprint`: spaces between operands neither of which is text.
fn print(operands: &[Item]) -> String {
    let mut out = String::new();
    let mut previous: Option<&Item> = None;
    for item in operands {
        let is_text = |item: &Item| matches!(item, Item::Text(_));
        if previous.is_some_and(|previous| !is_text(previous) && !is_text(item)) {
            out.push(' ');
        }
        out.push_str(&printed(item));
        previous = Some(item);
    }
    out
}

fn printed(item: &Item) -> String {
    if *item == Item::Nothing { "<nil>".to_owned() } else { item.to_string() }
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
