//! What the store promises.

use std::sync::Arc;

use crate::toy::{Toy, source, store};
use regent_core::engine::{CompileOptions, Query, QueryText};
use regent_core::metrics::Metrics;
use regent_core::store::{ActiveBundle, BundleContent, BundlePayload, Patch, PatchOp, StoreError, Transaction};
use regent_core::value::{Path, decode, encode};
use regent_core::{Store, Value};

fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

fn path(slashes: &str) -> Path {
    Path::from_slashes(slashes)
}

fn bundle(txn: &mut Transaction, name: &str, roots: &[&str], data: &str, modules: &[&str]) -> BundleContent {
    let parse = |(index, text): (usize, &&str)| {
        txn.parse(source(&format!("{name}/{index}.rego"), text)).expect("the module parses")
    };
    BundleContent {
        name: name.into(),
        bundle: ActiveBundle {
            revision: Some("r1".to_owned()),
            roots: roots.iter().map(|root| path(root)).collect(),
            etag: None,
        },
        manifest: json(r#"{"revision":"r1"}"#),
        payload: BundlePayload::Snapshot { data: json(data), modules: modules.iter().enumerate().map(parse).collect() },
    }
}

#[tokio::test]
async fn a_failed_transaction_leaves_no_trace() {
    let store = store();
    let before = store.snapshot();
    let failed = store.write(|txn| {
        txn.put(&path("a"), Value::from(1_i64))?;
        txn.remove(&path("missing"))
    });
    let error = failed.await.expect_err("nothing to remove");
    assert_eq!(error.to_string(), "storage_not_found_error: /missing: document does not exist");
    assert!(Arc::ptr_eq(&before, &store.snapshot()));
}

#[tokio::test]
async fn an_engine_without_a_spelling_of_its_own_leaves_queries_as_they_are() {
    let query = QueryText { text: "x  :=  1".to_owned(), ..QueryText::default() };
    assert_eq!(store().snapshot().spelling(&query), "x  :=  1");
}

#[tokio::test]
async fn a_snapshot_stays_as_it_is_while_others_write() {
    let store = store();
    let before = store.snapshot();
    store.write(|txn| txn.put(&path("a/b"), true.into())).await.expect("written");
    assert_eq!(encode(before.data()), "{}");
    assert_eq!(encode(store.snapshot().data()), r#"{"a":{"b":true}}"#);
}

#[tokio::test]
async fn a_reader_gets_an_answer_while_a_writer_is_at_work() {
    let store = store();
    let (inside, entered) = std::sync::mpsc::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            let work = move |txn: &mut Transaction| {
                txn.put(&path("a"), 1_i64.into())?;
                inside.send(()).expect("the test listens");
                left.recv().expect("the test lets go");
                Ok(())
            };
            store.write(work).await
        })
    };
    tokio::task::spawn_blocking(move || entered.recv()).await.expect("no panic").expect("the writer is inside");
    assert_eq!(encode(store.snapshot().data()), "{}");
    leave.send(()).expect("the writer waits");
    writer.await.expect("no panic").expect("written");
    assert_eq!(encode(store.snapshot().data()), r#"{"a":1}"#);
}

#[tokio::test]
async fn rules_and_base_data_cannot_claim_one_path() {
    let store = store();
    let put = |id: &'static str, text: &'static str| {
        store.write(move |txn| {
            let module = txn.parse(source(id, text))?;
            txn.put_policy(module);
            Ok(())
        })
    };
    put("app", "package app\nallow true").await.expect("compiles");
    let refused = store.write(|txn| txn.put(&path("app/allow/x"), 1_i64.into())).await.expect_err("a conflict");
    let text = "1 error occurred: app:2: rego_compile_error: conflicting rule for data path app/allow found";
    assert!(matches!(refused, StoreError::RuleConflict(_)));
    assert_eq!(refused.to_string(), text);
    store.write(|txn| txn.put(&path("app/other"), 1_i64.into())).await.expect("beside the rule");
}

