//! The order of a body.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::take;

use super::super::functions::Arities;
use super::super::outputs;
use super::super::vars::{Scope, VarSet, deeper};
use crate::syntax::ast::{Body, Every, Expr, ExprKind, Span, Term, TermKind, Var, With};
use crate::syntax::visit::{Visit, VisitMut};

/// An expression, by its place, with variables in it that have no value.
#[derive(Debug)]
pub(super) struct UnsafeExpr {
    pub(super) span: Span,
    pub(super) vars: VarSet,
}

/// Orders bodies.
pub(super) struct Safety<'a> {
    arities: &'a Arities<'a>,
    /// The variables that have a value where the walk is.
    globals: VarSet,
}

impl<'a> Safety<'a> {
    /// Starts where the variables in `globals` have a value.
    pub(super) fn new(arities: &'a Arities<'a>, globals: VarSet) -> Self {
        Self { arities, globals }
    }

    /// Puts the body and the closures in it into a safe order; gives what is unsafe, and then leaves the body as it is.
    pub(super) fn order(&mut self, body: &mut Body) -> Vec<UnsafeExpr> {
        let mut pass = Pass::new(body, &self.globals);
        pass.run(body, self.arities);
        let Pass { ordered, missing, .. } = pass;

        let mut found = Vec::new();
        for (place, vars) in missing.into_iter().enumerate() {
            if !vars.is_empty() {
                found.push(UnsafeExpr { span: body[place].span.clone(), vars });
            }
        }
        self.closures(body, &ordered, &mut found);
        if found.is_empty() {
            rearrange(body, &ordered);
        }
        found
    }

    /// Orders the closures in the expressions. Each sees the variables of the expressions before its own.
    fn closures(&mut self, body: &mut Body, ordered: &[usize], found: &mut Vec<UnsafeExpr>) {
        if !body.iter().any(has_closure) {
            return;
        }
        let mut added = Vec::new();
        for (position, &place) in ordered.iter().enumerate() {
            if let Some(before) = position.checked_sub(1).map(|before| ordered[before]) {
                self.learn(Scope::Body.of_expr(&body[before]), &mut added);
            }
            let expr = &mut body[place];
            if let ExprKind::Every(every) = &expr.kind {
                self.learn(Scope::All.of_terms(every.key.iter().chain([&every.value])), &mut added);
            }
            let span = expr.span.clone();
            let mut closures = Closures { safety: self, unsafe_terms: VarSet::new(), found: Vec::new() };
            VisitMut::expr(&mut closures, expr);
            let Closures { unsafe_terms, found: nested, .. } = closures;
            if !unsafe_terms.is_empty() {
                found.push(UnsafeExpr { span, vars: unsafe_terms });
            }
            found.extend(nested);
        }
        for var in added {
            self.globals.remove(&var);
        }
    }

    fn learn(&mut self, vars: VarSet, added: &mut Vec<Var>) {
        for var in vars {
            if self.globals.insert(var.clone()) {
                added.push(var);
            }
        }
    }

    /// Orders the body of a closure that makes terms of the variables.
    fn closure(&mut self, terms: VarSet, body: &mut Body, unsafe_terms: &mut VarSet) -> Vec<UnsafeExpr> {
        let bound = Scope::Body.of_body(body);
        unsafe_terms.extend(terms.into_iter().filter(|var| !bound.contains(var) && !self.globals.contains(var)));
        deeper(|| self.order(body))
    }
}

/// Puts the expressions into the order and numbers them.
fn rearrange(body: &mut Body, ordered: &[usize]) {
    let mut exprs: Vec<Option<Expr>> = take(body).into_iter().map(Some).collect();
    body.extend(ordered.iter().filter_map(|&place| exprs[place].take()));
    for (index, expr) in body.iter_mut().enumerate() {
        expr.index = index;
    }
}

/// One go through a body: expressions are taken, in their order, as soon as all they need has a value.
struct Pass {
    /// The places of the expressions that were taken.
    ordered: Vec<usize>,
    /// For each expression what it lacks.
    missing: Vec<VarSet>,
    /// For each expression the variables of the body that its closures use.
    closed: Vec<VarSet>,
    /// The variables that have a value.
    safe: VarSet,
    /// The expressions to look at again when a variable gets a value.
    users: HashMap<Var, Vec<usize>>,
}

