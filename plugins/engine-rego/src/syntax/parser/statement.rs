//! `package` and `import`.

use super::Parser;
use crate::syntax::ast::{Import, Package, Span, Term, TermKind};
use crate::syntax::text::ref_text;
use crate::syntax::token::{FUTURE_KEYWORDS, Keywords, Token, is_keyword};

impl Parser {
    /// `package a.b`
    pub(super) fn package(&mut self) -> Option<Package> {
        let span = self.statement_word(Token::Package)?;
        let term = self.term();
        let Some(term) = term else {
            if !self.has_errors() {
                self.error(self.place(), "expected path");
            }
            return None;
        };
        let parts = match term.kind {
            TermKind::Var(_) => vec![term],
            TermKind::Ref(parts) => parts,
            _ => {
                self.illegal("");
                return None;
            }
        };
        let mut path = Vec::with_capacity(parts.len() + 1);
        for (index, part) in parts.into_iter().enumerate() {
            let (wanted, name) = match index {
                0 => ("var", part.as_var().cloned()),
                _ => ("string", part.as_text().map(Into::into)),
            };
            let Some(name) = name else {
                self.error_at(&part.span, format!("unexpected {} token: expecting {wanted}", part.kind_name()));
                return None;
            };
            if index == 0 {
                path.push(Term::var("data", part.span.clone()));
            }
            path.push(Term::scalar(&*name, part.span));
        }
        Some(Package { path, span })
    }

    /// `import data.a.b as c`, with the effect that an import of keywords has.
    pub(super) fn import(&mut self) -> Option<Import> {
        let span = self.statement_word(Token::Import)?;
        let path = self.import_path()?;
        let root = path.as_ref()?.first()?;
        if !root.as_var().is_some_and(|name| matches!(&**name, "data" | "input" | "future" | "rego")) {
            self.hint("if this is unexpected, try updating OPA");
            let message =
                format!("unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {root}");
            self.error_at(&path.span, message);
            return None;
        }
        let mut import = Import { path, alias: None, span };
        if self.token() == Token::As {
            self.scan();
            if self.token() == Token::Ident
                && let Some(alias) = self.term()
                && let Some(alias) = alias.as_var()
            {
                import.alias = Some(alias.clone());
                return Some(import);
            }
            self.illegal("expected var");
            return None;
        }
        self.check_import_end(&import.path);
        Some(import)
    }

    /// Steps over the word that begins a statement, unless the word begins a reference.
    fn statement_word(&mut self, word: Token) -> Option<Span> {
        if self.token() != word {
            return None;
        }
        let span = self.span(self.place());
        self.scan_space();
        if matches!(self.token(), Token::Dot | Token::LBrack) {
            return None;
        }
        if self.token() == Token::Whitespace {
            self.scan();
        }
        if self.token() != Token::Ident && !self.is_key() {
            self.illegal("");
            return None;
        }
        self.state.token = Token::Ident;
        Some(span)
    }

    /// The path of an import, a reference of strings. Keywords that had to be imported are names in it.
    fn import_path(&mut self) -> Option<Term> {
        let keywords = std::mem::take(&mut self.state.scanner.keywords);
        let term = self.term();
        let complaint = term.as_ref().and_then(|term| {
            let strange = term.as_ref()?.iter().skip(1).find(|part| part.as_text().is_none())?;
            Some((strange.span.clone(), format!("unexpected {} token: expecting string", strange.kind_name())))
        });
        if let Some((span, complaint)) = complaint {
            self.error_at(&span, complaint);
            return None;
        }
        self.state.scanner.keywords = keywords;
        match term {
            Some(Term { kind: TermKind::Ref(_), .. }) => term,
            Some(term @ Term { kind: TermKind::Var(_), .. }) => {
                let span = term.span.clone();
                Some(Term::new(TermKind::Ref(vec![term]), span))
            }
            _ => {
                self.error(self.place(), "expected path");
                None
            }
        }
    }

    /// The last name becomes the import's, so it must not be a keyword.
    fn check_import_end(&mut self, path: &Term) {
        let Some([root, rest @ ..]) = path.as_ref() else {
            return;
        };
        if root.as_var().is_some_and(|name| &**name == "future") && !rest.is_empty() {
            return;
        }
        let last = rest.last().unwrap_or(root);
        let name = last.as_text().or(last.as_var().map(|name| &**name)).unwrap_or_default();
        if is_keyword(name, self.options.v1) {
            let message = format!("unexpected import path, must not end with a keyword, got: {name}");
            self.error_at(&last.span, message);
            self.hint("import a different path or use an alias");
        }
    }

    /// Makes the keywords known that an import brings.
    pub(super) fn import_keywords(&mut self, import: &Import) {
        let Some([root, rest @ ..]) = import.path.as_ref() else {
            return;
        };
        match root.as_var().map(|name| &**name) {
            Some("rego") => self.import_rego(import, rest),
            Some("future") => self.import_future(import, rest),
            _ => {}
        }
    }

    fn import_rego(&mut self, import: &Import, rest: &[Term]) {
        let at = &import.path.span;
        if !matches!(rest, [version] if version.as_text() == Some("v1")) {
            let path = ref_text(import.path.as_ref().unwrap_or_default());
            self.error_at(at, format!("invalid import `{path}`, must be `rego.v1`"));
        } else if !self.options.language.rego_v1_import {
            self.error_at(at, "invalid import, `rego.v1` is not supported by current capabilities");
        } else if self.options.v1 {
            // Nothing that v1 does not have anyway.
        } else if import.alias.is_some() {
            self.error_at(at, "`rego` imports cannot be aliased");
        } else {
            self.state.scanner.keywords = Keywords::ALL;
        }
    }

    fn import_future(&mut self, import: &Import, rest: &[Term]) {
        let at = &import.path.span;
        let Some((_, keywords)) = rest.split_first().filter(|(first, _)| first.as_text() == Some("keywords")) else {
            return self.error_at(at, "invalid import, must be `future.keywords`");
        };
        if import.alias.is_some() {
            return self.error_at(at, "`future` imports cannot be aliased");
        }
        let [keyword] = keywords else {
            self.state.scanner.keywords.add_all(self.options.language.keywords);
            return;
        };
        let (keyword, offered) = (keyword.as_text().unwrap_or_default(), self.options.language.keywords);
        if !offered.knows(keyword) || !self.state.scanner.keywords.add(keyword) {
            let names: Vec<_> = FUTURE_KEYWORDS.into_iter().filter(|name| offered.knows(name)).collect();
            self.error_at(at, format!("unexpected keyword, must be one of [{}]", names.join(" ")));
        }
    }

    /// Adds an error where something stands.
    pub(super) fn error_at(&mut self, span: &Span, message: impl Into<String>) {
        let place = super::Place { offset: span.start as usize, end: span.end as usize, row: span.row, col: span.col };
        self.error(place, message);
    }
}
