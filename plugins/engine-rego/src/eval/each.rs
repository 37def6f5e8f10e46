//! Going through collections.

use std::borrow::Cow;

use regent_core::Value;
use regent_core::value::View;

use super::{Flow, Held, Machine, Next, Stop};
use crate::plan::{Block, EveryEntry, Pattern, Source};

/// What is left of a block, and what comes after it.
pub(super) struct Rest<'k, 'a> {
    pub(super) block: &'a Block,
    pub(super) at: usize,
    pub(super) frame: usize,
    pub(super) next: Next<'k, 'a>,
}

impl<'a> Rest<'_, 'a> {
    /// The same from a later step on.
    pub(super) fn from(&mut self, at: usize) -> Rest<'_, 'a> {
        Rest { block: self.block, at, frame: self.frame, next: &mut *self.next }
    }

    /// Goes on if the value matches.
    pub(super) fn with(&mut self, machine: &mut Machine<'a>, into: &'a Pattern, value: Held<'a>) -> Flow {
        if machine.matches(into, value, self.frame) { machine.run_from(self) } else { Ok(()) }
    }
}

impl<'a> Machine<'a> {
    /// Goes on with each entry of a collection that matches.
    pub(super) fn each(
        &mut self,
        over: &'a Source,
        key: &'a Pattern,
        value: &'a Pattern,
        rest: &mut Rest<'_, 'a>,
    ) -> Flow {
        let frame = rest.frame;
        if let Some(over) = self.lent_source(over, frame) {
            return self.each_lent(over, key, value, rest);
        }
        let Some(over) = self.source(over, frame) else { return Ok(()) };
        self.each_entry(&over, key, frame, &mut |machine, item| rest.with(machine, value, item))
    }

    /// As [`Machine::each`], for a collection that is lent.
    fn each_lent(&mut self, over: &'a Value, key: &'a Pattern, value: &'a Pattern, rest: &mut Rest<'_, 'a>) -> Flow {
        let frame = rest.frame;
        let filter = self.filter(key, value, rest);
        let mut entry = |machine: &mut Self, name: Option<&'a Value>, item: &'a Value| {
            if name.is_none_or(|name| machine.matches_lent(key, name, frame))
                && machine.matches_lent(value, item, frame)
                && let Some(next) = machine.lookups(rest.block, filter.next, frame)
            {
                return machine.run_from(&mut rest.from(next));
            }
            Ok(())
        };
        match over.view() {
            View::Array(items) => self.for_each((0_u64..).zip(items), |machine, (at, item)| {
                if !filter.passes(item) {
                    return Ok(());
                }
                let fits = match key {
                    Pattern::Any => true,
                    Pattern::Bind(slot) => {
                        machine.set_slot(frame, *slot, Cow::Owned(Value::from(at)));
                        true
                    }
                    key => machine.matches(key, Cow::Owned(Value::from(at)), frame),
                };
                if fits { entry(machine, None, item) } else { Ok(()) }
            }),
            View::Object(entries) => self.for_each(entries.iter(), |machine, (name, item)| {
                if filter.passes(item) { entry(machine, Some(name), item) } else { Ok(()) }
            }),
            View::Set(members) => self.for_each(members.iter(), |machine, member| {
                if filter.passes(member) { entry(machine, Some(member), member) } else { Ok(()) }
            }),
            _ => Ok(()),
        }
    }

    /// Hands over the value of each entry whose key matches.
    pub(super) fn each_entry(
        &mut self,
        over: &Held<'a>,
        key: &'a Pattern,
        frame: usize,
        sink: &mut dyn FnMut(&mut Self, Held<'a>) -> Flow,
    ) -> Flow {
        match over {
            Cow::Borrowed(value) => self.entries(value, Cow::Borrowed, key, frame, sink),
            Cow::Owned(value) => self.entries(value, |item| Cow::Owned(item.clone()), key, frame, sink),
        }
    }

    fn entries<'v>(
        &mut self,
        over: &'v Value,
        hold: impl Fn(&'v Value) -> Held<'a>,
        key: &'a Pattern,
        frame: usize,
        sink: &mut dyn FnMut(&mut Self, Held<'a>) -> Flow,
    ) -> Flow {
        let any = matches!(key, Pattern::Any);
        match over.view() {
            View::Array(items) => self.for_each(items.iter().enumerate(), |machine, (at, item)| {
                if any || machine.matches(key, Cow::Owned(Value::from(at as u64)), frame) {
                    return sink(machine, hold(item));
                }
                Ok(())
            }),
            View::Object(entries) => self.for_each(entries.iter(), |machine, (name, item)| {
                if any || machine.matches(key, hold(name), frame) {
                    return sink(machine, hold(item));
                }
                Ok(())
            }),
            View::Set(members) => self.for_each(members.iter(), |machine, member| {
                if any || machine.matches(key, hold(member), frame) {
                    return sink(machine, hold(member));
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    /// Whether a block holds in any way.
    pub(super) fn holds(&mut self, block: &'a Block, frame: usize) -> Result<bool, Stop> {
        let mut holds = false;
        let flow = self.run(block, frame, &mut |_| {
            holds = true;
            Err(Stop::Exit)
        });
        match flow {
            Err(Stop::Error(error)) => Err(Stop::Error(error)),
            _ => Ok(holds),
        }
    }

    /// Whether a block holds for each entry of the domain.
    pub(super) fn every(&mut self, every: &'a EveryEntry, frame: usize) -> Result<bool, Stop> {
        let domain = self.hold(&every.domain, frame);
        if !matches!(domain.view(), View::Array(_) | View::Object(_) | View::Set(_)) {
            return Ok(false);
        }
        let mut all = true;
        let flow = self.each_entry(&domain, &every.key, frame, &mut |machine, value| {
            if machine.matches(&every.value, value, frame) && !machine.holds(&every.block, frame)? {
                all = false;
                return Err(Stop::Exit);
            }
            Ok(())
        });
        match flow {
            Err(Stop::Error(error)) => Err(Stop::Error(error)),
            _ => Ok(all),
        }
    }
}
