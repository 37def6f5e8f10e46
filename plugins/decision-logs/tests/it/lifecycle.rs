//! From the configuration to a running plugin and back.

use regent_core::status::State;
use regent_kit::ControlPlane;

use crate::support::{Agent, register, whole};

#[tokio::test]
async fn the_plugin_is_ok_once_it_runs_and_records_while_it_does() {
    let acme = ControlPlane::start().await;
    let mut agent = Agent::start(&acme, "{}").await;
    let mut watch = agent.host.status.watch();
    let is_ok = |report: &regent_core::status::Report| {
        report.plugins.get("decision_logs").is_some_and(|plugin| plugin.state == State::Ok)
    };
    watch.wait_for(is_ok).await.expect("the board lives");
    assert!(agent.host.keeps_records());
    agent.apply(r#"{"services": {}}"#).await;
    let host = agent.host.clone();
    agent.stop().await;
    assert!(!host.keeps_records());
}

#[tokio::test]
async fn a_section_without_any_receiver_starts_nothing() {
    let agent = Agent::start_whole(r#"{"decision_logs": {"reporting": {"min_delay_seconds": 5}}}"#).await;
    assert!(!agent.host.keeps_records());
    assert!(agent.host.status.report().plugins.is_empty());
}

#[tokio::test]
async fn receivers_come_and_go_with_the_configuration() {
    let acme = ControlPlane::start().await;
    let mut agent = Agent::start(&acme, r#"{"console": true}"#).await;
    agent.decide("nobody-uploads-this");
    agent.upload().await.expect("there is no service");
    agent.apply(&whole(&acme, r#"{"service": "acme", "reporting": {"trigger": "manual"}}"#)).await;
    agent.decide("d1");
    agent.upload().await.expect("the service is there");
    assert_eq!(acme.events().len(), 1);
    agent.decide("d2");
    agent.apply(&whole(&acme, r#"{"console": true}"#)).await;
    agent.decide("d3");
    agent.stop().await;
    assert_eq!(acme.events().len(), 1, "a manual buffer is not flushed, and the console does not upload");
}

#[tokio::test]
async fn it_lives_as_plugins_do() {
    regent_agent_kit::lifecycle(register, "decision_logs", "{decision_logs: {console: true}}").await;
}
