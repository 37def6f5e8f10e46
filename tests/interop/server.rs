//! Servers that others wrote and a script beside this file starts: lines in, lines out.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::read::GzDecoder;
use regent_kit::{Agent, wait};
use serde_json::{Value, json};

use crate::SOON;

/// A server; it ends with its standard input.
pub(crate) struct Server {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Where it is, and its keys.
    about: Value,
    _process: Ended,
}

/// A process that ends by itself once it has nothing left to read, and has time for that when it is dropped: killed at
/// once, it would leave the server behind that it started.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let deadline = Instant::now() + SOON;
        while Instant::now() < deadline && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ended = self.0.kill();
        let _gone = self.0.wait();
    }
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the script can be run");
        let input = process.stdin.take().expect("it is piped");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says where it is");
        let about = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { input, output, about, _process: Ended(process) }
    }

    /// What it says of itself.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.about[key].as_str().expect("it says so")
    }

    /// Gives it a line, and takes the one that it answers with.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("it listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("it answers");
        answer.strip_suffix('\n').expect("a whole line").to_owned()
    }

    /// The objects that it answers with.
    pub(crate) fn objects(&mut self, line: &str) -> BTreeMap<String, Vec<u8>> {
        let found: BTreeMap<String, String> = serde_json::from_str(&self.ask(line)).expect("JSON");
        let decoded = |body: String| BASE64_STANDARD.decode(body).expect("base64");
        found.into_iter().map(|(name, body)| (name, decoded(body))).collect()
    }
}

/// Has the agent decide something, waits until there is an object, which has to hold that decision, and gives its name.
pub(crate) async fn stored(agent: &Agent, mut objects: impl FnMut() -> BTreeMap<String, Vec<u8>>) -> String {
    let answer = agent.post("/v1/data", json!({"input": {"user": "ann"}})).await.json();
    let found = wait::until(SOON, "the object", async || objects().into_iter().next()).await;
    let (name, object) = found.unwrap_or_else(|error| panic!("{error}\n{}", agent.stderr()));
    let mut line = String::new();
    GzDecoder::new(&object[..]).read_to_string(&mut line).expect("it is gzip");
    let event: Value = serde_json::from_str(&line).expect("one event");
    assert_eq!((&event["decision_id"], &event["input"]["user"]), (&answer["decision_id"], &json!("ann")));
    name
}
