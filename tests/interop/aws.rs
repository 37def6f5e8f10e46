//! Bundles in a bucket of a server that plays AWS and checks signatures, read with keys from here and there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use regent_kit::AgentCommand;
use serde_json::Value;

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
