//! Rules that give one value.

use regent_core::engine::ErrorCode;

use super::each::Rest;
use super::{Flow, Held, Machine, Sink, Stop};
use crate::plan::{Branch, Operand, Pattern, RuleSet, SetId, SingleRules};

/// What several values of one document or function are called.
const COMPLETE_CONFLICT: &str = "complete rules must not produce multiple outputs";
const FUNCTION_CONFLICT: &str = "functions must not produce multiple outputs for same inputs";

/// A rule set whose value is being found out.
struct Search<'s, 'a> {
    set: SetId,
    /// The operands, if it is a function.
    args: Option<&'s [Held<'a>]>,
    /// The value that was found.
    value: Option<Held<'a>>,
    /// Whether no other value can come, so that the first way to hold is enough.
    exits: bool,
    /// Whether whoever asked has seen enough.
    caller_exits: bool,
}

impl<'a> Machine<'a> {
    /// A step that asks for the document of a rule set: whether it holds, or nothing if the rest was run.
    pub(super) fn rule(
        &mut self,
        set: SetId,
        keys: &'a [Operand],
        into: &'a Pattern,
        rest: &mut Rest<'_, 'a>,
    ) -> Result<Option<bool>, Stop> {
        let frame = rest.frame;
        let value = if self.hides(set) {
            let path = &self.plan.layout.sets[set].path;
            let base = self.base(path);
            keys.iter()
                .try_fold(base, |value, key| value.map(|value| super::lookup::child(&value, &self.peek(key, frame))))
                .flatten()
        } else {
            match self.plan.set(set) {
                RuleSet::Partial(rules) => {
                    let keys = self.hold_all(keys, frame);
                    self.partial(set, rules, keys)?
                }
                RuleSet::Single(rules) => {
                    let Some(known) = self.env.cache.whole(set) else {
                        self.complete(set, rules, &mut |machine, value| rest.with(machine, into, value))?;
                        return Ok(None);
                    };
                    known.clone()
                }
            }
        };
        Ok(Some(value.is_some_and(|value| self.matches(into, value, frame))))
    }

    /// Whether something stands in for the document of a rule set.
    pub(super) fn hides(&self, set: SetId) -> bool {
        !self.env.hidden.is_empty() && self.env.hides(&self.plan.layout.sets[set].path)
    }

    /// Finds out the value of complete rules and hands it over.
    pub(super) fn complete(&mut self, set: SetId, rules: &'a SingleRules, sink: Sink<'_, 'a>) -> Flow {
        let mut search = Search { set, args: None, value: None, exits: false, caller_exits: false };
        self.search(rules, &mut search, sink)?;
        if search.value.is_none() {
            self.env.cache.put_whole(set, None);
        }
        search.flow()
    }

    /// Finds out the result of a function and hands it over.
    pub(super) fn call(&mut self, set: SetId, rules: &'a SingleRules, args: &[Held<'a>], sink: Sink<'_, 'a>) -> Flow {
        let mut search = Search { set, args: Some(args), value: None, exits: false, caller_exits: false };
        self.search(rules, &mut search, sink)?;
        search.flow()
    }

    fn search(&mut self, rules: &'a SingleRules, search: &mut Search<'_, 'a>, sink: Sink<'_, 'a>) -> Flow {
        let candidates = self.candidates(&rules.index, search.args.unwrap_or_default());
        search.exits = candidates.early_exit();
        let flow = self.for_each(candidates.rules(), |machine, branches| {
            for at in branches {
                let branch = &rules.rules[at.rule as usize][at.position as usize];
                if machine.branch(branch, search, sink)? {
                    break;
                }
            }
            Ok(())
        });
        match flow {
            Err(Stop::Exit) => return Ok(()),
            other => other?,
        }
        if let (Some(default), None) = (rules.index.default_rule(), &search.value) {
            match self.branch(&rules.rules[default][0], search, sink) {
                Err(Stop::Exit) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Tries one branch: whether it holds.
    fn branch(&mut self, branch: &'a Branch, search: &mut Search<'_, 'a>, sink: Sink<'_, 'a>) -> Result<bool, Stop> {
        let frame = self.push_frame(branch.slots, search.args.unwrap_or_default());
        let mut holds = false;
        let flow = self.run(&branch.block, frame, &mut |machine| {
            holds = true;
            let value = machine.hold(&branch.value, frame);
            search.found(machine, branch, value, sink)
        });
        self.pop_frame(frame);
        flow.map(|()| holds)
    }
}

impl<'a> Search<'_, 'a> {
    /// Takes a value. The first one goes to whoever asked, others must be the same.
    fn found(&mut self, machine: &mut Machine<'a>, branch: &Branch, value: Held<'a>, sink: Sink<'_, 'a>) -> Flow {
        if let Some(first) = &self.value {
            let text = if self.args.is_some() { FUNCTION_CONFLICT } else { COMPLETE_CONFLICT };
            let conflict = || Stop::error(ErrorCode::EvalConflict, text, branch.span.location());
            return if *first == value { Ok(()) } else { Err(conflict()) };
        }
        self.value = Some(value.clone());
        match self.args {
            Some(args) => machine.env.cache.put_keyed(self.set, args.to_vec(), Some(value.clone())),
            None => machine.env.cache.put_whole(self.set, Some(value.clone())),
        }
        // Whoever asked goes on within this rule, and so does whoever asked for that.
        match machine.nested(|machine| sink(machine, value)) {
            Err(Stop::Exit) => self.caller_exits = true,
            other => other?,
        }
        if self.exits { Err(Stop::Exit) } else { Ok(()) }
    }

    fn flow(&self) -> Flow {
        if self.caller_exits { Err(Stop::Exit) } else { Ok(()) }
    }
}
