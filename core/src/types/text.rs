//! Types as text.

use std::fmt::{Display, Formatter, Result, Write as _};

use super::{Signature, Type};
use crate::value::{Value, View};

impl Display for Type {
    /// The type as OPA writes it, `object<a: string>[string: any]`.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Array { items, rest } => {
                f.write_str("array")?;
                write_list(f, items)?;
                rest.iter().try_for_each(|rest| write!(f, "[{rest}]"))
            }
            Self::Object { fields, rest } => {
                f.write_str("object")?;
                for (index, (key, value)) in fields.iter().enumerate() {
                    f.write_str(if index == 0 { "<" } else { ", " })?;
                    write_key(f, key)?;
                    write!(f, ": {value}")?;
                }
                if !fields.is_empty() {
                    f.write_char('>')?;
                }
                rest.iter().try_for_each(|(key, value)| write!(f, "[{key}: {value}]"))
            }
            Self::Set(member) => write!(f, "set[{member}]"),
            Self::Any(types) => {
                f.write_str("any")?;
                write_list(f, types)
            }
            Self::Function(signature) => signature.fmt(f),
            Self::Null | Self::Boolean | Self::Number | Self::String => f.write_str(self.kind()),
        }
    }
}

impl Display for Signature {
    /// The type as OPA writes it, `(string, number) => boolean`; `???` stands for a result that there is none of.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_char('(')?;
        for (index, parameter) in self.parameters.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            write!(f, "{parameter}")?;
        }
        if let Some(variadic) = &self.variadic {
            f.write_str(if self.parameters.is_empty() { "" } else { ", " })?;
            write!(f, "{variadic}...")?;
        }
        f.write_str(") => ")?;
        match &self.result {
            Some(result) => write!(f, "{result}"),
            None => f.write_str("???"),
        }
    }
}

fn write_list(f: &mut Formatter<'_>, types: &[Type]) -> Result {
    for (index, one) in types.iter().enumerate() {
        f.write_str(if index == 0 { "<" } else { ", " })?;
        write!(f, "{one}")?;
    }
    if types.is_empty() { Ok(()) } else { f.write_char('>') }
}

/// Keys are shown without quotes, as Go prints values.
fn write_key(f: &mut Formatter<'_>, key: &Value) -> Result {
    let write_items = |f: &mut Formatter<'_>, items: &mut dyn Iterator<Item = &Value>| {
        f.write_char('[')?;
        for (index, item) in items.enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            write_key(f, item)?;
        }
        f.write_char(']')
    };
    match key.view() {
        View::Null => f.write_str("<nil>"),
        View::Bool(truth) => write!(f, "{truth}"),
        View::Number(number) => f.write_str(&number.to_literal()),
        View::String(text) => f.write_str(text),
        View::Array(items) => write_items(f, &mut items.iter()),
        View::Set(members) => write_items(f, &mut members.iter()),
        View::Object(entries) => {
            f.write_str("map[")?;
            for (index, (key, value)) in entries.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { " " })?;
                write_key(f, key)?;
                f.write_char(':')?;
                write_key(f, value)?;
            }
            f.write_char(']')
        }
    }
}
