//! What receivers see of an event.

use regent_core::Value;
use regent_core::decision::DecisionEvent;
use regent_core::metrics::Metrics;
use regent_core::store::{ActiveBundle, BundleContent, BundlePayload};
use regent_core::value::Path;
use regent_kit::ControlPlane;
use serde_json::{Value as Json, json};

use crate::support::{Agent, LIMIT, json as value};

const MANUAL: &str = r#"{"service": "acme", "reporting": {"trigger": "manual"}}"#;

/// What arrives of one event.
async fn arrived(acme: &ControlPlane, agent: &Agent, event: DecisionEvent) -> Json {
    agent.record(event);
    agent.upload().await.expect("the service is there");
    acme.wait_for_events(1, LIMIT).await.expect("the event").remove(0)
}

/// What arrives of the usual event under a mask policy.
async fn masked(mask: &str) -> Json {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, MANUAL).await;
    agent.policy(&format!("package system.log\n{mask}")).await;
    let mut event = agent.event("d1");
    event.result = Some(value(r#"{"a": {"b": [10, 20]}, "x/y": 1, "m~n": 2}"#));
    arrived(&acme, &agent, event).await
}

#[tokio::test]
async fn an_event_has_the_fields_that_opa_gives_it() {
    let acme = ControlPlane::start().await;
    let config = r#"{"service": "acme", "reporting": {"trigger": "manual"},
                     "request_context": {"http": {"headers": ["X-Trace", "x-absent"]}}}"#;
    let agent = Agent::start(&acme, config).await;
    let content = BundleContent {
        name: "authz".into(),
        bundle: ActiveBundle {
            revision: Some("r1".to_owned()),
            roots: vec![Path::from_slashes("p")],
            ..ActiveBundle::default()
        },
        manifest: Value::empty_object(),
        payload: BundlePayload::Snapshot { data: Value::empty_object(), modules: Vec::new() },
    };
    agent.host.store.write(|transaction| transaction.activate(vec![content])).await.expect("a valid bundle");
    let mut event = agent.event("d1");
    event.requested_by = Some("127.0.0.1:5".to_owned());
    event.req_id = Some(7);
    event.metrics = Metrics::on();
    event.metrics.add("timer_server_handler_ns", 5);
    event.nd_builtin_cache = Some(Value::empty_object());
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    event.headers = [header("x-trace", "a"), header("accept", "b"), header("x-trace", "c")].into();
    event.trace = Some(("aa".to_owned(), "bb".to_owned()));
    assert_eq!(
        arrived(&acme, &agent, event).await,
        json!({
            "labels": {"app": "demo", "id": "agent-1", "version": "1.9.0"},
            "decision_id": "d1",
            "trace_id": "aa",
            "span_id": "bb",
            "bundles": {"authz": {"revision": "r1"}},
            "path": "p/allow",
            "input": {"user": "bob", "password": "secret", "list": [1, {"k": "v"}, 3]},
            "result": true,
            "nd_builtin_cache": {},
            "requested_by": "127.0.0.1:5",
            "timestamp": "2026-01-02T03:04:05.678901234Z",
            "metrics": {"timer_server_handler_ns": 5},
            "req_id": 7,
            "request_context": {"http": {"headers": {"X-Trace": ["a", "c"]}}},
        })
    );
}

#[tokio::test]
async fn a_mask_removes_and_replaces_and_says_so() {
    let event = masked(
        r#"mask contains "/input/password"
           mask contains "/input/absent/deep"
           mask contains "/result/x~1y"
           mask contains {"op": "upsert", "path": "/input/user", "value": "***"} if input.input.user == "bob"
           mask contains {"op": "remove", "path": "/result/m~0n"}
           mask contains {"op": "upsert", "path": "/input/new/deep", "value": 1}
           mask contains {"op": "upsert", "path": "/nd_builtin_cache/x", "value": 1}"#,
    )
    .await;
    assert_eq!(event["input"], json!({"user": "***", "list": [1, {"k": "v"}, 3], "new": {"deep": 1}}));
    assert_eq!(event["result"], json!({"a": {"b": [10, 20]}}));
    assert_eq!(event["erased"], json!(["/input/password", "/result/x~1y", "/result/m~0n"]));
    assert_eq!(event["masked"], json!(["/input/new/deep", "/input/user"]));
}

