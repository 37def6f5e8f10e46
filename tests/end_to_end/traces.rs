//! Whatever happens for a request belongs to its trace, and a collector is told of it.

use http::Request;
use regent_kit::{Agent, Answer, Certificates, ControlPlane, Received};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::collector::{Collector, Seen};
use crate::support::{SOON, regent};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

const POLICY: &str = "package app

remote := http.send({\"method\": \"get\", \"url\": input.url, \"raise_error\": false}).status_code

conflict := 1 if input.a

conflict := 2 if input.b
";

const QUICK: &str = "batch_span_processor_options: {batch_timeout_ms: 20}";

/// Asks as a part of that trace; its first byte says whether the trace is in the sample.
async fn ask(agent: &Agent, path: &str, body: &Value, flags: &str) -> Answer {
    let request = Request::post(path)
        .header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"))
        .header("tracestate", "vendor=opaque")
        .header("baggage", "tenant=7")
        .body(body.to_string().into());
    agent.send(request.expect("a request")).await.expect("an answer")
}

async fn start(config: &str) -> Agent {
    let agent = regent().config(config).file("app.rego", POLICY).arg("app.rego").start().await;
    agent.expect("the agent starts")
}

async fn received(acme: &ControlPlane, path: &str) -> Received {
    acme.wait_for_request(SOON, |request| request.bare_path() == path).await.expect("the request arrives")
}

fn logs(acme: &ControlPlane) -> String {
    let reporting = "{min_delay_seconds: 1, max_delay_seconds: 1}";
    format!(
        "services: {{acme: {{url: \"{}\"}}}}\ndecision_logs: {{service: acme, reporting: {reporting}}}\n",
        acme.url()
    )
}

#[tokio::test]
async fn a_request_and_all_that_it_needs_are_spans_of_its_trace() {
    for kind in ["http", "grpc"] {
        let (acme, collector) = (ControlPlane::start().await, Collector::start().await);
        acme.serve_bundle("x", "bytes");
        let resource = "resource: {service_version: '7', deployment_environment: test}";
        let tracing =
            format!("{{type: {kind}, address: \"{}\", service_name: gate, {resource}, {QUICK}}}", collector.address);
        let agent = start(&format!("{}distributed_tracing: {tracing}\n", logs(&acme))).await;
        let input = json!({"input": {"url": format!("{}/bundles/x?a=b", acme.url())}});
        let answer = ask(&agent, "/v1/data/app/remote", &input, "01").await.json();
        assert_eq!(answer["result"], 200, "{answer}");

        let server = collector.wait_for("the server's span", |span| span.name == "POST v1/data").await;
        assert_eq!((&*server.trace, &*server.parent, server.kind, server.failed), (TRACE, PARENT, 2, false));
        let attribute = |name: &str| server.attributes.get(name).map(String::as_str);
        assert_eq!(attribute("http.request.method"), Some("POST"));
        assert_eq!(attribute("http.route"), Some("/v1/data/{path...}"));
        assert_eq!(attribute("url.path"), Some("/v1/data/app/remote"));
        assert_eq!(attribute("http.response.status_code"), Some("200"));
        assert_eq!(attribute("network.peer.address"), Some("127.0.0.1"));
        assert_eq!(attribute("opa.decision_id"), answer["decision_id"].as_str());
        let resource: Vec<_> = server.resource.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(resource.join(" "), "deployment.environment=test service.name=gate service.version=7");

        let client = collector.wait_for("the client's span", |span| span.name == "GET /bundles/x").await;
        assert_eq!((&*client.trace, &client.parent, client.kind), (TRACE, &server.id, 3));
        assert_eq!(client.attributes["url.full"], format!("{}/bundles/x?a=b", acme.url()));
        assert_eq!(client.attributes["http.response.status_code"], "200");
        let asked = received(&acme, "/bundles/x").await;
        assert_eq!(asked.header("traceparent"), Some(&*format!("00-{TRACE}-{}-01", client.id)));
        assert_eq!((asked.header("tracestate"), asked.header("baggage")), (Some("vendor=opaque"), Some("tenant=7")));

        let event = acme.wait_for_events(1, SOON).await.expect("the decision is logged").remove(0);
        assert_eq!((&event["trace_id"], &event["span_id"]), (&json!(TRACE), &json!(server.id)));
        uploads_begin_traces_of_their_own(&acme, &collector).await;
    }
}

async fn uploads_begin_traces_of_their_own(acme: &ControlPlane, collector: &Collector) {
    let upload = collector.wait_for("the upload's span", |span| span.name == "POST /logs").await;
    assert!(upload.trace != TRACE && upload.parent.is_empty() && upload.kind == 3, "{upload:?}");
    let sent = received(acme, "/logs").await;
    assert_eq!(sent.header("traceparent"), Some(&*format!("00-{}-{}-01", upload.trace, upload.id)));
}

#[tokio::test]
async fn without_a_collector_nobody_hears_of_traces() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("x", "bytes");
    let agent = start(&logs(&acme)).await;
    let input = json!({"input": {"url": format!("{}/bundles/x", acme.url())}});
    assert_eq!(ask(&agent, "/v1/data/app/remote", &input, "01").await.json()["result"], 200);
    let asked = received(&acme, "/bundles/x").await;
    assert_eq!((asked.header("traceparent"), asked.header("baggage")), (None, None));
    let event = acme.wait_for_events(1, SOON).await.expect("the decision is logged").remove(0);
    assert!(event.get("trace_id").is_none() && event.get("span_id").is_none(), "{event}");
}

#[tokio::test]
async fn traces_outside_the_sample_are_logged_and_passed_on_but_not_shown() {
    let (acme, collector) = (ControlPlane::start().await, Collector::start().await);
    acme.serve_bundle("x", "bytes");
    let tracing = format!("{{type: http, address: \"{}\", sample_percentage: 0, {QUICK}}}", collector.address);
    let agent = start(&format!("{}distributed_tracing: {tracing}\n", logs(&acme))).await;
    let input = json!({"input": {"url": format!("{}/bundles/x", acme.url())}});
    ask(&agent, "/v1/data/app/remote", &input, "00").await;
    agent.post("/v1/data/app/conflict", json!({})).await;
    let asked = received(&acme, "/bundles/x").await;
    let passed = asked.header("traceparent").expect("it is passed on");
    assert!(passed.starts_with(&format!("00-{TRACE}-")) && passed.ends_with("-00"), "{passed}");
    let events = acme.wait_for_events(2, SOON).await.expect("the decisions are logged");
    assert_eq!(events[0]["trace_id"], TRACE);
    assert!(events[1]["trace_id"].is_string() && events[1]["trace_id"] != TRACE, "{}", events[1]);
    // The client's word counts for a trace that has begun elsewhere. Spans arrive in their order.
    ask(&agent, "/v1/data/app/remote", &input, "01").await;
    collector.wait_for("the server's span", |span| span.name == "POST v1/data").await;
    let shown = collector.seen().iter().filter(|span| span.name == "POST v1/data").count();
    assert_eq!(shown, 1, "{:?}", collector.seen());
}

#[tokio::test]
async fn failures_and_batches_show_in_their_spans() {
    let collector = Collector::start().await;
    let tracing = format!("distributed_tracing: {{type: grpc, address: \"{}\", {QUICK}}}\n", collector.address);
    let agent = start(&format!("{tracing}decision_logs: {{console: true}}\n")).await;
    let both = json!({"a": 1, "b": 1});
    assert_eq!(agent.post("/v1/data/app/conflict", json!({"input": both})).await.status, 500);
    let failed = collector.wait_for("the span", |span| span.name == "POST v1/data").await;
    assert!(failed.failed && failed.attributes["http.response.status_code"] == "500", "{failed:?}");
    let batch = agent.post("/v1/batch/data/app/conflict", json!({"inputs": {"a": {}, "b": both}})).await;
    assert_eq!(batch.status, 207, "{}", batch.text());
    let span = collector.wait_for("the batch's span", |span| span.name == "POST v1/batch/data").await;
    assert_eq!(Some(&*span.attributes["opa.decision_id"]), batch.json()["batch_decision_id"].as_str());
    assert!(!span.failed && span.parent.is_empty(), "{span:?}");
}

#[tokio::test]
async fn a_collector_may_want_to_see_a_certificate() {
    for kind in ["http", "grpc"] {
        let certificates = Certificates::generate();
        let collector = Collector::start_mutual(&certificates).await;
        let files = "tls_ca_cert_file: ca.pem, tls_cert_file: cert.pem, tls_private_key_file: key.pem";
        let tracing =
            format!("{{type: {kind}, address: \"{}\", encryption: mtls, {files}, {QUICK}}}", collector.address);
        let agent = regent()
            .config(&format!("distributed_tracing: {tracing}\n"))
            .file("ca.pem", &certificates.ca)
            .file("cert.pem", &certificates.client_cert)
            .file("key.pem", &certificates.client_key);
        let agent = agent.start().await.expect("the agent starts");
        agent.get("/health").await;
        let span = collector.wait_for("the span", |span| span.name == "GET health").await;
        assert_eq!(span.resource["service.name"], "opa");
    }
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

#[tokio::test]
async fn a_collector_that_is_away_changes_nothing_but_a_counter() {
    for kind in ["http", "grpc"] {
        let options = "{batch_timeout_ms: 1, export_timeout_ms: 100, max_queue_size: 1, max_export_batch_size: 1}";
        let tracing =
            format!("{{type: {kind}, address: \"{}\", batch_span_processor_options: {options}}}", nobody().await);
        let mut agent = start(&format!("distributed_tracing: {tracing}\n")).await;
        for _ in 0..50 {
            let answer = ask(&agent, "/v1/data/app/conflict", &json!({"input": {"a": 1}}), "01").await;
            assert_eq!(answer.json()["result"], 1);
        }
        for reason in ["queue_full", "not_delivered"] {
            let counter = format!("distributed_tracing_spans_dropped{{reason=\"{reason}\"}} ");
            let is_counted = async || {
                let metrics = agent.get("/metrics").await.text();
                let line = metrics.lines().find_map(|line| line.strip_prefix(&counter).map(str::to_owned));
                (line? != "0").then_some(())
            };
            regent_kit::wait::until(SOON, &counter, is_counted).await.expect("the loss is counted");
        }
        for loss in ["spans are lost: the queue was full", "1 spans are lost: "] {
            agent.wait_for_log(loss, SOON).await.expect("the loss is reported");
        }
        assert_eq!(agent.get("/health?plugins").await.status, 200);
        agent.terminate().expect("the signal is sent");
        assert!(agent.wait(SOON).await.expect("it ends").success(), "{}", agent.stderr());
    }
}

#[tokio::test]
async fn what_is_left_is_delivered_at_the_end() {
    let collector = Collector::start().await;
    let options = "batch_span_processor_options: {batch_timeout_ms: 3600000}";
    let tracing = format!("{{type: http, address: \"{}\", {options}}}", collector.address);
    let mut agent = start(&format!("distributed_tracing: {tracing}\n")).await;
    ask(&agent, "/v1/data/app/conflict", &json!({}), "01").await;
    assert!(collector.seen().iter().all(|span: &Seen| span.name != "POST v1/data"));
    agent.terminate().expect("the signal is sent");
    assert!(agent.wait(SOON).await.expect("it ends").success(), "{}", agent.stderr());
    assert_eq!(collector.seen().iter().filter(|span| span.name == "POST v1/data").count(), 1);
}

#[tokio::test]
async fn a_configuration_that_opa_refuses_is_refused_in_its_words() {
    let output = regent().config("distributed_tracing: {type: zipkin}\n").run_to_end(SOON).await.expect("it ends");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = r#"unknown distributed_tracing.type 'zipkin', must be "grpc", "http" or "" (unset)"#;
    assert!(output.status.code() == Some(1) && error.contains(expected), "{error}");
}
