//! The real opal-server 0.9.9, at which the agent is subscribed to updates of data.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use regent_kit::{Agent, Client, wait};
use serde_json::{Value, json};

use crate::server::Server;
use crate::{SOON, installed, regent, script};

/// The server, and the source of data beside it.
pub(crate) struct Opal(pub(crate) Server);

impl Opal {
    /// Nothing if it cannot be had.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        // The tests begin at the same time.
        static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
        let install = ["-m", "pip", "install", "--quiet", "--target", "packages", "--requirement", "requirements.txt"];
        let folder = FOLDER.get_or_init(|| installed("opal", "python3", &install)).as_ref()?;
        let mut command = script("python3", folder);
        command.env("PYTHONPATH", "packages").arg("server.py").args(arguments);
        Some(Self(Server::start(command)))
    }

    /// A line for which there is no answer.
    pub(crate) fn tell(&mut self, line: &str) {
        assert_eq!(self.0.ask(line), "", "{line}");
    }

    /// An agent with that in its section.
    async fn agent(&self, more: &str) -> Agent {
        let (url, source) = (self.0.text("url"), self.0.text("source"));
        let reports = format!("{{enabled: true, callbacks: ['{source}/reports']}}");
        let config = format!("data_updates: {{server_url: '{url}', reports: {reports}, {more}}}");
        regent().config(&config).start().await.expect("the agent starts")
    }

    async fn publish(&self, update: &Value) {
        self.post("/data/config", update, None).await;
    }

    async fn post(&self, path: &str, body: &Value, token: Option<&str>) -> Value {
        let request =
            http::Request::post(format!("{}{path}", self.0.text("url"))).header("Content-Type", "application/json");
        let request = match token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        };
        let request = request.body(bytes::Bytes::from(body.to_string())).expect("a request");
        let answer = Client::plain().send(request).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The report of an update, once there is one.
    async fn report(&mut self, id: &str) -> Value {
        let found = async || {
            let reports: Vec<Value> = serde_json::from_str(&self.0.ask("reports")).expect("JSON");
            reports.into_iter().find(|report| report["update_id"] == id)
        };
        wait::until(SOON, "the report", found).await.expect("a report")
    }
}

/// Waits until a document is that one.
pub(crate) async fn decides(agent: &Agent, path: &str, expected: Value) {
    let is_so = async || (agent.get(&format!("/v1/data/{path}")).await.json()["result"] == expected).then_some(());
    let waited = wait::until(SOON, "the data", is_so).await;
    if let Err(error) = waited {
        let now = agent.get("/v1/data").await.text();
        panic!("{error}: {path} should be {expected}, but data is {now}\n{}", agent.stderr());
    }
}

pub(crate) fn has_git() -> bool {
    let is_there = Command::new("git").arg("--version").output().is_ok();
    if !is_there {
        println!("git is not installed: policy of an opal-server is not tried");
    }
    is_there
}

