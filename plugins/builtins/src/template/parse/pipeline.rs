//! Reads what stands between braces.

use super::super::functions;
use super::super::item::Item;
use super::{Command, Done, Operand, OperandKind, Parser, Pipeline, is_letter, is_space};

impl Parser<'_> {
    /// Commands, after the variables that get their result. Only a loop may have two of those.
    pub(super) fn pipeline(&mut self, context: &str, loops: bool) -> Done<Pipeline> {
        self.spaces();
        let start = self.at;
        let (names, assigns) = self.names(loops)?;
        let mut commands = vec![self.command(context)?];
        while self.rest().starts_with('|') {
            self.at += 1;
            let command = self.command(context)?;
            if !matches!(command.operands[0].kind, OperandKind::Function(_)) {
                let message = format!("non executable command in pipeline stage {}", commands.len() + 1);
                return Err(self.error(message));
            }
            commands.push(command);
        }
        if !assigns {
            self.vars.extend(names.iter().cloned());
        }
        let at = start..commands.last().map_or(start, |command| command.at.end);
        Ok(Pipeline { names, assigns, commands, at })
    }

    /// `$x :=`, `$x =`, in loops also `$x, $y :=`; nothing otherwise.
    fn names(&mut self, loops: bool) -> Done<(Vec<String>, bool)> {
        let start = self.at;
        let mut names = Vec::new();
        while self.rest().starts_with('$') {
            names.push(self.variable());
            self.spaces();
            if loops && names.len() < 2 && self.rest().starts_with(',') {
                self.at += 1;
                self.spaces();
                continue;
            }
            for (sign, assigns) in [(":=", false), ("=", true)] {
                if self.rest().starts_with(sign) {
                    if assigns {
                        names.iter().try_for_each(|name| self.require_variable(name))?;
                    }
                    self.at += sign.len();
                    return Ok((names, assigns));
                }
            }
            break;
        }
        self.at = start;
        Ok((Vec::new(), false))
    }

    fn require_variable(&self, name: &str) -> Done<()> {
        let is_known = self.vars.iter().any(|known| known == name);
        if is_known { Ok(()) } else { Err(self.error(format_args!("undefined variable {name:?}"))) }
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !is_letter(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word.to_owned()
    }

    fn variable(&mut self) -> String {
        self.at += 1;
        format!("${}", self.word())
    }

    fn command(&mut self, context: &str) -> Done<Command> {
        self.spaces();
        let start = self.at;
        let mut operands = Vec::new();
        while let Some(operand) = self.operand()? {
            operands.push(operand);
            if !self.rest().starts_with(is_space) {
                break;
            }
            self.spaces();
        }
        if operands.is_empty() {
            let ends = self.rest().is_empty() || self.rest().starts_with(['}', '-', '|', ')']);
            return Err(match self.rest() {
                "" => self.error("unclosed action"),
                _ if ends => self.error(format_args!("missing value for {context}")),
                _ => self.unexpected(context),
            });
        }
        let end = operands.last().map_or(start, |operand| operand.at.end);
        Ok(Command { operands, at: start..end })
    }

    /// The operand that comes next, if any does.
    fn operand(&mut self) -> Done<Option<Operand>> {
        let start = self.at;
        let mut fields = Vec::new();
        let kind = match self.rest().chars().next() {
            Some('.') if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number()?,
            Some('.') => {
                if !self.field(&mut fields) {
                    self.at += 1;
                }
                OperandKind::Dot
            }
            Some('$') => {
                let name = self.variable();
                self.require_variable(&name)?;
                OperandKind::Variable(name)
            }
            Some('(') => {
                self.at += 1;
                let pipeline = self.nested(|parser| parser.pipeline("parenthesized pipeline", false))?;
                self.spaces();
                if !self.rest().starts_with(')') {
                    return Err(self.unexpected("parenthesized pipeline"));
                }
                self.at += 1;
                OperandKind::Pipeline(Box::new(pipeline))
            }
            Some('"' | '`' | '\'') => self.quoted()?,
            Some('+' | '0'..='9') => self.number()?,
            Some('-') if !self.rest().starts_with("-}}") => self.number()?,
            Some(next) if is_letter(next) => self.name()?,
            _ => return Ok(None),
        };
        let takes_fields = !matches!(kind, OperandKind::Constant(_));
        while takes_fields && self.field(&mut fields) {}
        Ok(Some(Operand { kind, fields, at: start..self.at }))
    }

    /// `.name`, if that comes next.
    fn field(&mut self, fields: &mut Vec<(String, usize)>) -> bool {
        let Some(after) = self.rest().strip_prefix('.').filter(|after| after.starts_with(is_letter)) else {
            return false;
        };
        let at = self.at;
        self.at = self.text.len() - after.len();
        fields.push((self.word(), at));
        true
    }

    fn name(&mut self) -> Done<OperandKind> {
        let name = self.word();
        Ok(match &*name {
            "true" => OperandKind::Constant(Item::Bool(true)),
            "false" => OperandKind::Constant(Item::Bool(false)),
            "nil" => OperandKind::Constant(Item::Nothing),
            _ if functions::NAMES.contains(&&*name) => OperandKind::Function(name),
            _ => return Err(self.error(format_args!("function {name:?} not defined"))),
        })
    }

    fn number(&mut self) -> Done<OperandKind> {
        let rest = self.rest();
        let is_part = |c: char| is_letter(c) || matches!(c, '.' | '+' | '-');
        let text = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.at += text.len();
        let plain = text.replace('_', "");
        let item = plain.parse().map(Item::Int).or_else(|_| plain.parse().map(Item::Float));
        item.map(OperandKind::Constant).map_err(|_| self.error(format_args!("bad number syntax: {text:?}")))
    }

    /// `"text"`, `` `text` `` and `'c'`, which is the number of the character.
    fn quoted(&mut self) -> Done<OperandKind> {
        let mut characters = self.rest().char_indices();
        let quote = characters.next().map_or('"', |(_, quote)| quote);
        let mut text = String::new();
        while let Some((at, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.at += at + character.len_utf8();
                    let mut all = text.chars();
                    return match (quote, all.next(), all.next()) {
                        ('\'', Some(one), None) => Ok(OperandKind::Constant(Item::Int(u32::from(one).into()))),
                        ('\'', ..) => Err(self.error("malformed character constant")),
                        _ => Ok(OperandKind::Constant(Item::Text(text))),
                    };
                }
                '\n' if quote != '`' => break,
                '\\' if quote != '`' => text.push(match characters.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, 'r')) => '\r',
                    Some((_, other @ ('\\' | '"' | '\''))) => other,
                    _ => return Err(self.error("invalid syntax")),
                }),
                other => text.push(other),
            }
        }
        let what = match quote {
            '`' => "unterminated raw quoted string",
            '\'' => "unterminated character constant",
            _ => "unterminated quoted string",
        };
        Err(self.error(what))
    }
}
