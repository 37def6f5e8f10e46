//! Configuration and policies from an OCI registry that wants tokens.

use regent_kit::{Bundle, ControlPlane, Registry, wait};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, decide, ready, regent};

const QUICKLY: &str = "{min_delay_seconds: 1, max_delay_seconds: 1}";

/// The registry, which is its own token endpoint. Credentials are `user:s3cret`.
async fn registry() -> Registry {
    let registry = Registry::start().await;
    let challenge = format!(r#"Bearer realm="{}/token",service="hub""#, registry.url());
    registry.require("Bearer t0ken", &challenge);
    registry.issue("t0ken", Some("Basic dXNlcjpzM2NyZXQ="));
    let polling = json!({"min_delay_seconds": 1, "max_delay_seconds": 1});
    let authz = json!({"service": "hub", "resource": "hub/policies/authz:stable", "polling": polling, "persist": true});
    let configuration = json!({"bundles": {"authz": authz}, "status": {"service": "acme"}});
    registry.push("agents/config", "v1", Bundle::new().revision("c1").data("", configuration).build());
    registry.push("policies/authz", "stable", bundle("v1", &["ann"]));
    registry
}

fn boot(registry: &Registry, acme: &ControlPlane) -> String {
    let credentials = "credentials: {bearer: {token: 'user:s3cret', scheme: Basic}}";
    format!(
        "services: {{hub: {{url: '{}', type: oci, {credentials}}}, acme: {{url: '{}'}}}}\npersistence_directory: kept\n\
         discovery: {{service: hub, resource: 'hub/agents/config:v1', polling: {QUICKLY}, persist: true}}\n",
        registry.url(),
        acme.url()
    )
}

fn authz<'a>(report: &'a Value, key: &str) -> &'a Value {
    &report["bundles"]["authz"][key]
}

#[tokio::test]
async fn all_that_an_agent_needs_comes_from_a_registry_and_outlives_it() {
    let (registry, acme) = (registry().await, ControlPlane::start().await);
    let agent = ready(regent().config(&boot(&registry, &acme))).await;
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");

    let (_, layer) = registry.push("policies/authz", "stable", bundle("v2", &["bob"]));
    let report = acme.wait_for_status(SOON, |report| authz(report, "active_revision") == "v2").await;
    assert_eq!(authz(&report.expect("v2 becomes active"), "code"), &Value::Null);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "bob"})).await, true);
    let etag = agent.get("/v1/data/system/bundles/authz/etag").await.json()["result"].clone();
    assert_eq!(etag, layer.trim_start_matches("sha256:"));

    // Whoever changes the password locks the agent out, and in again.
    registry.issue("t0ken", Some("Basic another"));
    let report = acme.wait_for_status(SOON, |report| authz(report, "http_code") == 401).await;
    let report = report.expect("the refusal is reported");
    let text = authz(&report, "message").as_str().unwrap_or_default();
    let began =
        "failed to pull hub/policies/authz:stable: download for 'hub/policies/authz:stable' failed: token endpoint ";
    assert!(text.starts_with(began) && text.ends_with("/token: 401 Unauthorized"), "{text}");
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v2");
    registry.issue("t0ken", Some("Basic dXNlcjpzM2NyZXQ="));
    let last = bundle("v3", &["ann"]);
    registry.push("policies/authz", "stable", last.clone());
    let report = acme.wait_for_status(SOON, |report| authz(report, "active_revision") == "v3").await;
    assert_eq!(authz(&report.expect("v3 becomes active"), "code"), &Value::Null);

    let copy = agent.dir().join("kept/bundles/authz/bundle.tar.gz");
    let kept = async || std::fs::read(&copy).is_ok_and(|kept| kept == last).then_some(());
    wait::until(SOON, "the copy", kept).await.expect("what is active is kept");
    let command = agent.into_command().await;
    drop(registry);
    let agent = ready(command).await;
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v3");
    let shown = agent.get("/v1/config").await.text();
    assert!(!shown.contains("s3cret"), "{shown}");
}
