//! Names of rules and imports become references from `data` or `input` on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use regent_core::engine::ErrorCode;

use super::order;
use crate::compile::build::is_root_document;
use crate::compile::check::vars::{Scope, VarSet};
use crate::compile::declared::declared;
use crate::compile::each::each_module;
use crate::compile::query::QueryContext;
use crate::compile::rule_tree::{RuleTree, package_path};
use crate::compile::{Compiled, Compiler, Errors};
use crate::syntax::ast::{Body, Expr, ExprKind, Import, Module, Ref, Rule, Span, Term, TermKind, Var};
use crate::syntax::visit::{Visit, VisitMut};

/// The stage for modules. In strict mode, it also finds imports that nothing uses.
pub(in crate::compile) fn resolve_refs(compiler: &mut Compiler<'_>) {
    let Compiler { modules, options, errors, .. } = compiler;
    let exports = exports(modules);
    let strict = options.strict;
    each_module(modules, errors, |module, errors| {
        let package: Vec<Arc<str>> = package_path(&module.package).map(Arc::from).collect();
        let exported = exports.get(&package);
        let is_exported = |name: &str| exported.is_some_and(|names| names.contains(name));
        let Module { package, imports, rules, .. } = module;
        let mut resolver = Resolver::new(&package.path, &is_exported, imports);
        for rule in rules {
            resolver.rule_and_branches(rule, errors);
        }
        if strict {
            resolver.unused_imports(imports, errors);
        }
    });
}

/// The stage for a query.
pub(in crate::compile) fn in_query(body: &mut Body, context: &QueryContext, compiled: &Compiled) {
    let package = context.package.clone().unwrap_or_default();
    let node = compiled.rules.at(&package);
    let is_exported = |name: &str| {
        node.and_then(|node| node.children.get(name)).is_some_and(|node| has_rule_of(node, package.len(), compiled))
    };
    let mut resolver = Resolver::new(&package, &is_exported, &context.imports);
    resolver.hidden.push(declared(body));
    resolver.body(body);
}

/// The names of the rules of each package.
fn exports(modules: &super::Modules) -> HashMap<Vec<Arc<str>>, HashSet<Var>> {
    let mut exports: HashMap<Vec<Arc<str>>, HashSet<Var>> = HashMap::new();
    for (_, module) in modules {
        let names = module.rules.iter().filter_map(|rule| rule.head.reference.first()?.as_var().cloned());
        exports.entry(package_path(&module.package).map(Arc::from).collect()).or_default().extend(names);
    }
    exports
}

/// Whether any rule at or below a node is of a package whose path has that many parts.
fn has_rule_of(node: &RuleTree, parts: usize, compiled: &Compiled) -> bool {
    let mut found = false;
    node.descend(&mut |node| {
        found |= node.rules.iter().any(|id| compiled.modules[id.module].1.package.path.len() == parts);
    });
    found
}

/// Resolves the names of one module.
struct Resolver<'a> {
    package: &'a [Term],
    is_exported: &'a dyn Fn(&str) -> bool,
    imports: HashMap<Var, Imported>,
    /// What is declared around the current place, and so is no name of a rule or import there.
    hidden: Vec<VarSet>,
}

struct Imported {
    path: Ref,
    used: bool,
}

impl<'a> Resolver<'a> {
    fn new(package: &'a [Term], is_exported: &'a dyn Fn(&str) -> bool, imports: &[Import]) -> Self {
        let names = imports.iter().filter_map(|import| {
            let path = import.path.as_ref()?;
            let imported = Imported { path: path.to_vec(), used: false };
            (!is_of_language(path)).then_some((import_name(import)?, imported))
        });
        Self { package, is_exported, imports: names.collect(), hidden: Vec::new() }
    }

    /// What a name stands for, placed where the name stands.
    fn resolve(&mut self, name: &Var, span: &Span) -> Option<Ref> {
        if self.hidden.iter().any(|names| names.contains(name)) {
            return None;
        }
        let mut path = if let Some(import) = self.imports.get_mut(name) {
            import.used = true;
            import.path.clone()
        } else if (self.is_exported)(name) {
            let mut path = self.package.to_vec();
            path.push(Term::scalar(&**name, span.clone()));
            path
        } else {
            return None;
        };
        for part in &mut path {
            part.span = span.clone();
        }
        Some(path)
    }

