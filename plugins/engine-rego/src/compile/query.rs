//! Queries on their way through the stages.

mod capture;

use std::collections::BTreeMap;

use regent_core::engine::{ErrorCode, PolicyError, PolicyErrors};
use regent_core::metrics::Metrics;

use self::capture::captures;
use super::check::{self, Arities, Originals};
use super::rewrite::query as rewrite;
use super::{Compiled, Errors, Locals, Options};
use crate::syntax::ast::{Body, Import, Ref, Span, Var};
use regent_builtins::Builtins;

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
        (!super::declared::is_generated(name) && !super::locals::is_wildcard(name)).then_some(name)
    }
}

/// Takes a parsed query through all stages, and times them if the metrics are on.
///
/// # Errors
/// What the first stage found that found any.
pub(crate) fn compile_query(
    mut body: Body,
    context: &QueryContext,
    compiled: &Compiled,
    builtins: &Builtins,
    options: &Options,
    metrics: &mut Metrics,
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
        let check = |_: &mut Metrics| check::query_keyword_overrides(&body, &mut stages.errors);
        metrics.time("timer_query_compile_stage_check_keyword_overrides_ns", check);
        stages.errors.result()?;
    }
    let resolve = |_: &mut Metrics| rewrite::resolve_refs(&mut body, context, compiled);
    metrics.time("timer_query_compile_stage_resolve_refs_ns", resolve);
    capture::capture_values(&mut body, builtins, &compiled.rules);
    for (timer, stage) in STAGES {
        metrics.time(timer, |_| stage(&mut stages, &mut body));
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

/// A stage, and OPA's name of its timer.
type Stage = (&'static str, fn(&mut Stages<'_>, &mut Body));

/// The stages after the resolving of references, in OPA's order. Each generates its variables anew.
const STAGES: &[Stage] = &[
    ("timer_query_compile_stage_rewrite_local_vars_ns", |stages, body| stages.local_vars(body)),
    ("timer_query_compile_stage_rewrite_template_strings_ns", |stages, body| stages.template_strings(body)),
    ("timer_query_compile_stage_check_void_calls_ns", |stages, body| stages.void_calls(body)),
    ("timer_query_compile_stage_rewrite_print_calls_ns", |stages, body| stages.print_calls(body)),
    ("timer_query_compile_stage_rewrite_expr_terms_ns", |_, body| {
        rewrite::expr_terms(body, &mut Locals::for_query(body));
    }),
    ("timer_query_compile_stage_rewrite_comprehension_terms_ns", |_, body| {
        rewrite::comprehension_terms(body, &mut Locals::for_query(body));
    }),
    ("timer_query_compile_stage_rewrite_with_values_ns", |stages, body| stages.with_values(body)),
    ("timer_query_compile_stage_check_undefined_funcs_ns", |stages, body| stages.undefined_functions(body)),
    ("timer_query_compile_stage_check_safety_ns", |stages, body| stages.safety(body)),
    ("timer_query_compile_stage_rewrite_dynamic_terms_ns", |_, body| {
        rewrite::dynamic_terms(body, &mut Locals::for_query(body));
    }),
    ("timer_query_compile_stage_check_types_ns", |stages, body| stages.types(body)),
    ("timer_query_compile_stage_check_unsafe_builtins_ns", |stages, body| stages.unsafe_builtins(body)),
    ("timer_query_compile_stage_check_deprecated_builtins_ns", |stages, body| stages.deprecated_builtins(body)),
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