#[tokio::test]
async fn a_mask_may_remove_items_and_whole_parts() {
    let event = masked(r#"mask := ["/input/list/0", "/input/list/0/k", "/result"]"#).await;
    assert_eq!(event["input"]["list"], json!([{}, 3]));
    assert_eq!(event.get("result"), None);
    assert_eq!(event["erased"], json!(["/input/list/0", "/input/list/0/k", "/result"]));
}

#[tokio::test]
async fn an_event_whose_mask_is_wrong_keeps_nothing_that_it_might_have_hidden() {
    let wrong = [
        r#"mask := ["/input/password", "/labels"]"#,
        r#"mask := ["input/password"]"#,
        r#"mask := [{"op": "replace", "path": "/input/password"}]"#,
        "mask := [7]",
        r#"mask := "/input/password""#,
        "mask := 1 if input.path\nmask := 2 if input.path",
    ];
    for policy in wrong {
        let event = masked(policy).await;
        assert_eq!((event.get("input"), event.get("result")), (None, None), "{policy}");
        assert_eq!(event["erased"], json!(["/input", "/result"]), "{policy}");
        assert_eq!(event["path"], "p/allow", "{policy}");
    }
}

#[tokio::test]
async fn failures_of_masks_are_counted() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, MANUAL).await;
    agent.policy("package system.log\nmask := 7").await;
    arrived(&acme, &agent, agent.event("d1")).await;
    assert_eq!(agent.counter("decision_logs_mask_failed"), 1);
}

#[tokio::test]
async fn only_true_drops_an_event() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, MANUAL).await;
    agent
        .policy("package system.log\ndrop := input.input.drop\nmask contains \"/input/drop\" if input.input.drop != 1")
        .await;
    for (id, drop) in [("d1", "true"), ("d2", "false"), ("d3", "1"), ("d4", "\"true\"")] {
        let mut event = agent.event(id);
        event.input = Some(value(&format!("{{\"drop\": {drop}}}")));
        agent.record(event);
    }
    agent.upload().await.expect("the service is there");
    let ids: Vec<_> = acme.events().iter().map(|event| event["decision_id"].clone()).collect();
    assert_eq!(ids, ["d2", "d3", "d4"]);
}

#[tokio::test]
async fn policies_see_the_event_without_error_and_metrics() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, MANUAL).await;
    agent
        .policy("package system.log\ndrop if { not input.error\n not input.metrics\n input.labels.app == \"demo\" }")
        .await;
    let mut event = agent.event("d1");
    event.error = Some("bad".into());
    agent.record(event);
    agent.upload().await.expect("an empty upload is fine");
    assert!(acme.events().is_empty());
}

#[tokio::test]
async fn an_event_is_kept_without_its_contents_if_the_drop_policy_fails() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, MANUAL).await;
    agent.policy("package system.log\ndrop := true if input.path\ndrop := false if input.path").await;
    let event = arrived(&acme, &agent, agent.event("d1")).await;
    assert_eq!(event["erased"], json!(["/input", "/result"]));
    assert_eq!(agent.counter("decision_logs_drop_failed"), 1);
}

#[tokio::test]
async fn policies_are_asked_in_the_state_that_the_decision_saw() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, MANUAL).await;
    let before = agent.event("before");
    agent.policy("package system.log\ndrop := true").await;
    let after = agent.event("after");
    agent.record(after);
    let event = arrived(&acme, &agent, before).await;
    assert_eq!(event["decision_id"], "before");
    assert_eq!(acme.events().len(), 1);
}

#[tokio::test]
async fn other_documents_may_mask_and_drop() {
    let acme = ControlPlane::start().await;
    let config = r#"{"service": "acme", "mask_decision": "/my/mask", "drop_decision": "my/drop",
                     "reporting": {"trigger": "manual"}}"#;
    let agent = Agent::start(&acme, config).await;
    agent.policy("package my\nmask contains \"/input\"\ndrop if input.decision_id == \"d1\"").await;
    agent.decide("d1");
    let event = arrived(&acme, &agent, agent.event("d2")).await;
    assert_eq!((event["decision_id"].clone(), event.get("input")), (json!("d2"), None));
}
