//! Reads a template.

mod pipeline;

use std::ops::Range;

use regent_core::builtin::BuiltinError;

use super::item::Item;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    /// `if`, and `with`, which binds the dot.
    If {
        pipeline: Pipeline,
        then: Vec<Node>,
        otherwise: Vec<Node>,
        binds: bool,
    },
    Range {
        pipeline: Pipeline,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Break,
    Continue,
}

/// Commands, each of which takes what the one before it gave as its last operand.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// The variables that get the result.
    pub(super) names: Vec<String>,
    /// Whether they are assigned to rather than declared.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
    pub(super) at: Range<usize>,
}

/// A function and its operands, or one operand.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) operands: Vec<Operand>,
    pub(super) at: Range<usize>,
}

/// An operand and the fields that are taken of it, each with the place of its dot.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) kind: OperandKind,
    pub(super) fields: Vec<(String, usize)>,
    pub(super) at: Range<usize>,
}

/// What an operand is.
#[derive(Debug)]
pub(super) enum OperandKind {
    Dot,
    Constant(Item),
    Variable(String),
    Function(String),
    Pipeline(Box<Pipeline>),
}

/// How deep blocks and parentheses may be nested.
const DEPTH: usize = 500;

/// Reads a template.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, BuiltinError> {
    let mut parser = Parser { text, at: 0, depth: 0, loops: 0, trims: false, vars: vec!["$".to_owned()] };
    let (nodes, end) = parser.nodes()?;
    match end {
        End::Text => Ok(nodes),
        End::Closed => Err(parser.error("unexpected {{end}}")),
        End::Else => Err(parser.error("unexpected {{else}}")),
    }
}

/// What ended a list of nodes.
enum End {
    Text,
    Closed,
    Else,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    loops: usize,
    /// Whether the white space that follows goes.
    trims: bool,
    /// The variables that are known.
    vars: Vec<String>,
}

type Done<T> = Result<T, BuiltinError>;

impl<'t> Parser<'t> {
    fn error(&self, message: impl std::fmt::Display) -> BuiltinError {
        super::error(self.text, self.at, message)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Goes one level deeper.
    fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        if self.depth >= DEPTH {
            return Err(self.error("max expression depth exceeded"));
        }
        self.depth += 1;
        let done = super::deeper(|| work(self));
        self.depth -= 1;
        done
    }

    fn nodes(&mut self) -> Done<(Vec<Node>, End)> {
        let mut nodes = Vec::new();
        loop {
            let open = self.rest().find("{{");
            let mut text = &self.rest()[..open.unwrap_or(self.rest().len())];
            self.at += text.len();
            if std::mem::take(&mut self.trims) {
                text = text.trim_start_matches(is_space);
            }
            if open.is_some() {
                self.at += 2;
                if let Some(after) = self.rest().strip_prefix('-')
                    && after.starts_with(is_space)
                {
                    text = text.trim_end_matches(is_space);
                    self.at += 1;
                }
            }
            if !text.is_empty() {
                nodes.push(Node::Text(text.to_owned()));
            }
            if open.is_none() {
                return Ok((nodes, End::Text));
            }
            if let Some(end) = self.action(&mut nodes)? {
                return Ok((nodes, end));
            }
        }
    }

