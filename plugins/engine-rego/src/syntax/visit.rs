//! Walks through syntax trees, reading or rewriting.
//!
//! An implementation overrides what it cares for and calls the `walk_…` function of the same name to go deeper.

use super::ast::{Body, Expr, ExprKind, Module, Rule, TemplatePart, Term, TermKind, With};

/// Goes deeper into a tree, on a new piece of stack when the old one is nearly used up: the nesting of a text has no
/// bound of its own.
pub(crate) fn deeper<R>(visit: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, visit)
}

macro_rules! visitor {
    ($name:ident, $doc:literal, $($mutability:tt)?) => {
        #[doc = $doc]
        #[expect(missing_docs, reason = "each visits what its name says")]
        pub trait $name {
            fn rule(&mut self, rule: &$($mutability)? Rule) {
                self.walk_rule(rule);
            }

            fn body(&mut self, body: &$($mutability)? Body) {
                self.walk_body(body);
            }

            fn expr(&mut self, expr: &$($mutability)? Expr) {
                self.walk_expr(expr);
            }

            fn with(&mut self, with: &$($mutability)? With) {
                self.walk_with(with);
            }

            fn term(&mut self, term: &$($mutability)? Term) {
                self.walk_term(term);
            }

            fn walk_module(&mut self, module: &$($mutability)? Module) {
                for rule in &$($mutability)? module.rules {
                    self.rule(rule);
                }
            }

            fn walk_rule(&mut self, rule: &$($mutability)? Rule) {
                let head = &$($mutability)? rule.head;
                // The last part of the reference repeats the key, and is visited for its own sake.
                for part in &$($mutability)? head.reference {
                    self.term(part);
                }
                for arg in (&$($mutability)? head.args).into_iter().flatten() {
                    self.term(arg);
                }
                for term in (&$($mutability)? head.key).into_iter().chain(&$($mutability)? head.value) {
                    self.term(term);
                }
                self.body(&$($mutability)? rule.body);
                if let Some(next) = &$($mutability)? rule.else_branch {
                    self.rule(next);
                }
            }

            fn walk_body(&mut self, body: &$($mutability)? Body) {
                for expr in body {
                    self.expr(expr);
                }
            }

            fn walk_expr(&mut self, expr: &$($mutability)? Expr) {
                match &$($mutability)? expr.kind {
                    ExprKind::Term(term) => self.term(term),
                    ExprKind::Call(terms) | ExprKind::Some(terms) => {
                        for term in terms {
                            self.term(term);
                        }
                    }
                    ExprKind::Every(every) => {
                        if let Some(key) = &$($mutability)? every.key {
                            self.term(key);
                        }
                        self.term(&$($mutability)? every.value);
                        self.term(&$($mutability)? every.domain);
                        self.body(&$($mutability)? every.body);
                    }
                }
                for with in &$($mutability)? expr.with {
                    self.with(with);
                }
            }

            fn walk_with(&mut self, with: &$($mutability)? With) {
                self.term(&$($mutability)? with.target);
                self.term(&$($mutability)? with.value);
            }

            fn walk_term(&mut self, term: &$($mutability)? Term) {
                if !matches!(term.kind, TermKind::Scalar(_) | TermKind::Var(_)) {
                    deeper(|| self.walk_composite(term));
                }
            }

            fn walk_composite(&mut self, term: &$($mutability)? Term) {
                match &$($mutability)? term.kind {
                    TermKind::Scalar(_) | TermKind::Var(_) => {}
                    TermKind::Ref(terms) | TermKind::Array(terms) | TermKind::Set(terms) | TermKind::Call(terms) => {
                        for term in terms {
                            self.term(term);
                        }
                    }
                    TermKind::Object(entries) => {
                        for (key, value) in entries {
                            self.term(key);
                            self.term(value);
                        }
                    }
                    TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                        self.term(&$($mutability)? parts.term);
                        self.body(&$($mutability)? parts.body);
                    }
                    TermKind::ObjectComprehension(parts) => {
                        self.term(&$($mutability)? parts.key);
                        self.term(&$($mutability)? parts.value);
                        self.body(&$($mutability)? parts.body);
                    }
                    TermKind::Template(template) => {
                        for part in &$($mutability)? template.parts {
                            match part {
                                TemplatePart::Text(_) => {}
                                TemplatePart::Expr(expr) => self.expr(expr),
                            }
                        }
                    }
                }
            }
        }
    };
}

visitor!(Visit, "Reads a tree.",);
visitor!(VisitMut, "Rewrites a tree in place.", mut);
