//! The real opal-client 0.9.9 on Regent's hub, with Regent for its policy store.

use std::process::Command;

use regent_kit::{Client, Server as Process};
use serde_json::{Value, json};

use crate::opal::{Opal, decides, has_git};
use crate::{SOON, regent};

/// A hub that runs, as `regent hub`.
struct Hub {
    url: String,
    _process: Process,
    _config: tempfile::NamedTempFile,
}

impl Hub {
    async fn start(section: &str) -> Self {
        let config = tempfile::Builder::new().suffix(".yaml").tempfile().expect("a file");
        std::fs::write(config.path(), format!("hub: {section}")).expect("it can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_regent"));
        command.args(["hub", "--set", "hub.addr=127.0.0.1:0", "--config-file"]).arg(config.path());
        let process = Process::start(command);
        let line = process.wait_for_line("The hub listens.", SOON).await.expect("the hub starts");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        let url = format!("http://{}", line["addr"].as_str().expect("an address"));
        Self { url, _process: process, _config: config }
    }

    async fn post(&self, path: &str, body: &Value, token: &str) -> Value {
        let request = http::Request::post(format!("{}{path}", self.url))
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {token}"));
        let request = request.body(bytes::Bytes::from(body.to_string())).expect("a request");
        let answer = Client::plain().send(request).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn token(&self, kind: &str) -> String {
        let answer = self.post("/token", &json!({"type": kind}), "master").await;
        answer["token"].as_str().expect("a token").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opal_client_gets_data_and_policy_from_the_hub() {
    if !has_git() {
        return;
    }
    let Some(mut opal) = Opal::start(&["policy"]) else { return };
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/update-hub/tests/keys/rsa");
    let (repository, source) = (opal.0.text("repository"), opal.0.text("source"));
    let hub = Hub::start(&format!(
        "{{auth: {{private_key: '{key}', public_key: '{key}.pub', master_token: master}}, \
          policy: {{repository: '{repository}', polling_seconds: 0.5}}, statistics: true, \
          data_sources: {{entries: [{{url: '{source}/base', dst_path: /base}}]}}}}"
    ))
    .await;
    let (client, datasource) = (hub.token("client").await, hub.token("datasource").await);
    let store = regent().start().await.expect("the agent starts");
    opal.tell(&format!("client {} {} {client}", store.url(""), hub.url));
    // And an agent that does without.
    let section = format!(
        "{{server_url: '{}', token: '{client}', policy: {{enabled: true}}, topics: [policy_data, users]}}",
        hub.url
    );
    let agent = regent().config(&format!("data_updates: {section}")).start().await.expect("the agent starts");
    for store in [&store, &agent] {
        decides(store, "app", json!({"version": 1, "limit": 1})).await;
        decides(store, "base", json!({"loaded": 1})).await;
    }
    let publish = async |entries: Value| {
        let answer = hub.post("/data/config", &json!({"entries": entries}), &datasource).await;
        assert_eq!((&answer["status"], answer["subscribers"].as_u64() >= Some(2)), (&json!("ok"), true), "{answer}");
    };
    publish(json!([{"url": "", "data": {"a": {"b": 1}}, "dst_path": "/pushed"}])).await;
    let operations = json!([{"op": "replace", "path": "/a/b", "value": 2}]);
    publish(json!([{"url": "", "save_method": "PATCH", "dst_path": "/pushed", "data": operations}])).await;
    // What concerns one of them alone does not reach the other.
    let of_users = json!({"url": "", "data": {"ann": {}}, "topics": ["users"], "dst_path": "/users"});
    publish(json!([of_users, {"url": "", "data": {"n": 1}, "topics": ["policy_data/x"], "dst_path": "/x"}])).await;
    for store in [&store, &agent] {
        decides(store, "pushed", json!({"a": {"b": 2}})).await;
        decides(store, "x", json!({"n": 1})).await;
    }
    decides(&agent, "users", json!({"ann": {}})).await;
    assert_eq!(store.get("/v1/data/users").await.json(), json!({}));
    opal.tell(r"commit app/app.rego package app\n\nversion := 2\n");
    for store in [&store, &agent] {
        decides(store, "app/version", json!(2)).await;
    }
}
