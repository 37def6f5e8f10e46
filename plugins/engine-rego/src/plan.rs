//! The form of rules and queries that is evaluated.
//!
//! Names are gone: a variable is a slot of its rule's frame, a constant is a value, a reference below `data` is a rule
//! set, a path into base data, or a walk where only the evaluation tells which. Whether a variable has a value at some
//! point is known here, since bodies were ordered to be safe; so unifying is either a test or a binding.

mod call;
mod comprehension;
mod expr;
mod former;
mod layout;
mod optimise;
mod program;
mod query;
mod reference;
mod rule;
mod scope;
mod slots;
mod term;
#[cfg(test)]
mod tests;
mod unify;
mod with;

use std::sync::Arc;

use regent_core::Value;
use regent_core::builtin::Builtin;
use regent_core::value::KeyHint;

pub(crate) use former::Former;
pub(crate) use layout::{Layout, NodeId, SetId, SetInfo, SetKind};
pub(crate) use program::Plan;
pub(crate) use query::{QueryPlan, document, query};
pub(crate) use rule::{Branch, Leaf, PartialRules, RuleSet, SingleRules, Variant};

use crate::syntax::ast::Span;

/// A place in a frame.
pub(crate) type Slot = usize;

/// The steps of a body. They hold when all do, in order.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// What is done.
    pub(crate) steps: Vec<Step>,
    /// Where the expressions of the body stand, in the body's order.
    pub(crate) exprs: Vec<Span>,
}

/// One step of a block.
#[derive(Debug)]
pub(crate) struct Step {
    /// What is done.
    pub(crate) op: Op,
    /// Which expression of the body it is a part of.
    pub(crate) expr: usize,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Op {
    /// Nothing holds.
    Fail,
    /// A value has to match.
    Match { value: Operand, into: Pattern },
    /// What lies at a path in a value.
    Get { from: Source, path: Vec<PathKey>, into: Pattern },
    /// Each entry of a collection that matches.
    Each { over: Source, key: Pattern, value: Pattern },
    /// The document that a rule set makes, or what lies in it under the keys that are known.
    Rule { set: SetId, keys: Vec<Operand>, into: Pattern },
    /// A document below `data` that rules and base data may both have a part in.
    Tree(Box<TreeWalk>),
    /// A call of a function of the policy.
    Function { set: SetId, args: Vec<Operand>, into: Pattern },
    /// A call of a built-in function.
    Builtin(Box<BuiltinCall>),
    /// A comprehension.
    Collect(Box<Collect>),
    /// The block must not hold.
    Not(Box<Block>),
    /// The block has to hold for each entry.
    Every(Box<EveryEntry>),
    /// The block, with other documents and functions.
    With(Box<WithScope>),
}

/// A value that is known when the step begins.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    /// It stands in the text.
    Const(Value),
    /// It is in a slot.
    Slot(Slot),
    /// It is put together.
    Array(Vec<Operand>),
    /// It is put together.
    Object(Vec<(Operand, Operand)>),
    /// It is put together.
    Set(Vec<Operand>),
}

/// A key on a path.
#[derive(Debug)]
pub(crate) struct PathKey {
    /// The key.
    pub(crate) key: Operand,
    /// Where it was found the last time.
    pub(crate) hint: KeyHint,
}

impl From<Operand> for PathKey {
    fn from(key: Operand) -> Self {
        Self { key, hint: KeyHint::default() }
    }
}

/// What a path starts from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A value.
    Value(Operand),
    /// The input document.
    Input,
    /// Base data.
    Data,
}

/// What becomes of a value.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// Any value will do.
    Any,
    /// Any but `false`.
    Truthy,
    /// It goes into the slot.
    Bind(Slot),
    /// It has to be equal.
    Equal(Operand),
    /// It has to be an array of that length whose items match.
    Array(Vec<Pattern>),
    /// It has to be an object of these keys whose values match.
    Object(Vec<(Operand, Pattern)>),
}

