//! Decisions written into a container of a server that plays Azure Blob Storage and checks signatures.

use serde_json::json;

use crate::server::{Server, stored};
use crate::{SOON, installed, regent, script};

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_written_into_a_container_with_the_key_of_the_account() {
    let Some(folder) = installed("azurite", "npm", &["install", "--no-audit", "--no-fund", "--no-package-lock"]) else {
        return;
    };
    let mut command = script("node", &folder);
    command.arg("server.mjs");
    let mut server = Server::start(command);
    let (url, account, key) = (server.text("url"), server.text("account").to_owned(), server.text("key").to_owned());
    let endpoint = format!("{url}/{account}");
    let config = |prefix: &str, key: &str| {
        format!(
            "decision_logs: {{plugin: object_store_sink}}\nplugins: {{object_store_sink: {{url: 'az://decisions/{prefix}', \
             max_age_seconds: 1, azure: {{account: {account}, endpoint: '{endpoint}', access_key: '{key}'}}}}}}\n"
        )
    };
    let agent = regent().config(&config("right", &key)).start().await.expect("the agent starts");
    let name = stored(&agent, || server.objects("right")).await;
    assert!(name.starts_with("right/year="), "{name}");
    let agent = regent().config(&config("wrong", "aHVudGVyMg==")).start().await.expect("the agent starts");
    agent.post("/v1/data", json!({"input": {}})).await;
    let refusal = "az://decisions/wrong does not let us write; check the credentials";
    agent.wait_for_log(refusal, SOON).await.expect("a refusal");
    assert!(!agent.stderr().contains("aHVudGVyMg==") && server.objects("wrong").is_empty());
}
