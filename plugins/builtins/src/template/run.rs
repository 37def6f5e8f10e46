//! Runs a template.

use regent_core::builtin::{BuiltinError, Call};
use regent_core::value::{Value, View};

use super::functions;
use super::item::Item;
use super::parse::{Command, Node, Operand, OperandKind, Pipeline};

/// Renders the nodes of a template with variables.
///
/// # Errors
/// What goes wrong, with the place in the template.
pub(super) fn run(text: &str, nodes: &[Node], vars: &Value, call: &mut Call<'_>) -> Result<String, BuiltinError> {
    let dot = Item::of(vars);
    let mut runner = Runner { text, call, out: String::new(), vars: vec![("$".to_owned(), dot.clone())] };
    runner.nodes(nodes, &dot)?;
    Ok(runner.out)
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Runner<'t, 'c, 'e> {
    text: &'t str,
    call: &'c mut Call<'e>,
    out: String,
    vars: Vec<(String, Item)>,
}

type Done<T> = Result<T, BuiltinError>;

impl Runner<'_, '_, '_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Item) -> Done<Flow> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    /// Nodes with variables of their own.
    fn block(&mut self, nodes: &[Node], dot: &Item) -> Done<Flow> {
        let mark = self.vars.len();
        let flow = super::deeper(|| self.nodes(nodes, dot));
        self.vars.truncate(mark);
        flow
    }

    fn node(&mut self, node: &Node, dot: &Item) -> Done<Flow> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::Print(pipeline) => {
                let item = self.pipeline(pipeline, dot)?;
                if pipeline.names.is_empty() {
                    self.out.push_str(&item.to_string());
                }
            }
            Node::If { pipeline, then, otherwise, binds } => {
                let mark = self.vars.len();
                let item = self.pipeline(pipeline, dot)?;
                let flow = match (item.is_true(), binds) {
                    (true, true) => self.block(then, &item),
                    (true, false) => self.block(then, dot),
                    (false, _) => self.block(otherwise, dot),
                };
                self.vars.truncate(mark);
                return flow;
            }
            Node::Range { pipeline, body, otherwise } => {
                let mark = self.vars.len();
                let flow = self.range(pipeline, body, otherwise, dot);
                self.vars.truncate(mark);
                return flow;
            }
        }
        Ok(Flow::On)
    }

    fn range(&mut self, pipeline: &Pipeline, body: &[Node], otherwise: &[Node], dot: &Item) -> Done<Flow> {
        let over = self.commands(pipeline, dot)?;
        let entries: Vec<(Item, Item)> = match &over {
            Item::Nothing => Vec::new(),
            Item::Int(count) => {
                let mut numbers = 0..*count;
                return self.each(pipeline, body, otherwise, dot, &mut || {
                    numbers.next().map(|number| (Item::Int(number), Item::Int(number)))
                });
            }
            Item::Json(value) => match value.view() {
                View::Array(items) => {
                    items.iter().zip(0..).map(|(item, place)| (Item::Int(place), Item::of(item))).collect()
                }
                View::Object(entries) => entries.iter().map(|(key, value)| (Item::of(key), Item::of(value))).collect(),
                _ => Vec::new(),
            },
            other => return Err(self.failed(&pipeline.at, &format!("range can't iterate over {other}"))),
        };
        let mut entries = entries.into_iter();
        self.each(pipeline, body, otherwise, dot, &mut || entries.next())
    }

    fn each(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Item,
        next: &mut dyn FnMut() -> Option<(Item, Item)>,
    ) -> Done<Flow> {
        let mut is_empty = true;
        let mark = self.vars.len();
        while let Some((key, value)) = next() {
            if self.call.cancel.is_cancelled() {
                return Err(BuiltinError::Cancelled);
            }
            is_empty = false;
            match &pipeline.names[..] {
                [] => {}
                [one] => self.bind(one, value.clone(), pipeline.assigns),
                [first, second, ..] => {
                    self.bind(first, key, pipeline.assigns);
                    self.bind(second, value.clone(), pipeline.assigns);
                }
            }
            let flow = self.block(body, &value);
            self.vars.truncate(mark);
            if flow? == Flow::Break {
                break;
            }
        }
        if is_empty { self.block(otherwise, dot) } else { Ok(Flow::On) }
    }

    fn bind(&mut self, name: &str, item: Item, assigns: bool) {
        let known = self.vars.iter_mut().rev().find(|(known, _)| known == name);
        match known {
            Some(known) if assigns => known.1 = item,
            _ => self.vars.push((name.to_owned(), item)),
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Item) -> Done<Item> {
        let item = self.commands(pipeline, dot)?;
        for name in &pipeline.names {
            self.bind(name, item.clone(), pipeline.assigns);
        }
        Ok(item)
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Item) -> Done<Item> {
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Item::Nothing))
    }

    /// A command, whose last operand is what the one before it gave.
    fn command(&mut self, command: &Command, dot: &Item, last: Option<Item>) -> Done<Item> {
        let Some((first, operands)) = command.operands.split_first() else {
            return Ok(Item::Nothing);
        };
        let OperandKind::Function(name) = &first.kind else {
            if !operands.is_empty() || last.is_some() {
                let message = format!("can't give argument to non-function {}", &self.text[first.at.clone()]);
                return Err(self.failed(&first.at, &message));
            }
            return self.operand(first, dot);
        };
        if matches!(&**name, "and" | "or") {
            return self.junction(name == "or", operands, dot, last);
        }
        let mut items = operands.iter().map(|operand| self.operand(operand, dot)).collect::<Done<Vec<_>>>()?;
        items.extend(last);
        functions::call(name, &items, self.call)
            .map_err(|message| self.failed(&command.at, &format!("error calling {name}: {message}")))
    }

    /// The first operand that decides, or the last one.
    fn junction(&mut self, until: bool, operands: &[Operand], dot: &Item, last: Option<Item>) -> Done<Item> {
        let mut item = Item::Nothing;
        for operand in operands {
            item = self.operand(operand, dot)?;
            if item.is_true() == until {
                return Ok(item);
            }
        }
        Ok(last.unwrap_or(item))
    }

    fn operand(&mut self, operand: &Operand, dot: &Item) -> Done<Item> {
        let start = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Constant(item) => item.clone(),
            OperandKind::Variable(name) => {
                let known = self.vars.iter().rev().find(|(known, _)| known == name);
                known.map_or(Item::Nothing, |(_, item)| item.clone())
            }
            OperandKind::Function(name) => functions::call(name, &[], self.call)
                .map_err(|message| self.failed(&operand.at, &format!("error calling {name}: {message}")))?,
            OperandKind::Pipeline(pipeline) => super::deeper(|| self.pipeline(pipeline, dot))?,
        };
        operand.fields.iter().try_fold(start, |item, (name, _)| self.field(&item, name, operand))
    }

    fn field(&self, item: &Item, name: &str, operand: &Operand) -> Done<Item> {
        let entries = match item {
            Item::Nothing => return Ok(Item::Nothing),
            Item::Json(value) => value.as_object(),
            _ => None,
        };
        let entries = entries.ok_or_else(|| {
            let message = format!("can't evaluate field {name} in type interface {{}}");
            // Go places a chain of fields at its second part.
            let second = usize::from(matches!(operand.kind, OperandKind::Dot) && operand.fields.len() > 1);
            self.failed_at(operand.fields[second].1, &operand.at, &message)
        })?;
        Ok(entries.get_str(name).map_or(Item::Nothing, Item::of))
    }

    fn failed(&self, node: &std::ops::Range<usize>, message: &str) -> BuiltinError {
        self.failed_at(node.start, node, message)
    }

    fn failed_at(&self, at: usize, node: &std::ops::Range<usize>, message: &str) -> BuiltinError {
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let row = self.text[..at].matches('\n').count() + 1;
        let shown = &self.text[node.clone()];
        let place = format!("template: template:{row}:{}", at - line);
        BuiltinError::failed(format!("{place}: executing \"template\" at <{shown}>: {message}"))
    }
}
