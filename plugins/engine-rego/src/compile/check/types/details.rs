//! What type errors tell beside their message, as OPA shows it.

use regent_core::Value;

use super::ty::{Named, Ty, Wanted};
use crate::compile::check::text;
use crate::syntax::ast::{Term, TermKind};

/// Operands that do not fit: what there is and what is wanted.
pub(super) fn operands(have: &[Ty], want: &Wanted) -> Value {
    let mut wanted = Vec::new();
    if !want.operands.is_empty() {
        wanted.push(("args", Value::array(want.operands.iter().map(named))));
    }
    wanted.extend(want.variadic.iter().map(|variadic| ("variadic", json(variadic))));
    Value::object([("have", Value::array(have.iter().map(json))), ("want", Value::object(wanted))])
}

/// The same as lines of text.
pub(super) fn lines_of_operands(have: &[Ty], want: &Wanted) -> Vec<String> {
    let have: Vec<String> = have.iter().map(Ty::to_string).collect();
    let variadic = want.variadic.iter().map(|variadic| format!("{variadic}..."));
    let want: Vec<String> = want.operands.iter().map(Named::to_string).chain(variadic).collect();
    vec![format!("have: ({})", have.join(", ")), format!("want: ({})", want.join(", "))]
}

/// Two sides of an equation that cannot be equal.
pub(super) fn equation(left: &Ty, right: &Ty) -> Value {
    Value::object([("a", json(left)), ("b", json(right))])
}

/// The same as lines of text.
pub(super) fn lines_of_equation(left: &Ty, right: &Ty) -> Vec<String> {
    vec![format!("left  : {left}"), format!("right : {right}")]
}

/// A reference into something without keys.
pub(super) fn no_keys(reference: &[Term], position: usize, have: &Ty) -> Value {
    Value::object([("have", json(have)), ("pos", number(position)), ("ref", terms(reference))])
}

/// The same as lines of text: the reference with what has no keys underlined.
pub(super) fn lines_of_no_keys(reference: &[Term], position: usize, have: &Ty) -> Vec<String> {
    let underlined = text::reference(&reference[..=position]).len();
    vec![text::reference(reference), "^".repeat(underlined), format!("have: {have}")]
}

/// A reference with a key that does not exist or cannot be one.
pub(super) fn wrong_key(reference: &[Term], position: usize, have: &Ty, want: &Ty, one_of: &[Value]) -> Value {
    let one_of = if one_of.is_empty() { null() } else { Value::array(one_of.iter().cloned()) };
    let mut entries =
        vec![("oneOf", one_of), ("pos", number(position)), ("ref", terms(reference)), ("want", json(want))];
    if *have != Ty::Unknown {
        entries.push(("have", json(have)));
    }
    Value::object(entries)
}

/// The same as lines of text: the reference with the key pointed at.
pub(super) fn lines_of_wrong_key(
    reference: &[Term],
    position: usize,
    have: &Ty,
    want: &Ty,
    one_of: &[Value],
) -> Vec<String> {
    let pad = " ".repeat(text::reference(&reference[..position]).len() + 1);
    let have = match have {
        Ty::Unknown => format!("{pad}have: {}", reference[position]),
        have => format!("{pad}have (type): {have}"),
    };
    let want = if one_of.is_empty() {
        format!("{pad}want (type): {want}")
    } else {
        let keys: Vec<String> = one_of.iter().map(Value::to_string).collect();
        format!("{pad}want (one of): [{}]", keys.join(" "))
    };
    vec![text::reference(reference), format!("{pad}^"), have, want]
}

fn number(place: usize) -> Value {
    Value::from(u64::try_from(place).unwrap_or(u64::MAX))
}

fn null() -> Value {
    Value::from(None::<bool>)
}

/// A type as OPA's JSON shows it.
fn json(ty: &Ty) -> Value {
    if *ty == Ty::Unknown { null() } else { Value::object(fields(ty)) }
}

fn named(parameter: &Named) -> Value {
    let mut entries = fields(&parameter.ty);
    if let Some((name, description)) = &parameter.name {
        entries.push(("name", Value::from(name.clone())));
        if !description.is_empty() {
            entries.push(("description", Value::from(description.clone())));
        }
    }
    Value::object(entries)
}

fn fields(ty: &Ty) -> Vec<(&'static str, Value)> {
    let list = |types: &[Ty]| Value::array(types.iter().map(json));
    let mut entries = Vec::new();
    let kind = match ty {
        Ty::Unknown => return entries,
        Ty::Null => "null",
        Ty::Boolean => "boolean",
        Ty::Number => "number",
        Ty::String => "string",
        Ty::Array(array) => {
            if !array.items.is_empty() {
                entries.push(("static", list(&array.items)));
            }
            if array.rest != Ty::Unknown {
                entries.push(("dynamic", json(&array.rest)));
            }
            "array"
        }
        Ty::Object(object) => {
            let property = |key: Value, value: &Ty| Value::object([("key", key), ("value", json(value))]);
            if !object.fields.is_empty() {
                let known = object.fields.iter().map(|(key, value)| property(key.clone(), value));
                entries.push(("static", Value::array(known)));
            }
            entries.extend(object.rest.iter().map(|(key, value)| ("dynamic", property(json(key), value))));
            "object"
        }
        Ty::Set(set) => {
            if set.member != Ty::Unknown {
                entries.push(("of", json(&set.member)));
            }
            "set"
        }
        Ty::Any(parts) => {
            if !parts.is_empty() {
                entries.push(("of", list(parts)));
            }
            "any"
        }
        Ty::Function(function) => {
            if !function.parameters.is_empty() {
                entries.push(("args", Value::array(function.parameters.iter().map(named))));
            }
            entries.extend(function.result.iter().map(|result| ("result", named(result))));
            entries.extend(function.variadic.iter().map(|variadic| ("variadic", json(variadic))));
            "function"
        }
    };
    entries.push(("type", Value::from(kind)));
    entries
}

/// Terms as OPA's JSON shows them.
fn terms(parts: &[Term]) -> Value {
    Value::array(parts.iter().map(term))
}

fn term(term: &Term) -> Value {
    let (kind, value) = match &term.kind {
        TermKind::Scalar(value) => (value.type_name(), value.clone()),
        TermKind::Var(name) => ("var", Value::from(name.clone())),
        TermKind::Ref(parts) => ("ref", terms(parts)),
        TermKind::Array(items) => ("array", terms(items)),
        TermKind::Set(items) => ("set", terms(items)),
        TermKind::Call(parts) => ("call", terms(parts)),
        _ => ("object", null()),
    };
    Value::object([("type", Value::from(kind)), ("value", value)])
}
