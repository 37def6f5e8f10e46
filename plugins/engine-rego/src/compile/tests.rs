//! The stages on small texts, and on all modules of the conformance cases.

use std::sync::Arc;

use regent_core::engine::{PolicyErrors, RegoVersion};

use super::{Compiled, Options, QueryContext, compile, compile_query};
use crate::engine::stock;
use crate::syntax::ast::{Module, SourceFile};
use crate::syntax::{parse_body, parse_module};

mod conformance;
mod queries;
mod rules;

fn parse(name: &str, text: &str) -> Module {
    let source = SourceFile { name: name.into(), text: text.into() };
    parse_module(Arc::new(source), RegoVersion::V1).expect("the text parses")
}

fn compile_texts(texts: &[&str], options: Options) -> Result<Compiled, PolicyErrors> {
    let modules = texts.iter().enumerate().map(|(index, text)| {
        let name = format!("test-{index}.rego");
        (Arc::from(&*name), parse(&name, text))
    });
    compile(modules.collect(), &stock(), options)
}

/// The rewritten rules of a module in a package `test`, one a line.
fn rules(text: &str, options: Options) -> String {
    let compiled = compile_texts(&[&format!("package test\n{text}")], options).expect("the text compiles");
    let rules: Vec<String> = compiled.modules[0].1.rules.iter().map(ToString::to_string).collect();
    rules.join("\n")
}

/// The errors of a module in a package `test`.
fn errors(text: &str, options: Options) -> Vec<String> {
    let result = compile_texts(&[&format!("package test\n{text}")], options);
    result.err().map(|errors| errors.0.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn strict() -> Options {
    Options { strict: true, ..Options::default() }
}
