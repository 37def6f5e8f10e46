//! References.

use regent_core::Value;

use super::expr::Planner;
use super::unify::Goal;
use super::{Key, NodeId, Op, Operand, PathKey, Pattern, SetId, SetKind, Source, TreeWalk};
use crate::syntax::ast::{Term, TermKind};

impl Planner<'_> {
    /// Adds steps that find what a reference stands for.
    pub(super) fn reference(&mut self, parts: &[Term], goal: Goal<'_>) {
        let Some((head, keys)) = parts.split_first() else { return self.push(Op::Fail) };
        match head.as_var().map(|name| &**name) {
            Some("input") => self.path(Source::Input, keys, goal),
            Some("data") => self.data(keys, goal),
            _ => {
                let head = self.operand(head);
                self.path(Source::Value(head), keys, goal);
            }
        }
    }

    /// Adds steps that follow keys into a value: one for each run of known keys, one for each other key.
    fn path(&mut self, mut from: Source, mut keys: &[Term], goal: Goal<'_>) {
        if keys.is_empty() {
            let into = self.goal(goal);
            return self.push(Op::Get { from, path: Vec::new(), into });
        }
        loop {
            let known = self.known_keys(keys, usize::MAX);
            keys = &keys[known.len()..];
            if keys.is_empty() {
                let into = self.goal(goal);
                return self.push(Op::Get { from, path: path_of(known), into });
            }
            if !known.is_empty() || matches!(from, Source::Data) {
                let slot = self.temporary();
                self.push(Op::Get { from, path: path_of(known), into: Pattern::Bind(slot) });
                from = Source::Value(Operand::Slot(slot));
            }
            let key = self.pattern(&keys[0]);
            keys = &keys[1..];
            if keys.is_empty() {
                let value = self.goal(goal);
                return self.push(Op::Each { over: from, key, value });
            }
            let slot = self.temporary();
            self.push(Op::Each { over: from, key, value: Pattern::Bind(slot) });
            from = Source::Value(Operand::Slot(slot));
        }
    }

    /// The first keys that have a value, at most so many.
    fn known_keys(&mut self, keys: &[Term], most: usize) -> Vec<Operand> {
        let count = keys.iter().take(most).take_while(|key| self.is_known(key)).count();
        self.operands(&keys[..count])
    }

    /// Adds steps for a reference below `data`, as far as the rule tree tells where it leads.
    fn data(&mut self, keys: &[Term], goal: Goal<'_>) {
        let mut node: NodeId = 0;
        for (at, key) in keys.iter().enumerate() {
            match &key.kind {
                TermKind::Scalar(value) => {
                    let child = value.as_str().and_then(|key| self.layout.nodes[node].children.get(key));
                    let Some(child) = child else { return self.path(Source::Data, keys, goal) };
                    node = *child;
                    if let Some(set) = self.layout.nodes[node].set {
                        return self.rule(set, &keys[at + 1..], goal);
                    }
                }
                _ => return self.tree(node, &keys[at..], goal),
            }
        }
        self.tree(node, &[], goal);
    }

    fn tree(&mut self, node: NodeId, keys: &[Term], goal: Goal<'_>) {
        let mut ways = Vec::new();
        for key in keys {
            ways.push(if self.is_known(key) { Key::Known(self.operand(key)) } else { Key::Open(self.pattern(key)) });
        }
        let into = self.goal(goal);
        self.push(Op::Tree(Box::new(TreeWalk { node, keys: ways, into })));
    }

    fn rule(&mut self, set: SetId, keys: &[Term], goal: Goal<'_>) {
        let rules = &self.layout.sets[set];
        let picks = match rules.kind {
            SetKind::Function(_) => return self.push(Op::Fail),
            SetKind::Complete => 0,
            SetKind::Set | SetKind::Object => rules.depth,
        };
        let known = self.known_keys(keys, picks);
        let rest = &keys[known.len()..];
        if rest.is_empty() {
            let into = self.goal(goal);
            return self.push(Op::Rule { set, keys: known, into });
        }
        let slot = self.temporary();
        self.push(Op::Rule { set, keys: known, into: Pattern::Bind(slot) });
        self.path(Source::Value(Operand::Slot(slot)), rest, goal);
    }
}

fn path_of(keys: Vec<Operand>) -> Vec<PathKey> {
    keys.into_iter().map(PathKey::from).collect()
}

/// The keys of a path below `data` that are all constant.
pub(super) fn constant_path(keys: &[Term]) -> Option<Vec<Value>> {
    let constant = |key: &Term| match &key.kind {
        TermKind::Scalar(value) => Some(value.clone()),
        _ => None,
    };
    keys.iter().map(constant).collect()
}