#[tokio::test]
async fn a_bundle_replaces_what_its_old_and_new_roots_held_and_nothing_else() {
    let store = store();
    store.write(|txn| txn.put(&path("mine"), 1_i64.into())).await.expect("written");
    let first = |txn: &mut Transaction| {
        let content = bundle(txn, "b", &["x", "y"], r#"{"x":{"a":1},"y":2,"z":3}"#, &["package x.p\nq 1"]);
        txn.activate(vec![content])
    };
    store.write(first).await.expect("activated");
    let snapshot = store.snapshot();
    let system = r#""system":{"bundles":{"b":{"etag":"","manifest":{"revision":"r1"}}}}"#;
    assert_eq!(encode(snapshot.data()), format!(r#"{{"mine":1,{system},"x":{{"a":1}},"y":2}}"#));
    assert_eq!(snapshot.policies().len(), 1);

    let second = |txn: &mut Transaction| {
        let content = bundle(txn, "b", &["x"], r#"{"x":{"c":1}}"#, &[]);
        txn.activate(vec![content])
    };
    store.write(second).await.expect("activated");
    assert_eq!(encode(store.snapshot().data()), format!(r#"{{"mine":1,{system},"x":{{"c":1}}}}"#));
    assert!(store.snapshot().policies().is_empty());

    store
        .write(|txn| {
            txn.deactivate("b");
            Ok(())
        })
        .await
        .expect("deactivated");
    assert_eq!(encode(store.snapshot().data()), r#"{"mine":1,"system":{"bundles":{}}}"#);
}

#[tokio::test]
async fn bundles_with_one_root_are_refused_together() {
    let store = store();
    let both = |txn: &mut Transaction| {
        let contents = vec![bundle(txn, "a", &["x"], "{}", &[]), bundle(txn, "b", &["x"], "{}", &[])];
        txn.activate(contents)
    };
    let error = store.write(both).await.expect_err("an overlap").to_string();
    assert!(error.starts_with("detected overlapping roots in manifests for these bundles: [a, b]"), "{error}");
    assert!(store.snapshot().bundles().is_empty());
}

#[tokio::test]
async fn prepared_queries_outlive_data_writes_but_not_policy_writes() {
    let store = store();
    let query = Query::Document(path("app/allow"));
    let prepare = || store.snapshot().prepare(&query).expect("prepared");
    let first = prepare();
    store.write(|txn| txn.put(&path("a"), 1_i64.into())).await.expect("written");
    assert!(Arc::ptr_eq(&prepare(), &first));
    let module = |txn: &mut Transaction| {
        let module = txn.parse(source("app", "package app\nallow true"))?;
        txn.put_policy(module);
        Ok(())
    };
    store.write(module).await.expect("compiles");
    assert!(!Arc::ptr_eq(&prepare(), &first));
    let answer = store.snapshot().ask(&query, None).expect("an answer");
    assert_eq!(answer.document(), Some(&true.into()));
}

#[tokio::test]
async fn whoever_watches_the_store_is_told_of_each_commit() {
    let store = store();
    let mut watch = store.watch();
    store.write(|txn| txn.put(&path("a"), 1_i64.into())).await.expect("written");
    watch.changed().await.expect("the store lives");
    assert_eq!(*watch.borrow(), store.snapshot().generation());
    store.write(|_| Ok(())).await.expect("nothing to do");
    assert!(!watch.has_changed().expect("the store lives"), "an empty transaction makes no new state");
}

#[tokio::test]
async fn a_bundle_of_everything_owns_what_it_brings_below_system_and_not_what_the_agent_keeps_there() {
    let own = json(r#"{"system":{"version":{"version":"1"}}}"#);
    let store = Store::new(Arc::new(Toy), CompileOptions::default(), own).expect("an empty program compiles");
    let activate = |data: &'static str| {
        store.write(move |txn| {
            let contents = vec![bundle(txn, "none", &[], "{}", &[]), bundle(txn, "all", &[""], data, &[])];
            txn.activate(contents)
        })
    };
    let bundles =
        r#""bundles":{"all":{"etag":"","manifest":{"revision":"r1"}},"none":{"etag":"","manifest":{"revision":"r1"}}}"#;
    let version = r#""version":{"version":"1"}"#;
    activate(r#"{"a":1,"system":{"authz":{"x":1},"bundles":{"none":2},"version":3}}"#).await.expect("activated");
    let expected = format!(r#"{{"a":1,"system":{{"authz":{{"x":1}},{bundles},{version}}}}}"#);
    assert_eq!(encode(store.snapshot().data()), expected);
    activate("{}").await.expect("activated");
    assert_eq!(encode(store.snapshot().data()), format!(r#"{{"system":{{{bundles},{version}}}}}"#));
}

#[tokio::test]
async fn a_measured_write_tells_what_parsing_and_compiling_cost() {
    let store = store();
    let timers = async |metrics, text: &'static str| {
        let work = move |txn: &mut Transaction| {
            let module = txn.parse(source("app", text))?;
            txn.put_policy(module);
            Ok(())
        };
        let ((), metrics) = store.write_measured(metrics, work).await.expect("compiles");
        let timers = metrics.to_value().as_object().expect("an object").clone();
        timers.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        timers(Metrics::on(), "package app\nallow true").await,
        [r#""timer_rego_module_compile_ns""#, r#""timer_rego_module_parse_ns""#]
    );
    assert_eq!(timers(Metrics::default(), "package app\nallow false").await, [""; 0]);
    let ((), metrics) = store.write_measured(Metrics::on(), |_| Ok(())).await.expect("nothing to do");
    assert_eq!(metrics.to_value(), Value::empty_object());
}

/// A bundle that changes the one of its name.
fn delta(name: &str, roots: &[&str], changes: &[(PatchOp, &str)]) -> BundleContent {
    BundleContent {
        name: name.into(),
        bundle: ActiveBundle {
            revision: Some("r2".to_owned()),
            roots: roots.iter().map(|root| path(root)).collect(),
            etag: Some("e2".to_owned()),
        },
        manifest: json(r#"{"revision":"r2"}"#),
        payload: BundlePayload::Delta(
            changes.iter().map(|(op, at)| Patch { op: op.clone(), path: path(at) }).collect(),
        ),
    }
}

#[tokio::test]
async fn a_delta_changes_the_data_of_its_bundle_and_leaves_the_rest() {
    let store = store();
    let first = store.write(|txn| {
        let content = bundle(txn, "b", &["a", "p"], r#"{"a":{"x":1,"gone":2}}"#, &["package p\n"]);
        txn.put(&path("other"), Value::from(1_i64))?;
        txn.activate(vec![content])
    });
    first.await.expect("activated");
    let policies = store.snapshot().policies().len();
    let upsert = PatchOp::Add(Value::from(7_i64));
    let changes = [(upsert, "a/new/deep"), (PatchOp::Remove, "a/gone"), (PatchOp::Replace(true.into()), "a/x")];
    let content = delta("b", &["p", "a"], &changes);
    store.write(|txn| txn.activate(vec![content])).await.expect("roots may come in any order");
    let after = store.snapshot();
    assert_eq!(encode(after.data().get("a").expect("there")), r#"{"new":{"deep":7},"x":true}"#);
    assert_eq!(encode(after.data().get("other").expect("there")), "1");
    assert_eq!(after.data().at(["system", "bundles", "b", "etag"]), Some(&"e2".into()));
    assert_eq!((after.policies().len(), after.bundles()["b"].revision.as_deref()), (policies, Some("r2")));
}

#[tokio::test]
async fn a_delta_that_does_not_fit_changes_nothing() {
    let store = store();
    let first = store.write(|txn| {
        let content = bundle(txn, "b", &["a"], r#"{"a":{"x":1}}"#, &[]);
        txn.activate(vec![content])
    });
    first.await.expect("activated");
    let before = store.snapshot();
    let refused = async |content: BundleContent| {
        let refused = store.write(|txn| txn.activate(vec![content])).await;
        refused.expect_err("it does not fit").to_string()
    };
    let changes = [(PatchOp::Replace(2_i64.into()), "a/x"), (PatchOp::Remove, "a/none")];
    let missing = "storage_not_found_error: /a/none: document does not exist";
    assert_eq!(refused(delta("b", &["a"], &changes)).await, missing);
    let shape = "delta bundle 'b' has wasm resolvers or manifest roots that are different from those in the store";
    assert_eq!(refused(delta("b", &["a", "c"], &changes[..1])).await, shape);
    let mut compiled = delta("b", &["a"], &changes[..1]);
    compiled.manifest = json(r#"{"wasm":[{"entrypoint":"a"}]}"#);
    assert_eq!(refused(compiled).await, shape);
    assert!(refused(delta("other", &["a/x"], &changes[..1])).await.contains("overlap"));
    assert!(Arc::ptr_eq(&before, &store.snapshot()));
}
