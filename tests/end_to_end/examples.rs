//! Every file of `config-examples/` runs, and so does the program that embeds the agent.

use std::path::{Path, PathBuf};

use regent_kit::{Agent, AgentCommand, ControlPlane, Registry};
use serde_json::json;

use crate::signatures;
use crate::support::{SOON, decide, regent};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the agent lies in the workspace").to_owned()
}

fn quickstart(command: AgentCommand) -> AgentCommand {
    let folder = root().join("config-examples/quickstart");
    let config = std::fs::read_to_string(folder.join("config.yaml")).expect("the quickstart's configuration");
    command.config(&config).arg(folder.join("policy").to_str().expect("a plain path"))
}

#[tokio::test]
async fn the_quickstart_gives_the_answer_that_the_readme_shows() {
    let agent = quickstart(regent()).start().await.expect("the agent starts");
    let input = std::fs::read(root().join("config-examples/quickstart/input.json")).expect("the quickstart's input");
    let answer = agent.post("/v1/data/shop/allow", input).await;
    let answer = answer.json();
    assert_eq!(answer["result"], true, "{answer}");
    agent.wait_for_log("Decision Log", SOON).await.expect("the decision is logged on the console");
}

#[tokio::test]
async fn the_batch_gives_the_answer_that_the_documentation_shows() {
    let page = std::fs::read_to_string(root().join("docs/running.md")).expect("the page");
    let (_, section) = page.split_once("## Many questions in one request").expect("the section");
    let block = |(index, text): (usize, &str)| (index % 2 == 1).then(|| text.strip_prefix("json\n").map(str::to_owned));
    let shown: Vec<String> = section.split("```").enumerate().filter_map(block).flatten().take(2).collect();
    let batch = std::fs::read_to_string(root().join("config-examples/quickstart/batch.json")).expect("the batch");
    assert_eq!(shown[0], batch);
    let folder = root().join("config-examples/quickstart/policy");
    let agent = regent().arg(folder.to_str().expect("a plain path")).start().await.expect("the agent starts");
    let answer = agent.post("/v1/batch/data/shop/allow?pretty", batch.into_bytes()).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, shown[1].clone()));
}

#[test]
fn the_page_about_sinks_shows_the_examples() {
    let page = std::fs::read_to_string(root().join("docs/sinks.md")).expect("the page");
    for name in ["decision-logs-nats.yaml", "decision-logs-postgres.yaml"] {
        let example = std::fs::read_to_string(root().join("config-examples").join(name)).expect("the example");
        let bare = |line: &str| line.split_once(" #").map_or(line, |(before, _)| before).to_owned();
        let lines = example.lines().filter(|line| !line.starts_with('#')).map(bare);
        let block = format!("```yaml\n{}\n```", lines.collect::<Vec<_>>().join("\n"));
        assert!(page.contains(&block), "{name} is shown otherwise");
    }
}

#[tokio::test]
async fn every_example_starts_and_becomes_ready() {
    let mut tried = 0;
    for entry in std::fs::read_dir(root().join("config-examples")).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let acme = ControlPlane::start().await;
        let config = std::fs::read_to_string(&path).expect("an example");
        let pair = signatures::Pair::generate();
        for name in ["authz", "users"] {
            let bundle = regent_kit::Bundle::new().revision(name).roots([name]).data(name, json!({"from": name}));
            let bundle = if config.contains("signing:") { pair.sign(&bundle, "release") } else { bundle };
            acme.serve_bundle(name, bundle.build());
        }
        let found = json!({"bundles": {"authz": {"service": "acme"}}});
        acme.serve_bundle("discovery", regent_kit::Bundle::new().data("discovery", found).build());
        let registry = Registry::start().await;
        registry.require("Basic dXNlcjpzM2NyZXQ=", "Basic");
        let kept =
            regent_kit::Bundle::new().revision("authz").roots(["authz"]).data("authz", json!({"from": "registry"}));
        registry.push("acme/policies/authz", "stable", kept.build());
        let mut command = regent().config(&config).env("REGISTRY_URL", registry.url());
        command = command.env("REGISTRY_USER", "user").env("REGISTRY_PASSWORD", "s3cret");
        if config.contains("signing:") {
            let key = "keys.release.key=release.pem";
            command = command.file("release.pem", &pair.public).args(["--set-file", key]);
        }
        // Servers that nobody asks anything before there are decisions.
        command = command.env("NATS_URL", "nats://127.0.0.1:1").env("NATS_PASSWORD", "s3cret");
        command = command.env("POSTGRES_HOST", "127.0.0.1").env("POSTGRES_PASSWORD", "s3cret");
        let command = command.env("CONTROL_PLANE_URL", acme.url()).env("CONTROL_PLANE_TOKEN", "t0ken");
        let agent = crate::support::ready(command).await;
        let up = async || (agent.get("/health?plugins").await.status == 200).then_some(());
        let up = regent_kit::wait::until(SOON, "the plugins", up).await;
        up.unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), agent.stderr()));
        tried += 1;
    }
    assert!(tried > 2, "there are examples");
}

/// A program that embeds the agent. Cargo builds examples beside the tests, in a folder of their own.
pub(crate) fn embedding(name: &str) -> AgentCommand {
    Agent::command(embedding_path(name).to_str().expect("a plain path"))
}

pub(crate) fn embedding_path(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("this test's path");
    tests.parent().and_then(Path::parent).expect("the build folder").join("examples").join(name)
}

#[tokio::test]
async fn a_program_embeds_the_agent_and_brings_its_own_sink() {
    let yaml = "decision_logs: {plugin: line_file}\nplugins: {line_file: {path: decisions.txt}}\n";
    let policy = "package app\n\nallow if input.user == \"ann\"\n";
    let mut agent = embedding("custom_sink")
        .config(yaml)
        .file("app.rego", policy)
        .arg("app.rego")
        .start()
        .await
        .expect("it starts");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    agent.terminate().expect("the signal is sent");
    assert!(agent.wait(SOON).await.expect("it ends").success(), "{}", agent.stderr());
    let lines = std::fs::read_to_string(agent.dir().join("decisions.txt")).expect("the sink has written");
    assert!(lines.lines().count() == 1 && lines.contains("app/allow true"), "{lines}");
}

#[tokio::test]
async fn a_program_adds_a_function_that_policies_call() {
    let policy = "package app\n\nallow if acme.domain(input.email) == \"example.com\"\n";
    let command = embedding("custom_builtin").file("app.rego", policy).arg("app.rego");
    let agent = command.start().await.expect("it starts");
    assert_eq!(decide(&agent, "app/allow", json!({"email": "ann@EXAMPLE.com"})).await, true);
    assert_eq!(decide(&agent, "app/allow", json!({"email": "ann"})).await, serde_json::Value::Null);
    let strict = agent.post("/v1/data/app/allow?strict-builtin-errors", json!({"input": {"email": "ann"}})).await;
    assert_eq!(strict.status, 500, "{}", strict.text());
    assert!(strict.text().contains("acme.domain: the address has no @"), "{}", strict.text());
}
