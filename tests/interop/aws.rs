//! A bucket of a server that plays AWS and checks signatures: bundles are read from it, with keys from here and there, and
//! decisions are written to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use regent_kit::AgentCommand;
use serde_json::json;

use crate::server::{Server, stored};
use crate::{SOON, bundle, has, installed, regent, script};

/// The server, and a directory for what it is to read.
struct Aws {
    server: Server,
    directory: tempfile::TempDir,
}

impl Aws {
    /// Nothing if it cannot be had.
    fn start() -> Option<Self> {
        let install = ["-m", "pip", "install", "--quiet", "--target", "packages", "--requirement", "requirements.txt"];
        let folder = installed("moto", "python3", &install)?;
        let mut command: Command = script("python3", &folder);
        command.env("PYTHONPATH", "packages").arg("server.py");
        Some(Self { server: Server::start(command), directory: tempfile::tempdir().expect("a directory") })
    }

    fn put(&mut self, revision: &str) {
        let path = self.write("bundle", &bundle(revision));
        assert_eq!(self.server.ask(&path.display().to_string()), "");
    }

    /// The objects whose names begin so.
    fn objects(&mut self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        self.server.objects(&format!("? {prefix}"))
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path: &Path = self.directory.path();
        let path = path.join(name);
        std::fs::write(&path, content).expect("the file is written");
        path
    }

    fn text(&self, key: &str) -> &str {
        self.server.text(key)
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
        let name = stored(&agent, || aws.objects(prefix)).await;
        assert!(name.starts_with(&format!("{prefix}/year=")), "{name}");
    }
    let agent = regent().config(&wrong).start().await.expect("the agent starts");
    agent.post("/v1/data", json!({"input": {}})).await;
    let refusal = "s3://policies/wrong does not let us write; check the credentials";
    agent.wait_for_log(refusal, SOON).await.expect("a refusal");
    assert!(!agent.stderr().contains(&secret) && aws.objects("wrong").is_empty());
}
