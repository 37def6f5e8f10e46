//! What goes wrong: kept out, reported, tried again.

use bytes::Bytes;
use regent_core::status::State;
use regent_kit::{Bundle, ControlPlane, Fault};
use serde_json::json;

use crate::agent::{Agent, LIMIT};
use crate::{AUTHZ, active, authz};

#[tokio::test]
async fn what_goes_wrong_is_reported_and_the_old_policy_stays() {
    let broken_rego = Bundle::new().rego("u.rego", "package authz\n\nanswer := {\n").roots(["authz"]).build();
    let outside = Bundle::new().data("other", json!({"x": 1})).roots(["authz"]).build();
    let outside_package = Bundle::new().rego("u.rego", "package other").roots(["authz"]).build();
    let whole = authz("v2", "2").build();
    let cut = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    let cases = [
        (Fault::Status(500), "server replied with Internal Server Error"),
        (Fault::Reset, "request failed: "),
        (Fault::Truncate(20), "archive read failed: "),
        (Fault::Body(cut), "archive read failed: "),
        (Fault::Body(Bytes::from_static(b"no gzip")), "archive read failed: "),
        (Fault::Body(outside.into()), "manifest roots [authz] do not permit data at path '/other'"),
        (
            Fault::Body(outside_package.into()),
            "manifest roots [authz] do not permit 'package other' in module 'u.rego'",
        ),
        (Fault::Body(broken_rego.into()), "error(s) occurred while compiling module(s)"),
    ];
    let (acme, agent) = active().await;
    acme.serve_bundle("authz", whole);
    for (fault, expected) in cases {
        acme.fail_next(AUTHZ, fault.clone());
        agent.trigger().await.expect_err("the fault");
        let status = agent.bundle("authz", |status| status.code.is_some()).await;
        let message = status.message.expect("a message");
        assert!(message.starts_with(expected), "{fault:?}: {message}");
        assert_eq!((status.code, status.active_revision.as_deref()), (Some("bundle_error"), Some("v1")));
        assert_eq!(status.http_code, (fault == Fault::Status(500)).then_some(500));
        assert_eq!(status.errors.is_some(), expected.starts_with("error(s)"));
        assert_eq!(agent.ask("authz/answer"), "1");
    }
    let state = agent.host.status.report().plugins["bundle"].state;
    assert_eq!(state, State::Ok, "once ready, always ready");
    agent.trigger().await.expect("v2 arrives");
    let status = agent.revision("authz", "v2").await;
    assert_eq!((status.code, status.message, status.errors), (None, None, None));
}

#[tokio::test]
async fn errors_of_policies_are_listed_with_their_place() {
    let (acme, agent) = active().await;
    let broken = Bundle::new().rego("dir/u.rego", "package authz\n\nanswer := {\n").roots(["authz"]);
    acme.serve_bundle("authz", broken.build());
    agent.trigger().await.expect_err("it does not parse");
    let status = agent.bundle("authz", |status| status.errors.is_some()).await;
    let errors = status.errors.expect("errors");
    let first = &errors.as_array().expect("a list")[0];
    assert_eq!(first.get("code").and_then(|code| code.as_str()), Some("rego_parse_error"));
    let file = first.at(["location", "file"]).and_then(|file| file.as_str());
    assert_eq!(file, Some("dir/u.rego"));
}

#[tokio::test]
async fn only_200_and_304_count_as_answers() {
    let (acme, agent) = active().await;
    for code in [201, 204, 206, 404] {
        acme.fail_next(AUTHZ, Fault::Status(code));
        agent.trigger().await.expect_err("no success");
        agent.bundle("authz", |status| status.http_code == Some(code)).await;
    }
    acme.fail_next(AUTHZ, Fault::Body(Bytes::new()));
    agent.trigger().await.expect("an empty body is no error");
    assert_eq!(agent.ask("authz/answer"), "1");
}

#[tokio::test]
async fn after_a_failed_activation_the_old_etag_is_sent() {
    let (acme, agent) = active().await;
    let old = agent.host.store.snapshot().bundles()["authz"].etag.clone().expect("an etag");
    let conflicting = Bundle::new()
        .rego("u.rego", "package authz\n\nanswer := 1\n")
        .data("authz", json!({"answer": 2}))
        .roots(["authz"]);
    acme.serve_bundle("authz", conflicting.build());
    for _ in 0..2 {
        agent.trigger().await.expect_err("it conflicts");
        let status = agent.bundle("authz", |status| status.code.is_some()).await;
        assert_eq!((status.kind, status.active_revision.as_deref()), (Some("snapshot"), Some("v1")));
        assert_eq!(acme.requests().last().and_then(|last| last.header("if-none-match")), Some(&*old));
    }
    assert_eq!(agent.ask("authz/answer"), "1");
}

#[tokio::test]
async fn failures_are_retried_soon_whatever_the_polling_time() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    for _ in 0..2 {
        acme.fail_next(AUTHZ, Fault::Status(503));
    }
    let polling = "polling: {min_delay_seconds: 3000, max_delay_seconds: 3600}";
    let url = acme.url();
    let agent =
        Agent::start(&format!("services: {{acme: {{url: '{url}'}}}}\nbundles: {{authz: {{{polling}}}}}\n")).await;
    agent.revision("authz", "v1").await;
    assert_eq!(acme.wait_for_requests(AUTHZ, 3, LIMIT).await.expect("requests").len(), 3);
}

#[tokio::test]
async fn a_file_larger_than_configured_is_refused() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let url = acme.url();
    let bundle = "{trigger: manual, size_limit_bytes: 10}";
    let agent = Agent::start(&format!("services: {{acme: {{url: '{url}'}}}}\nbundles: {{authz: {bundle}}}")).await;
    let error = agent.trigger().await.expect_err("too large");
    assert_eq!(error, "bundle file u.rego size (27 bytes) exceeds configured size_limit_bytes (10 bytes)");
}
