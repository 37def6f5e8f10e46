//! An agent as its users run it: a process with a configuration file, an address and a log.
//!
//! [`command`] starts it.

mod command;

use std::panic::Location;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::process::Child;
use tokio::time::timeout;

use crate::client::build;
use crate::output::Captured;
use crate::{Answer, Error, Payload};

pub use command::AgentCommand;

/// A running OPA-compatible agent on 127.0.0.1; dropping it kills the process.
///
/// ```no_run
/// # async fn example(acme: regent_kit::ControlPlane) -> Result<(), regent_kit::Error> {
/// use regent_kit::Agent;
///
/// let config = format!("{{services: {{acme: {{url: {}}}}}, bundles: {{authz: {{service: acme}}}}}}", acme.url());
/// let mut agent = Agent::command("target/debug/regent").config(&config).start().await?;
///
/// let decision = agent.post("/v1/data/authz/allow", serde_json::json!({"input": {"user": "alice"}})).await;
/// assert_eq!(decision.json()["result"], true);
///
/// agent.terminate()?;
/// assert!(agent.wait(std::time::Duration::from_secs(10)).await?.success());
/// # Ok(())
/// # }
/// ```
///
/// [`Agent::get`] and its kin panic when the agent does not answer at all, as nearly every test wants it; the message
/// names the test's line and shows the end of the agent's log. [`Agent::send`] is for the tests that expect silence.
#[derive(Debug)]
pub struct Agent {
    command: AgentCommand,
    child: Child,
    stdout: Captured,
    stderr: Captured,
}

impl Agent {
    /// Prepares `<binary> run --server --addr 127.0.0.1:<port>` in a fresh directory.
    ///
    /// # Panics
    /// If the machine has no free port on 127.0.0.1 or no room for a temporary directory.
    pub fn command(binary: impl AsRef<Path>) -> AgentCommand {
        AgentCommand::new(binary.as_ref())
    }

    /// The working directory; `config.yaml` and the command's files are in it.
    pub fn dir(&self) -> &Path {
        self.command.dir()
    }

    /// The full URL of a path such as `/v1/data`.
    pub fn url(&self, path: &str) -> String {
        self.command.url(path)
    }

    /// Sends any request; its URI is a path such as `/v1/data`.
    pub async fn send(&self, mut request: Request<Bytes>) -> Result<Answer, Error> {
        let url = self.url(&request.uri().to_string());
        *request.uri_mut() = url.parse().map_err(|error| Error::new(format!("{url}: {error}")))?;
        self.command.client().send(request).await
    }

    /// `GET`.
    ///
    /// # Panics
    /// If the agent does not answer.
    #[track_caller]
    pub fn get(&self, path: &str) -> impl Future<Output = Answer> {
        self.ask("GET", path, ())
    }

    /// `POST`.
    ///
    /// # Panics
    /// If the agent does not answer.
    #[track_caller]
    pub fn post(&self, path: &str, payload: impl Into<Payload>) -> impl Future<Output = Answer> {
        self.ask("POST", path, payload)
    }

    /// `PUT`.
    ///
    /// # Panics
    /// If the agent does not answer.
    #[track_caller]
    pub fn put(&self, path: &str, payload: impl Into<Payload>) -> impl Future<Output = Answer> {
        self.ask("PUT", path, payload)
    }

    /// `PATCH`.
    ///
    /// # Panics
    /// If the agent does not answer.
    #[track_caller]
    pub fn patch(&self, path: &str, payload: impl Into<Payload>) -> impl Future<Output = Answer> {
        self.ask("PATCH", path, payload)
    }

    /// `DELETE`.
    ///
    /// # Panics
    /// If the agent does not answer.
    #[track_caller]
    pub fn delete(&self, path: &str) -> impl Future<Output = Answer> {
        self.ask("DELETE", path, ())
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, payload: impl Into<Payload>) -> impl Future<Output = Answer> {
        let caller = Location::caller();
        let request = build(method, path, payload);
        async move {
            let answer = match request {
                Ok(request) => self.send(request).await,
                Err(error) => Err(error),
            };
            answer.unwrap_or_else(|error| panic!("{caller}: {error}{}", self.stderr.tail()))
        }
    }

    /// All it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// All it has written to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Waits for a line on standard error that contains a text, and returns the first such line.
    pub async fn wait_for_log(&self, text: &str, limit: Duration) -> Result<String, Error> {
        self.stderr.wait_for_line(text, limit).await
    }

    /// The process's id, until it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks it to stop (SIGTERM); [`Agent::wait`] sees it do so.
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal("TERM")
    }

    /// Sends a signal by name, as in `HUP`. A process that has ended gets none.
    pub fn signal(&self, name: &str) -> Result<(), Error> {
        let Some(id) = self.child.id() else { return Ok(()) };
        let status = std::process::Command::new("kill").args(["-s", name, &id.to_string()]).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::new(format!("`kill -s {name} {id}` failed: {status}"))),
            Err(error) => Err(Error::new(format!("`kill -s {name} {id}` could not be run: {error}"))),
        }
    }

    /// Waits until the process has ended by itself, and all it wrote has been read.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus, Error> {
        let end = async {
            let status = self.child.wait().await;
            self.stderr.end().await;
            self.stdout.end().await;
            status
        };
        match timeout(limit, end).await {
            Ok(Ok(status)) => Ok(status),
            Ok(Err(error)) => Err(Error::new(format!("cannot wait for the agent: {error}"))),
            Err(_) => Err(Error::new(format!("the agent has not ended within {limit:?}{}", self.stderr.tail()))),
        }
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) {
        // Failing means that it has ended already.
        let _gone = self.child.kill().await;
    }

    /// Kills it if it still runs and gives its command back: same directory, same port, ready for another start.
    pub async fn into_command(mut self) -> AgentCommand {
        self.kill().await;
        self.command
    }
}
