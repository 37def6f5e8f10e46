//! Several bundles, and bundles that come and go.

use regent_core::status::{Moment, Report, State};
use regent_kit::{Bundle, ControlPlane, Fault};
use serde_json::json;

use crate::agent::{Agent, eager, manual};
use crate::authz;

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
    let fits = |report: &Report| report.bundles.values().any(|status| status.code.is_some());
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
    acme.fail_always("/bundles/more", Some(Fault::Status(503)));
    let mut agent = Agent::start(&eager(&acme, &["authz"])).await;
    agent.ready().await;
    agent.apply(&eager(&acme, &["authz", "more"])).await.expect("a valid configuration");
    let failed = agent.bundle("more", |status| status.http_code == Some(503)).await;
    assert_eq!(failed.active_revision, None);
    let state = |report: &Report| report.plugins["bundle"].state;
    assert_eq!(state(&agent.host.status.report()), State::NotReady, "until the new one is there too");
    acme.fail_always("/bundles/more", None);
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
async fn status_knows_of_bundles_that_nobody_has_asked_for_yet() {
    let acme = ControlPlane::start().await;
    let mut agent = Agent::start(&manual(&acme, &["a", "b"])).await;
    let report = agent.reports("both", |report| report.bundles.len() == 2).await;
    assert!(report.bundles.values().all(|status| status.last_request == Moment::default()));
    agent.apply(&manual(&acme, &["b"])).await.expect("a valid configuration");
    agent.reports("one", |report| report.bundles.keys().eq(["b"])).await;
}
