//! The plugin against a real service: what comes in, what is kept when it does not, and what status says of it.

mod common;

use bytes::Bytes;
use common::{Agent, LIMIT, eager, manual};
use regent_core::status::{Moment, State};
use regent_kit::{Bundle, ControlPlane, Fault};
use serde_json::json;

const AUTHZ: &str = "/bundles/authz";

fn authz(revision: &str, value: &str) -> Bundle {
    Bundle::new().rego("u.rego", &format!("package authz\n\nanswer := {value}\n")).roots(["authz"]).revision(revision)
}

/// A service that has a good bundle, and an agent on which it is active.
async fn active() -> (ControlPlane, Agent) {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    agent.trigger().await.expect("v1 arrives");
    (acme, agent)
}

#[tokio::test]
async fn a_bundle_becomes_active_and_its_status_says_so() {
    let acme = ControlPlane::start().await;
    let bytes = authz("v1", "1").data("authz/users", json!({"ann": 1})).build();
    let etag = acme.serve_bundle("authz", bytes.clone());
    let agent = Agent::start(&eager(&acme, &["authz"])).await;
    let status = agent.revision("authz", "v1").await;
    agent.ready().await;

    assert_eq!((agent.ask("authz/answer"), agent.ask("authz/users/ann")), ("1".to_owned(), "1".to_owned()));
    assert_eq!((status.kind, status.size), (Some("snapshot"), Some(bytes.len() as u64)));
    assert_eq!((status.code, status.message, status.errors, status.http_code), (None, None, None, None));
    let never = Moment::default();
    assert!(status.last_successful_activation > never && status.last_successful_download > never);
    assert!(status.metrics.expect("metrics").get("timer_rego_load_bundles_ns").is_some());
    let snapshot = agent.host.store.snapshot();
    let policy = &snapshot.policies()["authz/u.rego"];
    assert_eq!(&*policy.source().file, "u.rego");
    assert_eq!(snapshot.bundles()["authz"].etag.as_deref(), Some(&*etag));
    let first = &acme.requests()[0];
    assert_eq!((first.header("if-none-match"), first.header("accept-encoding")), (None, Some("gzip")));
}

#[tokio::test]
async fn an_unchanged_bundle_is_asked_for_with_its_etag_and_stays() {
    let (acme, agent) = active().await;
    let before = agent.host.store.snapshot().generation();
    let status = agent.revision("authz", "v1").await;
    agent.trigger().await.expect("not modified");
    let later = agent.bundle("authz", |now| now.last_successful_request > status.last_successful_request).await;
    assert_eq!(later.last_successful_download, status.last_successful_download);
    assert_eq!(agent.host.store.snapshot().generation(), before);
    assert!(acme.requests()[1].header("if-none-match").is_some());
}

#[tokio::test]
async fn a_bundle_without_an_etag_is_activated_again_each_time() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle_without_etag("authz", authz("v1", "1").build());
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    for generation in 1..=2 {
        agent.trigger().await.expect("v1 arrives");
        assert_eq!(agent.host.store.snapshot().generation(), generation);
    }
}

#[tokio::test]
async fn a_new_revision_arrives_by_polling() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let agent = Agent::start(&eager(&acme, &["authz"])).await;
    agent.revision("authz", "v1").await;
    acme.serve_bundle("authz", authz("v2", "2").build());
    agent.revision("authz", "v2").await;
    assert_eq!(agent.ask("authz/answer"), "2");
}

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
async fn of_two_bundles_with_one_root_the_second_is_refused() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("a", authz("a1", "1").build());
    acme.serve_bundle("b", authz("b1", "2").build());
    let agent = Agent::start(&manual(&acme, &["a", "b"])).await;
    let error = agent.trigger().await.expect_err("an overlap");
    let expected =
        "detected overlapping roots in manifests for these bundles: [a, b] (root authz is in multiple bundles)";
    assert_eq!(error, expected);
    // Which one arrives first is up to the network.
    let fits = |report: &regent_core::status::Report| report.bundles.values().any(|status| status.code.is_some());
    let report = agent.reports("a refusal", fits).await;
    let refused = report.bundles.values().find(|status| status.code.is_some()).expect("the refused one");
    assert_eq!(refused.message.as_deref(), Some(expected));
    assert_eq!(agent.host.store.snapshot().bundles().len(), 1);
    assert_eq!(report.plugins["bundle"].state, State::NotReady);
}

#[tokio::test]
async fn bundles_that_need_each_other_become_active_together() {
    let acme = ControlPlane::start().await;
    let a = Bundle::new().rego("a.rego", "package a\n\nimport data.b\n\nx := b.f(1)\n\ng(n) := n + 1\n").roots(["a"]);
    let b = Bundle::new().rego("b.rego", "package b\n\nimport data.a\n\nf(n) := n * 2\n\ny := a.g(1)\n").roots(["b"]);
    acme.serve_bundle("a", a.revision("1").build());
    acme.serve_bundle(
        "broken",
        Bundle::new().rego("c.rego", "package c\n\nz := data.b.none(1)\n").roots(["c"]).build(),
    );
    // The second one comes much later than the first.
    acme.fail_next("/bundles/b", Fault::Status(503));
    acme.serve_bundle("b", b.revision("1").build());
    let agent = Agent::start(&manual(&acme, &["a", "b", "broken"])).await;
    agent.trigger().await.expect_err("b is not there");
    agent.bundle("a", |status| status.code.is_some()).await;
    agent.trigger().await.expect_err("the broken one");
    agent.revision("a", "1").await;
    agent.revision("b", "1").await;
    assert_eq!((agent.ask("a/x"), agent.ask("b/y")), ("2".to_owned(), "2".to_owned()));
    agent.bundle("broken", |status| status.code.is_some()).await;
}

