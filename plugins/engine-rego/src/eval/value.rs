//! Operands and patterns.

use std::borrow::Cow;

use regent_core::Value;

use super::{Held, Machine};
use crate::plan::{Operand, Pattern};

impl<'a> Machine<'a> {
    /// The value of an operand, if it need not be put together.
    #[inline]
    pub(super) fn ready<'m>(&'m self, operand: &'m Operand, frame: usize) -> Option<&'m Value> {
        match operand {
            Operand::Const(value) => Some(value),
            Operand::Slot(slot) => Some(self.slot(frame, *slot)),
            _ => None,
        }
    }

    /// The value of an operand, to be looked at.
    pub(super) fn peek<'m>(&'m self, operand: &'m Operand, frame: usize) -> Cow<'m, Value> {
        self.ready(operand, frame).map_or_else(|| Cow::Owned(self.build(operand, frame)), Cow::Borrowed)
    }

    /// The value of an operand, if it belongs to the plan, the snapshot or the input.
    #[inline]
    pub(super) fn lent(&self, operand: &'a Operand, frame: usize) -> Option<&'a Value> {
        match operand {
            Operand::Const(value) => Some(value),
            Operand::Slot(slot) => match self.slot(frame, *slot) {
                Cow::Borrowed(value) => Some(value),
                Cow::Owned(_) => None,
            },
            _ => None,
        }
    }

    /// The value of an operand, to be kept.
    pub(super) fn hold(&self, operand: &'a Operand, frame: usize) -> Held<'a> {
        match operand {
            Operand::Const(value) => Cow::Borrowed(value),
            Operand::Slot(slot) => self.slot(frame, *slot).clone(),
            _ => Cow::Owned(self.build(operand, frame)),
        }
    }

    pub(super) fn hold_all(&self, operands: &'a [Operand], frame: usize) -> Vec<Held<'a>> {
        operands.iter().map(|operand| self.hold(operand, frame)).collect()
    }

    /// The value of an operand, by value.
    pub(super) fn build(&self, operand: &Operand, frame: usize) -> Value {
        let build = |operand| self.build(operand, frame);
        match operand {
            Operand::Const(value) => value.clone(),
            Operand::Slot(slot) => self.slot(frame, *slot).clone().into_owned(),
            Operand::Array(items) => Value::array(items.iter().map(build)),
            Operand::Set(members) => Value::set(members.iter().map(build)),
            Operand::Object(entries) => Value::object(entries.iter().map(|(key, value)| (build(key), build(value)))),
        }
    }

    /// As [`Machine::matches`], for a value that is lent: a reference stays in registers, which shows where very many
    /// values are gone through.
    #[inline]
    pub(super) fn matches_lent(&mut self, pattern: &'a Pattern, value: &'a Value, frame: usize) -> bool {
        match pattern {
            Pattern::Any => true,
            Pattern::Truthy => value.as_bool() != Some(false),
            Pattern::Bind(slot) => {
                self.set_slot(frame, *slot, Cow::Borrowed(value));
                true
            }
            Pattern::Equal(operand) => self.equals(operand, value, frame),
            Pattern::Array(_) | Pattern::Object(_) => self.matches(pattern, Cow::Borrowed(value), frame),
        }
    }

    /// Whether the value of an operand is as the pattern says.
    pub(super) fn match_operand(&mut self, operand: &'a Operand, pattern: &'a Pattern, frame: usize) -> bool {
        match self.lent(operand, frame) {
            Some(value) => self.matches_lent(pattern, value, frame),
            None => self.matches(pattern, self.hold(operand, frame), frame),
        }
    }

    #[inline]
    fn equals(&self, operand: &Operand, value: &Value, frame: usize) -> bool {
        match self.ready(operand, frame) {
            Some(known) => known == value,
            None => self.build(operand, frame) == *value,
        }
    }

    /// Whether a value is as the pattern says. What the pattern binds is bound, even if the rest does not match.
    pub(super) fn matches(&mut self, pattern: &'a Pattern, value: Held<'a>, frame: usize) -> bool {
        match pattern {
            Pattern::Any => true,
            Pattern::Truthy => value.as_bool() != Some(false),
            Pattern::Bind(slot) => {
                self.set_slot(frame, *slot, value);
                true
            }
            Pattern::Equal(operand) => self.equals(operand, &value, frame),
            Pattern::Array(patterns) => {
                let Some(items) = value.as_array().filter(|items| items.len() == patterns.len()) else { return false };
                (0..items.len()).all(|at| {
                    self.matches(&patterns[at], part(&value, |value| &value.as_array().expect("is one")[at]), frame)
                })
            }
            Pattern::Object(patterns) => {
                if value.as_object().is_none_or(|entries| entries.len() != patterns.len()) {
                    return false;
                }
                patterns.iter().all(|(key, pattern)| {
                    let key = self.peek(key, frame);
                    let found = try_part(&value, |value| value.as_object()?.get(&key));
                    drop(key);
                    found.is_some_and(|value| self.matches(pattern, value, frame))
                })
            }
        }
    }
}

/// A part of a value that is there, borrowed if the value is.
pub(super) fn try_part<'a>(
    whole: &Held<'a>,
    part: impl for<'v> FnOnce(&'v Value) -> Option<&'v Value>,
) -> Option<Held<'a>> {
    match whole {
        Cow::Borrowed(value) => part(value).map(Cow::Borrowed),
        Cow::Owned(value) => part(value).cloned().map(Cow::Owned),
    }
}

fn part<'a>(whole: &Held<'a>, part: impl for<'v> FnOnce(&'v Value) -> &'v Value) -> Held<'a> {
    match whole {
        Cow::Borrowed(value) => Cow::Borrowed(part(value)),
        Cow::Owned(value) => Cow::Owned(part(value).clone()),
    }
}
