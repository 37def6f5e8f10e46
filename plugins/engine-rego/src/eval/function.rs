//! Calls of the policy's functions, and of what stands in for functions.

use super::each::Rest;
use super::env::Mock;
use super::{Held, Machine, Stop};
use crate::plan::{Callee, Pattern, RuleSet, SetId};
use crate::syntax::ast::Span;

impl<'a> Machine<'a> {
    /// A step that calls a function: whether it holds, or nothing if the rest was run.
    pub(super) fn function(
        &mut self,
        set: SetId,
        args: &[Held<'a>],
        into: &'a Pattern,
        span: &'a Span,
        rest: &mut Rest<'_, 'a>,
    ) -> Result<Option<bool>, Stop> {
        if !self.env.functions.is_empty()
            && let Some(mock) = self.env.mock(&Callee::Rules(set)).cloned()
        {
            return self.mocked(&mock, args, Some(into), span, rest);
        }
        let RuleSet::Single(rules) = self.plan.set(set) else { return Ok(Some(false)) };
        if let Some(known) = self.env.cache.keyed(set, args) {
            let known = known.clone();
            return Ok(Some(known.is_some_and(|value| self.matches(into, value, rest.frame))));
        }
        self.call(set, rules, args, &mut |machine, value| rest.with(machine, into, value))?;
        Ok(None)
    }

    /// A step that calls what stands in for a function. Within, nothing stands in for functions.
    pub(super) fn mocked(
        &mut self,
        mock: &Mock<'a>,
        args: &[Held<'a>],
        into: Option<&'a Pattern>,
        span: &'a Span,
        rest: &mut Rest<'_, 'a>,
    ) -> Result<Option<bool>, Stop> {
        let value = match mock {
            Mock::Value(value) => Some(value.clone()),
            Mock::Builtin(builtin) => self.invoke(&**builtin, args, span)?.map(Held::Owned),
            Mock::Rules(set) => {
                let RuleSet::Single(rules) = self.plan.set(*set) else { return Ok(Some(false)) };
                let mut other = std::mem::take(&mut self.env.functions);
                let flow = self.call(*set, rules, args, &mut |machine, value| {
                    std::mem::swap(&mut machine.env.functions, &mut other);
                    let flow = match into {
                        Some(into) => rest.with(machine, into, value),
                        None => machine.run_from(rest),
                    };
                    std::mem::swap(&mut machine.env.functions, &mut other);
                    flow
                });
                self.env.functions = other;
                return flow.map(|()| None);
            }
        };
        Ok(Some(value.is_some_and(|value| into.is_none_or(|into| self.matches(into, value, rest.frame)))))
    }
}
