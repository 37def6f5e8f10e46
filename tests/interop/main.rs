//! Clients that were written for OPA, driven against the agent by the scripts beside this file, and servers that others
//! wrote, which the agent asks for bundles.
//!
//! Each test installs its client or server from the registry of the language or system into the build folder. Where that
//! is absent, it says so and passes.

#![expect(clippy::print_stdout, reason = "a test tells so what it could not try")]

mod aws;
mod azure;
mod opal;
mod opal_hub;
mod registry;
mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use regent_kit::{Agent, AgentCommand, Bundle, wait};
use serde_json::json;

/// How long anything may take that should happen soon.
const SOON: Duration = Duration::from_mins(1);

/// What the JavaScript client asks about.
const POLICY: &str = r#"package shop

default allow := false

allow if {
	input.user == "alice"
	input.action == "buy"
}

roles := {"alice": ["customer"], "bob": ["clerk"]}

explained := {"reason": roles[input.user][0]}

rules := {"a/b": 1}

conflict := 1 if input.user

conflict := 2 if input.user

mixed := input.n if input.n > 0

mixed := 1 if input.n == 0

mixed := 2 if input.n == 0
"#;

const DEFAULT_DECISION: &str = "package system\n\nmain := {\"greeting\": sprintf(\"hello %s\", [input.user])}\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_client_of_opa_finds_what_it_expects() {
    let Some(client) = installed("node", "npm", &["install", "--no-audit", "--no-fund", "--no-package-lock"]) else {
        return;
    };
    let agent = regent().start().await.expect("the agent starts");
    for (id, policy) in [("shop", POLICY), ("main", DEFAULT_DECISION)] {
        assert_eq!(agent.put(&format!("/v1/policies/{id}"), policy).await.status, 200);
    }
    let output = script("node", &client).arg("client.mjs").arg(agent.url("")).output();
    assert_passed(&output.expect("node can be run"), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_of_opa_finds_what_it_expects() {
    let install = ["-m", "pip", "install", "--quiet", "--target", "packages", "--requirement", "requirements.txt"];
    let Some(client) = installed("python", "python3", &install) else {
        return;
    };
    let agent = regent().config("{labels: {region: interop}, status: {console: true}}").start().await;
    let agent = agent.expect("the agent starts");
    let url = agent.url("");
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let (host, port) = address.split_once(':').expect("the address has a port");
    let output = script("python3", &client).env("PYTHONPATH", "packages").args(["client.py", host, port]).output();
    assert_passed(&output.expect("python can be run"), 16);
}

fn regent() -> AgentCommand {
    Agent::command(env!("CARGO_BIN_EXE_regent"))
}

/// A bundle whose policy answers with its revision.
fn bundle(revision: &str) -> Vec<u8> {
    let policy = format!("package app\n\nrevision := \"{revision}\"\n");
    Bundle::new().revision(revision).roots(["app"]).rego("app.rego", &policy).build()
}

/// Waits until the agent decides by that revision.
async fn has(agent: &Agent, revision: &str) {
    let active = async || {
        let answer = agent.post("/v1/data/app/revision", json!({})).await;
        (answer.json()["result"] == revision).then_some(())
    };
    let waited = wait::until(SOON, "the bundle", active).await;
    waited.unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()));
}

/// Copies the folder of a language into the build folder and installs what it names there; its path, or nothing if the
/// language is absent.
fn installed(language: &str, installer: &str, arguments: &[&str]) -> Option<PathBuf> {
    if Command::new(installer).arg("--version").output().is_err() {
        println!("{installer} is not installed: its client is not tried");
        return None;
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop").join(language);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop").join(language);
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    let (wanted, marker) = (describe(&scripts), folder.join("installed"));
    for entry in std::fs::read_dir(&scripts).expect("the scripts") {
        let entry = entry.expect("a script");
        std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("the script can be copied");
    }
    if std::fs::read_to_string(&marker).ok().as_ref() != Some(&wanted) {
        let output = script(installer, &folder).args(arguments).output().expect("the installer can be run");
        assert!(output.status.success(), "{installer} {}: {}", arguments.join(" "), written(&output));
        std::fs::write(&marker, &wanted).expect("the build folder can be written");
    }
    Some(folder)
}

/// The list of what a language's folder wants installed.
fn describe(scripts: &Path) -> String {
    ["package.json", "requirements.txt"]
        .iter()
        .filter_map(|name| std::fs::read_to_string(scripts.join(name)).ok())
        .collect()
}

fn script(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for proxy in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command
}

fn assert_passed(output: &Output, steps: usize) {
    let written = written(output);
    assert!(output.status.success(), "{written}");
    assert_eq!(written.matches("passed: ").count(), steps, "{written}");
}

fn written(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
