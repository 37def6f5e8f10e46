//! Types, directives and what extends them.

use super::super::lexer::{Kind, Token};
use super::super::problem::{Fault, Position};
use super::super::tree::{
    ArgumentDefinition, Comments, Definition, DirectiveDefinition, EnumValue, FieldDefinition, Literal, OperationType,
    SchemaDefinition, SchemaDocument, kind,
};
use super::{Parser, unexpected};

const BRACES: (Kind, Kind) = (Kind::BraceOpen, Kind::BraceClose);

/// Where directives may stand.
const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// What describes a definition, and the comments around it.
#[derive(Default)]
struct Description {
    text: String,
    before: Option<Comments>,
    after: Option<Comments>,
}

impl Parser<'_, '_> {
    pub(super) fn schema_document(&mut self) -> Result<SchemaDocument, Fault> {
        let mut document = SchemaDocument::default();
        while !self.is(Kind::End) {
            let (description, token) = self.description()?;
            if !self.is(Kind::Name) {
                return self.unexpected();
            }
            match self.token.value.as_str() {
                "schema" => document.schema.push(self.schema_definition(description, false)?),
                "directive" => document.directives.push(self.directive_definition(description)?),
                "extend" => match token {
                    Some(token) if !token.value.is_empty() => return unexpected(&token),
                    _ => self.extension(&mut document)?,
                },
                "scalar" | "type" | "interface" | "union" | "enum" | "input" => {
                    document.definitions.push(self.definition(description, false)?);
                }
                _ => return self.unexpected(),
            }
        }
        document.comment = self.comments.take();
        Ok(document)
    }

    /// A description, if there is one, and its token.
    fn description(&mut self) -> Result<(Description, Option<Token>), Fault> {
        if !self.is(Kind::String) && !self.is(Kind::Block) {
            return Ok((Description::default(), None));
        }
        let before = self.comments.take();
        let token = self.next()?;
        Ok((Description { text: token.value.clone(), before, after: None }, Some(token)))
    }

    /// What stands before a part of a definition. Comments before an empty description are kept nowhere.
    fn description_of_part(&mut self) -> Result<Description, Fault> {
        let (mut description, _) = self.description()?;
        description.before = description.before.filter(|_| !description.text.is_empty());
        description.after = self.comments.take();
        Ok(description)
    }

    fn schema_definition(&mut self, description: Description, extends: bool) -> Result<SchemaDefinition, Fault> {
        let after = self.keyword("schema")?;
        let at = self.at();
        let directives = self.directives(true)?;
        let (operation_types, end_of_definition_comment) = self.operation_types()?;
        Ok(SchemaDefinition {
            description: description.text,
            directives,
            operation_types,
            before_description_comment: description.before,
            after_description_comment: if extends { description.after } else { after },
            end_of_definition_comment,
            at,
        })
    }

