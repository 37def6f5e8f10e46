//! The variables of a piece of syntax, with or without those of some of its parts.

use std::collections::BTreeSet;

use crate::syntax::ast::{Body, Every, Expr, ExprKind, Head, TemplatePart, Term, TermKind, Var, With};

/// A set of variables.
pub(crate) type VarSet = BTreeSet<Var>;

/// Variables that are known to be bound: a set, and a few more.
#[derive(Debug)]
pub(crate) struct Bound<'a> {
    set: &'a VarSet,
    more: VarSet,
}

impl<'a> Bound<'a> {
    /// The variables of both sets.
    pub(crate) fn new(set: &'a VarSet, more: VarSet) -> Self {
        Self { set, more }
    }

    /// The few more.
    pub(crate) fn into_more(self) -> VarSet {
        self.more
    }

    /// Whether the variable is bound.
    pub(crate) fn contains(&self, var: &Var) -> bool {
        self.set.contains(var) || self.more.contains(var)
    }

    /// Whether all of the variables are bound.
    pub(crate) fn contains_all(&self, vars: &VarSet) -> bool {
        vars.iter().all(|var| self.contains(var))
    }
}

/// Which parts' variables count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every part's.
    All,
    /// What a body has to bind: neither names of functions nor what only a closure (a comprehension, the body of
    /// `every`, a template string) uses.
    Body,
    /// What unification with a known value binds: the positions of a pattern.
    Pattern,
    /// As a pattern, but without the members of sets: what a call reads or gives.
    Operands,
    /// All but the heads of references: what iterating over a reference binds.
    Keys,
}

impl Scope {
    fn skips_ref_heads(self) -> bool {
        matches!(self, Self::Pattern | Self::Operands | Self::Keys)
    }

    fn skips_closures(self) -> bool {
        matches!(self, Self::Body | Self::Pattern | Self::Operands)
    }

    fn skips_object_keys(self) -> bool {
        matches!(self, Self::Pattern | Self::Operands)
    }

    /// The variables of the expressions.
    pub(crate) fn of_body(self, body: &[Expr]) -> VarSet {
        let mut found = Collector::new(self);
        for expr in body {
            found.expr(expr);
        }
        found.vars
    }

    /// The variables of an expression.
    pub(crate) fn of_expr(self, expr: &Expr) -> VarSet {
        let mut found = Collector::new(self);
        found.expr(expr);
        found.vars
    }

    /// The variables of terms.
    pub(crate) fn of_terms<'t>(self, terms: impl IntoIterator<Item = &'t Term>) -> VarSet {
        let mut found = Collector::new(self);
        found.terms(terms);
        found.vars
    }

    /// The variables of a `with`.
    pub(super) fn of_with(self, with: &With) -> VarSet {
        let mut found = Collector::new(self);
        found.with(with);
        found.vars
    }
}

/// The variables of a rule's head that its arguments and body have to bind.
pub(super) fn of_head(head: &Head) -> VarSet {
    let terms = head.args.iter().flatten().chain(&head.key).chain(&head.value).chain(head.reference.iter().skip(1));
    Scope::All.of_terms(terms)
}

/// Whether the compiler made the variable.
pub(crate) fn is_generated(var: &str) -> bool {
    var.starts_with("__local")
}

/// The variable as messages show it: wildcards without their number.
pub(super) fn shown(var: &str) -> &str {
    if var.starts_with('$') { "_" } else { var }
}

/// Goes deeper into syntax, on a new piece of stack when the old one is nearly used up: the nesting of a text has no
/// bound.
pub(in crate::compile) fn deeper<R>(visit: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, visit)
}

struct Collector {
    scope: Scope,
    vars: VarSet,
}

impl Collector {
    fn new(scope: Scope) -> Self {
        Self { scope, vars: VarSet::new() }
    }

    fn terms<'t>(&mut self, terms: impl IntoIterator<Item = &'t Term>) {
        for term in terms {
            self.term(term);
        }
    }

    fn body(&mut self, body: &Body) {
        for expr in body {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(terms) => self.call(terms),
            ExprKind::Some(terms) => self.terms(terms),
            ExprKind::Every(every) => {
                if self.scope.skips_closures() {
                    // OPA passes over the modifiers of `every` here, too.
                    return self.term(&every.domain);
                }
                self.every(every);
            }
        }
        for with in &expr.with {
            self.with(with);
        }
    }

    fn every(&mut self, every: &Every) {
        self.terms(every.key.iter().chain([&every.value, &every.domain]));
        deeper(|| self.body(&every.body));
    }

    fn with(&mut self, with: &With) {
        if self.scope == Scope::Body {
            self.without_head(&with.target, |_| {});
            self.without_head(&with.value, |this| this.term(&with.value));
        } else {
            self.terms([&with.target, &with.value]);
        }
    }

    fn call(&mut self, terms: &[Term]) {
        if self.scope == Scope::Body {
            if let Some((operator, operands)) = terms.split_first() {
                self.without_head(operator, |_| {});
                self.terms(operands);
            }
        } else {
            self.terms(terms);
        }
    }

    /// All of a reference but its head; something else as told.
    fn without_head(&mut self, term: &Term, otherwise: impl FnOnce(&mut Self)) {
        match term.as_ref() {
            Some(parts) => self.terms(parts.iter().skip(1)),
            None => otherwise(self),
        }
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Scalar(_) => {}
            TermKind::Var(name) => {
                if !self.vars.contains(name) {
                    self.vars.insert(name.clone());
                }
            }
            _ => deeper(|| self.composite(&term.kind)),
        }
    }

    fn composite(&mut self, kind: &TermKind) {
        match kind {
            TermKind::Scalar(_) | TermKind::Var(_) => {}
            TermKind::Ref(parts) => self.terms(parts.iter().skip(usize::from(self.scope.skips_ref_heads()))),
            TermKind::Set(_) if self.scope == Scope::Operands => {}
            TermKind::Array(items) | TermKind::Set(items) => self.terms(items),
            TermKind::Object(entries) => {
                for (key, value) in entries {
                    if !self.scope.skips_object_keys() {
                        self.term(key);
                    }
                    self.term(value);
                }
            }
            TermKind::Call(terms) => self.call(terms),
            _ if self.scope.skips_closures() => {}
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                self.term(&parts.term);
                self.body(&parts.body);
            }
            TermKind::ObjectComprehension(parts) => {
                self.terms([&parts.key, &parts.value]);
                self.body(&parts.body);
            }
            TermKind::Template(template) => {
                for part in &template.parts {
                    if let TemplatePart::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
        }
    }
}
