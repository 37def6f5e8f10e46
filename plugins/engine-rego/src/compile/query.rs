//! Queries on their way through the stages.

mod capture;

use std::collections::BTreeMap;

use regent_core::engine::{ErrorCode, PolicyError, PolicyErrors};

use self::capture::captures;
use super::check::{self, Arities, Originals};
use super::rewrite::query as rewrite;
use super::{Compiled, Errors, Locals, Options};
use crate::builtins::Builtins;
use crate::syntax::ast::{Body, Import, Ref, Span, Var};

/// What a query stands in.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryContext {
    /// The package whose names it may use: `data.a.b`.
    pub(crate) package: Option<Ref>,
    /// Its imports.
    pub(crate) imports: Vec<Import>,
}

/// A query that went through all stages.
#[derive(Debug, Clone)]
pub(crate) struct CompiledQuery {
    /// The rewritten query.
    pub(crate) body: Body,
    /// From generated variables to those of the text.
    pub(crate) originals: BTreeMap<Var, Var>,
    /// For each expression of the text, its place and where its value is found.
    pub(crate) captures: Vec<(Span, Capture)>,
}

/// Where the value of an expression of a query is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Capture {
    /// In a generated variable.
    Var(Var),
    /// It is `true` whenever the query holds.
    True,
}

impl CompiledQuery {
    /// The name under which the value of a variable shows in a result; nothing for variables that the text does not
    /// name: generated ones and wildcards.
    pub(crate) fn shown<'a>(&'a self, variable: &'a Var) -> Option<&'a Var> {
        let name = self.originals.get(variable).unwrap_or(variable);
        (!super::locals::is_generated(name) && !super::locals::is_wildcard(name)).then_some(name)
    }
}

/// Takes a parsed query through all stages.
///
/// # Errors
/// What the first stage found that found any.
pub(crate) fn compile_query(
    mut body: Body,
    context: &QueryContext,
    compiled: &Compiled,
    builtins: &Builtins,
    options: &Options,
) -> Result<CompiledQuery, PolicyErrors> {
    if body.is_empty() {
        return Err(PolicyError::new(ErrorCode::Compile, "empty query cannot be compiled", None).into());
    }
    let mut stages = Stages {
        compiled,
        builtins,
        options,
        arities: Arities::for_query(compiled, builtins),
        errors: Errors::new(options.max_errors),
        originals: BTreeMap::new(),
    };
    if options.strict {
        check::query_keyword_overrides(&body, &mut stages.errors);
        stages.errors.result()?;
    }
    rewrite::resolve_refs(&mut body, context, compiled);
    capture::capture_values(&mut body, builtins, &compiled.rules);
    for stage in STAGES {
        stage(&mut stages, &mut body);
        stages.errors.result()?;
    }
    let originals = stages.originals;
    Ok(CompiledQuery { captures: captures(&body), body, originals })
}

/// What the stages of a query share.
struct Stages<'a> {
    compiled: &'a Compiled,
    builtins: &'a Builtins,
    options: &'a Options,
    arities: Arities<'a>,
    errors: Errors,
    /// From generated variables to those of the text.
    originals: BTreeMap<Var, Var>,
}

/// The stages after the resolving of references, in OPA's order. Each generates its variables anew.
const STAGES: &[fn(&mut Stages<'_>, &mut Body)] = &[
    |stages, body| stages.local_vars(body),
    |stages, body| stages.template_strings(body),
    |stages, body| stages.void_calls(body),
    |stages, body| stages.print_calls(body),
    |_, body| rewrite::expr_terms(body, &mut Locals::for_query(body)),
    |_, body| rewrite::comprehension_terms(body, &mut Locals::for_query(body)),
    |stages, body| stages.with_values(body),
    |stages, body| stages.undefined_functions(body),
    |stages, body| stages.safety(body),
    |_, body| rewrite::dynamic_terms(body, &mut Locals::for_query(body)),
    |stages, body| stages.types(body),
    |stages, body| stages.unsafe_builtins(body),
    |stages, body| stages.deprecated_builtins(body),
];

impl Stages<'_> {
    fn local_vars(&mut self, body: &mut Body) {
        let mut locals = Locals::for_query(body);
        rewrite::local_vars(body, &mut locals, &self.arities, self.options.strict, &mut self.errors);
        self.originals = locals.originals;
    }

    fn template_strings(&mut self, body: &mut Body) {
        let mut locals = Locals::for_query(body);
        locals.originals.clone_from(&self.originals);
        rewrite::template_strings(body, &mut locals, &self.arities, self.builtins, &mut self.errors);
    }

    fn print_calls(&mut self, body: &mut Body) {
        if self.options.print {
            rewrite::keep_print(body, &mut Locals::for_query(body), &self.arities, &mut self.errors);
        } else {
            rewrite::erase_print(body);
        }
    }

    fn with_values(&mut self, body: &mut Body) {
        let targets = rewrite::Targets {
            builtins: self.builtins,
            rules: &self.compiled.rules,
            unsafe_builtins: &self.options.unsafe_builtins,
        };
        rewrite::with_values(body, &mut Locals::for_query(body), targets, &mut self.errors);
    }

    fn void_calls(&mut self, body: &mut Body) {
        check::query_void_calls(body, self.builtins, &mut self.errors);
    }

    fn undefined_functions(&mut self, body: &mut Body) {
        let originals = Originals::new([&self.originals]);
        check::query_undefined_functions(body, &originals, self.compiled, self.builtins, &mut self.errors);
    }

    fn safety(&mut self, body: &mut Body) {
        let originals = Originals::new([&self.originals]);
        check::query_safety(body, &originals, self.compiled, self.builtins, &mut self.errors);
    }

    fn types(&mut self, body: &mut Body) {
        let originals = Originals::new([&self.originals, &self.compiled.locals.originals]);
        check::query_types(body, &originals, self.compiled, self.builtins, &mut self.errors);
    }

    fn unsafe_builtins(&mut self, body: &mut Body) {
        check::query_unsafe_builtins(body, &self.options.unsafe_builtins, &mut self.errors);
    }

    fn deprecated_builtins(&mut self, body: &mut Body) {
        if self.options.strict {
            check::query_deprecated_builtins(body, self.builtins, &mut self.errors);
        }
    }
}
