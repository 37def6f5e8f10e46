//! The annotations of all modules, by what they speak of.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use regent_core::Value;
use regent_core::engine::ErrorCode;

use super::object::object;
use crate::compile::rewrite::Modules;
use crate::compile::{Errors, RuleId};
use crate::syntax::ast::{AnnotationScope, Annotations, Module, Package, Rule, Span, TermKind};

/// A path below `data`.
type Path = Vec<Value>;

/// One block: what it speaks of, and what it says.
struct Note {
    path: Path,
    content: Value,
    span: Span,
}

impl Note {
    /// The schemas that the block names, `{path, schema}` or `{path, definition}` each.
    fn schemas(&self) -> &[Value] {
        self.content.get("schemas").and_then(Value::as_array).unwrap_or_default()
    }
}

/// The schemas that annotations name for rules: for the rule with its `else` branches, and for its first branch only.
#[derive(Debug, Default)]
pub(in crate::compile) struct AnnotatedSchemas(HashMap<RuleId, (Vec<Value>, Vec<Value>)>);

impl AnnotatedSchemas {
    /// Those of a branch of a rule, in the order in which they count.
    pub(in crate::compile) fn of(&self, rule: RuleId, is_first: bool) -> impl Iterator<Item = &Value> {
        let found = self.0.get(&rule);
        let own = found.filter(|_| is_first).map(|(_, own)| own);
        found.map(|(shared, _)| shared).into_iter().chain(own).flatten()
    }
}

/// All blocks.
#[derive(Default)]
pub(super) struct AnnotationSet {
    rules: HashMap<RuleId, Vec<Note>>,
    packages: BTreeMap<Path, Note>,
    /// Those of documents and of packages with what is below them.
    trees: BTreeMap<Path, Note>,
    /// The path of each module's package.
    modules: Vec<Path>,
}

impl AnnotationSet {
    /// The blocks of the modules. Two that speak of the same package or document are an error.
    pub(super) fn new(modules: &Modules, errors: &mut Errors) -> Self {
        let mut set = Self::default();
        for (index, (_, module)) in modules.iter().enumerate() {
            let package = package_path(&module.package);
            for annotations in &module.annotations {
                set.add(annotations, index, module, &package, errors);
            }
            set.modules.push(package);
        }
        set
    }

    fn add(&mut self, block: &Annotations, index: usize, module: &Module, package: &Path, errors: &mut Errors) {
        let rule = block.rule.and_then(|rule| Some((RuleId { module: index, rule }, module.rules.get(rule)?)));
        let note = |path| Note { path, content: object(block), span: block.span.clone() };
        let (table, path, scope) = match (block.scope, rule) {
            (AnnotationScope::Rule, Some((id, rule))) => {
                return self.rules.entry(id).or_default().push(note(rule_path(package, rule)));
            }
            (AnnotationScope::Document, Some((_, rule))) => (&mut self.trees, rule_path(package, rule), "document"),
            (AnnotationScope::Rule | AnnotationScope::Document, None) => return,
            (AnnotationScope::Package, _) => (&mut self.packages, package.clone(), "package"),
            (AnnotationScope::Subpackages, _) => (&mut self.trees, package.clone(), "subpackages"),
        };
        match table.entry(path.clone()) {
            Entry::Vacant(free) => {
                free.insert(note(path));
            }
            Entry::Occupied(first) => {
                let message = format!("{scope} annotation redeclared: {}", first.get().span.location());
                errors.add(ErrorCode::Type, &block.span, message);
            }
        }
    }

    /// What the block nearest to a rule says; an empty object without one.
    pub(super) fn of_rule(&self, id: Option<RuleId>) -> Value {
        self.nearest(id).first().map_or_else(Value::empty_object, |note| note.content.clone())
    }

    /// All blocks that hold for a rule: its own, its document's, its package's, and those of the packages around.
    pub(super) fn chain(&self, rule: &Rule, module: usize, id: Option<RuleId>) -> Value {
        let package = &self.modules[module];
        let path = rule_path(package, rule);
        let mut links: Vec<Value> = self.nearest(id).into_iter().map(link).collect();
        if links.is_empty() {
            links.push(Value::object([("path", Value::array(path.clone()))]));
        }
        links.extend(self.trees.get(&path).map(link));
        links.extend(self.packages.get(package).map(link));
        links.extend((0..=package.len()).rev().filter_map(|length| self.trees.get(&package[..length])).map(link));
        Value::array(links)
    }

    /// The schemas that annotations name for rules.
    pub(super) fn schemas(&self, modules: &Modules) -> AnnotatedSchemas {
        let mut found = AnnotatedSchemas::default();
        for (module, (_, tree)) in modules.iter().enumerate() {
            let package = &self.modules[module];
            let around = (0..=package.len()).filter_map(|length| self.trees.get(&package[..length]));
            let around: Vec<&Note> = around.chain(self.packages.get(package)).collect();
            for (index, rule) in tree.rules.iter().enumerate() {
                let id = RuleId { module, rule: index };
                let document = self.trees.get(&rule_path(package, rule));
                let shared = around.iter().copied().chain(document).flat_map(Note::schemas).cloned();
                let own = self.rules.get(&id).into_iter().flatten().flat_map(Note::schemas).cloned();
                let (shared, own): (Vec<Value>, Vec<Value>) = (shared.collect(), own.collect());
                if !shared.is_empty() || !own.is_empty() {
                    found.0.insert(id, (shared, own));
                }
            }
        }
        found
    }

    /// The blocks of a rule, the nearest one first.
    fn nearest(&self, id: Option<RuleId>) -> Vec<&Note> {
        let mut notes: Vec<&Note> = id.and_then(|id| self.rules.get(&id)).into_iter().flatten().collect();
        notes.sort_by_key(|note| std::cmp::Reverse(note.span.start));
        notes
    }
}

fn link(note: &Note) -> Value {
    Value::object([("annotations", note.content.clone()), ("path", Value::array(note.path.clone()))])
}

fn package_path(package: &Package) -> Path {
    crate::compile::rule_tree::package_path(package).map(Value::from).collect()
}

/// The path of a rule up to the first part that is not constant.
fn rule_path(package: &Path, rule: &Rule) -> Path {
    let name = rule.head.reference.first().and_then(|head| head.as_var()).map(|name| Value::from(&**name));
    let constants = rule.head.reference.iter().skip(1).map_while(|part| match &part.kind {
        TermKind::Scalar(value) => Some(value.clone()),
        _ => None,
    });
    package.iter().cloned().chain(name).chain(constants).collect()
}