    fn operation_types(&mut self) -> Result<(Vec<OperationType>, Option<Comments>), Fault> {
        self.some(BRACES, |parser| {
            let (at, comment) = (parser.at(), parser.comments.take());
            let token = parser.next()?;
            if !["query", "mutation", "subscription"].contains(&&*token.value) {
                return unexpected(&token);
            }
            parser.expect(Kind::Colon)?;
            Ok(OperationType { operation: token.value, r#type: parser.name()?, comment, at })
        })
    }

    /// What follows `extend`.
    fn extension(&mut self, document: &mut SchemaDocument) -> Result<(), Fault> {
        let description = Description { after: self.keyword("extend")?, ..Description::default() };
        match self.token.value.as_str() {
            "schema" => {
                let extension = self.schema_definition(description, true)?;
                if extension.directives.is_empty() && extension.operation_types.is_empty() {
                    return self.unexpected();
                }
                document.schema_extension.push(extension);
            }
            "scalar" | "type" | "interface" | "union" | "enum" | "input" => {
                document.extensions.push(self.definition(description, true)?);
            }
            _ => return self.unexpected(),
        }
        Ok(())
    }

    /// A type, or what extends one, which has to add something. What extends an interface implements none.
    fn definition(&mut self, description: Description, extends: bool) -> Result<Definition, Fault> {
        let word = self.token.value.clone();
        let after = self.keyword(&word)?;
        let mut found = Definition { at: self.at(), ..Definition::default() };
        found.description = description.text;
        found.before_description_comment = description.before;
        found.after_description_comment = if extends { description.after } else { after };
        found.name = self.name()?;
        if word == "type" || (word == "interface" && !extends) {
            found.interfaces = self.interfaces()?;
        }
        found.directives = self.directives(word != "input" || !extends)?;
        let (kind, end) = match word.as_str() {
            "scalar" => (kind::SCALAR, None),
            "union" => {
                (found.types, found.type_positions) = self.members()?;
                (kind::UNION, None)
            }
            "enum" => {
                let (values, end) = self.some(BRACES, Self::enum_value)?;
                found.enum_values = values;
                (kind::ENUM, end)
            }
            "input" => {
                let (fields, end) = self.some(BRACES, Self::input_field)?;
                found.fields = fields;
                (kind::INPUT_OBJECT, end)
            }
            _ => {
                let (fields, end) = self.some(BRACES, Self::field_definition)?;
                found.fields = fields;
                (if word == "type" { kind::OBJECT } else { kind::INTERFACE }, end)
            }
        };
        kind.clone_into(&mut found.kind);
        found.end_of_definition_comment = end;
        let adds = !found.interfaces.is_empty()
            || !found.directives.is_empty()
            || !found.fields.is_empty()
            || !found.types.is_empty()
            || !found.enum_values.is_empty();
        if extends && !adds { self.unexpected() } else { Ok(found) }
    }

    /// `implements A & B`
    fn interfaces(&mut self) -> Result<Vec<String>, Fault> {
        if self.token.value != "implements" {
            return Ok(Vec::new());
        }
        self.next()?;
        self.skip(Kind::Amp)?;
        let mut names = vec![self.name()?];
        while self.skip(Kind::Amp)? {
            names.push(self.name()?);
        }
        Ok(names)
    }

    /// `= A | B`, and where each stands.
    fn members(&mut self) -> Result<(Vec<String>, Vec<Option<Position>>), Fault> {
        let (mut names, mut positions) = (Vec::new(), Vec::new());
        let mut more = self.skip(Kind::Equals)?;
        if more {
            self.skip(Kind::Pipe)?;
        }
        while more {
            positions.push(self.at());
            names.push(self.name()?);
            more = self.skip(Kind::Pipe)?;
        }
        Ok((names, positions))
    }

    fn field_definition(&mut self) -> Result<FieldDefinition, Fault> {
        let description = self.description_of_part()?;
        let at = self.at();
        let name = self.name()?;
        let arguments = self.argument_definitions()?;
        self.expect(Kind::Colon)?;
        Ok(FieldDefinition {
            description: description.text,
            name,
            arguments,
            default_value: None,
            r#type: self.type_reference()?,
            directives: self.directives(true)?,
            before_description_comment: description.before,
            after_description_comment: description.after,
            at,
        })
    }

    fn argument_definitions(&mut self) -> Result<Vec<ArgumentDefinition>, Fault> {
        Ok(self.some((Kind::ParenOpen, Kind::ParenClose), Self::argument_definition)?.0)
    }

    fn argument_definition(&mut self) -> Result<ArgumentDefinition, Fault> {
        let description = self.description_of_part()?;
        let at = self.at();
        let name = self.name()?;
        self.expect(Kind::Colon)?;
        Ok(ArgumentDefinition {
            description: description.text,
            name,
            r#type: self.type_reference()?,
            default_value: self.default_value()?,
            directives: self.directives(true)?,
            before_description_comment: description.before,
            after_description_comment: description.after,
            at,
        })
    }

    /// A field of an input type has what an argument has.
    fn input_field(&mut self) -> Result<FieldDefinition, Fault> {
        let argument = self.argument_definition()?;
        Ok(FieldDefinition {
            description: argument.description,
            name: argument.name,
            arguments: Vec::new(),
            default_value: argument.default_value,
            r#type: argument.r#type,
            directives: argument.directives,
            before_description_comment: argument.before_description_comment,
            after_description_comment: argument.after_description_comment,
            at: argument.at,
        })
    }

    fn default_value(&mut self) -> Result<Option<Literal>, Fault> {
        if self.skip(Kind::Equals)? { self.literal(true).map(Some) } else { Ok(None) }
    }

    fn enum_value(&mut self) -> Result<EnumValue, Fault> {
        let description = self.description_of_part()?;
        let at = self.at();
        Ok(EnumValue {
            description: description.text,
            name: self.name()?,
            directives: self.directives(true)?,
            before_description_comment: description.before,
            after_description_comment: description.after,
            at,
        })
    }

    fn directive_definition(&mut self, description: Description) -> Result<DirectiveDefinition, Fault> {
        let after = self.keyword("directive")?;
        self.expect(Kind::At)?;
        let at = self.at();
        let name = self.name()?;
        let arguments = self.argument_definitions()?;
        let is_repeatable = self.is(Kind::Name) && self.token.value == "repeatable";
        if is_repeatable {
            self.next()?;
        }
        self.keyword("on")?;
        Ok(DirectiveDefinition {
            description: description.text,
            name,
            arguments,
            locations: self.directive_locations()?,
            is_repeatable,
            before_description_comment: description.before,
            after_description_comment: after,
            at,
        })
    }

    fn directive_locations(&mut self) -> Result<Vec<String>, Fault> {
        self.skip(Kind::Pipe)?;
        let mut locations = Vec::new();
        loop {
            let token = self.expect(Kind::Name)?;
            if !LOCATIONS.contains(&&*token.value) {
                return unexpected(&token);
            }
            locations.push(token.value);
            if !self.skip(Kind::Pipe)? {
                return Ok(locations);
            }
        }
    }
}
