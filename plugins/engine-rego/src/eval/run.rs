//! Running blocks.

use super::each::Rest;
use super::{Flow, Machine, Next};
use crate::plan::{Block, Op};

impl<'a> Machine<'a> {
    /// Runs a block, and what comes next for each way in which it holds.
    pub(super) fn run(&mut self, block: &'a Block, frame: usize, next: Next<'_, 'a>) -> Flow {
        self.nested(|machine| machine.run_from(&mut Rest { block, at: 0, frame, next }))
    }

    /// Runs the steps that only look something up or compare: gives the place of the first other step if all hold.
    #[inline]
    pub(super) fn lookups(&mut self, block: &'a Block, mut at: usize, frame: usize) -> Option<usize> {
        while let Some(step) = block.steps.get(at) {
            let holds = match &step.op {
                Op::Get { from, path, into } => self.get(from, path, into, frame),
                Op::Match { value, into } => self.match_operand(value, into, frame),
                _ => break,
            };
            if !holds {
                return None;
            }
            at += 1;
        }
        Some(at)
    }

    /// Runs the rest of a block. What leads deeper looks after the stack: each step that may, and the end of a rule,
    /// behind which whoever asked for it goes on.
    pub(super) fn run_from(&mut self, rest: &mut Rest<'_, 'a>) -> Flow {
        let (block, frame) = (rest.block, rest.frame);
        let mut at = rest.at;
        loop {
            let Some(next) = self.lookups(block, at, frame) else { return Ok(()) };
            let Some(step) = block.steps.get(next) else { break };
            at = next + 1;
            let holds = match &step.op {
                Op::Fail => false,
                Op::Match { value, into } => self.match_operand(value, into, frame),
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
