//! Reads documents. The grammar, what it lets pass and the errors are those of OPA's library.

mod query;
mod schema;

use super::budget::Budget;
use super::lexer::{Kind, Lexer, Token};
use super::problem::{Fault, Position};
use super::tree::{
    Argument, Child, Comment, Comments, Directive, Literal, LiteralKind, QueryDocument, SchemaDocument, Type,
};
use crate::spelling::quote;

/// Reads operations and fragments.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn query(text: &str, budget: &mut Budget<'_>) -> Result<QueryDocument, Fault> {
    Parser::new(text, budget)?.query_document()
}

/// Reads types.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn schema(text: &str, budget: &mut Budget<'_>) -> Result<SchemaDocument, Fault> {
    Parser::new(text, budget)?.schema_document()
}

struct Parser<'a, 'b> {
    lexer: Lexer<'a>,
    /// What comes next.
    token: Token,
    /// What stands before it.
    comments: Option<Comments>,
    budget: &'a mut Budget<'b>,
}

impl<'a, 'b> Parser<'a, 'b> {
    fn new(text: &'a str, budget: &'a mut Budget<'b>) -> Result<Self, Fault> {
        let token = Token { kind: Kind::End, value: String::new(), at: Position { line: 1, column: 1 } };
        let mut parser = Self { lexer: Lexer::new(text), token, comments: None, budget };
        parser.next()?;
        Ok(parser)
    }

