//! Types that may be partly unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::Value;
use regent_core::builtin::{Declaration, Parameter};
use regent_core::types::Type;

/// What is known of a value's type. Cheap to clone. Ordered as OPA orders types, which shows in unions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Ty {
    /// Nothing yet, or nothing that fits.
    #[default]
    Unknown,
    Null,
    Boolean,
    Number,
    String,
    Array(Arc<ArrayTy>),
    Object(Arc<ObjectTy>),
    Set(Arc<SetTy>),
    /// One of several, in order; of none, any at all.
    Any(Arc<[Ty]>),
    Function(Arc<Function>),
}

/// How large and deep a type may get before its parts are forgotten: types of rules are made of those of others, and
/// would double with each step.
const MAX_SIZE: Size = Size { parts: 100_000, depth: 100 };

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    parts: u32,
    depth: u32,
}

impl Size {
    fn of<'t>(parts: impl IntoIterator<Item = &'t Ty>) -> Self {
        let mut size = Self { parts: 1, depth: 0 };
        for part in parts {
            let part = part.size();
            size.parts = size.parts.saturating_add(part.parts);
            size.depth = size.depth.max(part.depth);
        }
        size.depth += 1;
        size
    }

    fn is_too_large(self) -> bool {
        self.parts > MAX_SIZE.parts || self.depth > MAX_SIZE.depth
    }
}

/// An array: `array<A, B>[R]`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ArrayTy {
    /// Of each further item; unknown if there is none.
    pub(super) rest: Ty,
    /// Of the first items.
    pub(super) items: Vec<Ty>,
    size: Size,
}

/// An object: `object<k: A>[K: V]`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectTy {
    /// Of each further key and value.
    pub(super) rest: Option<(Ty, Ty)>,
    /// Of the values of known keys.
    pub(super) fields: BTreeMap<Value, Ty>,
    size: Size,
}

/// A set: `set[T]`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SetTy {
    /// Of the members.
    pub(super) member: Ty,
    size: Size,
}

/// A function.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Function {
    pub(super) parameters: Vec<Named>,
    pub(super) variadic: Option<Ty>,
    /// Nothing for a function that is called for its effect.
    pub(super) result: Option<Named>,
}

/// The type of a parameter or result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(super) ty: Ty,
    /// Name and description, of built-in functions.
    pub(super) name: Option<(Arc<str>, Arc<str>)>,
}

/// What operands a function wants.
pub(super) struct Wanted {
    pub(super) operands: Vec<Named>,
    pub(super) variadic: Option<Ty>,
}

impl Ty {
    /// Any type at all.
    pub(super) fn any() -> Self {
        Self::Any(Arc::new([]))
    }

    pub(super) fn array(items: Vec<Ty>, rest: Ty) -> Self {
        let size = Size::of(items.iter().chain([&rest]));
        if size.is_too_large() {
            return Self::array(Vec::new(), Self::any());
        }
        Self::Array(Arc::new(ArrayTy { rest, items, size }))
    }

    pub(super) fn object(fields: BTreeMap<Value, Ty>, rest: Option<(Ty, Ty)>) -> Self {
        let size = Size::of(fields.values().chain(rest.iter().flat_map(|(key, value)| [key, value])));
        if size.is_too_large() {
            return Self::object(BTreeMap::new(), Some((Self::any(), Self::any())));
        }
        Self::Object(Arc::new(ObjectTy { rest, fields, size }))
    }

    pub(super) fn set(member: Ty) -> Self {
        let size = Size::of([&member]);
        if size.is_too_large() {
            return Self::set(Self::any());
        }
        Self::Set(Arc::new(SetTy { member, size }))
    }

    fn size(&self) -> Size {
        match self {
            Self::Array(array) => array.size,
            Self::Object(object) => object.size,
            Self::Set(set) => set.size,
            Self::Any(parts) => Size::of(parts.iter()),
            _ => Size { parts: 1, depth: 0 },
        }
    }

