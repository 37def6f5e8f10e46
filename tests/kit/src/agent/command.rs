//! How an agent is started, and how its start is seen to succeed or fail.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::Agent;
use crate::output::Captured;
use crate::port::ReservedPort;
use crate::{Client, Error};

const START_LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// An agent that does not run yet; [`Agent::command`] makes one.
#[derive(Debug)]
pub struct AgentCommand {
    binary: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: TempDir,
    port: ReservedPort,
    client: Client,
}

impl AgentCommand {
    pub(super) fn new(binary: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: TempDir::with_prefix("regent-kit-").expect("there is room for a temporary directory"),
            port: ReservedPort::new(),
            client: Client::plain(),
        }
    }

    /// Adds an argument after `run --server --addr … [--config-file …]`.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args(self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Writes `config.yaml`, over a former one if need be; the agent is told to read it.
    ///
    /// # Panics
    /// If the file cannot be written.
    #[must_use]
    pub fn config(self, yaml: &str) -> Self {
        self.file(CONFIG, yaml)
    }

    /// Writes a file into the working directory. Arguments can name it by the same relative path.
    ///
    /// # Panics
    /// If the file cannot be written.
    #[must_use]
    pub fn file(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.dir().join(name);
        let parent = path.parent().expect("the file is in the directory");
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, contents)).expect("the file can be written");
        self
    }

    /// Sets an environment variable. What the test's own environment says to agents and about proxies is not passed on.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Talks to the agent with this client, over HTTPS if it is one with TLS.
    #[must_use]
    pub fn via(mut self, client: Client) -> Self {
        self.client = client;
        self
    }

    /// The working directory: fresh, and gone with the agent.
    pub fn dir(&self) -> &Path {
        self.directory.path()
    }

    /// The full URL of a path, known before the start and the same after another one.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.client.scheme(), self.port.address)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Starts the agent and waits until `GET /health` is answered, whatever the answer says.
    ///
    /// An agent that ends instead, or says nothing for 30 s, is an error that shows the end of its log.
    pub async fn start(self) -> Result<Agent, Error> {
        let mut agent = self.spawn()?;
        let verdict = tokio::select! {
            biased;
            status = agent.child.wait() => match status {
                Ok(status) => format!("ended before it answered: {status}"),
                Err(error) => format!("cannot be waited for: {error}"),
            },
            () = answers(&agent.command) => return Ok(agent),
            () = sleep(START_LIMIT) => format!("gave no answer within {START_LIMIT:?}"),
        };
        agent.kill().await;
        // A process that it left behind may keep the stream open: then what has been read must do.
        let _open = timeout(Duration::from_secs(1), agent.stderr.end()).await;
        let binary = agent.command.binary.display();
        Err(Error::new(format!("`{binary}` {verdict}{}", agent.stderr.tail())))
    }

    /// Starts the agent and waits for nothing, for what happens during the start.
    pub fn begin(self) -> Result<Agent, Error> {
        self.spawn()
    }

    /// Starts the agent and waits until it has ended, for starts that are to fail.
    pub async fn run_to_end(self, limit: Duration) -> Result<Output, Error> {
        let mut agent = self.spawn()?;
        let status = agent.wait(limit).await?;
        Ok(Output { status, stdout: agent.stdout.bytes(), stderr: agent.stderr.bytes() })
    }

    fn spawn(self) -> Result<Agent, Error> {
        let failure = |error| Error::new(format!("cannot start `{}`: {error}", self.binary.display()));
        let mut child = self.process().spawn().map_err(failure)?;
        let stdout = Captured::from(child.stdout.take().expect("standard output is a pipe"));
        let stderr = Captured::from(child.stderr.take().expect("standard error is a pipe"));
        Ok(Agent { command: self, child, stdout, stderr })
    }

    fn process(&self) -> Command {
        // The child changes its directory before it looks for a relative binary.
        let binary = if self.binary.components().count() > 1 { std::path::absolute(&self.binary).ok() } else { None };
        let mut process = Command::new(binary.as_ref().unwrap_or(&self.binary));
        process.args(["run", "--server", "--addr"]).arg(self.port.address.to_string());
        if self.dir().join(CONFIG).exists() {
            process.args(["--config-file", CONFIG]);
        }
        process.args(&self.arguments).current_dir(self.dir());
        for (key, _) in std::env::vars_os().filter(|(key, _)| is_meddling(key)) {
            process.env_remove(key);
        }
        process.envs(self.environment.iter().map(|(key, value)| (key, value)));
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        process
    }
}

const CONFIG: &str = "config.yaml";

/// Would this variable of the test's environment change how an agent behaves?
fn is_meddling(key: &OsStr) -> bool {
    let key = key.to_string_lossy().to_ascii_uppercase();
    key.starts_with("OPA_") || key.starts_with("REGENT_") || key.ends_with("_PROXY")
}

async fn answers(command: &AgentCommand) {
    while command.client.get(&command.url("/health")).await.is_err() {
        sleep(PAUSE).await;
    }
}
