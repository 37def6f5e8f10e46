//! The graph of dependencies.
//!
//! A reference may lead to very many rules, and very many rules may have the same reference; so the graph has vertices
//! for references and for parts of the tree of rules, too, and stays about as large as the text.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use regent_core::Value;

use super::super::paths::{NodeId, RulePaths, constant};
use super::super::vars::deeper;
use super::super::walk::{Walk, branches};
use crate::compile::RuleId;
use crate::syntax::ast::{Module, Rule};

/// A rule or one of its `else` branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Branch {
    /// The rule.
    pub(crate) rule: RuleId,
    /// 0 for the rule itself, 1 for its first `else`, ….
    pub(crate) depth: usize,
}

/// What depends on what. Vertices are the branches, in the order of the text, then the rest.
#[derive(Debug)]
pub(crate) struct RuleGraph {
    pub(super) branches: Vec<Branch>,
    pub(super) edges: Vec<Vec<usize>>,
}

impl RuleGraph {
    /// The graph of the modules' rules.
    pub(crate) fn new(modules: &[(Arc<str>, Module)]) -> Self {
        let paths = RulePaths::new(modules);
        let mut branches_of: HashMap<RuleId, std::ops::Range<usize>> = HashMap::new();
        let mut all = Vec::new();
        let mut rules: Vec<&Rule> = Vec::new();
        for (module, (_, content)) in modules.iter().enumerate() {
            for (rule, definition) in content.rules.iter().enumerate() {
                let id = RuleId { module, rule };
                let first = all.len();
                for (depth, branch) in branches(definition).enumerate() {
                    all.push(Branch { rule: id, depth });
                    rules.push(branch);
                }
                branches_of.insert(id, first..all.len());
            }
        }
        let mut builder =
            Builder { paths: &paths, patterns: BTreeMap::new(), first_node: all.len(), edges: Vec::new() };
        builder.edges.resize(all.len() + 2 * paths.len(), Vec::new());
        builder.tree(&branches_of);
        for (vertex, rule) in rules.iter().enumerate() {
            builder.rule(vertex, rule);
        }
        Self { branches: all, edges: builder.edges }
    }

    /// These branches and all that they depend on.
    pub(crate) fn reached_from(&self, start: &[Branch]) -> HashSet<Branch> {
        let mut open: Vec<usize> = start.iter().filter_map(|branch| self.branches.binary_search(branch).ok()).collect();
        let mut seen: HashSet<usize> = open.iter().copied().collect();
        while let Some(vertex) = open.pop() {
            open.extend(self.edges[vertex].iter().copied().filter(|target| seen.insert(*target)));
        }
        seen.into_iter().filter_map(|vertex| self.branches.get(vertex)).copied().collect()
    }
}

/// A reference below `data` as far as it says what it leads to: its keys, `None` for those that are not known.
type Pattern = Vec<Option<Value>>;

struct Builder<'p> {
    paths: &'p RulePaths,
    patterns: BTreeMap<Pattern, usize>,
    /// The vertex of the tree's root. Each node has two: one for the rules at it, one for those below it, too.
    first_node: usize,
    edges: Vec<Vec<usize>>,
}

impl Builder<'_> {
    fn here(&self, node: NodeId) -> usize {
        self.first_node + 2 * node
    }

    fn below(&self, node: NodeId) -> usize {
        self.here(node) + 1
    }

    fn tree(&mut self, branches_of: &HashMap<RuleId, std::ops::Range<usize>>) {
        for id in 0..self.paths.len() {
            let node = self.paths.node(id);
            let here: Vec<usize> =
                node.rules.iter().filter_map(|rule| branches_of.get(rule)).flat_map(Clone::clone).collect();
            let below =
                std::iter::once(self.here(id)).chain(node.children.values().map(|&child| self.below(child))).collect();
            let (here_vertex, below_vertex) = (self.here(id), self.below(id));
            self.edges[here_vertex] = here;
            self.edges[below_vertex] = below;
        }
    }

    /// Adds what a rule refers to.
    fn rule(&mut self, vertex: usize, rule: &Rule) {
        let mut patterns: Vec<Pattern> = Vec::new();
        Walk::terms(&mut |term| {
            if let Some([head, keys @ ..]) = term.as_ref()
                && head.as_var().is_some_and(|name| &**name == "data")
            {
                patterns.push(keys.iter().map(constant).collect());
            }
            true
        })
        .rule(rule);
        patterns.sort();
        patterns.dedup();
        for pattern in patterns {
            let target = self.pattern(pattern);
            self.edges[vertex].push(target);
        }
    }

    /// The vertex of a reference.
    fn pattern(&mut self, pattern: Pattern) -> usize {
        if let Some(&known) = self.patterns.get(&pattern) {
            return known;
        }
        let mut targets = Vec::new();
        self.follow(RulePaths::ROOT, &pattern, &mut targets);
        let vertex = self.edges.len();
        self.edges.push(targets);
        self.patterns.insert(pattern, vertex);
        vertex
    }

    fn follow(&self, node: NodeId, keys: &[Option<Value>], targets: &mut Vec<usize>) {
        let Some((key, rest)) = keys.split_first() else {
            return targets.push(self.below(node));
        };
        let children = &self.paths.node(node).children;
        let matching: Vec<NodeId> = match key {
            Some(key) => children.get(key).copied().into_iter().collect(),
            None => children.values().copied().collect(),
        };
        for child in matching {
            targets.push(self.here(child));
            deeper(|| self.follow(child, rest, targets));
        }
    }
}
