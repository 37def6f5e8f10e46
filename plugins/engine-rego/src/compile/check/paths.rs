//! The rules by their whole constant path, numbers included.

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::Value;

use crate::compile::RuleId;
use crate::syntax::ast::{Module, Rule, Term, TermKind};

/// The place of a node in [`RulePaths`].
pub(super) type NodeId = usize;

/// A tree of everything below `data` that rules make.
#[derive(Debug)]
pub(super) struct RulePaths {
    nodes: Vec<Node>,
}

/// A node of the tree. The root is that of `data`.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Further keys.
    pub(super) children: BTreeMap<Value, NodeId>,
    /// The rules whose path, up to its first variable, ends here.
    pub(super) rules: Vec<RuleId>,
}

impl RulePaths {
    /// The tree of the modules' rules.
    pub(super) fn new(modules: &[(Arc<str>, Module)]) -> Self {
        let mut tree = Self { nodes: vec![Node::default()] };
        for (module, (_, content)) in modules.iter().enumerate() {
            let package = content.package.path.iter().skip(1).map_while(constant);
            let package = package.fold(Self::ROOT, |node, key| tree.child_or_new(node, key));
            for (rule, definition) in content.rules.iter().enumerate() {
                let node = ground_path(definition).fold(package, |node, key| tree.child_or_new(node, key));
                tree.nodes[node].rules.push(RuleId { module, rule });
            }
        }
        tree
    }

    /// The node of `data`.
    pub(super) const ROOT: NodeId = 0;

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A node.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    fn child_or_new(&mut self, node: NodeId, key: Value) -> NodeId {
        let new = self.nodes.len();
        let child = *self.nodes[node].children.entry(key).or_insert(new);
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }

    /// The nodes below and including one, parents first.
    pub(super) fn below(&self, id: NodeId) -> impl Iterator<Item = &Node> {
        let mut open = vec![id];
        std::iter::from_fn(move || {
            let node = self.node(open.pop()?);
            open.extend(node.children.values().rev());
            Some(node)
        })
    }
}

/// The keys of a rule's path below its package, up to the first that is not known.
pub(super) fn ground_path(rule: &Rule) -> impl Iterator<Item = Value> {
    let name = rule.head.reference.first().and_then(Term::as_var).map(|name| Value::from(name.clone()));
    name.into_iter().chain(rule.head.reference.iter().skip(1).map_while(constant))
}

/// Whether all of a rule's path is known.
pub(super) fn is_ground(rule: &Rule) -> bool {
    rule.head.reference.iter().skip(1).all(|part| constant(part).is_some())
}

/// The value of a constant term, composites included.
pub(super) fn constant(term: &Term) -> Option<Value> {
    match &term.kind {
        TermKind::Scalar(value) => Some(value.clone()),
        TermKind::Array(items) => items.iter().map(constant).collect::<Option<Vec<_>>>().map(Value::array),
        TermKind::Set(items) => items.iter().map(constant).collect::<Option<Vec<_>>>().map(Value::set),
        TermKind::Object(entries) => {
            let entry = |(key, value)| Some((constant(key)?, constant(value)?));
            entries.iter().map(|(key, value)| entry((key, value))).collect::<Option<Vec<_>>>().map(Value::object)
        }
        _ => None,
    }
}
