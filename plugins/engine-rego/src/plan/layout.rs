//! Where rules lie below `data`.

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::Value;

use crate::compile::{Compiled, RuleId, RuleTree};
use crate::syntax::ast::{Rule, Term};

/// A node of the rule tree.
pub(crate) type NodeId = usize;

/// A rule set: all rules that make one document or function.
pub(crate) type SetId = usize;

/// The rule tree and what is known of its rule sets before their bodies are planned.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The nodes; the first one is `data`.
    pub(crate) nodes: Vec<Node>,
    /// The rule sets.
    pub(crate) sets: Vec<SetInfo>,
}

/// A node of the rule tree.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Node {
    /// Its path below `data`.
    pub(crate) path: Vec<Value>,
    /// The nodes below it.
    pub(crate) children: BTreeMap<Arc<str>, NodeId>,
    /// The rules that sit here.
    pub(crate) set: Option<SetId>,
    /// Whether documents above leave it out.
    pub(crate) hidden: bool,
}

/// What is known of a rule set.
#[derive(Debug)]
pub(crate) struct SetInfo {
    /// Its path below `data`.
    pub(crate) path: Vec<Value>,
    /// What it makes.
    pub(crate) kind: SetKind,
    /// How many keys below its path may pick rules, at most.
    pub(crate) depth: usize,
    /// Its rules.
    pub(crate) rules: Vec<RuleId>,
}

/// What a rule set makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetKind {
    /// One value.
    Complete,
    /// A value for each list of operands; how many they are.
    Function(usize),
    /// A set.
    Set,
    /// An object, whose values may be objects or sets that several rules make.
    Object,
}

impl Layout {
    /// The layout of the rules.
    pub(crate) fn of(compiled: &Compiled) -> Self {
        let mut layout = Self { nodes: vec![Node::default()], sets: Vec::new() };
        for (_, module) in &compiled.modules {
            let keys = module.package.path.iter().skip(1).filter_map(Term::as_text);
            keys.fold(0, |node, key| layout.child(node, key));
        }
        layout.add(0, &compiled.rules, compiled);
        if let Some(system) = layout.nodes[0].children.get("system").copied() {
            layout.nodes[system].hidden = true;
        }
        layout
    }

    /// The node at a path of constant keys.
    pub(crate) fn find<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<NodeId> {
        path.into_iter().try_fold(0, |node, key| self.nodes[node].children.get(key).copied())
    }

    fn child(&mut self, parent: NodeId, key: &str) -> NodeId {
        if let Some(child) = self.nodes[parent].children.get(key) {
            return *child;
        }
        let child = self.nodes.len();
        let path = self.nodes[parent].path.iter().cloned().chain([Value::from(key)]).collect();
        self.nodes.push(Node { path, ..Node::default() });
        self.nodes[parent].children.insert(key.into(), child);
        child
    }

    fn add(&mut self, node: NodeId, tree: &RuleTree, compiled: &Compiled) {
        let mut rules = tree.rules.clone();
        let depth = self.nodes[node].path.len();
        // Rules whose reference has variables make one document with all rules below them.
        let takes_all = rules.iter().any(|id| tail(compiled, *id, depth).next().is_some());
        if takes_all {
            tree.children.values().for_each(|below| gather(below, &mut rules));
        }
        if !rules.is_empty() {
            self.nodes[node].set = Some(self.sets.len());
            let info = SetInfo::of(self.nodes[node].path.clone(), rules, compiled);
            self.sets.push(info);
        }
        if !takes_all {
            for (key, below) in &tree.children {
                let child = self.child(node, key);
                self.add(child, below, compiled);
            }
        }
    }
}

fn gather(tree: &RuleTree, rules: &mut Vec<RuleId>) {
    rules.extend(&tree.rules);
    tree.children.values().for_each(|below| gather(below, rules));
}

impl SetInfo {
    fn of(path: Vec<Value>, rules: Vec<RuleId>, compiled: &Compiled) -> Self {
        let all = || rules.iter().map(|id| compiled.rule(*id));
        let depth = |id: &RuleId| tail(compiled, *id, path.len()).count() + usize::from(is_multi(compiled.rule(*id)));
        let depth = rules.iter().map(depth).max().unwrap_or(0);
        let grounded = rules.iter().all(|id| tail(compiled, *id, path.len()).next().is_none());
        let arity = all().find_map(|rule| rule.head.args.as_ref().map(Vec::len)).unwrap_or(0);
        let kind = if arity > 0 {
            SetKind::Function(arity)
        } else if !grounded {
            SetKind::Object
        } else if all().any(is_multi) {
            SetKind::Set
        } else {
            SetKind::Complete
        };
        Self { path, kind, depth, rules }
    }
}

/// Whether the rule adds members to a set.
pub(super) fn is_multi(rule: &Rule) -> bool {
    rule.head.value.is_none() && rule.head.key.is_some()
}

/// A part of a rule's whole reference.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    /// A key of the package, or the name of the rule.
    Name(&'a str),
    /// Any further part.
    Term(&'a Term),
}

/// The parts of a rule's whole reference from a depth below `data` on.
pub(super) fn tail(compiled: &Compiled, id: RuleId, depth: usize) -> impl Iterator<Item = Part<'_>> {
    let package = compiled.modules[id.module].1.package.path.iter().skip(1);
    let mut reference = compiled.rule(id).head.reference.iter();
    let name = reference.next().and_then(|head| head.as_var().map(|name| &**name).or_else(|| head.as_text()));
    let names = package.filter_map(Term::as_text).chain(name);
    names.map(Part::Name).chain(reference.map(Part::Term)).skip(depth)
}

impl Compiled {
    /// The rule of that id.
    pub(crate) fn rule(&self, id: RuleId) -> &Rule {
        &self.modules[id.module].1.rules[id.rule]
    }
}
