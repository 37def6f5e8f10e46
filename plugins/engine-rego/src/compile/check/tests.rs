//! What the checks say of whole policies.

mod calls;
mod conflicts;
mod names;
mod queries;
mod safety;
mod schemas;
mod types;

use regent_core::metrics::Metrics;
use std::sync::Arc;

use regent_core::builtin::{Builtin, Call, Declaration, Operands, Outcome};
use regent_core::engine::{PolicyError, PolicyErrors, RegoVersion};

use crate::compile::{Compiled, Options, QueryContext, compile, compile_query};
use crate::engine::stock;
use crate::syntax::ast::{Module, SourceFile};
use crate::syntax::{parse_body, parse_module};
use regent_builtins::Builtins;

fn module(name: &str, text: &str) -> (Arc<str>, Module) {
    let source = Arc::new(SourceFile { name: name.into(), text: text.into() });
    let module = parse_module(source, RegoVersion::V1).unwrap_or_else(|errors| panic!("{errors}"));
    (name.into(), module)
}

/// A function that is only declared.
struct Declared(Declaration);

impl Builtin for Declared {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, _: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        Ok(None)
    }
}

/// All functions, those of other crates only declared.
pub(in crate::compile) fn builtins() -> Builtins {
    let mut builtins = stock();
    for text in [
        "http.send(request: object[string: any]) => response: object[any: any]",
        "print(any...)",
        "sprintf(format: string, values: array[any]) => output: string",
        "startswith(search: string, base: string) => result: boolean",
        "upper(x: string) => y: string",
    ] {
        let declaration = Declaration::parse(text).unwrap_or_else(|error| panic!("{error}"));
        builtins.add(Arc::new(Declared(declaration)));
    }
    builtins
}

fn compiled(texts: &[&str], options: Options) -> Result<Compiled, PolicyErrors> {
    let modules = texts.iter().enumerate().map(|(index, text)| module(&format!("m{index}"), text)).collect();
    compile(modules, &builtins(), options)
}

/// Each error in a line, `m0:3: rego_type_error: …`.
fn lines(result: Result<Compiled, PolicyErrors>) -> Vec<String> {
    result.err().into_iter().flat_map(|errors| errors.0).map(|error| first_line(&error)).collect()
}

/// An error without the lines of its details.
fn first_line(error: &PolicyError) -> String {
    error.to_string().lines().take(1).collect()
}

/// The errors of modules named `m0`, `m1`, ….
fn errors(texts: &[&str]) -> Vec<String> {
    lines(compiled(texts, Options::default()))
}

/// The errors of one module in strict mode.
fn strict_errors(text: &str) -> Vec<String> {
    lines(compiled(&[text], Options { strict: true, ..Options::default() }))
}

/// The errors of a query beside a module.
fn query_errors(text: &str, query: &str, options: &Options) -> Vec<String> {
    let compiled = compiled(&[text], Options::default()).unwrap_or_else(|errors| panic!("{errors}"));
    let source = Arc::new(SourceFile { name: "".into(), text: query.into() });
    let body = parse_body(source, RegoVersion::V1).unwrap_or_else(|errors| panic!("{errors}"));
    let result =
        compile_query(body, &QueryContext::default(), &compiled, &builtins(), options, &mut Metrics::default());
    result.err().into_iter().flat_map(|errors| errors.0).map(|error| first_line(&error)).collect()
}
