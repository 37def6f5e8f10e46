//! A program that embeds the agent and verifies bundles with a key that only another process knows.
//!
//! The bundle says `"plugin": "key_keeper"` in its `.signatures.json`; the signature is the list of files and the keeper's
//! stamp on it. The agent asks the keeper over pipes whether the stamp is right. Here the keeper is this program itself,
//! started again as `key_keeper keep`; it might as well be one that speaks to a key management service or a token.
//!
//! ```yaml
//! bundles: {authz: {service: acme, signing: {plugin: key_keeper}}}
//! ```
//!
//! Run it as the stock agent is run, with the file of the key in `KEEPER_KEY_FILE`, which only the keeper opens:
//! `cargo run --example key_keeper -- run --server --config-file config.yaml`. It signs too:
//! `cargo run --example key_keeper -- sign --bundle --signing-plugin key_keeper --signing-key - bundle.tar.gz`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program answers there")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use regent::core::signing::{Signatures, SignedFile, Signer, SigningError, SigningKey, Verification, Verifier};
use regent_signing::jws::Algorithm;
use regent_signing::keys::jwk::Key;
use regent_signing::{base64, hex};

const NAME: &str = "key_keeper";
const KEY_FILE: &str = "KEEPER_KEY_FILE";

/// Asks the keeper. Questions come one at a time: bundles arrive seldom, and the pipe is one.
struct KeyKeeper(Mutex<Option<Conversation>>);

/// A keeper that runs, and the pipes to it.
struct Conversation {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Conversation {
    fn start() -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child = Command::new(program).arg("keep").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        let (Some(questions), Some(answers)) = (questions, answers) else {
            return Err(std::io::Error::other("no pipes"));
        };
        Ok(Self { child, questions, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, question: &str) -> std::io::Result<String> {
        writeln!(self.questions, "{question}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim_end() {
            "" => Err(std::io::Error::other("the keeper has ended")),
            answer => Ok(answer.to_owned()),
        }
    }
}

impl KeyKeeper {
    /// Asks, and starts a keeper if there is none. One that fails is started again for the next question.
    fn ask(&self, question: &str) -> Result<String, SigningError> {
        let failed = |error: std::io::Error| SigningError::new(format!("cannot ask the keeper of the key: {error}"));
        let mut known = self.0.lock().map_err(|_| SigningError::new("an earlier question failed badly"))?;
        let mut conversation = match known.take() {
            Some(conversation) => conversation,
            None => Conversation::start().map_err(failed)?,
        };
        let answer = conversation.ask(question).map_err(failed)?;
        *known = Some(conversation);
        Ok(answer)
    }
}

impl Verifier for KeyKeeper {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, signatures: &Signatures, _: &Verification) -> Result<Vec<SignedFile>, SigningError> {
        let wrong = || SigningError::new("expected one signature: LIST.STAMP");
        let [signature] = &signatures.tokens[..] else { return Err(wrong()) };
        let (list, stamp) = signature.split_once('.').ok_or_else(wrong)?;
        // What is not base64 could smuggle in a second question.
        let text = base64::url_bytes(list).map_err(|_| wrong())?;
        if !stamp.bytes().all(|byte| byte.is_ascii_hexdigit()) || !list.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong());
        }
        match self.ask(&format!("check {list} {stamp}"))?.as_str() {
            "right" => Ok(String::from_utf8_lossy(&text).lines().filter_map(file).collect()),
            _ => Err(SigningError::new("the keeper of the key does not know this stamp")),
        }
    }
}

impl Signer for KeyKeeper {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sign(&self, files: &[SignedFile], _: &SigningKey) -> Result<String, SigningError> {
        let line = |file: &SignedFile| format!("{} {} {}\n", file.algorithm, file.hash, file.name);
        let list = base64::spell_url(files.iter().map(line).collect::<String>().as_bytes());
        let stamp = self.ask(&format!("stamp {list}"))?;
        Ok(format!("{list}.{stamp}"))
    }
}

/// A line of the list: `SHA-256 DIGEST PATH`.
fn file(line: &str) -> Option<SignedFile> {
    let mut parts = line.splitn(3, ' ').map(str::to_owned);
    Some(SignedFile { algorithm: parts.next()?, hash: parts.next()?, name: parts.next()? })
}

/// The other process: answers until nobody asks any more.
fn keep() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Key::Secret(std::fs::read(std::env::var(KEY_FILE)?)?);
    let algorithm = Algorithm::of_name("HS256").ok_or("no such algorithm")?;
    for question in std::io::stdin().lines() {
        let question = question?;
        let words: Vec<&str> = question.split(' ').collect();
        let answer = match words[..] {
            ["stamp", list] => hex::spell(&algorithm.sign(&secret, list.as_bytes())?),
            ["check", list, stamp] if hex::spell(&algorithm.sign(&secret, list.as_bytes())?) == stamp => {
                "right".to_owned()
            }
            _ => "wrong".to_owned(),
        };
        println!("{answer}");
    }
    Ok(())
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("keep") {
        return match keep() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("the keeper of the key ends: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let keeper = Arc::new(KeyKeeper(Mutex::new(None)));
    let agent = regent::Agent::stock().with(|registry| {
        registry.verifier(keeper.clone());
        registry.signer(keeper);
    });
    agent.main()
}
