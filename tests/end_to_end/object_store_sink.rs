//! Decisions as objects of stores that are there, away, slow or wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regent_kit::{Agent, AgentCommand, wait};
use serde_json::json;

use crate::bucket::{self, Bucket, Closed, Fate};
use crate::kept_decisions::{ask_until_gone, id};
use crate::support::{SOON, regent};

const POLICY: &str = "package app\n\nallow := input.n > 5\n";

fn command(sink: &str, reporting: &str) -> AgentCommand {
    let config = format!(
        "status: {{console: true}}\ndecision_logs: {{plugin: object_store_sink, reporting: {{{reporting}}}}}\n\
         plugins: {{object_store_sink: {{{sink}}}}}\n"
    );
    regent().config(&config).file("app.rego", POLICY).arg("app.rego")
}

/// The options of a bucket at that address.
fn s3(address: std::net::SocketAddr, more: &str) -> String {
    let key = "access_key_id: minion, secret_access_key: hunter2";
    format!("url: 's3://logs/prod', {more}, aws: {{region: eu-west-1, endpoint: 'http://{address}', {key}}}")
}

async fn ask(agent: &Agent, n: usize) -> String {
    let answer = agent.post("/v1/data/app/allow", json!({"input": {"n": n}})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    id(&answer.json())
}

async fn ask_all(agent: &Agent, count: usize) -> Vec<String> {
    let mut asked = Vec::new();
    for n in 0..count {
        asked.push(ask(agent, n).await);
    }
    asked
}

/// All objects below a directory; one that is not whole yet has another name.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let is_whole = |path: &Path| path.extension().is_some_and(|extension| extension == "gz");
    for path in fs::read_dir(directory).into_iter().flatten().map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if is_whole(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn decisions_become_objects_in_folders_by_the_hour_once_they_are_enough() {
    let store = tempfile::tempdir().expect("a directory");
    let url = format!("url: 'file://{}/logs', max_object_events: 4, max_age_seconds: 3600", store.path().display());
    let mut agent = command(&url, "").start().await.expect("the agent starts");
    let asked = ask_all(&agent, 10).await;
    let stored = || {
        files(store.path())
            .iter()
            .flat_map(|path| bucket::ids(&fs::read(path).expect("it is there")))
            .collect::<Vec<_>>()
    };
    let eight = async || (stored() == asked[..8]).then_some(());
    wait::until(SOON, "two objects", eight).await.unwrap_or_else(|error| panic!("{error}: {}", agent.stderr()));
    agent.terminate().expect("it runs");
    assert!(agent.wait(SOON).await.expect("it ends").success(), "{}", agent.stderr());
    assert_eq!((stored(), files(store.path()).len()), (asked.clone(), 3));
    let name = files(store.path())[0].strip_prefix(store.path()).expect("it is below").display().to_string();
    let parts: Vec<&str> = name.split('/').collect();
    let [logs, year, month, day, hour, object] = parts[..] else { panic!("{name}") };
    assert!(logs == "logs" && year.starts_with("year=20") && month.starts_with("month="), "{name}");
    assert!(day.starts_with("day=") && hour.starts_with("hour="), "{name}");
    assert!(object.ends_with(&format!("Z-{}-4.ndjson.gz", asked[0])), "{name}");
}

#[tokio::test]
async fn an_event_waits_for_others_no_longer_than_is_configured_in_memory_and_on_disk() {
    for reporting in ["", "buffer_type: disk"] {
        let bucket = Closed::new().open();
        let agent = command(&s3(bucket.address, "max_age_seconds: 1"), reporting).start().await.expect("it starts");
        let first = ask(&agent, 1).await;
        bucket.has(std::slice::from_ref(&first)).await;
        assert!(bucket.names()[0].starts_with("/logs/prod/year="), "{:?}", bucket.names());
        let second = ask(&agent, 2).await;
        bucket.has(&[first, second]).await;
        assert_eq!(bucket.names().len(), 2);
    }
}

/// Waits until status says that.
async fn told(agent: &Agent, text: &str) {
    let told = async || agent.get("/v1/status").await.text().contains(text).then_some(());
    let waited = wait::until(SOON, "the trouble in status", told).await;
    if let Err(error) = waited {
        panic!("{text}: {error}: {}", agent.get("/v1/status").await.text());
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_the_store_is_told_and_events_wait_until_it_is_mended() {
    let closed = Closed::new();
    let options = s3(closed.address, "max_age_seconds: 1, timeout_seconds: 1");
    let agent = command(&options, "").start().await.expect("the agent starts");
    let mut asked = ask_all(&agent, 3).await;
    told(&agent, "cannot write to s3://logs/prod").await;
    let bucket = closed.open();
    bucket.has(&asked).await;
    let troubles = [
        (Fate::Status(503), "cannot write to s3://logs/prod"),
        (Fate::Status(403), "s3://logs/prod does not let us write; check the credentials and what they may do"),
        (Fate::Status(404), "the bucket or container of s3://logs/prod is not there; make it, or change `url`"),
        (Fate::Silence, "cannot write to s3://logs/prod"),
    ];
    for (fate, text) in troubles {
        bucket.set(fate);
        let tries = bucket.asked().len();
        asked.push(ask(&agent, 1).await);
        told(&agent, text).await;
        bucket.set(Fate::Stored);
        bucket.has(&asked).await;
        // Each try writes to the same place.
        let names: BTreeSet<_> = bucket.asked().split_off(tries).into_iter().collect();
        assert_eq!(names.len(), 1, "{fate:?}: {names:?}");
    }
    let shown = agent.stderr() + &agent.get("/v1/config").await.text() + &agent.get("/v1/status").await.text();
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_decision_is_lost_however_often_the_agent_is_killed() {
    let bucket = Closed::new().open();
    let options = s3(bucket.address, "max_age_seconds: 1, max_object_events: 100");
    let mut command = command(&options, "buffer_type: disk").args(["--log-level", "error"]);
    let mut answered = BTreeSet::new();
    for fate in [Fate::Stored, Fate::Status(503), Fate::Silence, Fate::Stored] {
        bucket.set(fate);
        let agent = Arc::new(command.start().await.expect("the agent starts after every death"));
        let client = tokio::spawn(ask_until_gone(agent.clone()));
        let before = bucket.asked().len();
        let tried = async || {
            (bucket.asked().len() > before + 2 || fate == Fate::Silence && bucket.asked().len() > before).then_some(())
        };
        wait::until(SOON, "some objects", tried).await.expect("they are tried");
        agent.signal("KILL").expect("it runs");
        answered.extend(client.await.expect("no answer but 200"));
        command = Arc::into_inner(agent).expect("the client is gone").into_command().await;
    }
    let _agent = command.start().await.expect("the agent starts");
    let all = async || answered.is_subset(&bucket.ids().into_iter().collect()).then_some(());
    wait::until(SOON, "all answered decisions", all).await.expect("they are there");
    // No object has become another one: each has as many events as its name says.
    for (name, count) in bucket.counts() {
        assert!(name.ends_with(&format!("-{count}.ndjson.gz")), "{name}: {count}");
    }
}

/// Asks, and gives the path of the object.
async fn stored_at(options: &str, bucket: &Bucket) -> String {
    // What the environment says of other credentials does not count.
    let stale = [("AWS_SESSION_TOKEN", "stale"), ("GOOGLE_SERVICE_ACCOUNT", "stale"), ("AZURE_STORAGE_TOKEN", "stale")];
    let command = stale.into_iter().fold(command(options, ""), |command, (name, value)| command.env(name, value));
    let agent = command.start().await.expect("the agent starts");
    let asked = ask(&agent, 1).await;
    bucket.has(&[asked]).await;
    let shown = agent.get("/v1/config").await.text();
    assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg=="), "{shown}");
    bucket.names().remove(0)
}

#[tokio::test]
async fn every_store_is_written_to_with_the_credentials_that_are_configured() {
    let bucket = Closed::new().open();
    let path = stored_at(&s3(bucket.address, "partition: '%Y', max_age_seconds: 1"), &bucket).await;
    assert!(path.starts_with("/logs/prod/20"), "{path}");
    assert!(bucket.header("authorization").contains("Credential=minion/"));
    assert_eq!(bucket.header("x-amz-security-token"), "");
    let bucket = Closed::new().open();
    let key = format!(
        r#"{{"gcs_base_url": "http://{}", "disable_oauth": true, "client_email": "",
            "private_key_id": "", "private_key": "hunter2"}}"#,
        bucket.address
    );
    let google = format!("url: 'gs://logs/prod', partition: '%Y', max_age_seconds: 1, gcp: {{credentials: '{key}'}}");
    let path = stored_at(&google, &bucket).await;
    assert!(path.starts_with("/logs/prod/20"), "{path}");
    let bucket = Closed::new().open();
    let account = format!("account: acme, access_key: aHVudGVyMg==, endpoint: 'http://{}/acme'", bucket.address);
    let microsoft = format!("url: 'az://logs', partition: '%Y', max_age_seconds: 1, azure: {{{account}}}");
    let path = stored_at(&microsoft, &bucket).await;
    assert!(path.starts_with("/acme/logs/20"), "{path}");
    assert!(bucket.header("authorization").starts_with("SharedKey acme:"), "{}", bucket.header("authorization"));
}

#[tokio::test]
async fn credentials_that_cannot_be_used_are_refused_at_the_start_and_not_shown() {
    let wrong = [
        ("credentials_file: missing.json", "missing.json"),
        ("credentials: '\"hunter2\"'", "`gcp.credentials` is no key of a service account"),
    ];
    for (credentials, expected) in wrong {
        let command = command(&format!("url: 'gs://logs', gcp: {{{credentials}}}"), "");
        let ended = command.run_to_end(SOON).await.expect("the agent ends by itself");
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{error}");
        assert!(
            error.contains("plugins.object_store_sink: the store cannot be used") && error.contains(expected),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
}