#[tokio::test]
async fn bundles_come_and_go_with_the_configuration() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    acme.serve_bundle("more", Bundle::new().data("more", json!({"x": 1})).roots(["more"]).revision("m1").build());
    let mut agent = Agent::start(&eager(&acme, &["authz"])).await;
    agent.ready().await;
    agent.apply(&eager(&acme, &["authz", "more"])).await.expect("a valid configuration");
    agent.revision("more", "m1").await;
    agent.ready().await;
    assert_eq!(agent.ask("more/x"), "1");

    agent.apply(&eager(&acme, &["more"])).await.expect("a valid configuration");
    let report = agent.reports("authz gone", |report| !report.bundles.contains_key("authz")).await;
    assert_eq!(report.bundles.len(), 1);
    assert_eq!((agent.ask("authz/answer"), agent.ask("more/x")), ("undefined".to_owned(), "1".to_owned()));
}

#[tokio::test]
async fn a_removed_bundle_that_others_need_stays_until_they_do_not() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("lib", Bundle::new().rego("l.rego", "package lib\n\nf(n) := n + 1\n").roots(["lib"]).build());
    acme.serve_bundle("authz", authz("v1", "data.lib.f(1)").build());
    let mut agent = Agent::start(&eager(&acme, &["lib", "authz"])).await;
    agent.ready().await;
    agent.apply(&eager(&acme, &["authz"])).await.expect("a valid configuration");
    let status = agent.bundle("lib", |status| status.code.is_some()).await;
    assert_eq!(status.message.as_deref(), Some("error(s) occurred while compiling module(s)"));
    assert_eq!(agent.ask("authz/answer"), "2");

    acme.serve_bundle("authz", authz("v2", "3").build());
    agent.reports("lib gone", |report| !report.bundles.contains_key("lib")).await;
    agent.revision("authz", "v2").await;
    assert!(!agent.host.store.snapshot().bundles().contains_key("lib"));
}

#[tokio::test]
async fn the_deprecated_section_has_one_bundle_of_its_own() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let polling = "polling: {min_delay_seconds: 0, max_delay_seconds: 1}";
    let url = acme.url();
    let agent =
        Agent::start(&format!("services: {{acme: {{url: '{url}'}}}}\nbundle: {{name: authz, {polling}}}\n")).await;
    agent.revision("authz", "v1").await;
    assert_eq!(agent.host.status.report().legacy_bundle.as_deref(), Some("authz"));
}

#[tokio::test]
async fn a_file_is_loaded_at_start_and_when_triggered() {
    let directory = tempfile::tempdir().expect("a directory");
    authz("v1", "1").write_dir(directory.path()).expect("written");
    let config = format!("bundles: {{authz: {{resource: 'file://{}'}}}}", directory.path().display());
    let agent = Agent::start(&config).await;
    agent.revision("authz", "v1").await;
    agent.ready().await;
    authz("v2", "2").write_dir(directory.path()).expect("written");
    agent.trigger().await.expect("v2");
    assert_eq!(agent.ask("authz/answer"), "2");

    let agent = Agent::start("bundles: {authz: {resource: 'file:///nowhere/b.tar.gz'}}").await;
    let status = agent.bundle("authz", |status| status.code.is_some()).await;
    assert!(status.message.expect("a message").contains("/nowhere/b.tar.gz"));
}

#[tokio::test]
async fn a_gzip_encoding_of_the_transport_is_taken_off_once() {
    let packed = authz("v1", "1").build();
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut twice, &packed).expect("a vector takes it");
    let body = twice.finish().expect("a vector takes it");
    let url = serve_once("Content-Encoding: gzip\r\nETag: \"e\"", body).await;
    let config = format!("services: {{acme: {{url: '{url}'}}}}\nbundles: {{authz: {{trigger: manual}}}}");
    let agent = Agent::start(&config).await;
    agent.trigger().await.expect("v1 arrives");
    assert_eq!(agent.ask("authz/answer"), "1");
}

/// A server that answers one request so.
async fn serve_once(headers: &'static str, body: Vec<u8>) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        let _ = stream.read(&mut [0; 4096]).await;
        let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&body).await;
    });
    url
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
async fn without_bundles_the_plugin_is_ready() {
    let agent = Agent::start("bundles: {off: null}").await;
    agent.ready().await;
}

#[tokio::test]
async fn stopping_ends_a_request_on_the_way() {
    let acme = ControlPlane::start().await;
    acme.fail_always(AUTHZ, Some(Fault::Hang(LIMIT * 100)));
    let agent = Agent::start(&eager(&acme, &["authz"])).await;
    acme.wait_for_requests(AUTHZ, 1, LIMIT).await.expect("a request");
    agent.supervisor.shutdown(tokio::time::Instant::now() + LIMIT).await.expect("it stops in time");
}
