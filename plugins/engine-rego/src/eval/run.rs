//! Running blocks.

use super::each::Rest;
use super::{Flow, Machine, Next};
use crate::plan::{Block, Op};

impl<'a> Machine<'a> {
    /// Runs a block, and what comes next for each way in which it holds.
    pub(super) fn run(&mut self, block: &'a Block, frame: usize, next: Next<'_, 'a>) -> Flow {
        self.nested(|machine| machine.run_from(&mut Rest { block, at: 0, frame, next }))
    }

    /// Runs the rest of a block. What leads deeper looks after the stack: each step that may, and the end of a rule,
    /// behind which whoever asked for it goes on.
    pub(super) fn run_from(&mut self, rest: &mut Rest<'_, 'a>) -> Flow {
        let (block, frame) = (rest.block, rest.frame);
        let mut at = rest.at;
        while let Some(step) = block.steps.get(at) {
            at += 1;
            let holds = match &step.op {
                Op::Fail => false,
                Op::Match { value, into } => {
                    if let Some(value) = self.lent(value, frame) {
                        self.matches_lent(into, value, frame)
                    } else {
                        let value = self.hold(value, frame);
                        self.matches(into, value, frame)
                    }
                }
                Op::Get { from, path, into } => self.get(from, path, into, frame),
                Op::Each { over, key, value } => {
                    return self.nested(|machine| machine.each(over, key, value, &mut rest.from(at)));
                }
                Op::Rule { set, keys, into } => match self.rule(*set, keys, into, &mut rest.from(at))? {
                    Some(holds) => holds,
                    None => return Ok(()),
                },
                Op::Tree(walk) => return self.nested(|machine| machine.tree(walk, &mut rest.from(at))),
                Op::Function { set, args, into } => {
                    let args = self.hold_all(args, frame);
                    match self.function(*set, &args, into, &block.exprs[step.expr], &mut rest.from(at))? {
                        Some(holds) => holds,
                        None => return Ok(()),
                    }
                }
                Op::Builtin(call) => match self.builtin(call, &block.exprs[step.expr], &mut rest.from(at))? {
                    Some(holds) => holds,
                    None => return Ok(()),
                },
                Op::Collect(collect) => {
                    let value = self.collect(collect, frame)?;
                    self.matches(&collect.into, value, frame)
                }
                Op::Not(block) => !self.holds(block, frame)?,
                Op::Every(every) => self.every(every, frame)?,
                Op::With(scope) => return self.with(scope, &mut rest.from(at)),
            };
            if !holds {
                return Ok(());
            }
        }
        (rest.next)(self)
    }
}
