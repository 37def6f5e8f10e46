//! Types as text, as OPA writes them; `???` for what is not known.

use std::fmt::{Display, Formatter, Result, Write as _};

use regent_core::Value;

use super::ty::{Function, Named, Ty};
use crate::compile::check::vars::deeper;

impl Display for Ty {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        deeper(|| match self {
            Self::Unknown => f.write_str("???"),
            Self::Null => f.write_str("null"),
            Self::Boolean => f.write_str("boolean"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::Array(array) => {
                f.write_str("array")?;
                list(f, array.items.iter())?;
                if array.rest == Self::Unknown { Ok(()) } else { write!(f, "[{}]", array.rest) }
            }
            Self::Object(object) => {
                f.write_str("object")?;
                list(f, object.fields.iter().map(|(key, value)| Field(key, value)))?;
                object.rest.iter().try_for_each(|(key, value)| write!(f, "[{key}: {value}]"))
            }
            Self::Set(set) => write!(f, "set[{}]", set.member),
            Self::Any(parts) => {
                f.write_str("any")?;
                list(f, parts.iter())
            }
            Self::Function(function) => function.fmt(f),
        })
    }
}

impl Display for Named {
    /// `name: type`, or only the type where there is no name.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.name {
            Some((name, _)) => write!(f, "{name}: {}", self.ty),
            None => self.ty.fmt(f),
        }
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let variadic = self.variadic.iter().map(|variadic| format!("{variadic}..."));
        let parameters: Vec<String> = self.parameters.iter().map(Named::to_string).chain(variadic).collect();
        write!(f, "({}) => ", parameters.join(", "))?;
        match &self.result {
            Some(result) => result.fmt(f),
            None => f.write_str("???"),
        }
    }
}

/// A known key with the type of its value.
struct Field<'a>(&'a Value, &'a Ty);

impl Display for Field<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0.as_str() {
            Some(key) => write!(f, "{key}: {}", self.1),
            None => write!(f, "{}: {}", self.0, self.1),
        }
    }
}

/// The items between angle brackets, if there are any.
fn list(f: &mut Formatter<'_>, items: impl Iterator<Item = impl Display>) -> Result {
    let mut separator = "<";
    for item in items {
        write!(f, "{separator}{item}")?;
        separator = ", ";
    }
    if separator == "<" { Ok(()) } else { f.write_char('>') }
}