    /// Takes the next token. What is invalid is an error when it is taken, not when it is met where it must not be.
    fn next(&mut self) -> Result<Token, Fault> {
        if self.token.kind == Kind::Invalid {
            return Err(Fault::at(self.token.at, &*self.token.value));
        }
        let mut list = Vec::new();
        let token = loop {
            self.budget.spend(0)?;
            let token = self.lexer.next();
            if token.kind != Kind::Comment {
                break token;
            }
            list.push(Comment { value: token.value });
        };
        self.comments = (!list.is_empty()).then_some(Comments { list });
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is(&self, kind: Kind) -> bool {
        self.token.kind == kind
    }

    fn skip(&mut self, kind: Kind) -> Result<bool, Fault> {
        let found = self.is(kind);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn at(&self) -> Option<Position> {
        Some(self.token.at)
    }

    fn expected<T>(&self, what: &str, found: &str) -> Result<T, Fault> {
        Err(Fault::at(self.token.at, format!("Expected {what}, found {found}")))
    }

    fn expect(&mut self, kind: Kind) -> Result<Token, Fault> {
        if self.is(kind) { self.next() } else { self.expected(kind.name(), self.token.kind.name()) }
    }

    /// Takes a word, and what stands before it.
    fn keyword(&mut self, word: &str) -> Result<Option<Comments>, Fault> {
        if !self.is(Kind::Name) || self.token.value != word {
            return self.expected(&quote(word), &shown(&self.token));
        }
        let comments = self.comments.take();
        self.next()?;
        Ok(comments)
    }

    fn unexpected<T>(&self) -> Result<T, Fault> {
        unexpected(&self.token)
    }

    fn name(&mut self) -> Result<String, Fault> {
        Ok(self.expect(Kind::Name)?.value)
    }

    /// Items between brackets, if there are brackets; then at least one.
    ///
    /// # Errors
    /// As those of an item, or when there is none.
    fn some<T>(
        &mut self,
        (open, close): (Kind, Kind),
        item: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<(Vec<T>, Option<Comments>), Fault> {
        if !self.is(open) {
            return Ok((Vec::new(), None));
        }
        let empty = |parser: &Self| {
            let found = parser.token.kind.name();
            Err(Fault::at(parser.token.at, format!("expected at least one definition, found {found}")))
        };
        self.between((open, close), empty, item)
    }

    /// Items between brackets, and the comments before the closing one.
    fn between<T>(
        &mut self,
        (open, close): (Kind, Kind),
        empty: impl FnOnce(&Self) -> Result<(), Fault>,
        mut item: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<(Vec<T>, Option<Comments>), Fault> {
        self.expect(open)?;
        if self.is(close) {
            empty(self)?;
        }
        self.enter()?;
        let mut items = Vec::new();
        while !self.is(close) {
            items.push(item(self)?);
        }
        self.budget.leave();
        let comments = self.comments.take();
        self.next()?;
        Ok((items, comments))
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.budget.enter().map_err(|fault| match fault {
            Fault::Problem(problem) => Fault::at(self.token.at, problem.message),
            fault => fault,
        })
    }

    fn arguments(&mut self, constant: bool) -> Result<Vec<Argument>, Fault> {
        let argument = |parser: &mut Self| {
            let (at, comment) = (parser.at(), parser.comments.take());
            let name = parser.name()?;
            parser.expect(Kind::Colon)?;
            Ok(Argument { name, value: parser.literal(constant)?, comment, at })
        };
        Ok(self.some((Kind::ParenOpen, Kind::ParenClose), argument)?.0)
    }

    fn directives(&mut self, constant: bool) -> Result<Vec<Directive>, Fault> {
        let mut directives = Vec::new();
        while self.skip(Kind::At)? {
            let at = self.at();
            let name = self.name()?;
            directives.push(Directive { name, arguments: self.arguments(constant)?, location: String::new(), at });
        }
        Ok(directives)
    }

    fn variable_name(&mut self) -> Result<String, Fault> {
        self.expect(Kind::Dollar)?;
        self.name()
    }

    fn literal(&mut self, constant: bool) -> Result<Literal, Fault> {
        let at = self.at();
        let kind = match self.token.kind {
            Kind::BracketOpen | Kind::BraceOpen => return self.composite(constant),
            Kind::Dollar if !constant => {
                return Ok(Literal { raw: self.variable_name()?, at, ..Literal::default() });
            }
            Kind::Int => LiteralKind::Int,
            Kind::Float => LiteralKind::Float,
            Kind::String => LiteralKind::String,
            Kind::Block => LiteralKind::Block,
            Kind::Name => match self.token.value.as_str() {
                "true" | "false" => LiteralKind::Boolean,
                "null" => LiteralKind::Null,
                _ => LiteralKind::Enum,
            },
            _ => return self.unexpected(),
        };
        Ok(Literal { raw: self.next()?.value, kind, at, ..Literal::default() })
    }

    /// A list or an object.
    fn composite(&mut self, constant: bool) -> Result<Literal, Fault> {
        let (at, comment) = (self.at(), self.comments.take());
        let (kind, children) = if self.is(Kind::BracketOpen) {
            let item = |parser: &mut Self| Ok(Child { value: parser.literal(constant)?, ..Child::default() });
            (LiteralKind::List, self.between((Kind::BracketOpen, Kind::BracketClose), |_| Ok(()), item)?.0)
        } else {
            let field = |parser: &mut Self| {
                let (at, comment) = (parser.at(), parser.comments.take());
                let name = parser.name()?;
                parser.expect(Kind::Colon)?;
                Ok(Child { name, value: parser.literal(constant)?, comment, at })
            };
            (LiteralKind::Object, self.between((Kind::BraceOpen, Kind::BraceClose), |_| Ok(()), field)?.0)
        };
        Ok(Literal { children, kind, comment, at, ..Literal::default() })
    }

    fn type_reference(&mut self) -> Result<Type, Fault> {
        let list = self.skip(Kind::BracketOpen)?;
        let mut found = Type { at: self.at(), ..Type::default() };
        if list {
            self.enter()?;
            found.elem = Some(Box::new(self.type_reference()?));
            self.budget.leave();
            self.expect(Kind::BracketClose)?;
        } else {
            found.named_type = self.name()?;
        }
        found.non_null = self.skip(Kind::Bang)?;
        Ok(found)
    }
}

fn unexpected<T>(token: &Token) -> Result<T, Fault> {
    Err(Fault::at(token.at, format!("Unexpected {}", shown(token))))
}

/// The token in error messages.
fn shown(token: &Token) -> String {
    let name = token.kind.name();
    let bare = token.value.is_empty() || token.kind == Kind::Invalid;
    if bare { name.to_owned() } else { format!("{name} {}", quote(&token.value)) }
}