    /// What stands between the braces; what ends the list of nodes, if it does.
    fn action(&mut self, nodes: &mut Vec<Node>) -> Done<Option<End>> {
        if self.comment()? {
            return Ok(None);
        }
        let word = self.keyword();
        self.at += word.len();
        match word {
            "if" => nodes.push(self.nested(|parser| parser.condition("if"))?),
            "with" => nodes.push(self.nested(|parser| parser.condition("with"))?),
            "range" => nodes.push(self.nested(Self::range)?),
            "break" | "continue" => {
                if self.loops == 0 {
                    return Err(self.error(format_args!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                self.close(word)?;
                nodes.push(if word == "break" { Node::Break } else { Node::Continue });
            }
            "end" => {
                self.close("end")?;
                return Ok(Some(End::Closed));
            }
            "else" => return Ok(Some(End::Else)),
            "define" | "template" | "block" => return Err(self.error(format_args!("{word} is not supported"))),
            _ => {
                let pipeline = self.pipeline("command", false)?;
                self.close("command")?;
                nodes.push(Node::Print(pipeline));
            }
        }
        Ok(None)
    }

    /// Skips a comment.
    fn comment(&mut self) -> Done<bool> {
        let Some(comment) = self.rest().trim_start_matches(is_space).strip_prefix("/*") else {
            return Ok(false);
        };
        let start = self.text.len() - comment.len();
        let Some(end) = comment.find("*/") else {
            return Err(self.error("unclosed comment"));
        };
        self.at = start + end + 2;
        if !self.closed() {
            return Err(self.error("comment ends before closing delimiter"));
        }
        Ok(true)
    }

    /// The keyword that comes next, or nothing.
    fn keyword(&mut self) -> &'t str {
        self.spaces();
        let rest = self.rest();
        let word = &rest[..rest.find(|c: char| !is_letter(c)).unwrap_or(rest.len())];
        let keywords = ["if", "with", "range", "break", "continue", "end", "else", "define", "template", "block"];
        if keywords.contains(&word) { word } else { "" }
    }

    fn condition(&mut self, word: &str) -> Done<Node> {
        let mark = self.vars.len();
        let pipeline = self.pipeline(word, false)?;
        self.close(word)?;
        let (then, end) = self.nodes()?;
        let otherwise = match end {
            End::Closed => Vec::new(),
            End::Else => self.otherwise(mark)?,
            End::Text => return Err(self.error("unexpected EOF")),
        };
        self.vars.truncate(mark);
        Ok(Node::If { pipeline, then, otherwise, binds: word == "with" })
    }

    /// What follows `else`, which another `if` or `with` may follow.
    fn otherwise(&mut self, mark: usize) -> Done<Vec<Node>> {
        let word = self.keyword();
        if let "if" | "with" = word {
            self.at += word.len();
            return Ok(vec![self.nested(|parser| parser.condition(word))?]);
        }
        self.close("else")?;
        self.vars.truncate(mark);
        let (nodes, end) = self.nodes()?;
        match end {
            End::Closed => Ok(nodes),
            End::Else => Err(self.error("expected end; found {{else}}")),
            End::Text => Err(self.error("unexpected EOF")),
        }
    }

    fn range(&mut self) -> Done<Node> {
        let mark = self.vars.len();
        let pipeline = self.pipeline("range", true)?;
        self.close("range")?;
        self.loops += 1;
        let (body, end) = self.nodes()?;
        self.loops -= 1;
        let otherwise = match end {
            End::Closed => Vec::new(),
            End::Else => self.otherwise(mark)?,
            End::Text => return Err(self.error("unexpected EOF")),
        };
        self.vars.truncate(mark);
        Ok(Node::Range { pipeline, body, otherwise })
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// Takes the closing braces, if they are next.
    fn closed(&mut self) -> bool {
        self.spaces();
        let spaced = self.text[..self.at].ends_with(is_space);
        if let Some(after) = self.rest().strip_prefix("-}}")
            && spaced
        {
            self.at = self.text.len() - after.len();
            self.trims = true;
            return true;
        }
        let closes = self.rest().starts_with("}}");
        self.at += if closes { 2 } else { 0 };
        closes
    }

    fn close(&mut self, context: &str) -> Done<()> {
        if self.closed() { Ok(()) } else { Err(self.unexpected(context)) }
    }

    /// The error about what comes next.
    fn unexpected(&self, context: &str) -> BuiltinError {
        match self.rest().chars().next() {
            None => self.error("unclosed action"),
            Some(next) => self.error(format_args!("unexpected {:?} in {context}", next.to_string())),
        }
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_letter(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}