    fn rule_and_branches(&mut self, rule: &mut Rule, errors: &mut Errors) {
        let mut next = Some(rule);
        while let Some(rule) = next {
            let mut parameters = Parameters::default();
            rule.head.args.iter().flatten().for_each(|arg| parameters.term(arg));
            if let Some(document) = parameters.shadowed {
                let message = format!("args must not shadow {document} (use a different variable name)");
                return errors.add(ErrorCode::Compile, &rule.span, message);
            }
            self.hidden = vec![parameters.names, declared(&rule.body)];
            let head = &mut rule.head;
            for term in head.reference.iter_mut().skip(1).chain(&mut head.key).chain(&mut head.value) {
                self.term(term);
            }
            self.body(&mut rule.body);
            next = rule.else_branch.as_deref_mut();
        }
    }

    fn unused_imports(&self, imports: &[Import], errors: &mut Errors) {
        for import in imports.iter().filter(|import| import.path.as_ref().is_some_and(|path| !is_of_language(path))) {
            let imported = import_name(import).and_then(|name| self.imports.get(&name));
            if imported.is_some_and(|imported| !imported.used) {
                errors.add(ErrorCode::Compile, &import.span, format!("{import} unused"));
            }
        }
    }

    fn reference(&mut self, parts: &mut Ref) {
        parts.iter_mut().skip(1).for_each(|part| self.term(part));
        let Some(head) = parts.first_mut() else { return };
        match &head.kind {
            TermKind::Var(name) => {
                if let Some(path) = self.resolve(name, &head.span) {
                    parts.splice(..1, path);
                }
            }
            _ => self.term(head),
        }
    }

    /// Goes through a closure in which a body's declarations hide names.
    fn closure(&mut self, names: VarSet, visit: impl FnOnce(&mut Self)) {
        self.hidden.push(names);
        visit(self);
        self.hidden.pop();
    }
}

impl VisitMut for Resolver<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Some(symbols) => {
                for symbol in symbols.iter_mut().filter(|symbol| symbol.as_var().is_none()) {
                    self.term(symbol);
                }
            }
            ExprKind::Every(every) => {
                let names = Scope::All.of_terms(every.key.iter().chain([&every.value]));
                self.closure(names, |this| {
                    this.term(&mut every.domain);
                    this.body(&mut every.body);
                });
            }
            _ => return self.walk_expr(expr),
        }
        expr.with.iter_mut().for_each(|with| self.with(with));
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::Var(name) => {
                if let Some(path) = self.resolve(name, &term.span) {
                    term.kind = TermKind::Ref(path);
                }
            }
            TermKind::Ref(parts) => self.reference(parts),
            TermKind::Object(_) | TermKind::Set(_) => {
                self.walk_term(term);
                order::restore(term);
            }
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                let names = declared(&parts.body);
                self.closure(names, |this| this.walk_term(term));
            }
            TermKind::ObjectComprehension(parts) => {
                let names = declared(&parts.body);
                self.closure(names, |this| this.walk_term(term));
            }
            _ => self.walk_term(term),
        }
    }
}

/// Collects what the parameters of a function name.
#[derive(Default)]
struct Parameters {
    names: VarSet,
    /// The root document that a parameter is named as.
    shadowed: Option<&'static str>,
}

impl Visit for Parameters {
    fn term(&mut self, term: &Term) {
        if is_root_document(term) && self.shadowed.is_none() {
            let is_input = crate::compile::build::is_below(term, "input");
            self.shadowed = Some(if is_input { "input" } else { "data" });
        }
        match &term.kind {
            TermKind::Var(name) => {
                self.names.insert(name.clone());
            }
            // Keys are not matched against, so a variable in them is no parameter.
            TermKind::Object(entries) => entries.iter().for_each(|(_, value)| self.term(value)),
            TermKind::Set(_)
            | TermKind::ArrayComprehension(_)
            | TermKind::SetComprehension(_)
            | TermKind::ObjectComprehension(_)
            | TermKind::Call(_) => {}
            _ => self.walk_term(term),
        }
    }
}

/// Whether an import is of the language rather than of a document: `future.keywords`, `rego.v1`.
fn is_of_language(path: &[Term]) -> bool {
    path.first().and_then(Term::as_var).is_some_and(|head| matches!(&**head, "future" | "rego"))
}

/// The name that an import gives.
fn import_name(import: &Import) -> Option<Var> {
    if let Some(alias) = &import.alias {
        return Some(alias.clone());
    }
    let last = import.path.as_ref()?.last()?;
    last.as_var().cloned().or_else(|| last.as_text().map(Var::from))
}
