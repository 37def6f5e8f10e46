//! Single bundles that are fetched because someone asks for it.

use std::time::Duration;

use regent_core::trigger::{Failure, Fault as At, Fetched, Outcome, Subject, TriggerError};
use regent_kit::{Bundle, ControlPlane, Fault};

use crate::agent::{Agent, LIMIT, manual};
use crate::{AUTHZ, authz};

fn bundle(name: &str) -> Subject {
    Subject::Bundle(name.to_owned())
}

fn fetched(outcome: Outcome, revision: &str) -> Fetched {
    Fetched { outcome, revision: Some(revision.to_owned()), warning: None }
}

async fn failure(agent: &Agent) -> Failure {
    match agent.host.trigger(&bundle("authz")).await {
        Err(TriggerError::Failed(failure)) => failure,
        other => panic!("a failed fetch: {other:?}"),
    }
}

#[tokio::test]
async fn one_bundle_is_fetched_and_the_others_are_not() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let agent = Agent::start(&manual(&acme, &["authz", "other"])).await;
    assert_eq!(agent.host.trigger(&bundle("authz")).await, Ok(fetched(Outcome::Activated, "v1")));
    assert_eq!(agent.ask("authz/answer"), "1");
    assert_eq!(agent.host.trigger(&bundle("authz")).await, Ok(fetched(Outcome::Unchanged, "v1")));
    acme.serve_bundle("authz", authz("v2", "2").build());
    assert_eq!(agent.host.trigger(&bundle("authz")).await, Ok(fetched(Outcome::Activated, "v2")));
    assert!(acme.requests().iter().all(|request| request.path == AUTHZ));
    for unknown in [bundle("nobody"), Subject::Discovery] {
        assert_eq!(agent.host.trigger(&unknown).await, Err(TriggerError::Unknown(unknown)));
    }
}

#[tokio::test]
async fn a_failed_fetch_says_what_status_says() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    let none = failure(&agent).await;
    assert_eq!((none.fault, none.code, none.http_code), (At::Unreachable, "bundle_error", Some(404)));
    assert_eq!(none.message, "server replied with Not Found");
    acme.serve_bundle("authz", Bundle::new().rego("u.rego", "package authz\n\nanswer := {\n").build());
    let broken = failure(&agent).await;
    let status = agent.bundle("authz", |status| status.errors.is_some()).await;
    assert_eq!((broken.fault, Some(broken.message), broken.errors), (At::Content, status.message, status.errors));
}

#[tokio::test]
async fn callers_who_come_together_share_a_request_and_one_who_leaves_takes_nothing_along() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    // The first request is on its way for as long as it takes all callers to come.
    acme.fail_next(AUTHZ, Fault::Hang(Duration::from_secs(2)));
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    let host = agent.host.clone();
    let first = tokio::spawn(async move { host.trigger(&bundle("authz")).await });
    acme.wait_for_requests(AUTHZ, 1, LIMIT).await.expect("a request");
    first.abort();
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let host = agent.host.clone();
            tokio::spawn(async move { host.trigger(&bundle("authz")).await })
        })
        .collect();
    for caller in callers {
        // The fetch that was under way has brought v1, so the one that they share finds nothing new.
        assert_eq!(caller.await.expect("no panic"), Ok(fetched(Outcome::Unchanged, "v1")));
    }
    assert_eq!(acme.requests().len(), 2, "one for the caller who left, one for all others");
}

#[tokio::test]
async fn who_asks_does_not_wait_with_the_service_for_news() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle_holding("authz", authz("v1", "1").build());
    let polling = "polling: {min_delay_seconds: 3600, max_delay_seconds: 3600, long_polling_timeout_seconds: 3600}";
    let config = format!("services: {{acme: {{url: '{}'}}}}\nbundles: {{authz: {{{polling}}}}}\n", acme.url());
    let agent = Agent::start(&config).await;
    agent.revision("authz", "v1").await;
    acme.wait_for_requests(AUTHZ, 2, LIMIT).await.expect("the second is held");
    assert_eq!(agent.host.trigger(&bundle("authz")).await, Ok(fetched(Outcome::Unchanged, "v1")));
    let asked = acme.wait_for_requests(AUTHZ, 4, LIMIT).await.expect("after it, one is held again");
    let wait = |at: usize| asked[at].header("prefer").is_some_and(|prefer| prefer.contains("wait"));
    assert_eq!((wait(1), wait(2), wait(3)), (true, false, true));
}

#[tokio::test]
async fn a_bundle_that_is_configured_anew_while_it_is_fetched_is_to_be_asked_for_again() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    acme.fail_next(AUTHZ, Fault::Hang(LIMIT * 100));
    let mut agent = Agent::start(&manual(&acme, &["authz"])).await;
    let host = agent.host.clone();
    let caller = tokio::spawn(async move { host.trigger(&bundle("authz")).await });
    acme.wait_for_requests(AUTHZ, 1, LIMIT).await.expect("a request");
    let changed = manual(&acme, &["authz"]).replace("manual}", "manual, size_limit_bytes: 1000000}");
    agent.apply(&changed).await.expect("a valid configuration");
    assert_eq!(caller.await.expect("no panic"), Err(TriggerError::Interrupted(bundle("authz"))));
    assert_eq!(agent.host.trigger(&bundle("authz")).await, Ok(fetched(Outcome::Activated, "v1")));
    agent.apply(&manual(&acme, &[])).await.expect("a valid configuration");
    assert_eq!(agent.host.trigger(&bundle("authz")).await, Err(TriggerError::Unknown(bundle("authz"))));
}

#[tokio::test]
async fn that_a_copy_cannot_be_kept_is_a_warning() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("bundles"), "in the way").expect("written");
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let config = manual(&acme, &["authz"]).replace("manual}", "manual, persist: true}");
    let config = format!("{config}persistence_directory: {}\n", directory.path().display());
    let agent = Agent::start(&config).await;
    let got = agent.host.trigger(&bundle("authz")).await.expect("it is active");
    assert_eq!((got.outcome, got.revision.as_deref()), (Outcome::Activated, Some("v1")));
    let warning = got.warning.expect("a warning");
    assert!(warning.contains("bundles/authz/bundle.tar.gz: "), "{warning}");
    let status = agent.bundle("authz", |status| status.code.is_some()).await;
    assert_eq!(status.message, Some(warning));
}