/// A key on a path whose rules are not known beforehand.
#[derive(Debug)]
pub(crate) enum Key {
    /// It has a value.
    Known(Operand),
    /// Each key that matches.
    Open(Pattern),
}

/// A way down from a node of the rule tree.
#[derive(Debug)]
pub(crate) struct TreeWalk {
    /// Where it starts.
    pub(crate) node: NodeId,
    /// How it goes on.
    pub(crate) keys: Vec<Key>,
    /// What becomes of the value at its end.
    pub(crate) into: Pattern,
}

/// A call of a built-in function.
pub(crate) struct BuiltinCall {
    /// The function's name.
    pub(crate) name: Arc<str>,
    /// The function; evaluation fails without one.
    pub(crate) builtin: Option<Arc<dyn Builtin>>,
    /// The operands.
    pub(crate) args: Vec<Operand>,
    /// What becomes of the result; nothing for a function that is called for its effect.
    pub(crate) into: Option<Pattern>,
}

impl std::fmt::Debug for BuiltinCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuiltinCall").field("name", &self.name).field("args", &self.args).finish_non_exhaustive()
    }
}

/// A comprehension.
#[derive(Debug)]
pub(crate) struct Collect {
    /// What is collected for each way in which the block holds.
    pub(crate) item: CollectItem,
    /// The body.
    pub(crate) block: Block,
    /// What becomes of the collection.
    pub(crate) into: Pattern,
    /// How collections for other values of what is around are found at once.
    pub(crate) index: Option<CollectIndex>,
}

/// A comprehension for all values of the variables that it compares with. It runs in a frame of its own.
#[derive(Debug)]
pub(crate) struct CollectIndex {
    /// The slots of those variables, in the frame around as well as in its own.
    pub(crate) keys: Vec<Slot>,
    /// Slots of its frame.
    pub(crate) slots: usize,
    /// The body, which gives the keys their values.
    pub(crate) block: Block,
    /// What is collected.
    pub(crate) item: CollectItem,
}

/// What a comprehension collects.
#[derive(Debug)]
pub(crate) enum CollectItem {
    /// Items of an array.
    Array(Operand),
    /// Members of a set.
    Set(Operand),
    /// Entries of an object, with the place of the key for errors.
    Object { key: Operand, value: Operand, span: Span },
}

/// `every key, value in domain { block }`
#[derive(Debug)]
pub(crate) struct EveryEntry {
    /// What is gone through.
    pub(crate) domain: Operand,
    /// What becomes of the key.
    pub(crate) key: Pattern,
    /// What becomes of the value.
    pub(crate) value: Pattern,
    /// What has to hold.
    pub(crate) block: Block,
}

/// A block and the `with` modifiers around it.
#[derive(Debug)]
pub(crate) struct WithScope {
    /// Replacements in the input document, in order; an empty path replaces all of it.
    pub(crate) input: Vec<(Vec<Value>, Operand)>,
    /// Replacements in data, in order.
    pub(crate) data: Vec<(Vec<Value>, Operand)>,
    /// Replaced functions.
    pub(crate) functions: Vec<(Callee, Replacement)>,
    /// The expression itself.
    pub(crate) block: Block,
}

/// A function that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Callee {
    /// A function of the policy.
    Rules(SetId),
    /// A built-in function.
    Builtin(Arc<str>),
}

/// What stands in for a function.
#[derive(Clone)]
pub(crate) enum Replacement {
    /// A value, whatever the operands are.
    Value(Operand),
    /// A function of the policy.
    Rules(SetId),
    /// A built-in function.
    Builtin(Arc<dyn Builtin>),
}

impl std::fmt::Debug for Replacement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(value) => f.debug_tuple("Value").field(value).finish(),
            Self::Rules(set) => f.debug_tuple("Rules").field(set).finish(),
            Self::Builtin(builtin) => f.debug_tuple("Builtin").field(&builtin.declaration().name).finish(),
        }
    }
}
