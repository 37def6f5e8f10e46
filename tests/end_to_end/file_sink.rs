//! Decisions in files, through everything that happens to files: rolling, logrotate, full disks, processes that are killed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use regent_kit::{Agent, AgentCommand, wait};
use serde_json::{Value, json};

use crate::kept_decisions::{ask_until_gone, id};
use crate::support::{SOON, regent};

const POLICY: &str = "package app\n\nallow := input.n > 5\n";

fn command(sink: &str, reporting: &str) -> AgentCommand {
    let config = format!(
        "decision_logs: {{plugin: file_sink, reporting: {{{reporting}}}}}\n\
         plugins: {{file_sink: {{path: logs/decisions.ndjson, {sink}}}}}\n"
    );
    regent().config(&config).file("app.rego", POLICY).arg("app.rego")
}

/// Asks once, and gives the id of the decision.
async fn ask(agent: &Agent, input: Value) -> String {
    let answer = agent.post("/v1/data/app/allow", json!({"input": input})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    id(&answer.json())
}

fn log(agent: &Agent) -> PathBuf {
    agent.dir().join("logs/decisions.ndjson")
}

/// The events of all files of a directory, in the order in which they were written.
fn events(logs: &Path) -> Vec<Value> {
    let mut paths: Vec<_> =
        fs::read_dir(logs).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect();
    // Those that were rolled have a dash where the present one has a dot.
    paths.sort();
    let finished = paths.iter().filter(|path| path.extension().is_none_or(|extension| extension != "tmp"));
    finished.flat_map(|path| read(path, &paths)).collect()
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

fn read(path: &Path, all: &[PathBuf]) -> Vec<Value> {
    let mut text = String::new();
    // What goes while it is looked for is there under another name.
    let Ok(mut file) = fs::File::open(path) else { return Vec::new() };
    if is_compressed(path) {
        MultiGzDecoder::new(file).read_to_string(&mut text).expect("a compressed file is whole");
    } else if !all.contains(&path.with_added_extension("gz")) {
        file.read_to_string(&mut text).expect("text");
    }
    // Of the file that is being written the last line may be half there.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))).collect()
}

fn ids(logs: &Path) -> Vec<String> {
    events(logs).iter().map(id).collect()
}

async fn has(agent: &Agent, expected: &[String]) {
    let logs = agent.dir().join("logs");
    let all = async || (ids(&logs) == expected).then_some(());
    let waited = wait::until(SOON, "the decisions", all).await;
    waited.unwrap_or_else(|error| panic!("{error}: {:?} instead of {expected:?}\n{}", ids(&logs), agent.stderr()));
}

#[tokio::test]
async fn every_decision_becomes_a_line_of_a_file_for_the_owner_alone() {
    let mut agent = command("sync: true", "").start().await.expect("the agent starts");
    let mut asked = Vec::new();
    for n in 0..20 {
        asked.push(ask(&agent, json!({"n": n})).await);
    }
    agent.terminate().expect("it runs");
    assert!(agent.wait(SOON).await.expect("it ends").success(), "{}", agent.stderr());
    has(&agent, &asked).await;
    let events = events(&agent.dir().join("logs"));
    assert_eq!(
        (&events[3]["input"], &events[3]["result"], &events[7]["result"]),
        (&json!({"n": 3}), &json!(false), &json!(true))
    );
    assert_eq!(fs::metadata(log(&agent)).expect("it is there").mode() & 0o777, 0o600);
}

#[tokio::test]
async fn files_are_rolled_by_size_compressed_and_the_oldest_go() {
    let agent =
        command("max_size_bytes: 2000, compress: true, max_files: 3", "").start().await.expect("the agent starts");
    let mut asked = Vec::new();
    let logs = agent.dir().join("logs");
    let removed = async || agent.stderr().matches("Removed an old file of decisions").count() >= 5;
    while !removed().await {
        asked.push(ask(&agent, json!({"n": asked.len(), "text": "x".repeat(300)})).await);
        assert!(asked.len() < 10_000, "{}", agent.stderr());
    }
    let three = async || {
        let paths: Vec<_> = fs::read_dir(&logs).ok()?.flatten().map(|file| file.path()).collect();
        let kept =
            paths.iter().filter(|path| **path != log(&agent)).all(|path| is_compressed(path)) && paths.len() <= 4;
        let found = ids(&logs);
        (kept && asked.ends_with(&found) && found.len() > 6).then_some(())
    };
    let waited = wait::until(SOON, "three compressed files", three).await;
    waited.unwrap_or_else(|error| {
        panic!("{error}: {:?}\n{}", fs::read_dir(&logs).map(Iterator::collect::<Vec<_>>), agent.stderr())
    });
}

#[tokio::test]
async fn a_file_that_is_old_is_rolled_though_nobody_asks_any_more() {
    let agent = command("max_age_seconds: 1, compress: true", "").start().await.expect("the agent starts");
    let asked = ask(&agent, json!({"n": 1})).await;
    let rolled = async || (!log(&agent).exists() && ids(&agent.dir().join("logs")) == [asked.clone()]).then_some(());
    wait::until(SOON, "the file to be rolled", rolled).await.expect("it is rolled");
    let next = ask(&agent, json!({"n": 2})).await;
    has(&agent, &[asked, next]).await;
}

#[tokio::test]
async fn at_a_hangup_the_file_that_was_moved_is_left_alone_and_a_new_one_is_there() {
    let agent = command("mode: '0640'", "").start().await.expect("the agent starts");
    let first = ask(&agent, json!({"n": 1})).await;
    has(&agent, std::slice::from_ref(&first)).await;
    let moved = log(&agent).with_file_name("decisions.ndjson.1");
    let before = fs::metadata(log(&agent)).expect("it is there").ino();
    fs::rename(log(&agent), &moved).expect("it is moved");
    agent.signal("HUP").expect("a signal");
    // As logrotate's `create` does not: nothing has been decided since.
    wait::until(SOON, "a new file", async || log(&agent).exists().then_some(())).await.expect("it is made");
    let held = || {
        let files = fs::read_dir(format!("/proc/{}/fd", agent.id().expect("it runs"))).ok()?;
        Some(files.flatten().filter_map(|file| fs::metadata(file.path()).ok()).any(|file| file.ino() == before))
    };
    if Path::new("/proc/self/fd").exists() {
        assert_eq!(held(), Some(false), "the file that was moved is let go");
    }
    let second = ask(&agent, json!({"n": 2})).await;
    let alone = async || (read(&log(&agent), &[]).iter().map(id).collect::<Vec<_>>() == [second.clone()]).then_some(());
    wait::until(SOON, "the line in the new file", alone).await.expect("it is written");
    assert_eq!(read(&moved, &[]).iter().map(id).collect::<Vec<_>>(), [first]);
    assert_eq!(fs::metadata(log(&agent)).expect("it is there").mode() & 0o777, 0o640);
}

#[tokio::test]
async fn a_changed_configuration_goes_on_with_the_same_file_or_with_another_one() {
    let agent = command("sync: true", "").start().await.expect("the agent starts");
    let mut asked = vec![ask(&agent, json!({"n": 1})).await];
    has(&agent, &asked).await;
    let path = agent.dir().join("config.yaml");
    let before = fs::read_to_string(&path).expect("the configuration");
    let changes = [("sync: true", "sync: false"), ("logs/decisions.ndjson", "logs/now.ndjson")];
    for (number, (old, new)) in changes.into_iter().enumerate() {
        fs::write(&path, before.replace(old, new)).expect("written");
        agent.signal("HUP").expect("a signal");
        let reloaded = async || (agent.stderr().matches("Configuration reloaded.").count() > number).then_some(());
        wait::until(SOON, "the configuration to be read", reloaded).await.expect("it is read");
        asked.push(ask(&agent, json!({"n": 2})).await);
        has(&agent, &asked).await;
    }
    let now = log(&agent).with_file_name("now.ndjson");
    assert_eq!(read(&now, &[]).iter().map(id).collect::<Vec<_>>(), asked[2..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_are_killed_leave_whole_lines_and_lose_no_decision() {
    let reporting = "buffer_type: disk";
    let mut command = command("max_size_bytes: 20000, compress: true", reporting).args(["--log-level", "error"]);
    let mut answered = BTreeSet::new();
    for _ in 0..4 {
        let agent = Arc::new(command.start().await.expect("the agent starts after every death"));
        let client = tokio::spawn(ask_until_gone(agent.clone()));
        let logs = agent.dir().join("logs");
        let before = ids(&logs).len();
        wait::until(SOON, "some lines", async || (ids(&logs).len() > before + 200).then_some(()))
            .await
            .expect("written");
        agent.signal("KILL").expect("it runs");
        answered.extend(client.await.expect("no answer but 200"));
        let agent = Arc::into_inner(agent).expect("the client is gone");
        // As if it had died in the middle of a line, and in the middle of a compressed file.
        let path = log(&agent);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, text + "{\"decision_id\": \"to").expect("written");
        fs::write(logs.join("decisions-20260102T030405.000000Z.ndjson.gz.tmp"), "half").expect("written");
        command = agent.into_command().await;
    }
    let agent = command.start().await.expect("the agent starts");
    let logs = agent.dir().join("logs");
    let all = async || answered.is_subset(&ids(&logs).into_iter().collect()).then_some(());
    wait::until(SOON, "all answered decisions", all).await.expect("they are there");
    let tidy = async || {
        let paths = fs::read_dir(&logs).ok()?.flatten().map(|file| file.path());
        paths.filter(|path| *path != log(&agent)).all(|path| is_compressed(&path)).then_some(())
    };
    wait::until(SOON, "every rolled file to be compressed", tidy).await.expect("it is tidied");
}

#[tokio::test]
async fn a_full_disk_delays_decisions_tears_no_line_and_repeats_none() {
    // No file may have more than 32 KiB.
    let limited = format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f 64\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_regent"));
    let scripts = tempfile::tempdir().expect("a directory");
    let script = scripts.path().join("limited");
    fs::write(&script, limited).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    let config = "status: {console: true}\ndecision_logs: {plugin: file_sink}\nplugins: {file_sink: {path: logs/decisions.ndjson}}\n";
    let agent = Agent::command(&script).config(config).file("app.rego", POLICY).arg("app.rego").start().await;
    let agent = agent.expect("the agent starts");
    let mut asked = Vec::new();
    let trouble = "decisions cannot be written: cannot write to logs/decisions.ndjson: File too large";
    while !agent.stderr().contains(trouble) {
        asked.push(ask(&agent, json!({"n": asked.len(), "text": "x".repeat(1000)})).await);
        assert!(asked.len() < 1000, "{}", agent.stderr());
    }
    for n in 0..10 {
        asked.push(ask(&agent, json!({"n": n})).await);
    }
    let shown = async || agent.get("/v1/status").await.text().contains("File too large").then_some(());
    wait::until(SOON, "the trouble in status", shown).await.expect("it is shown");
    let full = fs::read_to_string(log(&agent)).expect("it is there");
    assert!(full.ends_with('\n') && asked.starts_with(&ids(&agent.dir().join("logs"))), "{full}");
    // Room again.
    fs::rename(log(&agent), log(&agent).with_file_name("decisions-1.ndjson")).expect("moved");
    has(&agent, &asked).await;
}
