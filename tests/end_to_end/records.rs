//! Every way in leaves an event, with everything that OPA says of a decision.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use regent_kit::{Agent, Answer, Bundle, ControlPlane, wait};
use serde_json::{Map, Value, json};

use crate::collector::Collector;
use crate::support::{SOON, ready, regent};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

const POLICY: &str = "package app

default allow := false

allow if input.user == \"ann\"

conflict := 1 if input.user

conflict := 2 if input.user == \"ann\"
";

/// Fields that every event has, whatever its way in; what is different each time is `true` here.
fn common() -> Map<String, Value> {
    let fields = json!({
        "labels": true, "decision_id": true, "bundles": {"authz": {"revision": "v1"}}, "timestamp": true, "metrics": true,
        "requested_by": true, "req_id": true, "trace_id": TRACE, "span_id": true, "nd_builtin_cache": {},
        "request_context": {"http": {"headers": {"X-Tenant": ["7", "8"]}}},
    });
    fields.as_object().expect("an object").clone()
}

async fn start(acme: &ControlPlane, collector: &Collector) -> Agent {
    acme.serve_bundle("authz", Bundle::new().revision("v1").roots(["app"]).rego("app.rego", POLICY).build());
    let polling = "{min_delay_seconds: 0, max_delay_seconds: 1}";
    let config = format!(
        "services: {{acme: {{url: \"{}\"}}}}\nlabels: {{region: test}}\ndefault_decision: app/allow\n\
         nd_builtin_cache: true\nbundles: {{authz: {{service: acme}}}}\n\
         decision_logs: {{service: acme, reporting: {polling}, request_context: {{http: {{headers: [X-Tenant]}}}}}}\n\
         distributed_tracing: {{type: http, address: \"{}\"}}\n",
        acme.url(),
        collector.address
    );
    ready(regent().config(&config)).await
}

async fn ask(agent: &Agent, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .header("x-tenant", "7")
        .header("X-TENANT", "8")
        .header("x-secret", "hidden")
        .body(Bytes::from(body));
    agent.send(request.expect("a request")).await.expect("an answer")
}

/// Requests, and what their events have beside the common fields; for each item of a batch one.
fn ways() -> Vec<(&'static str, &'static str, Value, Vec<Value>)> {
    let (ann, bob) = (json!({"user": "ann"}), json!({"user": "bob"}));
    let conflict = "complete rules must not produce multiple outputs";
    let error = |code: &str, message: &str| json!({"code": code, "message": message});
    let undefined = "document missing: data.app.nothing";
    vec![
        (
            "GET",
            "/v1/data/app/allow?input=%7B%22user%22:%22ann%22%7D",
            Value::Null,
            vec![json!({"path": "app/allow", "input": ann, "result": true})],
        ),
        (
            "POST",
            "/v1/data/app/allow",
            json!({"input": bob}),
            vec![json!({"path": "app/allow", "input": bob, "result": false})],
        ),
        ("POST", "/v1/data/app/nothing", json!({}), vec![json!({"path": "app/nothing"})]),
        (
            "POST",
            "/v1/data/app/conflict",
            json!({"input": ann}),
            vec![json!({"path": "app/conflict", "input": ann, "error": error("eval_conflict_error", conflict)})],
        ),
        ("POST", "/v0/data/app/allow", ann.clone(), vec![json!({"path": "app/allow", "input": ann, "result": true})]),
        (
            "POST",
            "/v0/data/app/nothing",
            ann.clone(),
            vec![json!({"path": "app/nothing", "input": ann, "error": error("undefined_document", undefined)})],
        ),
        ("POST", "/", bob.clone(), vec![json!({"path": "app/allow", "input": bob, "result": false})]),
        (
            "GET",
            "/v1/query?q=x=data.app.allow",
            Value::Null,
            vec![json!({"query": "x = data.app.allow", "result": [{"x": false}]})],
        ),
        (
            "POST",
            "/v1/query",
            json!({"query": "x=input.user", "input": ann}),
            vec![json!({"query": "x = input.user", "input": ann, "result": [{"x": "ann"}]})],
        ),
        (
            "POST",
            "/v1/batch/data/app/allow",
            json!({"inputs": {"a": ann, "b": bob}}),
            vec![
                json!({"path": "app/allow", "input": ann, "result": true, "batch_decision_id": true,
                "custom": {"type": "eopa.styra.com/batch"}}),
                json!({"path": "app/allow", "input": bob, "result": false, "batch_decision_id": true,
                "custom": {"type": "eopa.styra.com/batch"}}),
            ],
        ),
    ]
}

#[tokio::test]
async fn every_way_in_leaves_an_event_with_all_its_fields() {
    let (acme, collector) = (ControlPlane::start().await, Collector::start().await);
    let agent = start(&acme, &collector).await;
    let (mut seen, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (method, path, body, expected) in ways() {
        let before = acme.events().len();
        let answer = ask(&agent, method, path, &body).await;
        let mut events = wait::until(SOON, path, async || {
            let events = acme.events();
            (events.len() >= before + expected.len()).then(|| events[before..].to_vec())
        })
        .await
        .expect("the events arrive");
        events.sort_by_key(|event| event["input"].to_string());
        assert_eq!(events.len(), expected.len(), "{method} {path}");
        for (event, fields) in events.iter().zip(&expected) {
            checked(event, fields, &format!("{method} {path}"));
            assert!(seen.insert(event["decision_id"].to_string()), "an id of its own");
            numbers.insert(event["req_id"].as_u64());
        }
        let told: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
        if let Some(id) = told.get("decision_id") {
            assert_eq!(*id, events[0]["decision_id"], "{method} {path}");
        }
        assert_eq!(told.get("batch_decision_id"), events[0].get("batch_decision_id"), "{method} {path}");
    }
    assert_eq!(numbers.len(), ways().len(), "each request has its number");
}

/// An event has the fields expected and the common ones, and no other.
fn checked(event: &Value, expected: &Value, way: &str) {
    let event = event.as_object().expect("an object");
    let mut wanted = common();
    wanted.extend(expected.as_object().expect("an object").clone());
    let names = |fields: &Map<String, Value>| fields.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(event), names(&wanted), "{way}");
    for (name, value) in &wanted {
        match (name.as_str(), value) {
            ("error", value) => {
                assert_eq!(
                    (&event[name]["code"], &event[name]["message"]),
                    (&value["code"], &value["message"]),
                    "{way}"
                );
            }
            ("result", value) => assert_eq!(event[name], *value, "{way}"),
            (_, Value::Bool(true)) => {}
            (_, value) => assert_eq!(event[name], *value, "{way} {name}"),
        }
    }
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    assert_eq!(event["labels"]["region"], "test", "{way}");
    assert!(event["labels"]["id"].is_string() && event["labels"]["version"].is_string(), "{way}");
    assert_eq!((text("decision_id").len(), text("span_id").len()), (36, 16), "{way}");
    assert!(text("timestamp").ends_with('Z') && text("requested_by").starts_with("127.0.0.1:"), "{way}");
    // As in OPA, queries of one's own have no time of the handler.
    let timer = if event.contains_key("query") { "timer_rego_query_eval_ns" } else { "timer_server_handler_ns" };
    assert!(event["req_id"].is_u64() && event["metrics"][timer].is_u64(), "{way}: {event:?}");
}