    /// The type of a declaration.
    pub(super) fn from_type(kind: &Type) -> Self {
        match kind {
            Type::Null => Self::Null,
            Type::Boolean => Self::Boolean,
            Type::Number => Self::Number,
            Type::String => Self::String,
            Type::Array { items, rest } => {
                let rest = rest.as_deref().map(Self::from_type).unwrap_or_default();
                Self::array(items.iter().map(Self::from_type).collect(), rest)
            }
            Type::Object { fields, rest } => {
                let rest = rest.as_ref().map(|(key, value)| (Self::from_type(key), Self::from_type(value)));
                Self::object(fields.iter().map(|(key, kind)| (key.clone(), Self::from_type(kind))).collect(), rest)
            }
            Type::Set(member) => Self::set(Self::from_type(member)),
            Type::Any(parts) => Self::Any(parts.iter().map(Self::from_type).collect()),
            Type::Function(signature) => {
                let named = |kind: &Type| Named { ty: Self::from_type(kind), name: None };
                Self::Function(Arc::new(Function {
                    parameters: signature.parameters.iter().map(named).collect(),
                    variadic: signature.variadic.as_ref().map(Self::from_type),
                    result: signature.result.as_ref().map(named),
                }))
            }
        }
    }

    /// The type of a known value.
    pub(super) fn of_value(value: &Value) -> Self {
        use regent_core::value::View;
        match value.view() {
            View::Null => Self::Null,
            View::Bool(_) => Self::Boolean,
            View::Number(_) => Self::Number,
            View::String(_) => Self::String,
            View::Array(items) => Self::array(items.iter().map(Self::of_value).collect(), Self::Unknown),
            View::Object(entries) => {
                Self::object(entries.iter().map(|(key, value)| (key.clone(), Self::of_value(value))).collect(), None)
            }
            View::Set(members) => Self::array(members.iter().map(Self::of_value).collect(), Self::Unknown),
        }
    }

    /// Either type.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, ty) | (ty, Self::Unknown) => ty,
            (Self::Function(a), Self::Function(b)) => a.or(&b),
            (Self::Function(_), _) | (_, Self::Function(_)) => Self::Unknown,
            (Self::Any(a), Self::Any(b)) => union(&a, &b),
            (Self::Any(parts), one) | (one, Self::Any(parts)) => union(&parts, &[one]),
            (a, b) if a == b => a,
            (a, b) if a < b => Self::Any(Arc::new([a, b])),
            (a, b) => Self::Any(Arc::new([b, a])),
        }
    }

    /// Whether every value of the other type is of this one, as far as OPA looks.
    fn contains(&self, other: &Self) -> bool {
        match self {
            Self::Any(parts) => {
                !matches!(other, Self::Function(_)) && (parts.is_empty() || parts.binary_search(other).is_ok())
            }
            _ => self == other,
        }
    }

    /// The type of what is under a known key.
    pub(super) fn select(&self, key: &Value) -> Self {
        match self {
            Self::Array(array) => {
                let place = key.as_number().and_then(|_| key.to_string().parse::<usize>().ok());
                place.map(|place| array.item(place)).unwrap_or_default()
            }
            Self::Object(object) => object.select(key),
            Self::Set(set) => {
                let key = Self::of_value(key);
                if set.member.contains(&key) { key } else { Self::Unknown }
            }
            Self::Any(parts) if parts.is_empty() => Self::any(),
            Self::Any(parts) => parts.iter().fold(Self::Unknown, |all, part| part.select(key).or(all)),
            _ => Self::Unknown,
        }
    }

    /// The type of the keys; unknown for what has none.
    pub(super) fn keys(&self) -> Self {
        match self {
            Self::Array(_) => Self::Number,
            Self::Object(object) => {
                let known = object.fields.keys().fold(Self::Unknown, |all, key| all.or(Self::of_value(key)));
                object.rest.iter().fold(known, |all, (key, _)| all.or(key.clone()))
            }
            Self::Set(set) => set.member.clone(),
            Self::Any(parts) if parts.is_empty() => Self::any(),
            Self::Any(parts) => parts.iter().fold(Self::Unknown, |all, part| part.keys().or(all)),
            _ => Self::Unknown,
        }
    }

    /// The type of the values; unknown for what has none.
    pub(super) fn values(&self) -> Self {
        match self {
            Self::Array(array) => {
                array.items.iter().chain([&array.rest]).fold(Self::Unknown, |all, item| all.or(item.clone()))
            }
            Self::Object(object) => {
                let rest = object.rest.iter().map(|(_, value)| value);
                object.fields.values().chain(rest).fold(Self::Unknown, |all, value| all.or(value.clone()))
            }
            Self::Set(set) => set.member.clone(),
            Self::Any(parts) if parts.is_empty() => Self::any(),
            Self::Any(parts) => parts.iter().fold(Self::Unknown, |all, part| part.values().or(all)),
            _ => Self::Unknown,
        }
    }

    /// Whether something about the type is not known.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Array(array) => array.items.iter().any(Self::is_unknown),
            Self::Object(object) => {
                object.fields.values().any(Self::is_unknown)
                    || object.rest.iter().any(|(key, value)| key.is_unknown() || value.is_unknown())
            }
            Self::Set(set) => set.member.is_unknown(),
            Self::Function(function) => {
                function.parameters.iter().chain(&function.result).any(|named| named.ty.is_unknown())
                    || function.result.is_none()
            }
            _ => false,
        }
    }
}

