//! On many threads as on one, and after a former program as from scratch.

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_conformance::{Case, topics};
use regent_core::engine::{
    CompileOptions, Engine, Module, PolicyErrors, Program, Query, QueryText, RegoVersion, Source, parse_all,
};
use regent_core::parallel::with_threads;
use regent_core::store::StoreError;
use regent_core::value::encode;
use regent_core::{Store, Value};
use regent_engine_rego::RegoEngine;

fn source(id: &str, text: &str) -> Source {
    Source { id: id.into(), file: id.into(), text: text.into(), version: RegoVersion::V1, broken: Vec::new() }
}

/// The modules of a topic's cases, those of each case in packages of its own if need be.
fn sources(topic: &str, cases: &[Case], apart: bool) -> Vec<Source> {
    let modules =
        cases.iter().enumerate().flat_map(|(case, content)| content.modules.iter().map(move |text| (case, text)));
    let named = modules.enumerate().map(|(index, (case, text))| {
        let text = if apart { text.replacen("package ", &format!("package case{case}."), 1) } else { text.clone() };
        source(&format!("{topic}/{index:05}.rego"), &text)
    });
    named.collect()
}

/// What a program looks like.
fn shown(program: Result<Arc<dyn Program>, PolicyErrors>, modules: &[Arc<dyn Module>]) -> Result<Vec<String>, String> {
    let program = program.map_err(|errors| errors.to_string())?;
    let tree = |module: &Arc<dyn Module>| {
        let tree = program.ast(&module.source().id).expect("a tree");
        String::from_utf8(tree.encode(false)).expect("JSON")
    };
    let documents = program.documents().into_iter().map(|document| document.path.to_reference());
    Ok(modules.iter().map(tree).chain(documents).collect())
}

#[test]
fn many_threads_find_what_one_finds() {
    let engine = RegoEngine::default();
    let (mut compiled, mut refused) = (0, 0);
    for topic in topics() {
        // Together, most topics break off at the first conflict; apart, most get to the end.
        for (apart, max_errors) in [(false, 10), (true, 0)] {
            let sources = sources(&topic.name, &topic.cases, apart);
            let parse = || parse_all(&engine, sources.clone(), &BTreeMap::new());
            let (one, many) = (with_threads(1, parse), with_threads(8, parse));
            let text = |errors: &PolicyErrors| format!("{errors:?}");
            assert_eq!(one.as_ref().err().map(text), many.as_ref().err().map(text), "{}", topic.name);
            // Those that parse by themselves, whatever the others do.
            let modules: Vec<_> = sources.iter().filter_map(|source| engine.parse(source.clone()).ok()).collect();
            let options = CompileOptions { max_errors, ..CompileOptions::default() };
            let compile = || shown(engine.compile(&modules, &options), &modules);
            let (one, many) = (with_threads(1, compile), with_threads(8, compile));
            assert_eq!(one, many, "{}", topic.name);
            if one.is_ok() { compiled += 1 } else { refused += 1 }
        }
    }
    assert!(topics().is_empty() || (compiled > 10 && refused > 10), "{compiled} compiled, {refused} refused");
}

#[test]
fn errors_of_many_modules_come_in_their_order_up_to_the_limit() {
    let text = |index: usize| format!("package p{index}\n\na := x\n\nb := y\n");
    let engine = RegoEngine::default();
    let sources: Vec<_> = (0..200).map(|index| source(&format!("{index:03}.rego"), &text(index))).collect();
    let modules = parse_all(&engine, sources, &BTreeMap::new()).expect("they parse");
    let errors = |max_errors| {
        let options = CompileOptions { max_errors, ..CompileOptions::default() };
        with_threads(8, || engine.compile(&modules, &options)).err().expect("nothing binds them").0
    };
    let all = errors(0);
    let places: Vec<_> =
        all.iter().filter_map(|error| error.location.as_ref()).map(|at| (at.file.to_string(), at.row)).collect();
    assert_eq!((places.len(), places.is_sorted()), (400, true));
    let few = errors(10);
    assert_eq!((&few[..10], &*few[10].message, few.len()), (&all[..10], "error limit reached", 11));
}

