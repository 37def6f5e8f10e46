//! Decisions on their way into a stream of NATS.

use std::collections::BTreeSet;

use async_nats::ConnectOptions;
use async_nats::jetstream::{self, stream};
use regent_kit::{Agent, Nats, wait};
use serde_json::{Value, json};

use crate::support::{SOON, regent};

/// Asks for a decision and gives its id.
pub(crate) async fn decision(agent: &Agent, user: &str) -> String {
    let answer = agent.post("/v1/data/app/allow", json!({"input": {"user": user}})).await.json();
    answer["decision_id"].as_str().unwrap_or_else(|| panic!("{answer} has no id")).to_owned()
}

/// Every event of the stream, with the id under which it was published.
async fn events(stream: &stream::Stream) -> Vec<(String, Value)> {
    let mut stream = stream.clone();
    let last = stream.info().await.expect("the stream is there").state.last_sequence;
    let mut events = Vec::new();
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.expect("nothing has been removed");
        let id = message.headers.get("Nats-Msg-Id").expect("every event has one").to_string();
        events.push((id, serde_json::from_slice(&message.payload).expect("JSON")));
    }
    events
}

/// Waits for so many events.
async fn arrived(stream: &stream::Stream, agent: &Agent, count: usize) -> Vec<(String, Value)> {
    let all = async || Some(events(stream).await).filter(|events| events.len() >= count);
    let waited = wait::until(SOON, "the events", all).await;
    waited.unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()))
}

async fn stream(nats: &Nats) -> stream::Stream {
    let options = ConnectOptions::with_user_and_password("regent".to_owned(), "s3cret".to_owned());
    let context = jetstream::new(options.connect(nats.url()).await.expect("the server is there"));
    let (name, subjects) = ("audit".to_owned(), vec!["decisions".to_owned()]);
    context
        .create_stream(stream::Config { name, subjects, ..stream::Config::default() })
        .await
        .expect("JetStream is there")
}

#[tokio::test]
async fn decisions_are_in_the_stream_once_whatever_becomes_of_server_and_agent() {
    let Some(mut nats) = Nats::find(env!("CARGO_TARGET_TMPDIR")) else { return };
    nats.configure("authorization {user: regent, password: s3cret}");
    let example = include_str!("../../config-examples/decision-logs-nats.yaml");
    let policy = "package app\n\nallow if input.user == \"ann\"\n";
    let command = regent().config(example).env("NATS_URL", nats.url()).env("NATS_PASSWORD", "s3cret");
    let mut agent = command.file("app.rego", policy).arg("app.rego").start().await.expect("the agent starts");
    let mut ids = BTreeSet::from([decision(&agent, "ann").await]);
    agent.wait_for_log("Decision log receiver unavailable: cannot connect to ", SOON).await.expect("a warning");
    nats.start().await;
    let stream = stream(&nats).await;
    ids.insert(decision(&agent, "bob").await);
    arrived(&stream, &agent, ids.len()).await;
    nats.kill().await;
    for user in ["ann", "bob", "eve"] {
        ids.insert(decision(&agent, user).await);
    }
    agent.kill().await;
    nats.start().await;
    let agent = agent.into_command().await.start().await.expect("the agent starts again");
    ids.insert(decision(&agent, "ann").await);
    let events = arrived(&stream, &agent, ids.len()).await;
    assert_eq!(events.len(), ids.len());
    let published: BTreeSet<String> = events.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(published, ids);
    for (id, event) in &events {
        assert_eq!((event["decision_id"].as_str(), event["path"].as_str()), (Some(&**id), Some("app/allow")));
    }
    let shown = agent.get("/v1/config").await.text();
    assert!(shown.contains("nats_sink") && !shown.contains("s3cret"), "{shown}");
}
