//! From parsed modules to modules that can be planned: OPA's compiler stages.
//!
//! Each stage goes over all modules and either rewrites them or finds errors. The first stage that finds any is the last
//! one that runs. Names and order are OPA's, because both show: in metrics, in which errors hide which, and in the
//! generated variables of traces and partial results.

mod build;
mod check;
mod declared;
mod documents;
mod each;
mod errors;
mod locals;
mod query;
mod rewrite;
mod rule_tree;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::{Capabilities, KnownInput, PolicyErrors, Schemas};

pub(crate) use check::check_document;
pub(crate) use declared::is_generated;
pub(crate) use documents::documents;
pub(crate) use errors::Errors;
pub(crate) use locals::Locals;
pub(crate) use query::{Capture, CompiledQuery, QueryContext, compile_query};
pub(crate) use rule_tree::{RuleId, RuleTree};

use crate::syntax::ast::{Module, Var};
use regent_builtins::Builtins;
use regent_builtins::remote::Network;

/// What the compiler may be told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Errors after which it gives up; 0 for no limit.
    pub(crate) max_errors: usize,
    /// Whether unused variables and imports, deprecated functions and the like are errors.
    pub(crate) strict: bool,
    /// Whether `print` is kept; else its calls are erased.
    pub(crate) print: bool,
    /// Functions that no module or query may call.
    pub(crate) unsafe_builtins: Vec<String>,
    /// What modules and queries may use, if not everything.
    pub(crate) capabilities: Option<Arc<Capabilities>>,
    /// Schemas to check types against; without them annotations do not count.
    pub(crate) schemas: Option<Arc<Schemas>>,
    /// What one document is given as its input.
    pub(crate) known_input: Option<Arc<KnownInput>>,
    /// Base data that no rule may lie over.
    pub(crate) base: Option<Value>,
    /// Where schemas on other hosts come from.
    pub(crate) network: Network,
}

/// Modules on their way through the stages.
pub(crate) struct Compiler<'a> {
    /// The modules with their ids, sorted by id. Stages rewrite them in place; rules keep their index.
    pub(crate) modules: Vec<(Arc<str>, Module)>,
    /// The functions there are.
    pub(crate) builtins: &'a Builtins,
    /// What was asked for.
    pub(crate) options: Options,
    /// What was found wrong so far.
    pub(crate) errors: Errors,
    /// Makes variables, and remembers which of the text they stand for.
    pub(crate) locals: Locals,
    /// The rules by their path.
    pub(crate) rules: RuleTree,
    /// The rules and their `else` branches, each after those that it depends on.
    pub(crate) order: Vec<check::Branch>,
    /// The schemas that annotations name for rules.
    pub(in crate::compile) annotated: rewrite::AnnotatedSchemas,
    /// What is known of the types of rules.
    pub(crate) types: check::TypeEnv,
}

/// Modules that went through all stages.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// The rewritten modules with their ids, sorted by id.
    pub(crate) modules: Vec<(Arc<str>, Module)>,
    /// The rules by their path.
    pub(crate) rules: RuleTree,
    /// The variables of the text that generated ones stand for.
    pub(crate) locals: Locals,
    /// What is known of the types of rules.
    pub(crate) types: check::TypeEnv,
}

/// A stage.
type Stage = fn(&mut Compiler<'_>);

/// The stages in OPA's order, under OPA's names.
const STAGES: &[(&str, Stage)] = &[
    ("ResolveRefs", rewrite::resolve_refs),
    ("InitLocalVarGen", rewrite::init_locals),
    ("RewriteRuleHeadRefs", rewrite::rule_head_refs),
    ("CheckKeywordOverrides", check::keyword_overrides),
    ("CheckDuplicateImports", check::duplicate_imports),
    ("RemoveImports", rewrite::remove_imports),
    ("SetRuleTree", rule_tree::set),
    ("RewriteLocalVars", rewrite::local_vars),
    ("RewriteTemplateStrings", rewrite::template_strings),
    ("CheckVoidCalls", check::void_calls),
    ("RewritePrintCalls", rewrite::print_calls),
    ("RewriteExprTerms", rewrite::expr_terms),
    ("RewriteRegoMetadataCalls", rewrite::metadata_calls),
    ("RewriteComprehensionTerms", rewrite::comprehension_terms),
    ("RewriteRefsInHead", rewrite::refs_in_head),
    ("RewriteWithValues", rewrite::with_values),
    ("CheckRuleConflicts", check::rule_conflicts),
    ("CheckUndefinedFuncs", check::undefined_functions),
    ("CheckSafetyRuleHeads", check::safety_of_heads),
    ("CheckSafetyRuleBodies", check::safety_of_bodies),
    ("RewriteEquals", rewrite::equals),
    ("RewriteDynamicTerms", rewrite::dynamic_terms),
    ("CheckRecursion", check::recursion),
    ("CheckTypes", check::types),
    ("CheckUnsafeBuiltins", check::unsafe_builtins),
    ("CheckDeprecatedBuiltins", check::deprecated_builtins),
    // Not one of OPA's stages: it does this when they are over.
    ("CheckKnownInput", check::known_input),
];

/// Takes parsed modules through all stages.
///
/// # Errors
/// What the first stage found that found any.
pub(crate) fn compile(
    mut modules: Vec<(Arc<str>, Module)>,
    builtins: &Builtins,
    options: Options,
) -> Result<Compiled, PolicyErrors> {
    modules.sort_by(|a, b| a.0.cmp(&b.0));
    let errors = Errors::new(options.max_errors);
    let mut compiler = Compiler {
        modules,
        builtins,
        options,
        errors,
        locals: Locals::default(),
        rules: RuleTree::default(),
        order: Vec::new(),
        annotated: rewrite::AnnotatedSchemas::default(),
        types: check::TypeEnv::default(),
    };
    check::input_schema(&mut compiler);
    compiler.errors.result()?;
    for (_, stage) in STAGES {
        stage(&mut compiler);
        compiler.errors.result()?;
    }
    let Compiler { modules, rules, locals, types, .. } = compiler;
    Ok(Compiled { modules, rules, locals, types })
}

/// The variables that are always bound: the root documents.
fn reserved() -> check::vars::VarSet {
    ["data", "input"].into_iter().map(Var::from).collect()
}
