//! What happens while an activation is under way.

use std::time::Duration;

use futures_util::FutureExt as _;
use regent_core::trigger::{Fault as At, Fetched, Outcome, Subject, TriggerError};
use regent_kit::{Bundle, ControlPlane, Fault};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::agent::{Agent, LIMIT, eager, manual};
use crate::authz;
use crate::held::{Gate, held};

type Fetch = Result<Fetched, TriggerError>;

/// An agent whose transactions wait at the gate.
async fn start(config: &str) -> (Agent, Gate) {
    let (engine, gate) = held();
    let mut agent = Agent::on(engine);
    agent.apply(config).await.expect("a valid configuration");
    (agent, gate)
}

/// Asks for one bundle.
fn fetch(agent: &Agent, name: &str) -> JoinHandle<Fetch> {
    let (host, subject) = (agent.host.clone(), Subject::Bundle(name.to_owned()));
    tokio::spawn(async move { timeout(LIMIT, host.trigger(&subject)).await.expect("an answer") })
}

fn fetched(outcome: Outcome, revision: &str) -> Fetched {
    Fetched { outcome, revision: Some(revision.to_owned()), warning: None }
}

/// Waits until what was asked for before has long arrived: asks for a bundle that is not there and takes its time. That it
/// answers shows that the plugin listens.
async fn let_arrive(acme: &ControlPlane, agent: &Agent) {
    acme.fail_next("/bundles/none", Fault::Hang(Duration::from_millis(500)));
    match fetch(agent, "none").await.expect("it ends") {
        Err(TriggerError::Failed(failure)) => assert_eq!(failure.fault, At::Unreachable),
        other => panic!("it is not there: {other:?}"),
    }
}

fn active_revision(agent: &Agent, name: &str) -> Option<String> {
    agent.host.store.snapshot().bundles().get(name).and_then(|bundle| bundle.revision.as_deref().map(str::to_owned))
}

/// A bundle with one rule.
fn rule(package: &str, revision: &str, rule: &str) -> Vec<u8> {
    let text = format!("package {package}\n\n{rule}\n");
    Bundle::new().rego("p.rego", &text).roots([package]).revision(revision).build()
}

/// A service whose bundle `a` needs `b`, and an agent that has refused it for that.
async fn refused(acme: &ControlPlane, agent: &Agent, gate: &mut Gate) {
    acme.serve_bundle("a", rule("a", "a2", "x := data.b.f(1)"));
    let refused = gate.passing(fetch(agent, "a")).await.expect("it ends");
    assert!(matches!(refused, Err(TriggerError::Failed(_))), "{refused:?}");
}

#[tokio::test]
async fn stopping_does_not_wait_for_it_and_leaves_the_store_whole() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let (agent, mut gate) = start(&eager(&acme, &["authz"])).await;
    let compiling = gate.next().await;
    let store = agent.host.store.clone();
    agent.stop().await;
    let before = store.snapshot();
    assert!(before.bundles().is_empty() && before.policies().is_empty());
    // The transaction was running already.
    drop(compiling);
    let mut commits = store.watch();
    timeout(LIMIT, commits.wait_for(|count| *count == 1)).await.expect("in time").expect("the store lives");
    let after = store.snapshot();
    assert!(after.bundles().contains_key("authz") && after.policies().contains_key("authz/u.rego"));
}

#[tokio::test]
async fn a_bundle_that_is_removed_meanwhile_does_not_stay() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let (mut agent, mut gate) = start(&manual(&acme, &["authz", "other"])).await;
    let asked = fetch(&agent, "authz");
    let activation = gate.next().await;
    let (mailbox, host) = (agent.mailbox(), agent.host.clone());
    let released = async {
        // The plugin takes one signal after the other, so when it obeys this one it has the configuration.
        let triggered = tokio::spawn(async move { mailbox.trigger().await });
        acme.wait_for_requests("/bundles/other", 1, LIMIT).await.expect("it is asked for");
        assert!(host.status.report().bundles.contains_key("authz"), "the configuration waits");
        drop(activation);
        let removal = gate.next().await;
        assert_eq!(host.store.snapshot().generation(), 1, "it has become active before");
        drop(removal);
        triggered.abort();
    };
    let config = manual(&acme, &["other"]);
    let (applied, ()) = tokio::join!(agent.apply(&config), released);
    applied.expect("a valid configuration");
    assert!(asked.await.expect("it ends").is_err(), "its loader is gone");
    assert_eq!((active_revision(&agent, "authz"), &*agent.ask("authz/answer")), (None, "undefined"));
    assert!(agent.host.status.report().bundles.keys().eq(["other"]));
    assert_eq!(agent.host.store.snapshot().generation(), 2);
}

