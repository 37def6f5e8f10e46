//! What goes wrong with a bundle is reported, and the old policy goes on.

use regent_kit::{Bundle, ControlPlane, Fault};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, config, decide, ready, regent};

/// Starts with a good bundle, lets the fault happen, and gives the bundle's status that reports it.
async fn after(fault: impl FnOnce(&ControlPlane)) -> Value {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().config(&config(&acme))).await;
    fault(&acme);
    let failed = |status: &Value| status["bundles"]["authz"]["code"] == "bundle_error";
    let status = acme.wait_for_status(SOON, failed).await.expect("the failure is reported");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "the old policy is still served");
    let authz = status["bundles"]["authz"].clone();
    assert_eq!(authz["active_revision"], "v1");

    // And once all is well again, the error goes away.
    acme.fail_always("/bundles/authz", None);
    acme.serve_bundle("authz", bundle("v2", &["bob"]));
    let recovered = |status: &Value| status["bundles"]["authz"]["active_revision"] == "v2";
    let status = acme.wait_for_status(SOON, recovered).await.expect("the recovery is reported");
    assert_eq!(status["bundles"]["authz"].get("code"), None);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "bob"})).await, true);
    authz
}

fn message(status: &Value) -> &str {
    status["message"].as_str().expect("a message")
}

#[tokio::test]
async fn a_service_that_fails() {
    let status = after(|acme| acme.fail_always("/bundles/authz", Some(Fault::Status(500)))).await;
    assert_eq!(message(&status), "server replied with Internal Server Error");
    assert_eq!(status["http_code"], 500);
}

#[tokio::test]
async fn a_connection_that_breaks() {
    let status = after(|acme| acme.fail_always("/bundles/authz", Some(Fault::Reset))).await;
    assert!(message(&status).starts_with("request failed: "), "{status}");
}

#[tokio::test]
async fn a_body_that_is_cut_off() {
    let status = after(|acme| acme.fail_always("/bundles/authz", Some(Fault::Truncate(40)))).await;
    assert!(!message(&status).is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_gzip() {
    let body = Fault::Body(b"this is no archive"[..].into());
    let status = after(|acme| acme.fail_always("/bundles/authz", Some(body))).await;
    assert!(message(&status).contains("archive read failed"), "{status}");
}

#[tokio::test]
async fn a_policy_that_does_not_parse() {
    let broken = Bundle::new().revision("bad").roots(["app"]).rego("app.rego", "package app\n\nallow if {").build();
    let status = after(|acme| drop(acme.serve_bundle("authz", broken))).await;
    assert_eq!(status["errors"][0]["code"], "rego_parse_error", "{status}");
    assert_eq!(status["errors"][0]["location"]["file"], "app.rego");
}

#[tokio::test]
async fn data_outside_the_roots() {
    let outside = Bundle::new().roots(["app"]).data("other", json!({"x": 1})).build();
    let status = after(|acme| drop(acme.serve_bundle("authz", outside))).await;
    assert!(message(&status).contains("manifest roots [app] do not permit data at path '/other'"), "{status}");
}

#[tokio::test]
async fn two_bundles_that_claim_one_root() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().config(&config(&acme))).await;
    let two = config(&acme).replace(
        "bundles: {authz:",
        "bundles: {other: {service: acme, polling: {min_delay_seconds: 1, max_delay_seconds: 1}}, authz:",
    );
    drop(agent);

    acme.serve_bundle("other", Bundle::new().revision("o1").roots(["app/users"]).build());
    let agent = regent().config(&two).start().await.expect("the agent starts");
    let overlap = |status: &Value| {
        ["authz", "other"].iter().any(|name| {
            let message = status["bundles"][name]["message"].as_str();
            message.is_some_and(|text| {
                text.contains("detected overlapping roots in manifests for these bundles: [authz, other]")
            })
        })
    };
    acme.wait_for_status(SOON, overlap).await.expect("the overlap is reported");
    let health = agent.get("/health?bundles").await;
    assert_eq!(health.status, 500);
    assert_eq!(health.json()["error"], "one or more bundles are not activated");
}