impl Pass {
    fn new(body: &Body, globals: &VarSet) -> Self {
        let vars: Vec<VarSet> = body.iter().map(|expr| Scope::Body.of_expr(expr)).collect();
        let mut counts: BTreeMap<&Var, bool> = BTreeMap::new();
        for var in vars.iter().flatten() {
            counts.entry(var).or_insert_with(|| globals.contains(var));
        }
        let safe: VarSet = counts.iter().filter(|(_, known)| **known).map(|(var, _)| (*var).clone()).collect();
        let closed = |expr| {
            let mut closed = closure_vars(expr);
            closed.retain(|var| counts.contains_key(var) && !globals.contains(var));
            closed
        };
        let closed: Vec<VarSet> = body.iter().map(closed).collect();
        let mut users: HashMap<Var, Vec<usize>> = HashMap::new();
        for (place, var) in
            vars.iter().zip(&closed).enumerate().flat_map(|(place, (a, b))| a.union(b).map(move |var| (place, var)))
        {
            users.entry(var.clone()).or_default().push(place);
        }
        let missing = vars.iter().map(|vars| vars.difference(&safe).cloned().collect()).collect();
        Self { ordered: Vec::with_capacity(body.len()), missing, closed, safe, users }
    }

    fn run(&mut self, body: &Body, arities: &Arities<'_>) {
        let mut waiting: BTreeSet<usize> = (0..body.len()).collect();
        let mut taken = vec![false; body.len()];
        // Round after round over the body, but only to expressions for which something has changed.
        let mut next = 0;
        while let Some(place) = waiting.range(next..).next().or_else(|| waiting.first()).copied() {
            waiting.remove(&place);
            next = place + 1;
            if let Some(outputs) = self.take(place, &body[place], arities) {
                self.ordered.push(place);
                taken[place] = true;
                for var in outputs {
                    for user in self.users.get(&var).into_iter().flatten() {
                        if !taken[*user] {
                            waiting.insert(*user);
                        }
                    }
                    self.safe.insert(var);
                }
            }
        }
    }

    /// What the expression binds, if it lacks nothing.
    fn take(&mut self, place: usize, expr: &Expr, arities: &Arities<'_>) -> Option<VarSet> {
        let mut outputs = outputs::of_expr(expr, arities, &self.safe);
        let closed = &self.closed[place];
        if !closed.is_empty() {
            if *closed == outputs {
                // It would bind what its own closure uses.
                return None;
            }
            self.missing[place].clone_from(closed);
        }
        let safe = &self.safe;
        self.missing[place].retain(|var| !outputs.contains(var) && !safe.contains(var));
        if !self.missing[place].is_empty() {
            return None;
        }
        outputs.retain(|var| !safe.contains(var));
        Some(outputs)
    }
}

/// All variables in the closures of an expression.
fn closure_vars(expr: &Expr) -> VarSet {
    let mut found = ClosureVars(VarSet::new());
    Visit::expr(&mut found, expr);
    found.0
}

fn has_closure(expr: &Expr) -> bool {
    struct Finder(bool);
    impl Visit for Finder {
        fn expr(&mut self, expr: &Expr) {
            self.0 |= matches!(expr.kind, ExprKind::Every(_));
            if !self.0 {
                self.walk_expr(expr);
            }
        }
        fn term(&mut self, term: &Term) {
            self.0 |= is_comprehension(term);
            if !self.0 {
                deeper(|| self.walk_term(term));
            }
        }
    }
    let mut finder = Finder(false);
    Visit::expr(&mut finder, expr);
    finder.0
}

fn is_comprehension(term: &Term) -> bool {
    use TermKind::{ArrayComprehension, ObjectComprehension, SetComprehension};
    matches!(term.kind, ArrayComprehension(_) | SetComprehension(_) | ObjectComprehension(_))
}

struct ClosureVars(VarSet);

impl Visit for ClosureVars {
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Every(every) => {
                self.0.append(&mut Scope::All.of_body(&every.body));
                for with in &expr.with {
                    self.with(with);
                }
            }
            _ => self.walk_expr(expr),
        }
    }

    fn term(&mut self, term: &Term) {
        if is_comprehension(term) {
            self.0.append(&mut Scope::All.of_terms([term]));
        } else {
            deeper(|| self.walk_term(term));
        }
    }
}

/// Orders the closures of one expression.
struct Closures<'s, 'a> {
    safety: &'s mut Safety<'a>,
    /// Variables of the terms of comprehensions that have no value.
    unsafe_terms: VarSet,
    found: Vec<UnsafeExpr>,
}

impl VisitMut for Closures<'_, '_> {
    fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Every(every) => self.every(every),
            _ => self.walk_expr(expr),
        }
    }

    fn with(&mut self, with: &mut With) {
        self.walk_with(with);
    }

    fn term(&mut self, term: &mut Term) {
        let (terms, body) = match &mut term.kind {
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                (Scope::All.of_terms([&parts.term]), &mut parts.body)
            }
            TermKind::ObjectComprehension(parts) => (Scope::All.of_terms([&parts.key, &parts.value]), &mut parts.body),
            _ => return deeper(|| self.walk_term(term)),
        };
        let nested = self.safety.closure(terms, body, &mut self.unsafe_terms);
        self.found.extend(nested);
    }
}

impl Closures<'_, '_> {
    fn every(&mut self, every: &mut Every) {
        let nested = self.safety.closure(VarSet::new(), &mut every.body, &mut self.unsafe_terms);
        self.found.extend(nested);
    }
}
