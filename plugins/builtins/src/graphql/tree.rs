//! The trees of GraphQL documents, in the shape that OPA shows them: of each field that can be empty, null or a position
//! nothing is shown if it is, while empty strings and `false` stand.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::problem::Position;
use crate::spelling::quote;

/// Whether a field is shown.
trait Shown {
    /// Whether it is an empty list or not there at all. All else is shown.
    fn is_absent(&self) -> bool {
        false
    }
}

impl Shown for bool {}
impl Shown for String {}
impl Shown for LiteralKind {}
impl Shown for Literal {}
impl Shown for Type {}

impl<T> Shown for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Shown for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Declares a node. Lists that are empty and what is absent are not shown; what is missing when read is empty.
macro_rules! node {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        #[allow(clippy::struct_field_names, reason = "fields are named as OPA shows them")]
        pub(crate) struct $name {
            $($(#[$about])* #[serde(skip_serializing_if = "Shown::is_absent")] pub(crate) $field: $kind,)*
            /// Where it stands, if it comes from text.
            #[serde(skip)]
            pub(crate) at: Option<Position>,
        }
    };
}

mod schema;

pub(crate) use schema::{
    ArgumentDefinition, Definition, DirectiveDefinition, EnumValue, FieldDefinition, OperationType, SchemaDefinition,
    SchemaDocument, kind,
};

node! {
    /// A document of operations.
    QueryDocument {
        operations: Vec<Operation>,
        fragments: Vec<Fragment>,
    }
}

node! {
    /// `query Q($a: Int) { … }`
    Operation {
        operation: String,
        name: String,
        variable_definitions: Vec<Variable>,
        directives: Vec<Directive>,
        selection_set: Vec<Selection>,
        comment: Option<Comments>,
    }
}

node! {
    /// `$a: Int = 1`
    Variable {
        variable: String,
        r#type: Type,
        default_value: Option<Literal>,
        directives: Vec<Directive>,
        comment: Option<Comments>,
        used: bool,
    }
}

node! {
    /// `fragment F on T { … }`
    Fragment {
        name: String,
        variable_definition: Vec<Variable>,
        type_condition: String,
        directives: Vec<Directive>,
        selection_set: Vec<Selection>,
        comment: Option<Comments>,
    }
}

/// What is selected. Read from JSON, each is a field: OPA's reader takes whatever has the keys of another kind for a field
/// without a name, so that no query with fragments is valid as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, from = "Field")]
pub(crate) enum Selection {
    /// A field.
    Field(Field),
    /// `...F`
    Spread(Spread),
    /// `... on T { … }`
    Inline(Inline),
}

impl From<Field> for Selection {
    fn from(field: Field) -> Self {
        Self::Field(field)
    }
}

node! {
    /// `alias: name(a: 1) { … }`
    Field {
        alias: String,
        name: String,
        arguments: Vec<Argument>,
        directives: Vec<Directive>,
        selection_set: Vec<Selection>,
        comment: Option<Comments>,
    }
}

node! {
    /// `...F`
    Spread {
        name: String,
        directives: Vec<Directive>,
        comment: Option<Comments>,
    }
}

node! {
    /// `... on T { … }`
    Inline {
        type_condition: String,
        directives: Vec<Directive>,
        selection_set: Vec<Selection>,
        comment: Option<Comments>,
    }
}

node! {
    /// `a: 1`
    Argument {
        name: String,
        value: Literal,
        comment: Option<Comments>,
    }
}

node! {
    /// `@include(if: true)`
    Directive {
        name: String,
        arguments: Vec<Argument>,
        location: String,
    }
}

node! {
    /// A value as it is written.
    Literal {
        raw: String,
        children: Vec<Child>,
        kind: LiteralKind,
        comment: Option<Comments>,
        expected_type_has_default: bool,
    }
}

node! {
    /// An item of a list or, with a name, of an object.
    Child {
        name: String,
        value: Literal,
        comment: Option<Comments>,
    }
}

/// What a value is, in JSON a number from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub(crate) enum LiteralKind {
    /// `$a`
    #[default]
    Variable,
    /// `1`
    Int,
    /// `1.5`
    Float,
    /// `"a"`
    String,
    /// `"""a"""`
    Block,
    /// `true`
    Boolean,
    /// `null`
    Null,
    /// `RED`
    Enum,
    /// `[1]`
    List,
    /// `{a: 1}`
    Object,
}

impl LiteralKind {
    const ALL: [Self; 10] = [
        Self::Variable,
        Self::Int,
        Self::Float,
        Self::String,
        Self::Block,
        Self::Boolean,
        Self::Null,
        Self::Enum,
        Self::List,
        Self::Object,
    ];
}

impl From<LiteralKind> for u8 {
    fn from(kind: LiteralKind) -> Self {
        kind as u8
    }
}

impl TryFrom<u8> for LiteralKind {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::ALL.get(usize::from(number)).copied().ok_or_else(|| format!("unknown value kind {number}"))
    }
}

impl Literal {
    /// The value of an object's field.
    pub(crate) fn child(&self, name: &str) -> Option<&Literal> {
        self.children.iter().find(|child| child.name == name).map(|child| &child.value)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        match self.kind {
            LiteralKind::Variable => write!(f, "${}", self.raw),
            LiteralKind::String | LiteralKind::Block => f.write_str(&quote(&self.raw)),
            LiteralKind::List => {
                f.write_str("[")?;
                for child in &self.children {
                    write!(f, "{comma}{}", child.value)?;
                    comma = ",";
                }
                f.write_str("]")
            }
            LiteralKind::Object => {
                f.write_str("{")?;
                for child in &self.children {
                    write!(f, "{comma}{}:{}", child.name, child.value)?;
                    comma = ",";
                }
                f.write_str("}")
            }
            _ => f.write_str(&self.raw),
        }
    }
}

node! {
    /// `Int`, `[Int!]!`
    Type {
        named_type: String,
        elem: Option<Box<Type>>,
        non_null: bool,
    }
}

impl Type {
    /// `Int` or `Int!`
    pub(crate) fn named(name: &str, non_null: bool) -> Self {
        Self { named_type: name.to_owned(), non_null, ..Self::default() }
    }

    /// The name of what lies within all lists.
    pub(crate) fn name(&self) -> &str {
        let mut innermost = self;
        while let (true, Some(elem)) = (innermost.named_type.is_empty(), &innermost.elem) {
            innermost = elem;
        }
        &innermost.named_type
    }

    /// Whether what is of this type may stand where the other is expected.
    pub(crate) fn fits(&self, other: &Type) -> bool {
        self.fits_if(other, other.non_null)
    }

    /// As [`Type::fits`], with an own word on whether the other excludes `null`.
    pub(crate) fn fits_if(&self, other: &Type, non_null: bool) -> bool {
        let elements = match (&self.elem, &other.elem) {
            (Some(elem), Some(other)) => elem.fits(other),
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.named_type == other.named_type && elements && (!non_null || self.non_null)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.elem {
            Some(elem) if self.named_type.is_empty() => write!(f, "[{elem}]")?,
            _ => f.write_str(&self.named_type)?,
        }
        f.write_str(if self.non_null { "!" } else { "" })
    }
}

/// Comments that stand before something.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Comments {
    pub(crate) list: Vec<Comment>,
}

/// One comment, with its `#`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Comment {
    pub(crate) value: String,
}
