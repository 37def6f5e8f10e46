//! Health, configuration, status, metrics.

mod support;

use regent_core::Value;
use regent_core::status::State;
use support::{Agent, check};

#[tokio::test]
async fn bundles_and_plugins_count_when_asked_for() {
    let agent = Agent::start("{}").await;
    agent.host.status.set_plugin("bundle", State::NotReady, None);
    agent.host.status.set_plugin("discovery", State::Ok, None);
    check(&agent.get("/health").await, 200, "{}\n");
    check(&agent.get("/health?bundles").await, 500, "{\"error\":\"one or more bundles are not activated\"}\n");
    check(&agent.get("/health?plugins").await, 500, "{\"error\":\"one or more plugins are not up\"}\n");
    check(&agent.get("/health?plugins&exclude-plugin=bundle").await, 200, "{}\n");
    agent.host.status.set_plugin("bundle", State::Ok, None);
    check(&agent.get("/health?bundle=true&plugins").await, 200, "{}\n");
}

#[tokio::test]
async fn rules_see_the_states_of_plugins() {
    let agent = Agent::start("{}").await;
    agent.host.status.set_plugin("bundle", State::NotReady, None);
    let policy = "package system.health\n\nready if input.plugins_ready\n\nstates := input.plugin_state\n";
    agent.put("/v1/policies/health", policy).await;
    check(
        &agent.get("/health/ready").await,
        500,
        "{\"error\":\"health check (data.system.health.ready) was undefined\"}\n",
    );
    agent.host.status.set_plugin("bundle", State::Ok, None);
    check(&agent.get("/health/ready").await, 200, "{}\n");
    let odd = "{\"error\":\"health check (data.system.health.states) returned unexpected value\"}\n";
    check(&agent.get("/health/states").await, 500, odd);
    let no_rule = agent.get("/health/%22x").await;
    assert_eq!((no_rule.status.as_u16(), &no_rule.json()["code"]), (400, &"invalid_parameter".into()));
    assert_eq!(no_rule.json()["message"], "invalid path: invalid ref term '\"x'");
}

#[tokio::test]
async fn configuration_status_and_metrics_are_shown() {
    let agent = Agent::start("labels: {app: demo}").await;
    assert_eq!(agent.get("/v1/config").await.json()["result"]["labels"]["app"], "demo");
    assert_eq!(agent.get("/v1/status").await.json()["message"], "status plugin not enabled");
    agent.host.status.publish(Value::object([("labels", Value::empty_object())]));
    check(&agent.get("/v1/status").await, 200, "{\"result\":{\"labels\":{}}}\n");
    let metrics = agent.get("/metrics").await;
    assert!(metrics.header("content-type").is_some_and(|media| media.starts_with("text/plain; version=0.0.4")));
    let page = metrics.text();
    for piece in [
        "# HELP http_request_duration_seconds A histogram of duration for requests.",
        "# TYPE http_request_duration_seconds histogram",
        "http_request_duration_seconds_bucket{code=\"200\",handler=\"v1/config\",method=\"get\",le=\"",
        "http_request_duration_seconds_count{code=\"500\",handler=\"v1/status\",method=\"get\"} 1",
    ] {
        assert!(page.contains(piece), "{piece} is not in\n{page}");
    }
}

#[tokio::test]
async fn methods_and_paths_that_do_not_exist_are_refused_as_by_go() {
    let agent = Agent::start("{}").await;
    check(&agent.get("/nope").await, 404, "404 page not found\n");
    check(&agent.ask("BREW", "/v1/data/coffee", &[], "").await, 405, "");
    let listed = agent.ask("PUT", "/health", &[], "").await;
    check(&listed, 405, "Method Not Allowed\n");
    assert_eq!(listed.header("allow"), Some("GET, HEAD"));
    let moved = agent.get("/v1/data/x/?pretty").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (301, Some("/v1/data/x")));
    let head = agent.ask("HEAD", "/v1/config", &[], "").await;
    check(&head, 405, "");
    let head = agent.ask("HEAD", "/metrics", &[], "").await;
    check(&head, 200, "");
    let page = agent.get("/metrics").await.text();
    assert!(page.contains("{code=\"405\",handler=\"catchall\",method=\"unknown\""), "{page}");
    assert!(agent.get("/").await.text().contains("<title>Regent</title>"));
}