/// The parts of both, in order.
fn union(a: &Arc<[Ty]>, b: &[Ty]) -> Ty {
    if a.is_empty() {
        return Ty::Any(a.clone());
    }
    if b.is_empty() {
        return Ty::any();
    }
    if b.iter().all(|part| a.binary_search(part).is_ok()) {
        return Ty::Any(a.clone());
    }
    let mut parts: Vec<Ty> = a.iter().chain(b).cloned().collect();
    parts.sort();
    parts.dedup();
    Ty::Any(parts.into())
}

impl ArrayTy {
    /// The type of the item at a place.
    pub(super) fn item(&self, place: usize) -> Ty {
        self.items.get(place).unwrap_or(&self.rest).clone()
    }
}

impl ObjectTy {
    /// The type of the value of a key.
    pub(super) fn select(&self, key: &Value) -> Ty {
        if let Some(known) = self.fields.get(key) {
            return known.clone();
        }
        match &self.rest {
            Some((keys, value)) if keys.contains(&Ty::of_value(key)) => value.clone(),
            _ => Ty::Unknown,
        }
    }
}

impl Named {
    /// Without a name.
    pub(super) fn new(ty: Ty) -> Self {
        Self { ty, name: None }
    }

    fn of_parameter(parameter: &Parameter) -> Self {
        let name = (!parameter.name.is_empty()).then(|| (parameter.name.clone(), parameter.description.clone()));
        Self { ty: Ty::from_type(&parameter.kind), name }
    }
}

impl Function {
    /// The type of a built-in function.
    pub(super) fn of_builtin(declaration: &Declaration) -> Self {
        Self {
            parameters: declaration.parameters.iter().map(Named::of_parameter).collect(),
            variadic: declaration.variadic.as_ref().map(Ty::from_type),
            result: declaration.result.as_ref().map(Named::of_parameter),
        }
    }

    /// The operands that it wants, perhaps with where the result goes.
    pub(super) fn wanted(&self, with_result: bool) -> Wanted {
        let result = self.result.iter().filter(|_| with_result);
        Wanted { operands: self.parameters.iter().chain(result).cloned().collect(), variadic: self.variadic.clone() }
    }

    /// The type of functions that are defined twice.
    fn or(&self, other: &Self) -> Ty {
        if self.parameters.len() != other.parameters.len() || self.variadic.is_some() != other.variadic.is_some() {
            return Ty::Unknown;
        }
        let both = |a: &Named, b: &Named| Named::new(a.ty.clone().or(b.ty.clone()));
        let result = match (&self.result, &other.result) {
            (Some(a), Some(b)) => Some(both(a, b)),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        Ty::Function(Arc::new(Self {
            parameters: self.parameters.iter().zip(&other.parameters).map(|(a, b)| both(a, b)).collect(),
            variadic: self.variadic.clone().map(|a| a.or(other.variadic.clone().unwrap_or_default())),
            result,
        }))
    }
}
