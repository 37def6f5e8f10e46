//! Decisions of a whole agent on their way into the topic.

use std::collections::BTreeSet;
use std::path::Path;

use regent_kit::{Agent, wait};

use crate::support::{Kafka, LIMIT};

/// The example `kafka_agent`, which cargo builds beside the tests.
fn agent() -> std::path::PathBuf {
    let tests = std::env::current_exe().expect("this test's path");
    tests.parent().and_then(Path::parent).expect("the build folder").join("examples/kafka_agent")
}

#[tokio::test]
async fn decisions_are_in_the_topic() {
    let kafka = Kafka::start();
    let config = format!(
        "decision_logs: {{plugin: kafka_sink}}\nplugins: {{kafka_sink: {{brokers: ['{}'], topic: decisions, \
         properties: {{client.rack: r1, sasl.password: s3cret}}}}}}\n",
        kafka.0.bootstrap_servers()
    );
    let policy = "package app\n\nallow if input.user == \"ann\"\n";
    let command = Agent::command(agent()).config(&config).file("app.rego", policy).arg("app.rego");
    let agent = command.start().await.expect("the agent starts");
    let mut ids = BTreeSet::new();
    for user in ["ann", "bob"] {
        let body = format!(r#"{{"input": {{"user": "{user}"}}}}"#);
        let answer = agent.post("/v1/data/app/allow", body.into_bytes()).await.json();
        ids.insert(answer["decision_id"].as_str().expect("it has an id").to_owned());
    }
    let look = async || Some(kafka.content().await).filter(|content| content.len() >= 2);
    let content = wait::until(LIMIT, "the events", look).await;
    let content = content.unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()));
    assert_eq!(content.into_iter().map(|(key, _)| key).collect::<BTreeSet<_>>(), ids);
    let shown = agent.get("/v1/config").await.text();
    assert!(shown.contains("kafka_sink") && !shown.contains("s3cret"), "{shown}");
}
