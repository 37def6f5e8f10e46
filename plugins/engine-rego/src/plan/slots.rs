//! Which slots a step reads and which it fills.

use super::{Block, CollectItem, Key, Op, Operand, Pattern, Replacement, Slot, Source};

/// Something that uses slots.
pub(super) trait Slots {
    /// Names each slot that is read, once for each time.
    fn reads(&self, read: &mut dyn FnMut(Slot));

    /// Names each slot that is filled.
    fn fills(&self, _: &mut dyn FnMut(Slot)) {}
}

impl Slots for Operand {
    fn reads(&self, read: &mut dyn FnMut(Slot)) {
        match self {
            Self::Const(_) => {}
            Self::Slot(slot) => read(*slot),
            Self::Array(operands) | Self::Set(operands) => operands.iter().for_each(|operand| operand.reads(read)),
            Self::Object(entries) => entries.iter().for_each(|(key, value)| {
                key.reads(read);
                value.reads(read);
            }),
        }
    }
}

impl Slots for Source {
    fn reads(&self, read: &mut dyn FnMut(Slot)) {
        if let Self::Value(operand) = self {
            operand.reads(read);
        }
    }
}

impl Slots for Pattern {
    fn reads(&self, read: &mut dyn FnMut(Slot)) {
        match self {
            Self::Any | Self::Truthy | Self::Bind(_) => {}
            Self::Equal(operand) => operand.reads(read),
            Self::Array(patterns) => patterns.iter().for_each(|pattern| pattern.reads(read)),
            Self::Object(entries) => entries.iter().for_each(|(key, pattern)| {
                key.reads(read);
                pattern.reads(read);
            }),
        }
    }

    fn fills(&self, fill: &mut dyn FnMut(Slot)) {
        match self {
            Self::Any | Self::Truthy | Self::Equal(_) => {}
            Self::Bind(slot) => fill(*slot),
            Self::Array(patterns) => patterns.iter().for_each(|pattern| pattern.fills(fill)),
            Self::Object(entries) => entries.iter().for_each(|(_, pattern)| pattern.fills(fill)),
        }
    }
}

impl Slots for Key {
    fn reads(&self, read: &mut dyn FnMut(Slot)) {
        match self {
            Self::Known(operand) => operand.reads(read),
            Self::Open(pattern) => pattern.reads(read),
        }
    }

    fn fills(&self, fill: &mut dyn FnMut(Slot)) {
        if let Self::Open(pattern) = self {
            pattern.fills(fill);
        }
    }
}

impl Slots for Block {
    fn reads(&self, read: &mut dyn FnMut(Slot)) {
        self.steps.iter().for_each(|step| step.op.reads(read));
    }

    fn fills(&self, fill: &mut dyn FnMut(Slot)) {
        self.steps.iter().for_each(|step| step.op.fills(fill));
    }
}

impl Slots for CollectItem {
    fn reads(&self, read: &mut dyn FnMut(Slot)) {
        match self {
            Self::Array(item) | Self::Set(item) => item.reads(read),
            Self::Object { key, value, .. } => {
                key.reads(read);
                value.reads(read);
            }
        }
    }
}

impl Slots for Op {
    fn reads(&self, read: &mut dyn FnMut(Slot)) {
        self.sources(read);
        self.patterns(&mut |pattern| pattern.reads(read));
    }

    fn fills(&self, fill: &mut dyn FnMut(Slot)) {
        self.patterns(&mut |pattern| pattern.fills(fill));
        match self {
            Self::Tree(walk) => walk.keys.iter().for_each(|key| key.fills(fill)),
            Self::Collect(collect) => collect.block.fills(fill),
            Self::Not(block) => block.fills(fill),
            Self::Every(every) => every.block.fills(fill),
            Self::With(scope) => scope.block.fills(fill),
            _ => {}
        }
    }
}

impl Op {
    /// Names each slot that is read to find a value; what the value is compared with does not count.
    pub(super) fn sources(&self, read: &mut dyn FnMut(Slot)) {
        let all = |operands: &[Operand], read: &mut dyn FnMut(Slot)| operands.iter().for_each(|one| one.reads(read));
        match self {
            Self::Fail => {}
            Self::Match { value, .. } => value.reads(read),
            Self::Get { from, path, .. } => {
                from.reads(read);
                for step in path {
                    step.key.reads(read);
                }
            }
            Self::Each { over, .. } => over.reads(read),
            Self::Rule { keys, .. } => all(keys, read),
            Self::Tree(walk) => walk.keys.iter().for_each(|key| key.reads(read)),
            Self::Function { args, .. } => all(args, read),
            Self::Builtin(call) => all(&call.args, read),
            Self::Collect(collect) => {
                collect.block.reads(read);
                collect.item.reads(read);
                collect.index.iter().flat_map(|index| &index.keys).for_each(|slot| read(*slot));
            }
            Self::Not(block) => block.reads(read),
            Self::Every(every) => {
                every.domain.reads(read);
                every.block.reads(read);
            }
            Self::With(scope) => {
                let values = scope.input.iter().chain(&scope.data).map(|(_, value)| value);
                values.for_each(|value| value.reads(read));
                for (_, replacement) in &scope.functions {
                    if let Replacement::Value(value) = replacement {
                        value.reads(read);
                    }
                }
                scope.block.reads(read);
            }
        }
    }

    /// What becomes of the values that the step finds.
    fn patterns(&self, visit: &mut dyn FnMut(&Pattern)) {
        match self {
            Self::Fail | Self::Not(_) | Self::With(_) => {}
            Self::Match { into, .. }
            | Self::Get { into, .. }
            | Self::Rule { into, .. }
            | Self::Function { into, .. } => {
                visit(into);
            }
            Self::Each { key, value, .. } => {
                visit(key);
                visit(value);
            }
            Self::Tree(walk) => visit(&walk.into),
            Self::Builtin(call) => call.into.iter().for_each(visit),
            Self::Collect(collect) => visit(&collect.into),
            Self::Every(every) => {
                visit(&every.key);
                visit(&every.value);
            }
        }
    }
}
