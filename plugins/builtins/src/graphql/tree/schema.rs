//! The trees of documents that define types.

use serde::{Deserialize, Serialize};

use super::super::problem::Position;
use super::{Comments, Directive, Literal, Shown, Type};

node! {
    /// A document of types.
    SchemaDocument {
        schema: Vec<SchemaDefinition>,
        schema_extension: Vec<SchemaDefinition>,
        directives: Vec<DirectiveDefinition>,
        definitions: Vec<Definition>,
        extensions: Vec<Definition>,
        comment: Option<Comments>,
    }
}

node! {
    /// `schema { query: Query }`
    SchemaDefinition {
        description: String,
        directives: Vec<Directive>,
        operation_types: Vec<OperationType>,
        before_description_comment: Option<Comments>,
        after_description_comment: Option<Comments>,
        end_of_definition_comment: Option<Comments>,
    }
}

node! {
    /// `query: Query`
    OperationType {
        operation: String,
        r#type: String,
        comment: Option<Comments>,
    }
}

node! {
    /// A type, or what extends one.
    Definition {
        kind: String,
        description: String,
        name: String,
        directives: Vec<Directive>,
        interfaces: Vec<String>,
        fields: Vec<FieldDefinition>,
        types: Vec<String>,
        #[serde(skip)] type_positions: Vec<Option<Position>>,
        enum_values: Vec<EnumValue>,
        built_in: bool,
        before_description_comment: Option<Comments>,
        after_description_comment: Option<Comments>,
        end_of_definition_comment: Option<Comments>,
    }
}

/// The kinds of types, as directives name them too.
pub(crate) mod kind {
    pub(crate) const SCALAR: &str = "SCALAR";
    pub(crate) const OBJECT: &str = "OBJECT";
    pub(crate) const INTERFACE: &str = "INTERFACE";
    pub(crate) const UNION: &str = "UNION";
    pub(crate) const ENUM: &str = "ENUM";
    pub(crate) const INPUT_OBJECT: &str = "INPUT_OBJECT";
}

impl Definition {
    /// Whether its values have no parts that one could select.
    pub(crate) fn is_leaf(&self) -> bool {
        [kind::ENUM, kind::SCALAR].contains(&&*self.kind)
    }

    /// Whether its values are of other types.
    pub(crate) fn is_abstract(&self) -> bool {
        [kind::INTERFACE, kind::UNION].contains(&&*self.kind)
    }

    /// Whether one selects of it.
    pub(crate) fn is_composite(&self) -> bool {
        self.kind == kind::OBJECT || self.is_abstract()
    }

    /// Whether arguments can be of it.
    pub(crate) fn is_input(&self) -> bool {
        self.is_leaf() || self.kind == kind::INPUT_OBJECT
    }

    /// Its field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.name == name)
    }
}

node! {
    /// `name(a: Int): T`
    FieldDefinition {
        description: String,
        name: String,
        arguments: Vec<ArgumentDefinition>,
        default_value: Option<Literal>,
        r#type: Type,
        directives: Vec<Directive>,
        before_description_comment: Option<Comments>,
        after_description_comment: Option<Comments>,
    }
}

node! {
    /// `a: Int = 1`
    ArgumentDefinition {
        description: String,
        name: String,
        default_value: Option<Literal>,
        r#type: Type,
        directives: Vec<Directive>,
        before_description_comment: Option<Comments>,
        after_description_comment: Option<Comments>,
    }
}

node! {
    /// `RED`
    EnumValue {
        description: String,
        name: String,
        directives: Vec<Directive>,
        before_description_comment: Option<Comments>,
        after_description_comment: Option<Comments>,
    }
}

node! {
    /// `directive @d(a: Int) on FIELD`
    DirectiveDefinition {
        description: String,
        name: String,
        arguments: Vec<ArgumentDefinition>,
        locations: Vec<String>,
        is_repeatable: bool,
        before_description_comment: Option<Comments>,
        after_description_comment: Option<Comments>,
    }
}
