//! Bundles from a registry.

use regent_kit::{Bundle, ControlPlane, Registry};
use serde_json::json;

use crate::agent::{Agent, LIMIT};
use crate::authz;

fn config(registry: &Registry, bundle: &str, more: &str) -> String {
    let (url, resource) = (registry.url(), "resource: 'ghcr.io/org/repo:latest'");
    format!("services: {{acme: {{url: '{url}', type: oci}}}}\nbundles: {{authz: {{{resource}, {bundle}}}}}\n{more}")
}

async fn started(bundle: &str) -> (Registry, Agent) {
    let registry = Registry::start().await;
    registry.push("org/repo", "latest", authz("v1", "1").build());
    let agent = Agent::start(&config(&registry, bundle, "")).await;
    (registry, agent)
}

#[tokio::test]
async fn a_bundle_is_active_until_another_one_is_pushed() {
    let (registry, agent) = started("trigger: manual").await;
    agent.trigger().await.expect("v1 arrives");
    let first = agent.revision("authz", "v1").await;
    let etag = |agent: &Agent| agent.host.store.snapshot().bundles()["authz"].etag.clone();
    let (_, layer) = registry.push("org/repo", "latest", authz("v1", "1").build());
    assert_eq!(etag(&agent).as_deref(), layer.strip_prefix("sha256:"));
    assert_eq!(first.size, Some(authz("v1", "1").build().len() as u64));

    agent.trigger().await.expect("nothing new");
    let second = agent.revision("authz", "v1").await;
    assert_eq!(second.last_successful_activation, first.last_successful_activation);
    assert!(second.last_successful_request > first.last_successful_request);

    let (_, layer) = registry.push("org/repo", "latest", authz("v2", "2").build());
    agent.trigger().await.expect("v2 arrives");
    agent.revision("authz", "v2").await;
    assert_eq!((etag(&agent).as_deref(), &*agent.ask("authz/answer")), (layer.strip_prefix("sha256:"), "2"));
}

#[tokio::test]
async fn what_goes_wrong_is_reported_with_what_was_answered_and_the_old_policy_stays() {
    let (registry, agent) = started("trigger: manual").await;
    agent.trigger().await.expect("v1 arrives");
    let tag = "/v2/org/repo/manifests/latest";
    let began = "failed to pull ghcr.io/org/repo:latest: download for 'ghcr.io/org/repo:latest' failed: ";
    for (status, words) in [(401, "Unauthorized"), (404, "Not Found"), (500, "Internal Server Error")] {
        registry.answer("HEAD", tag, status, &[], "");
        let text = format!("{began}HEAD {}{tag}: {status} {words}", registry.url());
        assert_eq!(agent.trigger().await, Err(text.clone()));
        let seen = agent.bundle("authz", |status| status.code.is_some()).await;
        assert_eq!((seen.http_code, seen.message), (Some(status), Some(text)));
        assert_eq!(agent.ask("authz/answer"), "1");
    }
    registry.answer_as_usual("HEAD", tag);
    let bundle = authz("v2", "2").build();
    let (_, layer) = registry.push("org/repo", "latest", bundle.clone());
    let blob = format!("/v2/org/repo/blobs/{layer}");
    // Of the same length, which is looked at first.
    let mut other = bundle.clone();
    other[bundle.len() / 2] ^= 1;
    registry.answer("GET", &blob, 200, &[], other);
    let error = agent.trigger().await.expect_err("another bundle");
    assert!(error.starts_with(&format!("{began}content of {layer} has another digest: ")), "{error}");
    let seen = agent.bundle("authz", |status| status.code.is_some()).await;
    assert_eq!((seen.http_code, &*agent.ask("authz/answer")), (None, "1"));
    registry.answer_as_usual("GET", &blob);
    agent.trigger().await.expect("v2 arrives");
    let seen = agent.revision("authz", "v2").await;
    assert_eq!((seen.code, seen.http_code, seen.message), (None, None, None));
}

#[tokio::test]
async fn a_registry_is_not_asked_to_hold_requests() {
    let (registry, acme) = (Registry::start().await, ControlPlane::start().await);
    registry.push("org/repo", "latest", authz("v1", "1").build());
    acme.serve_bundle("other", Bundle::new().data("other", json!({"x": 1})).roots(["other"]).build());
    let polling = "polling: {min_delay_seconds: 3000, max_delay_seconds: 3600, long_polling_timeout_seconds: 1}";
    let eager = "other: {service: acme, polling: {min_delay_seconds: 0, max_delay_seconds: 1}}";
    let (hub_url, acme_url) = (registry.url(), acme.url());
    let agent = Agent::start(&format!(
        "services: {{hub: {{url: '{hub_url}', type: oci}}, acme: {{url: '{acme_url}'}}}}\n\
         bundles: {{authz: {{service: hub, resource: 'hub/org/repo:latest', {polling}}}, {eager}}}\n"
    ))
    .await;
    agent.revision("authz", "v1").await;
    agent.trigger().await.expect("nothing new");
    registry.take_asked();

    // Whoever holds requests is asked again at once; here another bundle is asked for several times before that.
    let before = acme.requests().len();
    acme.wait_for_requests("/bundles/other", before + 4, LIMIT).await.expect("the other bundle is asked for");
    assert_eq!(registry.take_asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_on_disk_is_what_a_start_without_the_registry_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let kept = format!("persistence_directory: '{}'", directory.path().display());
    let registry = Registry::start().await;
    registry.push("org/repo", "latest", authz("v1", "1").build());
    let text = config(&registry, "trigger: manual, persist: true", &kept);
    let agent = Agent::start(&text).await;
    agent.trigger().await.expect("v1 arrives");
    drop((agent, registry));
    let agent = Agent::start(&text).await;
    agent.revision("authz", "v1").await;
    assert_eq!(agent.ask("authz/answer"), "1");
}

#[tokio::test]
async fn a_layer_larger_than_configured_is_refused() {
    let (_registry, agent) = started("trigger: manual, size_limit_bytes: 10").await;
    let error = agent.trigger().await.expect_err("too large");
    assert_eq!(error, "bundle file u.rego size (27 bytes) exceeds configured size_limit_bytes (10 bytes)");
}