async fn is_ready(agent: &Agent) {
    let ready = async || (agent.get("/health?plugins").await.status == 200).then_some(());
    wait::until(SOON, "readiness", ready).await.unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_opal_server_publishes_is_in_the_next_decision() {
    let Some(mut opal) = Opal::start(&[]) else { return };
    let source = opal.0.text("source").to_owned();
    let agent = opal.agent("topics: [policy_data, policy_data/users]").await;
    is_ready(&agent).await;
    assert_eq!(agent.get("/v1/data/base").await.json()["result"], json!({"loaded": 1}), "ready means loaded");

    opal.publish(
        &json!({"id": "inline", "entries": [{"url": "", "data": {"n": 1.50, "nothing": null}, "dst_path": "/inline"}]}),
    )
    .await;
    decides(&agent, "inline", json!({"n": 1.50, "nothing": null})).await;
    let report = opal.report("inline").await;
    let entry = &report["reports"][0];
    assert_eq!(
        (&entry["fetched"], &entry["saved"], &entry["entry"]["dst_path"]),
        (&json!(true), &json!(true), &json!("/inline"))
    );

    // On two of the agent's topics, so the server tells it twice; an `add` at the end would be seen twice.
    opal.tell(r#"put /users {"list": ["ann"]}"#);
    let topics = ["policy_data/users"];
    opal.publish(&json!({"entries": [{"url": format!("{source}/users"), "topics": topics, "dst_path": "users"}]}))
        .await;
    decides(&agent, "users/list", json!(["ann"])).await;
    let operations = json!([
        {"op": "test", "path": "/list/0", "value": "ann"},
        {"op": "add", "path": "/list/-", "value": "bob"},
        {"op": "copy", "from": "/list", "path": "/former"},
        {"op": "move", "from": "/former/1", "path": "/one"},
    ]);
    let patch = |data: &Value| json!({"entries": [{"url": "", "save_method": "PATCH", "topics": topics, "dst_path": "/users", "data": data}]});
    opal.publish(&patch(&operations)).await;
    decides(&agent, "users", json!({"list": ["ann", "bob"], "former": ["ann"], "one": "bob"})).await;

    // Of a patch that does not apply nothing is applied, and what follows it is.
    let mut broken = patch(&json!([{"op": "remove", "path": "/one"}, {"op": "remove", "path": "/none"}]));
    broken["id"] = json!("broken");
    opal.publish(&broken).await;
    let report = opal.report("broken").await;
    assert_eq!((&report["reports"][0]["fetched"], &report["reports"][0]["saved"]), (&json!(true), &json!(false)));
    assert_eq!(agent.get("/v1/data/users/one").await.json()["result"], "bob");

    // Topics that the agent has not subscribed to, beside one that it has.
    let entry = |topic: &str, path: &str| json!({"url": "", "topics": [topic], "data": {}, "dst_path": path});
    opal.publish(&json!({"entries": [entry("others", "/theirs"), entry("policy_data", "/ours")]})).await;
    decides(&agent, "ours", json!({})).await;
    for n in 0..50 {
        opal.publish(&json!({"entries": [{"url": "", "data": {"n": n}, "dst_path": format!("/order/{}", n % 2)}]}))
            .await;
    }
    decides(&agent, "order", json!({"0": {"n": 48}, "1": {"n": 49}})).await;
    assert_eq!(agent.get("/v1/data/theirs").await.json()["result"], Value::Null);
    let users = agent.get("/v1/data/users").await.json()["result"].clone();
    assert_eq!(users, json!({"list": ["ann", "bob"], "former": ["ann"], "one": "bob"}), "nothing was applied twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_while_the_server_was_away_is_made_up_for() {
    let Some(mut opal) = Opal::start(&[]) else { return };
    let agent = opal.agent("max_reconnect_delay_seconds: 1").await;
    decides(&agent, "base", json!({"loaded": 1})).await;
    opal.tell("stop");
    opal.tell(r#"put /base {"loaded": 2}"#);
    let is_said = async || agent.stderr().contains("No connection to the server of data updates.").then_some(());
    wait::until(SOON, "the log", is_said).await.expect("the loss is logged");
    assert_eq!(agent.get("/v1/data/base").await.json()["result"], json!({"loaded": 1}), "what is there stays");
    opal.tell("start");
    decides(&agent, "base", json!({"loaded": 2})).await;
    opal.publish(&json!({"entries": [{"url": "", "data": {"n": 1}, "dst_path": "/again"}]})).await;
    decides(&agent, "again", json!({"n": 1})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_ready_when_all_base_data_is_there_and_asks_until_it_is() {
    let Some(mut opal) = Opal::start(&[]) else { return };
    opal.tell("put /base");
    let agent = opal.agent("drop_nulls: true").await;
    let is_said = async || agent.stderr().contains("the source answers 404 Not Found").then_some(());
    wait::until(SOON, "the log", is_said).await.expect("the failure is logged");
    opal.publish(&json!({"entries": [{"url": "", "data": {"n": 1, "nothing": null}, "dst_path": "/other"}]})).await;
    decides(&agent, "other", json!({"n": 1})).await;
    assert_eq!(agent.get("/health?plugins").await.status, 500, "something else that works makes it no more ready");
    opal.tell(r#"put /base {"loaded": 1}"#);
    is_ready(&agent).await;
    decides(&agent, "base", json!({"loaded": 1})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_tokens_is_given_one() {
    let Some(opal) = Opal::start(&["secure"]) else { return };
    let refused = opal.agent("token: 'forged', max_reconnect_delay_seconds: 1").await;
    let is_said = async || refused.stderr().contains("check `data_updates.token`").then_some(());
    wait::until(SOON, "the log", is_said).await.expect("the refusal is logged");
    assert_eq!(refused.get("/health?plugins").await.status, 500);
    assert!(!refused.stderr().contains("forged"));
    assert!(!refused.get("/v1/config").await.text().contains("forged"));

    let answer = opal.post("/token", &json!({"type": "client"}), Some("master")).await;
    let agent = opal.agent(&format!("token: '{}'", answer["token"].as_str().expect("a token"))).await;
    is_ready(&agent).await;
    decides(&agent, "base", json!({"loaded": 1})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_of_an_opal_server_is_in_effect() {
    if !has_git() {
        return;
    }
    let Some(mut opal) = Opal::start(&["policy"]) else { return };
    let agent = opal.agent("policy: {enabled: true}").await;
    is_ready(&agent).await;
    assert_eq!(agent.get("/v1/data/app").await.json()["result"], json!({"version": 1, "limit": 1}));
    // A difference: one file changed, one new, one removed.
    opal.tell(r"commit app/app.rego package app\n\nversion := 2\n");
    decides(&agent, "app/version", json!(2)).await;
    opal.tell(r"commit more/more.rego package more\n\nis_here := data.app.version == 2\n");
    decides(&agent, "more/is_here", json!(true)).await;
    opal.tell("commit app/data.json");
    decides(&agent, "app", json!({"version": 2})).await;
    // What does not compile changes nothing, and what mends it is taken as soon as it comes.
    opal.tell(r"commit more/more.rego package more\n\nis_here := data.app.unknown_function(1)\n");
    let is_said = async || agent.stderr().contains("The policy cannot be updated.").then_some(());
    wait::until(SOON, "the log", is_said).await.expect("the refusal is logged");
    assert_eq!(agent.get("/v1/data/more/is_here").await.json()["result"], true);
    opal.tell(r"commit more/more.rego package more\n\nis_here := 3\n");
    decides(&agent, "more/is_here", json!(3)).await;
    opal.tell("commit more/more.rego");
    decides(&agent, "more", Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opal_client_has_the_agent_for_its_policy_store() {
    if !has_git() {
        return;
    }
    let Some(mut opal) = Opal::start(&["policy"]) else { return };
    let agent = regent().start().await.expect("the agent starts");
    opal.tell(&format!("client {}", agent.url("")));
    decides(&agent, "app", json!({"version": 1, "limit": 1})).await;
    decides(&agent, "base", json!({"loaded": 1})).await;
    opal.publish(&json!({"entries": [{"url": "", "data": {"a": {"b": 1}}, "dst_path": "/pushed"}]})).await;
    decides(&agent, "pushed", json!({"a": {"b": 1}})).await;
    let operations = json!([{"op": "replace", "path": "/a/b", "value": 2}]);
    let patch = json!({"url": "", "save_method": "PATCH", "dst_path": "/pushed", "data": operations});
    opal.publish(&json!({"entries": [patch]})).await;
    decides(&agent, "pushed", json!({"a": {"b": 2}})).await;
    opal.tell(r"commit app/app.rego package app\n\nversion := 2\n");
    decides(&agent, "app/version", json!(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_obtains_tokens_and_publishes() {
    let Some(opal) = Opal::start(&["secure"]) else { return };
    let url = opal.0.text("url").to_owned();
    let regent = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_regent")).args(arguments).args(["--server-url", &url]).output();
        let output = output.expect("regent can be run");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text").trim().to_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let token = |kind: &str| {
        let (code, token, error) = regent(&["obtain-token", "master", "--type", kind, "--ttl", "5", "minutes"]);
        assert_eq!(code, Some(0), "{error}");
        token
    };
    let agent = opal.agent(&format!("token: '{}'", token("client"))).await;
    is_ready(&agent).await;
    let datasource = token("datasource");
    let entries = r#"[{"url": "", "data": {"n": 1}, "dst_path": "/listed"}]"#;
    let published = regent(&[
        "publish-data-update",
        &datasource,
        "--entries",
        entries,
        "--data",
        r#"{"n": 2}"#,
        "--dst-path",
        "/single",
        "--reason",
        "r",
    ]);
    assert_eq!(published, (Some(0), "Event Published Successfully".to_owned(), String::new()));
    decides(&agent, "listed", json!({"n": 1})).await;
    decides(&agent, "single", json!({"n": 2})).await;

    let refused = |arguments: &[&str]| {
        let (code, output, error) = regent(arguments);
        assert_eq!((code, output.as_str()), (Some(1), ""), "{arguments:?}");
        error
    };
    assert!(
        refused(&["publish-data-update", &token("client"), "--data", "{}", "--dst-path", "/x"])
            .contains("401 Unauthorized: ")
    );
    assert!(refused(&["publish-data-update", &datasource]).contains("there is nothing to publish"));
    assert!(
        refused(&["publish-data-update", &datasource, "--data", "5"]).contains("--data: must be an object or an array")
    );
    assert!(refused(&["publish-data-update", &datasource, "--entries", "{bad"]).contains("--entries: "));
    assert_eq!(
        refused(&["obtain-token", "wrong"]),
        "Error: the server answers 401 Unauthorized: unauthorized to access this endpoint!"
    );
    assert!(
        refused(&["obtain-token", "master", "--ttl", "3", "fortnights"]).contains("--ttl: \"fortnights\" is no unit")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_billing_service_of_the_examples_is_heard() {
    let Some(opal) = Opal::start(&[]) else { return };
    let agent = opal.agent("topics: [policy_data, billing]").await;
    is_ready(&agent).await;
    let example = Path::new(env!("CARGO_BIN_EXE_regent")).with_file_name("examples").join("billing_service");
    let mut service = Command::new(example);
    let service = service.arg(opal.0.text("url")).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut service = service.expect("the example is built with the tests");
    let mut input = service.stdin.take().expect("it is piped");
    writeln!(input, "ann 12.50").expect("it reads");
    decides(&agent, "billing/users/ann", json!({"has_paid": true, "amount": 12.5})).await;
    writeln!(input, "ann -").expect("it reads");
    decides(&agent, "billing/users/ann", json!({"has_paid": false})).await;
    drop(input);
    assert!(service.wait().expect("it ends").success());
}
