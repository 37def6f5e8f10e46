//! A bucket of a server that plays AWS and checks signatures: bundles are read from it, with keys from here and there, and
//! decisions are written to it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::read::GzDecoder;
use regent_kit::{AgentCommand, wait};
use serde_json::{Value, json};

use crate::{SOON, bundle, has, installed, regent, script};

/// The server; it ends with its standard input.
struct Aws {
    _process: Ended,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Where it is, and its keys.
    about: Value,
    directory: tempfile::TempDir,
}

/// A process that is waited for when it is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _gone = self.0.wait();
    }
}

impl Aws {
    /// Nothing if it cannot be had.
    fn start() -> Option<Self> {
        let install = ["-m", "pip", "install", "--quiet", "--target", "packages", "--requirement", "requirements.txt"];
        let folder = installed("moto", "python3", &install)?;
        let mut command: Command = script("python3", &folder);
        command.env("PYTHONPATH", "packages").arg("server.py").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().expect("python can be run");
        let input = process.stdin.take().expect("it is piped");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says where it is");
        let about = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let directory = tempfile::tempdir().expect("a directory");
        Some(Self { _process: Ended(process), input, output, about, directory })
    }

    fn put(&mut self, revision: &str) {
        let path = self.write("bundle", &bundle(revision));
        writeln!(self.input, "{}", path.display()).expect("it listens");
        let mut line = String::new();
        assert_eq!(self.output.read_line(&mut line).expect("it answers"), 1, "{line}");
    }

    /// The objects whose names begin so.
    fn objects(&mut self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        writeln!(self.input, "? {prefix}").expect("it listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        let found: BTreeMap<String, String> = serde_json::from_str(&line).expect("JSON");
        let decoded = |body: String| BASE64_STANDARD.decode(body).expect("base64");
        found.into_iter().map(|(name, body)| (name, decoded(body))).collect()
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path: &Path = self.directory.path();
        let path = path.join(name);
        std::fs::write(&path, content).expect("the file is written");
        path
    }

    fn text(&self, key: &str) -> &str {
        self.about[key].as_str().expect("it says so")
    }

    /// An agent that reads the bucket with keys of this provider.
    fn agent(&self, provider: &str) -> AgentCommand {
        let polling = "{min_delay_seconds: 1, max_delay_seconds: 1}";
        let config = format!(
            "services: {{bucket: {{url: '{}/policies', credentials: {{s3_signing: {{{provider}}}}}}}}}\n\
             bundles: {{authz: {{service: bucket, resource: authz.tar.gz, polling: {polling}}}}}\n",
            self.text("url")
        );
        let command = regent().config(&config).env("AWS_REGION", "eu-west-1").env("AWS_ROLE_ARN", self.text("role"));
        command.env("AWS_ENDPOINT_URL_STS", self.text("url")).env("AWS_ACCESS_KEY_ID", self.text("key"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_read_with_keys_of_the_environment_a_role_and_a_web_identity() {
    let Some(mut aws) = Aws::start() else { return };
    aws.put("v1");
    let token = aws.write("token", b"t0ken");
    let with_secret = |command: AgentCommand| command.env("AWS_SECRET_ACCESS_KEY", aws.text("secret"));
    let role = "assume_role_credentials: {aws_signing: {environment_credentials: {}}}";
    let agents = [
        with_secret(aws.agent("environment_credentials: {}")),
        with_secret(aws.agent(role)),
        aws.agent("web_identity_credentials: {}").env("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
    ];
    let mut running = Vec::new();
    for command in agents {
        let agent = command.start().await.expect("the agent starts");
        has(&agent, "v1").await;
        running.push(agent);
    }
    let wrong = aws.agent("environment_credentials: {}").env("AWS_SECRET_ACCESS_KEY", "wrong");
    let wrong = wrong.start().await.expect("the agent starts");
    wrong.wait_for_log("Bundle load failed: server replied with Forbidden", SOON).await.expect("a refusal");
    aws.put("v2");
    for agent in &running {
        has(agent, "v2").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_written_into_a_bucket_with_keys_of_the_configuration_and_of_the_environment() {
    let Some(mut aws) = Aws::start() else { return };
    let config = |prefix: &str, keys: &str| {
        let options = format!("region: eu-west-1, endpoint: '{}'{keys}", aws.text("url"));
        format!(
            "decision_logs: {{plugin: object_store_sink}}\nplugins: {{object_store_sink: {{url: 's3://policies/{prefix}', \
             max_age_seconds: 1, aws: {{{options}}}}}}}\n"
        )
    };
    let (key, secret) = (aws.text("key").to_owned(), aws.text("secret").to_owned());
    let configured = config("configured", &format!(", access_key_id: '{key}', secret_access_key: '{secret}'"));
    let wrong = config("wrong", &format!(", access_key_id: '{key}', secret_access_key: wrong"));
    let environment = regent().config(&config("environment", "")).env("AWS_ACCESS_KEY_ID", &key);
    let commands = [
        ("configured", regent().config(&configured)),
        ("environment", environment.env("AWS_SECRET_ACCESS_KEY", &secret)),
    ];
    for (prefix, command) in commands {
        let agent = command.start().await.expect("the agent starts");
        let answer = agent.post("/v1/data", json!({"input": {"user": "ann"}})).await.json();
        let mut objects = || aws.objects(prefix).into_iter().next();
        let found = wait::until(SOON, "the object", async || objects()).await;
        let (name, object) = found.unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()));
        let mut line = String::new();
        GzDecoder::new(&object[..]).read_to_string(&mut line).expect("it is gzip");
        let event: Value = serde_json::from_str(&line).expect("one event");
        assert_eq!((&event["decision_id"], &event["input"]["user"]), (&answer["decision_id"], &json!("ann")));
        assert!(name.starts_with(&format!("{prefix}/year=")), "{name}");
    }
    let agent = regent().config(&wrong).start().await.expect("the agent starts");
    agent.post("/v1/data", json!({"input": {}})).await;
    let refusal = "s3://policies/wrong does not let us write; check the credentials";
    agent.wait_for_log(refusal, SOON).await.expect("a refusal");
    assert!(!agent.stderr().contains(&secret) && aws.objects("wrong").is_empty());
}
