//! The types of Rego's type checker: of built-in functions' parameters and results, of schemas, of rules.

mod json;
mod order;
mod parse;
mod text;

use std::collections::BTreeMap;

pub use parse::ParseError;
pub(crate) use parse::Parser;

use crate::value::Value;

/// A type.
///
/// Types are shown as OPA shows them, read back with [`Type::parse`], and ordered as OPA orders them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `number`
    Number,
    /// `string`
    String,
    /// `array<A, B>[R]`: the types of the first items, and of any number of further ones.
    Array {
        /// The types of the first items.
        items: Vec<Type>,
        /// The type of each further item; without it there is none.
        rest: Option<Box<Type>>,
    },
    /// `object<k: A>[K: V]`: the types under known keys, and of any number of further entries.
    Object {
        /// The types under known keys.
        fields: BTreeMap<Value, Type>,
        /// The types of each further key and value; without it there is none.
        rest: Option<(Box<Type>, Box<Type>)>,
    },
    /// `set[T]`
    Set(Box<Type>),
    /// `any<A, B>`: one of several; `any` without parts is every type.
    Any(Vec<Type>),
    /// `(A, B) => R`
    Function(Box<Signature>),
}

impl Type {
    /// Every type.
    pub const ANY: Self = Self::Any(Vec::new());

    /// One of several types, in the order in which OPA lists them.
    pub fn any_of(types: impl IntoIterator<Item = Type>) -> Self {
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort();
        Self::Any(types)
    }

    /// An array of any number of such items.
    pub fn array_of(item: Type) -> Self {
        Self::Array { items: Vec::new(), rest: Some(Box::new(item)) }
    }

    /// An object of any number of such entries.
    pub fn object_of(key: Type, value: Type) -> Self {
        Self::Object { fields: BTreeMap::new(), rest: Some((Box::new(key), Box::new(value))) }
    }

    /// A set of such members.
    pub fn set_of(member: Type) -> Self {
        Self::Set(Box::new(member))
    }

    /// What kind of type it is: `array`, `any`, `function`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array { .. } => "array",
            Self::Object { .. } => "object",
            Self::Set(_) => "set",
            Self::Any(_) => "any",
            Self::Function(_) => "function",
        }
    }
}

/// The type of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The types of the parameters.
    pub parameters: Vec<Type>,
    /// The type of each further operand of a function that takes any number.
    pub variadic: Option<Type>,
    /// The type of the result; a function without one is called for its effect.
    pub result: Option<Type>,
}