#[tokio::test]
async fn of_several_configurations_meanwhile_the_last_one_counts() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let (mut agent, mut gate) = start(&manual(&acme, &["authz"])).await;
    let asked = fetch(&agent, "authz");
    let activation = gate.next().await;
    assert!(agent.apply(&manual(&acme, &["other"])).now_or_never().is_none(), "it waits");
    let config = manual(&acme, &["authz", "more"]);
    let (applied, ()) = tokio::join!(agent.apply(&config), async {
        // As soon as it is taken, though it never comes into effect.
        tokio::task::yield_now().await;
        drop(activation);
    });
    applied.expect("a valid configuration");
    assert_eq!(asked.await.expect("it ends"), Ok(fetched(Outcome::Activated, "v1")));
    assert!(agent.host.status.report().bundles.keys().eq(["authz", "more"]));
    assert_eq!(active_revision(&agent, "authz").as_deref(), Some("v1"));
}

#[tokio::test]
async fn what_arrives_meanwhile_is_activated_afterwards() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("a", rule("a", "a1", "x := 1"));
    acme.serve_bundle("b", rule("b", "b1", "y := 2"));
    let (agent, mut gate) = start(&manual(&acme, &["a", "b", "none"])).await;
    let first = fetch(&agent, "a");
    let activation = gate.next().await;
    let second = fetch(&agent, "b");
    let_arrive(&acme, &agent).await;
    assert!(agent.host.store.snapshot().bundles().is_empty());
    drop(activation);
    assert_eq!(first.await.expect("it ends"), Ok(fetched(Outcome::Activated, "a1")));
    let activation = gate.next().await;
    assert_eq!((active_revision(&agent, "a").as_deref(), active_revision(&agent, "b")), (Some("a1"), None));
    drop(activation);
    assert_eq!(second.await.expect("it ends"), Ok(fetched(Outcome::Activated, "b1")));
    assert_eq!((agent.ask("a/x"), agent.ask("b/y")), ("1".to_owned(), "2".to_owned()));
}

#[tokio::test]
async fn a_newer_version_that_comes_meanwhile_is_not_taken_for_the_one_that_became_active() {
    let acme = ControlPlane::start().await;
    let (agent, mut gate) = start(&manual(&acme, &["a", "b", "none"])).await;
    refused(&acme, &agent, &mut gate).await;
    acme.serve_bundle("b", rule("b", "b1", "f(n) := n + 1"));
    let needed = fetch(&agent, "b");
    let activation = gate.next().await;
    acme.serve_bundle("a", rule("a", "a3", "x := 3"));
    let newer = fetch(&agent, "a");
    let_arrive(&acme, &agent).await;
    drop(activation);
    assert_eq!(needed.await.expect("it ends"), Ok(fetched(Outcome::Activated, "b1")));
    let activation = gate.next().await;
    let status = agent.revision("a", "a2").await;
    assert_eq!((status.code, active_revision(&agent, "a").as_deref()), (None, Some("a2")));
    assert!(!newer.is_finished(), "its turn has come but now");
    drop(activation);
    assert_eq!(newer.await.expect("it ends"), Ok(fetched(Outcome::Activated, "a3")));
    assert_eq!(agent.ask("a/x"), "3");
}

#[tokio::test]
async fn a_newer_version_that_comes_meanwhile_is_not_refused_for_the_older_one() {
    let acme = ControlPlane::start().await;
    let (agent, mut gate) = start(&manual(&acme, &["a", "b", "none"])).await;
    refused(&acme, &agent, &mut gate).await;
    acme.serve_bundle("b", rule("b", "b1", "nothing := 0"));
    let other = fetch(&agent, "b");
    let activation = gate.next().await;
    acme.serve_bundle("a", rule("a", "a3", "x := 3"));
    let newer = fetch(&agent, "a");
    let_arrive(&acme, &agent).await;
    drop(activation);
    assert_eq!(gate.passing(newer).await.expect("it ends"), Ok(fetched(Outcome::Activated, "a3")));
    assert_eq!(other.await.expect("it ends"), Ok(fetched(Outcome::Activated, "b1")));
}

#[tokio::test]
async fn a_version_that_is_taken_back_meanwhile_is_told_of_until_the_former_is_here_again() {
    let acme = ControlPlane::start().await;
    let former = rule("a", "a1", "x := 1");
    acme.serve_bundle("a", former.clone());
    let (agent, mut gate) = start(&manual(&acme, &["a", "b"])).await;
    assert_eq!(gate.passing(fetch(&agent, "a")).await.expect("it ends"), Ok(fetched(Outcome::Activated, "a1")));
    refused(&acme, &agent, &mut gate).await;
    acme.serve_bundle("b", rule("b", "b1", "f(n) := n + 1"));
    let needed = fetch(&agent, "b");
    let activation = gate.next().await;
    acme.serve_bundle("a", former);
    assert_eq!(fetch(&agent, "a").await.expect("it ends"), Ok(fetched(Outcome::Unchanged, "a1")));
    drop(activation);
    assert_eq!(needed.await.expect("it ends"), Ok(fetched(Outcome::Activated, "b1")));
    agent.revision("a", "a2").await;
    assert_eq!((active_revision(&agent, "a").as_deref(), &*agent.ask("a/x")), (Some("a2"), "2"));
    assert_eq!(gate.passing(fetch(&agent, "a")).await.expect("it ends"), Ok(fetched(Outcome::Activated, "a1")));
    assert_eq!(agent.ask("a/x"), "1");
}