/// A store with these modules.
async fn write(store: &Store, modules: Vec<(&'static str, String)>) -> Result<(), StoreError> {
    let work = move |transaction: &mut regent_core::store::Transaction| {
        let sources = modules.iter().map(|(id, text)| source(id, text)).collect();
        transaction.parse_all(sources)?.into_iter().for_each(|module| transaction.put_policy(module));
        Ok(())
    };
    store.write(work).await
}

fn answer(store: &Store, query: &str) -> String {
    let query = Query::Text(QueryText { text: query.to_owned(), ..QueryText::default() });
    let answer = store.snapshot().ask(&query, None).expect("it evaluates");
    answer.into_document().as_ref().map(encode).unwrap_or_default()
}

#[tokio::test]
async fn what_depends_on_a_module_that_changes_is_compiled_again() {
    let engine = Arc::new(RegoEngine::default());
    let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("a store");
    let user = || ("user.rego", "package user\n\nimport data.lib\n\nsum := lib.f(1) + 1\n".to_owned());
    let library = |rule: &str| ("lib.rego", format!("package lib\n\n{rule}\n"));
    write(&store, vec![user(), library("f(x) := x")]).await.expect("they fit together");
    assert_eq!(answer(&store, "data.user.sum"), "2");
    let before = store.snapshot();

    for (rule, expected) in [
        ("f(x, y) := x", "user.rego:5: rego_type_error: function data.lib.f has arity 2, got 1 argument"),
        ("f(x) := \"text\"", "user.rego:5: rego_type_error: plus: invalid argument(s)"),
        ("f(x) := data.user.sum", "rego_recursion_error"),
        ("g(x) := x", "user.rego:5: rego_type_error: undefined function data.lib.f"),
    ] {
        let error = write(&store, vec![user(), library(rule)]).await.expect_err("it no longer fits").to_string();
        assert!(error.contains(expected), "{rule}: {error}");
        assert_eq!(answer(&store, "data.user.sum"), "2", "what was there stays");
    }

    write(&store, vec![user(), library("f(x) := y if { y := x * 10 }")]).await.expect("they fit together");
    assert_eq!(answer(&store, "data.user.sum"), "11");
    let same = |id: &str| Arc::ptr_eq(&before.policies()[id], &store.snapshot().policies()[id]);
    assert_eq!((same("user.rego"), same("lib.rego")), (true, false), "what is the same is not parsed again");
}

#[tokio::test]
async fn a_program_that_shares_much_with_a_former_one_answers_as_one_from_scratch() {
    let module = |index: usize, bound: usize| {
        let text = format!(
            "package m{index}\n\np contains x if {{\n\tsome x in numbers.range(1, 20)\n\tx > {bound}\n\tnot data.m{}.q[x]\n}}\n\n\
             q contains x if {{\n\tsome x in numbers.range(1, {index})\n}}\n",
            (index + 1) % 40
        );
        (format!("{index:02}.rego"), text)
    };
    let store = || {
        Store::new(Arc::new(RegoEngine::default()), CompileOptions::default(), Value::empty_object()).expect("a store")
    };
    let put = async |store: &Store, modules: Vec<(String, String)>| {
        let work = move |transaction: &mut regent_core::store::Transaction| {
            let sources = modules.iter().map(|(id, text)| source(id, text)).collect();
            transaction.parse_all(sources)?.into_iter().for_each(|module| transaction.put_policy(module));
            Ok(())
        };
        store.write(work).await.expect("they fit together");
    };
    let (kept, mut modules) = (store(), (0..40).map(|index| module(index, 3)).collect::<Vec<_>>());
    put(&kept, modules.clone()).await;
    for index in [0, 17, 39] {
        modules[index] = module(index, 10 + index % 3);
        put(&kept, modules.clone()).await;
        let fresh = store();
        put(&fresh, modules.clone()).await;
        assert_eq!(answer(&kept, "data"), answer(&fresh, "data"));
    }
}
