//! What a call across the ABI costs, beside the same function compiled in: `cargo bench -p regent-dynamic`.
//!
//! Each query calls one function once, with an operand of a few bytes or some kilobytes; `nothing` calls none.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use regent_core::builtin::{Builtin, Call, Declaration, Operands, Outcome};
use regent_core::engine::{CompileOptions, Query, QueryText};
use regent_core::value::decode;
use regent_core::{Registry, Store, Value};
use regent_dynamic::{LibraryEntry, PluginLibraries};

/// The same function in Rust, compiled in.
struct Stock(Declaration);

impl Builtin for Stock {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        Ok(Some(operands.any(0).clone()))
    }
}

fn registry() -> Registry {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().expect("a directory");
    let library = directory.path().join("libecho.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-shared", "-fPIC", "-I"]).arg(folder.join("include")).arg("-o").arg(&library);
    assert!(compiler.arg(folder.join("benches/echo.c")).status().expect("a compiler of C").success());
    let mut registry = Registry::default();
    regent_engine_rego::register(&mut registry);
    let declaration = Declaration::parse("bench.stock(x: any) => y: any").expect("a declaration");
    registry.builtin(Arc::new(Stock(declaration)));
    let mut libraries = PluginLibraries::load(&[LibraryEntry::new(library)]).expect("a library");
    libraries.register(&mut registry).expect("registered");
    registry
}

fn calls(criterion: &mut Criterion) {
    let engine = registry().find_engine("rego").expect("the engine");
    let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("a store");
    let snapshot = store.snapshot();
    let users =
        (0..100).map(|n| format!(r#"{{"name": "user{n}", "roles": ["a", "b"]}}"#)).collect::<Vec<_>>().join(",");
    for (size, input) in [("small", r#""ann@example.com""#.to_owned()), ("4 kB", format!("[{users}]"))] {
        let input = decode(input.as_bytes()).expect("JSON");
        let mut group = criterion.benchmark_group(size);
        for (name, text) in [
            ("nothing", "x := input"),
            ("compiled in", "x := bench.stock(input)"),
            ("library, inline", "x := bench.inline(input)"),
            ("library, own threads", "x := bench.threads(input)"),
        ] {
            let query = Query::Text(QueryText { text: text.to_owned(), ..QueryText::default() });
            let prepared = snapshot.prepare(&query).expect("a query");
            let answer = prepared.evaluate(&mut snapshot.evaluation(Some(&input))).expect("an answer");
            assert_eq!(answer.rows[0].bindings[0].1, input);
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter(|| prepared.evaluate(&mut snapshot.evaluation(Some(&input))));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
