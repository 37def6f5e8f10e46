//! The flags of `run`: each has its effect, or is one that may safely have none.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use regent_kit::{Agent, AgentCommand, ControlPlane};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, config, decide, regent};

const POLICY: &str = "package app\n\nallow if input.user == \"ann\"\n";

/// An agent with one decision.
fn decider() -> AgentCommand {
    regent().file("app.rego", POLICY).arg("app.rego")
}

async fn refused(command: AgentCommand) -> String {
    let output = command.run_to_end(SOON).await.expect("the agent ends by itself");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    stderr
}

/// Waits until a decision is that.
async fn until(agent: &Agent, path: &str, expected: Value) {
    let what = format!("{path} to be {expected}");
    regent_kit::wait::until(SOON, &what, async || {
        (agent.get(&format!("/v1/data/{path}")).await.json().get("result") == Some(&expected)).then_some(())
    })
    .await
    .unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()));
}

#[tokio::test]
async fn ready_timeout_answers_nobody_before_bundles_are_active() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = regent().config(&config(&acme)).args(["--ready-timeout", "60"]).start().await.expect("it starts");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "the first answer there is");

    let yaml = "services: {acme: {url: \"http://127.0.0.1:1\"}}\nbundles: {authz: {service: acme}}\n";
    let error = refused(regent().config(yaml).args(["--ready-timeout", "1"])).await;
    assert!(error.contains("Failed to wait for plugins activation"), "{error}");
}

#[tokio::test]
async fn shutdown_wait_period_goes_on_serving() {
    let mut agent = decider().args(["--shutdown-wait-period", "3"]).start().await.expect("the agent starts");
    agent.terminate().expect("it runs");
    agent.wait_for_log("Waiting 3s before initiating shutdown...", SOON).await.expect("it waits");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    assert!(!agent.stderr().contains("Shutting down..."), "it was asked in time");
    assert!(agent.wait(SOON).await.expect("it ends").success(), "{}", agent.stderr());
    assert!(agent.stderr().contains("Server shutdown."), "{}", agent.stderr());
}

