//! Operations and fragments.

use super::super::lexer::Kind;
use super::super::problem::Fault;
use super::super::tree::{Field, Fragment, Inline, Operation, QueryDocument, Selection, Spread, Variable};
use super::Parser;

const BRACES: (Kind, Kind) = (Kind::BraceOpen, Kind::BraceClose);

impl Parser<'_, '_> {
    pub(super) fn query_document(&mut self) -> Result<QueryDocument, Fault> {
        let mut document = QueryDocument::default();
        while !self.is(Kind::End) {
            match (self.token.kind, self.token.value.as_str()) {
                (Kind::BraceOpen, _) | (Kind::Name, "query" | "mutation" | "subscription") => {
                    document.operations.push(self.operation()?);
                }
                (Kind::Name, "fragment") => document.fragments.push(self.fragment()?),
                _ => return self.unexpected(),
            }
        }
        Ok(document)
    }

    fn operation(&mut self) -> Result<Operation, Fault> {
        let at = self.at();
        if self.is(Kind::BraceOpen) {
            // What stands before a bare selection is kept nowhere.
            let selection_set = self.selections()?;
            return Ok(Operation { operation: "query".to_owned(), selection_set, at, ..Operation::default() });
        }
        let comment = self.comments.take();
        Ok(Operation {
            operation: self.next()?.value,
            name: if self.is(Kind::Name) { self.next()?.value } else { String::new() },
            variable_definitions: self.variables()?,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
            at,
        })
    }

    fn variables(&mut self) -> Result<Vec<Variable>, Fault> {
        let variable = |parser: &mut Self| {
            let (at, comment) = (parser.at(), parser.comments.take());
            let variable = parser.variable_name()?;
            parser.expect(Kind::Colon)?;
            let r#type = parser.type_reference()?;
            let default_value = if parser.skip(Kind::Equals)? { Some(parser.literal(true)?) } else { None };
            let directives = parser.directives(false)?;
            Ok(Variable { variable, r#type, default_value, directives, comment, used: false, at })
        };
        Ok(self.some((Kind::ParenOpen, Kind::ParenClose), variable)?.0)
    }

    /// What an operation or fragment must select.
    fn selections(&mut self) -> Result<Vec<Selection>, Fault> {
        if !self.is(Kind::BraceOpen) {
            return self.expected(Kind::BraceOpen.name(), self.token.kind.name());
        }
        Ok(self.some(BRACES, Self::selection)?.0)
    }

    fn selection(&mut self) -> Result<Selection, Fault> {
        if self.is(Kind::Spread) { self.spread() } else { self.field().map(Selection::Field) }
    }

    fn field(&mut self) -> Result<Field, Fault> {
        let (at, comment) = (self.at(), self.comments.take());
        let alias = self.name()?;
        let name = if self.skip(Kind::Colon)? { self.name()? } else { alias.clone() };
        Ok(Field {
            alias,
            name,
            arguments: self.arguments(false)?,
            directives: self.directives(false)?,
            selection_set: self.some(BRACES, Self::selection)?.0,
            comment,
            at,
        })
    }

    fn spread(&mut self) -> Result<Selection, Fault> {
        let comment = self.comments.take();
        self.expect(Kind::Spread)?;
        let at = self.at();
        if self.is(Kind::Name) && self.token.value != "on" {
            let name = self.name()?;
            return Ok(Selection::Spread(Spread { name, directives: self.directives(false)?, comment, at }));
        }
        let mut type_condition = String::new();
        if self.token.value == "on" {
            self.next()?;
            type_condition = self.name()?;
        }
        Ok(Selection::Inline(Inline {
            type_condition,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
            at,
        }))
    }

    fn fragment(&mut self) -> Result<Fragment, Fault> {
        let (at, comment) = (self.at(), self.comments.take());
        self.keyword("fragment")?;
        if self.token.value == "on" {
            return self.unexpected();
        }
        let name = self.name()?;
        let variable_definition = self.variables()?;
        self.keyword("on")?;
        Ok(Fragment {
            name,
            variable_definition,
            type_condition: self.name()?,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
            at,
        })
    }
}
