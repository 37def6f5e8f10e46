//! Decisions on their way into a table of PostgreSQL.

use std::collections::BTreeSet;

use regent_kit::{Agent, Postgres, wait};
use serde_json::json;
use tokio_postgres::{Client, Config, NoTls};

use crate::nats_sink::decision;
use crate::support::{SOON, regent};

const POLICY: &str = "package app\n\nallow if input.user == \"ann\"\n";

async fn connect(postgres: &Postgres, database: &str) -> Client {
    let mut config = Config::new();
    config.host_path(postgres.dir()).port(postgres.port()).user("postgres").dbname(database);
    let (client, connection) = config.connect(NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    client
}

/// Waits for so many rows; their ids.
async fn arrived(postgres: &Postgres, agent: &Agent, count: usize) -> BTreeSet<String> {
    let client = connect(postgres, "audit").await;
    let look = async || {
        let text = "SELECT decision_id::text FROM decisions WHERE event->>'decision_id' = decision_id::text";
        let rows = client.query(text, &[]).await.ok()?;
        Some(rows.iter().map(|row| row.get(0)).collect()).filter(|ids: &BTreeSet<String>| ids.len() >= count)
    };
    let waited = wait::until(SOON, "the rows", look).await;
    waited.unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()))
}

#[tokio::test]
async fn decisions_are_in_the_table_once_whatever_becomes_of_server_and_agent() {
    let Some(mut postgres) = Postgres::find(env!("CARGO_TARGET_TMPDIR")) else { return };
    let example = include_str!("../../config-examples/decision-logs-postgres.yaml");
    let port = format!("plugins.postgres_sink.port={}", postgres.port());
    let command = regent().config(example).env("POSTGRES_HOST", postgres.dir()).arg("--set").arg(port);
    let command = command.env("POSTGRES_PASSWORD", "hunter2").file("app.rego", POLICY).arg("app.rego");
    let mut agent = command.start().await.expect("the agent starts");
    let mut ids = BTreeSet::from([decision(&agent, "ann").await]);
    agent.wait_for_log("Decision log receiver unavailable: cannot connect to ", SOON).await.expect("a warning");
    postgres.start().await;
    let admin = connect(&postgres, "postgres").await;
    for statement in ["CREATE ROLE regent LOGIN", "CREATE DATABASE audit OWNER regent"] {
        admin.batch_execute(statement).await.expect("the statement is good");
    }
    let batch = json!({"inputs": {"a": {"user": "ann"}, "b": {"user": "x\u{0}y"}}});
    let answer = agent.post("/v1/batch/data/app/allow", batch).await.json();
    for key in ["a", "b"] {
        ids.insert(answer["responses"][key]["decision_id"].as_str().expect("it has an id").to_owned());
    }
    let text = "SELECT event #>> '{}' FROM decisions WHERE jsonb_typeof(event) = 'string'";
    let database = async || {
        let client = connect(&postgres, "audit").await;
        let rows = client.query(text, &[]).await.ok()?;
        rows.first().map(|row| row.get::<_, String>(0))
    };
    let strange = wait::until(SOON, "the event that jsonb cannot hold", database).await.expect("it is there as text");
    let strange: serde_json::Value = serde_json::from_str(&strange).expect("the text of the event");
    assert_eq!(strange["input"]["user"], "x\u{0}y");
    let strange = strange["decision_id"].as_str().expect("it has an id").to_owned();
    assert!(ids.remove(&strange));
    postgres.stop().await;
    for user in ["ann", "bob", "eve"] {
        ids.insert(decision(&agent, user).await);
    }
    agent.kill().await;
    postgres.start().await;
    let agent = agent.into_command().await.start().await.expect("the agent starts again");
    ids.insert(decision(&agent, "ann").await);
    assert_eq!(arrived(&postgres, &agent, ids.len()).await, ids);
    let shown = agent.get("/v1/config").await.text();
    assert!(shown.contains("postgres_sink") && !shown.contains("hunter2"), "{shown}");
}
