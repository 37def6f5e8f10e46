//! The engine behind a store, as the agent uses it.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{document, get, json, load, rows, source, store, with};
use regent_core::builtin::{Builtin, Call, Declaration, Operands, Outcome};
use regent_core::engine::{Cancel, CompileOptions, Engine as _, Location, Prints};
use regent_core::store::Snapshot;
use regent_core::value::{Path, Value, encode};
use regent_engine_regorus::RegorusEngine;

/// A function that some plugin may have.
struct Function(Declaration);

impl Builtin for Function {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, _: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        Ok(None)
    }
}

#[test]
fn plugins_may_have_functions_only_if_no_policy_can_call_them() {
    let function = |text| -> Arc<dyn Builtin> { Arc::new(Function(Declaration::parse(text).expect("well-formed"))) };
    let send = || function("http.send(object[any: any]) => object[any: any]");
    assert!(RegorusEngine.with_builtins(&[send()]).is_ok());
    let refused = RegorusEngine.with_builtins(&[send(), function("acme.domain(string) => string")]);
    let expected = "engine `regorus` does not support built-in functions from plugins";
    assert_eq!(refused.err().map(|error| error.to_string()).as_deref(), Some(expected));
}

#[tokio::test]
async fn documents_are_read_from_rules_data_or_both() {
    let modules = [
        (
            "a.rego",
            "package a\n\np := input.x\nq.r := [1, {\"k\": 2}]\ns contains \"x\"\nf(x) := x\ndefault d := false",
        ),
        ("b.rego", "package a.b\n\nfrom_data := data.list[1]"),
        ("empty.rego", "package e.f"),
        ("system.rego", "package system.log\n\nmask := 1"),
    ];
    let data = r#"{"list":[1.0,{"x":1e2}],"a":{"base":1},"system":{"v":1}}"#;
    let snapshot = with(data, &modules).await;
    let cases = [
        ("a/p", "5"),
        ("a/q", r#"{"r":[1,{"k":2}]}"#),
        ("a/q/r", r#"[1,{"k":2}]"#),
        ("a/q/r/1/k", "2"),
        ("a/q/r/7", "undefined"),
        ("a/s", r#"["x"]"#),
        ("a/f", "undefined"),
        ("a/d", "false"),
        ("a/nope", "undefined"),
        ("a/base", "1"),
        ("a/b/from_data/x", "100"),
        ("a/b", r#"{"from_data":{"x":100}}"#),
        ("e", r#"{"f":{}}"#),
        ("list", r#"[1.0,{"x":1e2}]"#),
        ("list/1/x", "1e2"),
        ("system/v", "1"),
        ("system/log/mask", "1"),
        ("a", r#"{"b":{"from_data":{"x":100}},"base":1,"d":false,"p":5,"q":{"r":[1,{"k":2}]},"s":["x"]}"#),
    ];
    for (path, expected) in cases {
        assert_eq!(get(&snapshot, path, Some(r#"{"x":5}"#)), expected, "{path}");
    }
    let whole = json(&get(&snapshot, "", None));
    assert!(whole.get("a").is_some() && whole.get("list").is_some() && whole.get("system").is_none());
    assert_eq!(get(&snapshot, "a/p", None), "undefined");
    assert_eq!(get(&store("{}").snapshot(), "", None), "{}");
}

#[tokio::test]
async fn rules_are_listed_with_the_place_of_the_first() {
    let modules = [(
        "m.rego",
        "package m\n\np if false\np if true\nq[x] := 1 if some x in [1]\nr.s[\"t u\"] := 1\nc contains 1\nf(_) := 1\ndefault d := 1",
    )];
    let engine = RegorusEngine;
    let parsed: Vec<_> = modules.iter().map(|(file, text)| engine.parse(source(file, text)).expect("parses")).collect();
    assert_eq!(parsed[0].package(), &Path::from_slashes("m"));
    let program = engine.compile(&parsed, &CompileOptions::default()).expect("compiles");
    assert!(program.ast("m.rego").is_err());
    let listed: Vec<_> =
        program.documents().into_iter().map(|document| format!("{} {}", document.path, document.location)).collect();
    let expected =
        ["/m/c m.rego:7", "/m/d m.rego:9", "/m/f m.rego:8", "/m/p m.rego:3", "/m/q m.rego:5", "/m/r/s/t u m.rego:6"];
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn data_may_not_lie_where_rules_are() {
    let store = store("{}");
    load(&store, &[("a.rego", "package a\n\np := 1")]).await.expect("compiles");
    let put = store.write(|transaction| transaction.put(&Path::from_slashes("a/p"), Value::NULL)).await;
    let expected = "1 error occurred: a.rego:3: rego_compile_error: conflicting rule for data path a/p found";
    assert_eq!(put.expect_err("refused").to_string(), expected);
}

#[derive(Default)]
struct Heard(Vec<String>);

impl Prints for Heard {
    fn print(&mut self, text: &str, location: &Location) {
        self.0.push(format!("{location}: {text}"));
    }
}

#[tokio::test]
async fn prints_and_timers_reach_the_caller() {
    let module = "package a\n\np if {\n\tprint(\"user:\", input.user, input.nope)\n}";
    let snapshot = with("{}", &[("a.rego", module)]).await;
    let input = json(r#"{"user":"ann"}"#);
    let mut heard = Heard::default();
    let mut evaluation = snapshot.evaluation(Some(&input));
    evaluation.metrics = regent_core::metrics::Metrics::on();
    evaluation.prints = Some(&mut heard);
    let query = snapshot.prepare(&document("a/p")).expect("prepares");
    query.evaluate(&mut evaluation).expect("evaluates");
    assert!(evaluation.metrics.to_value().get("timer_rego_query_eval_ns").is_some());
    assert_eq!(heard.0, ["a.rego:4: user: ann <undefined>"]);
}

#[tokio::test]
async fn a_cancelled_evaluation_ends() {
    let module =
        "package a\n\np := count([1 | some x in numbers.range(1, 3000); some y in numbers.range(1, 3000); x == y])";
    let snapshot = with("{}", &[("a.rego", module)]).await;
    let cancel = Cancel::default();
    let start = std::time::Instant::now();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            cancel.cancel();
        });
        let mut evaluation = snapshot.evaluation(None);
        evaluation.cancel = &cancel;
        let query = snapshot.prepare(&document("a/p")).expect("prepares");
        query.evaluate(&mut evaluation).expect_err("cancelled")
    });
    assert!(error.is_cancelled(), "{error}");
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_panic_in_regorus_is_an_error_of_the_policy_and_no_more() {
    let snapshot = with("{}", &[("a.rego", "package a\n\np := strings.count(\"abc\", \"\")\nq := 1")]).await;
    let error = get(&snapshot, "a/p", None);
    assert!(error.contains("eval_internal_error: regorus panicked"), "{error}");
    assert_eq!(get(&snapshot, "a/q", None), "1");
}

#[tokio::test]
async fn long_chains_of_rules_do_not_overflow_the_stack() {
    use std::fmt::Write as _;
    // The shorter one is the longest that stays on the caller's thread.
    for length in [19, 1000] {
        let mut module = format!("package a\n\np{length} := 1\n");
        for at in 0..length {
            writeln!(module, "p{at} := [x | some y in [p{}]; x := y][0]", at + 1).expect("strings take everything");
        }
        let snapshot = with("{}", &[("a.rego", &module)]).await;
        assert_eq!(get(&snapshot, "a/p0", None), "1");
        assert_eq!(rows(&snapshot, "x := data.a.p0"), r#"[{"x":1}]"#);
    }
}

#[tokio::test]
async fn snapshots_are_independent() {
    let store = store(r#"{"x":1}"#);
    load(&store, &[("a.rego", "package a\n\np := data.x")]).await.expect("compiles");
    let old = store.snapshot();
    store.write(|transaction| transaction.put(&Path::from_slashes("x"), json("2"))).await.expect("writes");
    let data_changed = store.snapshot();
    load(&store, &[("a.rego", "package a\n\np := data.x * 10")]).await.expect("compiles");
    let shown = |snapshot: &Snapshot| get(snapshot, "a/p", None);
    assert_eq!([shown(&old), shown(&data_changed), shown(&store.snapshot())], ["1", "2", "20"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_go_on_while_a_writer_works() {
    let store = store(r#"{"n":0}"#);
    load(&store, &[("a.rego", "package a\n\np := [data.n, data.n + 1, input.k]")]).await.expect("compiles");
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..8)
        .map(|k| {
            let (store, done) = (store.clone(), done.clone());
            std::thread::spawn(move || {
                let input = Value::object([("k", Value::from(k))]);
                let mut answers = 0;
                while !done.load(Ordering::Relaxed) || answers == 0 {
                    let answer = store.snapshot().ask(&document("a/p"), Some(&input)).expect("evaluates");
                    let value = answer.into_document().expect("is defined");
                    let items: Vec<_> =
                        value.as_array().expect("an array").iter().map(|item| encode(item).parse()).collect();
                    let [Ok(n), Ok(next), Ok(own)] = items[..] else { panic!("{items:?}") };
                    assert_eq!((next, own), (n + 1, i64::from(k)));
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    for n in 1_i64..=100 {
        let write = store.write(move |transaction| transaction.put(&Path::from_slashes("n"), n.into()));
        write.await.expect("writes");
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.join().expect("no reader panics") > 0);
    }
    let last = store.snapshot().ask(&document("a/p/0"), None);
    assert_eq!(last.expect("evaluates").document().map(encode), None, "`input.k` is undefined");
}