#[tokio::test]
async fn shutdown_grace_period_ends_the_wait_for_requests() {
    let endless = "package endless\n\np if {\n\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti + j < 0\n}\n";
    let agent = regent().file("endless.rego", endless).arg("endless.rego");
    let mut agent = agent.args(["--shutdown-grace-period", "1"]).start().await.expect("the agent starts");
    let mut running = TcpStream::connect(agent.url("").trim_start_matches("http://")).expect("a listener");
    running.write_all(b"GET /v1/data/endless/p HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    agent.wait_for_log("/v1/data/endless/p", SOON).await.expect("it runs");
    agent.terminate().expect("it runs");
    assert_eq!(agent.wait(SOON).await.expect("it ends").code(), Some(1));
    assert!(agent.stderr().contains("Failed to shutdown server gracefully."), "{}", agent.stderr());
}

#[tokio::test]
async fn watch_follows_files_that_come_change_break_and_go() {
    let value = |value: &str| format!("package app\n\nx := {value}\n");
    let agent = regent().file("files/one.rego", value("1")).file("files/data.json", r#"{"d": 1}"#);
    let agent = agent.args(["--watch", "files"]).start().await.expect("the agent starts");
    let folder = agent.dir().join("files");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    until(&agent, "app", json!({"x": 1})).await;

    write("one.rego", &value("2"));
    until(&agent, "app", json!({"x": 2})).await;
    write("two.rego", "package app\n\ny := 1\n");
    until(&agent, "app", json!({"x": 2, "y": 1})).await;
    std::fs::remove_file(folder.join("two.rego")).expect("removed");
    until(&agent, "app", json!({"x": 2})).await;
    write("data.json", r#"{"e": 2}"#);
    until(&agent, "e", json!(2)).await;
    assert_eq!(agent.get("/v1/data/d").await.json(), json!({}));

    write("one.rego", "package app\n\nx := ");
    agent.wait_for_log("rego_parse_error", SOON).await.expect("it is said");
    until(&agent, "app", json!({"x": 2})).await;
    write("one.rego", &value("3"));
    until(&agent, "app", json!({"x": 3})).await;

    // As editors do it: a new file in the place of the old one.
    write("new", &value("4"));
    std::fs::rename(folder.join("new"), folder.join("one.rego")).expect("renamed");
    until(&agent, "app", json!({"x": 4})).await;
    agent.put("/v1/policies/mine", "package mine\n\nx := 1\n").await;
    write("one.rego", &value("5"));
    until(&agent, "app", json!({"x": 5})).await;
    until(&agent, "mine", json!({"x": 1})).await;
}

#[tokio::test]
async fn watch_follows_folders_in_folders_and_files_under_a_prefix() {
    let agent = regent().file("files/deep/data.json", r#"{"x": 1}"#).file("apart/one.json", r#"{"y": 1}"#);
    let agent = agent.args(["--watch", "files", "below.here:apart/one.json"]).start().await.expect("the agent starts");
    let write = |name: &str, text: &str| std::fs::write(agent.dir().join(name), text).expect("written");
    write("files/deep/data.json", r#"{"x": 2}"#);
    until(&agent, "deep/x", json!(2)).await;
    write("apart/one.json", r#"{"y": 2}"#);
    until(&agent, "below/here/y", json!(2)).await;
}

#[tokio::test]
async fn max_errors_bounds_what_is_reported() {
    let rules = (0..15).map(|number| format!("r{number} := missing_{number}(1)\n\n")).collect::<Vec<_>>().concat();
    let broken = |flags: &[&str]| {
        let command = regent().file("bad.rego", format!("package bad\n\n{rules}")).arg("bad.rego").args(flags);
        async move { refused(command).await.matches("rego_type_error: undefined function").count() }
    };
    assert_eq!(broken(&[]).await, 10);
    assert_eq!(broken(&["--max-errors", "3"]).await, 3);
    assert_eq!(broken(&["-m", "0"]).await, 15);
}

#[tokio::test]
async fn log_format_chooses_the_form_of_lines() {
    let started = async |format: &str| {
        let agent = decider().args(["--log-format", format]).start().await.expect("the agent starts");
        agent.wait_for_log("Initializing server.", SOON).await.expect("a line");
        agent.stderr()
    };
    let json = started("json").await;
    assert!(json.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{json}");
    let pretty = started("json-pretty").await;
    assert!(pretty.starts_with("{\n  \""), "{pretty}");
    let text = started("text").await;
    assert!(!text.starts_with('{') && text.contains("Initializing server."), "{text}");
    assert!(refused(decider().args(["--log-format", "xml"])).await.contains("--log-format"));
}

#[tokio::test]
async fn set_and_set_file_change_the_configuration() {
    let agent = decider().config("labels: {a: one, b: one}").file("label.txt", "three");
    let agent = agent.args(["--set", "labels.b=two", "--set-file", "labels.c=label.txt"]).start().await;
    let shown = agent.expect("the agent starts").get("/v1/config").await.json();
    let labels = &shown["result"]["labels"];
    assert_eq!((&labels["a"], &labels["b"], &labels["c"]), (&json!("one"), &json!("two"), &json!("three")), "{shown}");
    let error = refused(decider().args(["--set-file", "labels.c=missing.txt"])).await;
    assert!(error.contains("missing.txt"), "{error}");
}

#[tokio::test]
async fn variables_stand_for_flags_and_flags_win_over_them() {
    let agent =
        decider().file("more/x_test.rego", "package broken {").file("more/.hidden.rego", "package {").arg("more");
    let agent = agent.config("labels: {id: mine, version: mine}").env("OPA_RUN_IGNORE", "*_test.rego,.*");
    let agent = agent.env("OPA_RUN_SET", "labels.a=one,labels.b=one").env("OPA_RUN_LOG_FORMAT", "text");
    let agent = agent.args(["--log-format", "json"]).start().await.expect("the agent starts");
    let shown = agent.get("/v1/config").await.json();
    let labels = &shown["result"]["labels"];
    assert_eq!((&labels["a"], &labels["b"]), (&json!("one"), &json!("one")), "{shown}");
    assert!(labels["id"] != "mine" && labels["version"] != "mine", "{shown}");
    assert!(agent.stderr().lines().all(|line| line.starts_with('{')), "{}", agent.stderr());
}

#[tokio::test]
async fn all_wrong_variables_are_told_at_once() {
    let wrong = || decider().env("OPA_RUN_LOG_LEVEL", "loud").env("OPA_RUN_READY_TIMEOUT", "soon");
    let agent = wrong().env("OPA_RUN_AUTHENTICATION", "pass").env("OPA_RUN_H2C", "maybe").env("OPA_EVAL_COUNT", "x");
    let told = concat!(
        "Error: error mapping environment variables to command flags: ",
        "OPA_RUN_H2C: invalid argument \"maybe\" for \"--h2c\" flag: must be true or false; ",
        "OPA_RUN_READY_TIMEOUT: invalid argument \"soon\" for \"--ready-timeout\" flag: invalid digit found in string; ",
        "OPA_RUN_LOG_LEVEL: invalid argument \"loud\" for \"-l, --log-level\" flag: ",
        "must be one of debug, info, warn, error, got \"loud\"; ",
        "OPA_RUN_AUTHENTICATION: invalid argument \"pass\" for \"--authentication\" flag: must be one of {token,tls,off}\n",
    );
    assert_eq!(refused(agent).await, told);
    // The variable of a flag that is given is not looked at, and wrong flags go before wrong variables.
    let error = refused(wrong().args(["--log-level", "info"])).await;
    assert!(error.contains("OPA_RUN_READY_TIMEOUT") && !error.contains("OPA_RUN_LOG_LEVEL"), "{error}");
    let error = refused(wrong().args(["--log-level", "quiet"])).await;
    assert!(error.contains("quiet") && !error.contains("environment"), "{error}");
}

#[tokio::test]
async fn an_empty_variable_is_none_and_truth_is_that_of_go() {
    let agent = decider().env("OPA_RUN_LOG_LEVEL", "").env("OPA_RUN_MAX_ERRORS", "").env("OPA_RUN_H2C", "f");
    let agent = agent.config("labels: {a: \"${UNSET}\"}").env("OPA_RUN_WATCH", "F");
    let agent = agent.start().await.expect("the agent starts");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    let strict = decider().config("labels: {a: \"${UNSET}\"}").env("OPA_RUN_STRICT_CONFIG", "T");
    assert!(refused(strict).await.contains("UNSET"));
}

#[tokio::test]
async fn ignore_leaves_files_out() {
    let agent = decider().file("more/x_test.rego", "package broken {").file("more/.hidden.rego", "package {");
    let agent = agent.file("more/kept.rego", "package kept\n\nx := 1\n").arg("more");
    let agent = agent.args(["--ignore", "*_test.rego", "--ignore", ".*"]).start().await.expect("the agent starts");
    assert_eq!(agent.get("/v1/data/kept/x").await.json()["result"], 1);
}

#[tokio::test]
async fn compatibility_flags_choose_the_dialect() {
    let old = "package app\n\nallow { input.user == \"ann\" }\n";
    let command = |flags: &[&str]| regent().file("old.rego", old).arg("old.rego").args(flags);
    for flags in [&["--v0-compatible"][..], &["--v0-compatible", "--v1-compatible"]] {
        let agent = command(flags).start().await.expect("the agent starts");
        assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
        assert_eq!(agent.put("/v1/policies/p", old.replace("app", "p")).await.status, 200);
    }
    for flags in [&[][..], &["--v1-compatible"]] {
        assert!(refused(command(flags)).await.contains("`if` keyword is required before rule body"));
    }
}

#[tokio::test]
async fn flags_about_what_regent_does_not_do_change_nothing() {
    let flags = [
        "--skip-version-check",
        "--disable-telemetry",
        "--optimize-store-for-read-speed",
        "--pprof",
        "--format=pretty",
        "--history=/nowhere",
        "--signing-alg=RS256",
        "--verification-key-id=default",
        "--scope=write",
        "--exclude-files-verify=x",
    ];
    let agent = decider().args(flags).start().await.expect("the agent starts");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    assert_eq!(agent.get("/debug/pprof/").await.status, 404, "there is no such runtime to profile");
}

#[tokio::test]
async fn unix_socket_perm_and_h2c_are_in_effect() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("s");
    let address = format!("unix://{}", socket.display());
    let agent = decider().args(["--h2c", "--unix-socket-perm", "700", "--addr", &address]).start().await;
    let agent = agent.expect("the agent starts");
    assert_eq!(std::fs::metadata(&socket).expect("the socket").permissions().mode() & 0o777, 0o700);
    let mut stream = TcpStream::connect(agent.url("").trim_start_matches("http://")).expect("a listener");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").expect("sent");
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).expect("a frame");
    assert_eq!(frame[3], 4, "settings");
    assert!(refused(decider().args(["--unix-socket-perm", "9"])).await.contains("--unix-socket-perm"));
}
