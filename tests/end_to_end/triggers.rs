//! Bundles and the configuration, fetched when someone asks for it through the API.

use std::time::Duration;

use regent_kit::{Agent, Answer, Bundle, ControlPlane, Fault};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, decide, regent};

const TRIGGER: &str = "/v1/bundles/authz/trigger";

/// A configuration whose bundle is fetched only when someone asks for it.
fn manual(acme: &ControlPlane) -> String {
    let url = acme.url();
    format!(
        "services: {{acme: {{url: \"{url}\"}}}}\nstatus: {{service: acme}}\nbundles: {{authz: {{trigger: manual}}}}\n"
    )
}

async fn start(acme: &ControlPlane) -> Agent {
    regent().config(&manual(acme)).start().await.expect("the agent starts")
}

#[track_caller]
fn check(answer: &Answer, status: u16, expected: &Value) {
    assert_eq!((answer.status.as_u16(), &answer.json()), (status, expected));
}

#[tokio::test]
async fn a_bundle_is_fetched_when_asked_for_and_the_answer_says_what_came_of_it() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = start(&acme).await;
    assert_eq!(agent.get("/health?bundles").await.status, 500, "it does not come by itself");
    let outcome = |outcome: &str| json!({"result": {"outcome": outcome, "revision": "v1"}});
    check(&agent.post(TRIGGER, ()).await, 200, &outcome("activated"));
    assert_eq!(agent.get("/health?bundles").await.status, 200);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    let pretty = agent.post(&format!("{TRIGGER}?pretty"), ()).await;
    check(&pretty, 200, &outcome("unchanged"));
    assert!(pretty.text().starts_with("{\n  \"result\""), "{}", pretty.text());

    acme.fail_next("/bundles/authz", Fault::Status(503));
    let unavailable = "server replied with Service Unavailable";
    let refused = json!({"code": "bundle_error", "message": unavailable, "http_code": 503});
    check(&agent.post(TRIGGER, ()).await, 502, &refused);
    acme.serve_bundle("authz", Bundle::new().rego("app.rego", "package app\n\nallow if {").build());
    let broken = agent.post(TRIGGER, ()).await;
    assert_eq!((broken.status.as_u16(), &broken.json()["errors"][0]["code"]), (502, &"rego_parse_error".into()));
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "what was active is active still");
}

#[tokio::test]
async fn what_is_not_fetched_is_not_found() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme).await;
    let unknown = |what: &str| json!({"code": "resource_not_found", "message": format!("{what} not found")});
    check(&agent.post("/v1/bundles/team%2Fother/trigger", ()).await, 404, &unknown(r#"bundle "team/other""#));
    check(&agent.post("/v1/discovery/trigger", ()).await, 404, &unknown("discovery"));
    let read = agent.get(TRIGGER).await;
    assert_eq!((read.status.as_u16(), read.header("allow")), (405, Some("POST")));
    assert_eq!(agent.post("/v1/bundles/authz", ()).await.status, 404);
    assert!(acme.requests().iter().all(|request| request.path == "/status"), "nobody was asked");
}

#[tokio::test]
async fn the_authorization_policy_decides_who_may_ask() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let policy = "package system.authz\n\ndefault allow := false\n\nallow if {\n\tinput.identity == \"releaser\"\n\tinput.method == \"POST\"\n\t\
                  input.path == [\"v1\", \"bundles\", \"authz\", \"trigger\"]\n}\n\nallow if input.path[0] == \"health\"\n";
    let command = regent().config(&manual(&acme)).file("authz.rego", policy).arg("authz.rego");
    let command = command.args(["--authentication=token", "--authorization=basic"]);
    let agent = command.start().await.expect("the agent starts");
    let ask = async |token: Option<&str>| {
        let request = http::Request::post(TRIGGER);
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        agent.send(request.body(bytes::Bytes::new()).expect("a request")).await.expect("an answer").status.as_u16()
    };
    assert_eq!((ask(None).await, ask(Some("someone")).await), (401, 401));
    assert!(acme.requests().iter().all(|request| request.path == "/status"), "nothing was fetched");
    assert_eq!(ask(Some("releaser")).await, 200);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_end_the_fetch() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    acme.fail_next("/bundles/authz", Fault::Hang(Duration::from_secs(1)));
    let agent = start(&acme).await;
    let asking = agent.post(TRIGGER, ());
    tokio::select! {
        answer = asking => panic!("the service has not answered yet: {}", answer.text()),
        asked = acme.wait_for_requests("/bundles/authz", 1, SOON) => drop(asked.expect("a request")),
    }
    let active = |report: &Value| report["bundles"]["authz"]["active_revision"] == "v1";
    acme.wait_for_status(SOON, active).await.expect("it becomes active");
    let asked = acme.requests().iter().filter(|request| request.path == "/bundles/authz").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn the_configuration_is_discovered_when_asked_for_and_its_bundles_wait_as_well() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let found = |revision: &str, data: Value| Bundle::new().revision(revision).data("", data).build();
    acme.serve_bundle("discovery", found("d1", json!({"bundles": {"authz": {"service": "acme"}}})));
    let url = acme.url();
    let config = format!(
        "services: {{acme: {{url: \"{url}\"}}}}\ndiscovery: {{resource: bundles/discovery, trigger: manual}}\n"
    );
    let agent = regent().config(&config).start().await.expect("the agent starts");
    assert_eq!(agent.post(TRIGGER, ()).await.status, 404, "nothing has been discovered");
    assert!(acme.requests().is_empty());
    let discovered = json!({"result": {"outcome": "activated", "revision": "d1"}});
    check(&agent.post("/v1/discovery/trigger", ()).await, 200, &discovered);
    check(&agent.post(TRIGGER, ()).await, 200, &json!({"result": {"outcome": "activated", "revision": "v1"}}));
    assert_eq!(agent.get("/health?bundles").await.status, 200);

    acme.serve_bundle("discovery", found("d2", json!({"bundles": {"authz": {"service": "nobody"}}})));
    let refused = agent.post("/v1/discovery/trigger", ()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (502, &"bundle_error".into()));
    let message = refused.json()["message"].as_str().map(str::to_owned).expect("a message");
    assert!(message.contains(r#"service name "nobody" not found"#), "{message}");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
}
