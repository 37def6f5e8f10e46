//! Documents are read, decided and written.

mod support;

use regent_core::Value;
use regent_core::status::Cause;
use regent_core::store::{ActiveBundle, BundleContent, BundlePayload};
use regent_core::value::Path;
use support::{Agent, check};

const POLICY: &str = "package p\n\necho := input\n\nallow if input.user == \"ann\"\n";

#[tokio::test]
async fn a_decision_is_made_over_the_input_of_the_request() {
    let agent = Agent::start("{}").await;
    agent.put("/v1/policies/p", POLICY).await;
    check(&agent.post("/v1/data/p/allow", r#"{"input":{"user":"ann"}}"#).await, 200, "{\"result\":true}\n");
    check(&agent.post("/v1/data/p/allow", r#"{"INPUT":{"user":"eve"}} rest"#).await, 200, "{}\n");
    check(&agent.get("/v1/data/p/echo?input=%5B1%5D").await, 200, "{\"result\":[1]}\n");
    let yaml =
        agent.ask("POST", "/v1/data/p/echo", &[("content-type", "application/x-yaml")], "input: {a: yes}\n").await;
    check(&yaml, 200, "{\"result\":{\"a\":true}}\n");
    let warning =
        "{\"warning\":{\"code\":\"api_usage_warning\",\"message\":\"'input' key missing from the request\"}}\n";
    check(&agent.post("/v1/data/p/echo", "").await, 200, warning);
}

#[tokio::test]
async fn a_webhook_sends_bare_input_and_gets_a_bare_document() {
    let agent = Agent::start("default_decision: p/allow").await;
    check(
        &agent.post("/", "{}").await,
        404,
        "{\n  \"code\": \"undefined_document\",\n  \"message\": \"document missing: data.p.allow\"\n}\n",
    );
    agent.put("/v1/policies/p", POLICY).await;
    check(&agent.post("/", r#"{"user":"ann"}"#).await, 200, "true\n");
    check(&agent.post("/v0/data/p/echo", "").await, 200, "null\n");
    let undefined = agent.post("/v0/data/p/allow", "{}").await;
    assert_eq!(undefined.json()["message"], "document undefined: data.p.allow");
}

#[tokio::test]
async fn writes_follow_opas_rules() {
    let agent = Agent::start("{}").await;
    agent.put("/v1/data/a%2Fb/c", "[1]").await;
    check(&agent.get("/v1/data").await, 200, "{\"result\":{\"a/b\":{\"c\":[1]}}}\n");
    let kept = agent.ask("PUT", "/v1/data/a%2Fb", &[("if-none-match", "*")], "{}").await;
    check(&kept, 304, "");
    let conflict = agent.ask("PUT", "/v1/data/a%2Fb/c/1", &[], "2").await;
    assert_eq!(conflict.json()["code"], "resource_conflict");
    let half = r#"[{"op":"add","path":"-","value":2},{"op":"remove","path":"/x"}]"#;
    assert_eq!(agent.ask("PATCH", "/v1/data/a%2Fb/c", &[], half).await.status, 404);
    let whole = r#"[{"op":"add","path":"-","value":2},{"op":"remove","path":"/0"}]"#;
    check(&agent.ask("PATCH", "/v1/data/a%2Fb/c", &[], whole).await, 204, "");
    check(&agent.get("/v1/data/a%2Fb/c").await, 200, "{\"result\":[2]}\n");
    let end = agent.ask("DELETE", "/v1/data/a%2Fb/c/-", &[], "").await;
    assert_eq!(end.json()["message"], "storage_not_found_error: /a/b/c/-: array index must be integer");
    check(&agent.ask("DELETE", "/v1/data/a%2Fb", &[], "").await, 204, "");
}

#[tokio::test]
async fn metrics_tell_whether_the_query_was_known() {
    let agent = Agent::start("{}").await;
    agent.put("/v1/policies/p", POLICY).await;
    let hit = async |path: &str| agent.get(path).await.json()["metrics"]["counter_server_query_cache_hit"].clone();
    assert_eq!(hit("/v1/data/p/allow?metrics").await, 0);
    assert_eq!(hit("/v1/data/p/allow?metrics").await, 1);
    assert_eq!(hit("/v1/data/p/allow?metrics&strict-builtin-errors").await, 0);
    agent.put("/v1/data/x", "1").await;
    assert_eq!(hit("/v1/data/p/allow?metrics").await, 0);
    let metrics = agent.post("/v1/data/p/allow?metrics=true", "{}").await.json()["metrics"].clone();
    let names: Vec<_> = metrics.as_object().expect("an object").keys().cloned().collect();
    let expected = [
        "counter_server_query_cache_hit",
        "timer_rego_input_parse_ns",
        "timer_rego_query_compile_ns",
        "timer_rego_query_eval_ns",
        "timer_server_handler_ns",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn what_the_engine_cannot_do_is_named() {
    let agent = Agent::start("{}").await;
    for (method, path) in
        [("GET", "/v1/data/x?explain=full"), ("POST", "/v1/compile"), ("POST", "/v1/query?explain=notes")]
    {
        let answer = agent.ask(method, path, &[], r#"{"query":"true"}"#).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.json()["code"], "invalid_operation", "{path}");
        assert!(answer.text().contains("engine `rego` does not support"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn deeply_nested_bodies_do_no_harm() {
    let agent = Agent::start("{}").await;
    for (depth, sound) in [(900, true), (20_000, false)] {
        let path = format!("/v1/data{}", "/x".repeat(depth));
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let stored = agent.ask("PUT", &path, &[], nested.clone()).await;
        assert_eq!(stored.status, if sound { 204 } else { 400 }, "{}", stored.text());
        assert_eq!(agent.get(&path).await.status == 200, sound);
        let asked = agent.ask("POST", "/v1/data/x", &[], format!("{{\"input\":{nested}}}")).await;
        assert!(asked.status != 200 || sound, "{depth}: {}", asked.text());
        let yaml = [("content-type", "application/yaml")];
        let asked = agent.ask("POST", "/v1/data/x", &yaml, format!("{{\"input\":{nested}}}")).await;
        assert!(asked.status != 200 || sound, "{depth}: {}", asked.text());
    }
    check(&agent.get("/health").await, 200, "{}\n");
}

#[tokio::test]
async fn writes_show_metrics_in_one_line_and_only_when_asked_for_them() {
    let agent = Agent::start("{}").await;
    check(&agent.ask("PUT", "/v1/data/x?instrument", &[], "1").await, 204, "");
    let shown = agent.ask("PUT", "/v1/data/x?metrics&pretty", &[], "1").await.text();
    assert!(shown.starts_with("{\"metrics\":{"), "{shown}");
}

#[tokio::test]
async fn provenance_names_the_revision_of_a_legacy_bundle_alone() {
    let agent = Agent::start("{}").await;
    let bundle = ActiveBundle { revision: Some("7".to_owned()), roots: vec![Path::new(["b"])], etag: None };
    let payload = BundlePayload::Snapshot { data: Value::empty_object(), modules: Vec::new() };
    let content = BundleContent { name: "b".into(), bundle, manifest: Value::empty_object(), payload };
    agent.host.store.write(move |transaction| transaction.activate(vec![content])).await.expect("activated");
    let provenance = async || agent.get("/v1/data?provenance").await.json()["provenance"].clone();
    assert_eq!(provenance().await["bundles"]["b"]["revision"], "7");
    agent.host.status.change(Cause::Bundle, |report| report.legacy_bundle = Some("b".to_owned()));
    let legacy = provenance().await;
    assert_eq!((&legacy["revision"], legacy.get("bundles")), (&"7".into(), None));
}
