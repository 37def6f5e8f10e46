//! `with`: other documents and functions for one expression.

use super::cache::Cache;
use super::each::Rest;
use super::env::{Env, Mock};
use super::merge::put;
use super::{Flow, Held, Machine};
use crate::plan::{Callee, Replacement, WithScope};

impl<'a> Machine<'a> {
    /// Runs a block with what its modifiers say, and the rest without.
    pub(super) fn with(&mut self, scope: &'a WithScope, rest: &mut Rest<'_, 'a>) -> Flow {
        let frame = rest.frame;
        let mut other = self.modified(scope, frame);
        std::mem::swap(&mut self.env, &mut other);
        let flow = self.run(&scope.block, frame, &mut |machine| {
            std::mem::swap(&mut machine.env, &mut other);
            let flow = machine.nested(|machine| machine.run_from(rest));
            std::mem::swap(&mut machine.env, &mut other);
            flow
        });
        self.env = other;
        flow
    }

    fn modified(&self, scope: &'a WithScope, frame: usize) -> Env<'a> {
        let mut input = self.env.input.clone();
        for (path, value) in &scope.input {
            input = Some(match &path[..] {
                [] => self.hold(value, frame),
                path => Held::Owned(put(input.as_deref(), path, self.build(value, frame))),
            });
        }
        let mut data = self.env.data.clone();
        let mut hidden = self.env.hidden.clone();
        for (path, value) in &scope.data {
            data = Some(put(data.as_ref(), path, self.build(value, frame)));
            hidden.push(path);
        }
        let mut functions = self.env.functions.clone();
        for (callee, replacement) in &scope.functions {
            let mock = match replacement {
                Replacement::Value(value) => Mock::Value(self.hold(value, frame)),
                Replacement::Rules(set) => Mock::Rules(*set),
                Replacement::Builtin(builtin) => Mock::Builtin(&**builtin),
            };
            functions.push((callee, mock));
            if let Callee::Rules(set) = callee {
                hidden.push(&self.plan.layout.sets[*set].path);
            }
        }
        Env { input, data, hidden, functions, cache: Cache::default() }
    }
}
