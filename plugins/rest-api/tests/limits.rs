//! Clients and policies that behave badly.

mod support;

use std::sync::Arc;
use std::time::Duration;

use regent_core::builtin::{Builtin, Call, Declaration, Operands, Outcome};
use regent_core::engine::Engine as _;
use regent_engine_rego::RegoEngine;
use regent_rest_api::{Authorization, Options};
use support::{Agent, check};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);
const HASTE: &str = "server: {limits: {head_seconds: 0.2}}";

fn local() -> Options {
    Options { addresses: vec!["127.0.0.1:0".to_owned()], ..Options::default() }
}

async fn connect(agent: &Agent) -> TcpStream {
    TcpStream::connect(agent.url.trim_start_matches("http://")).await.expect("a listener")
}

/// What the server says until it hangs up.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let ended = timeout(SOON, stream.read_to_end(&mut answer)).await;
    // A reset is an end like any other.
    let _ = ended.expect("the server hangs up");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn slow_heads_and_silent_connections_end() {
    for h2c in [false, true] {
        let agent = Agent::start_with(HASTE, Options { h2c, ..local() }, SOON).await;
        for beginning in ["", "GET /health HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2.0\r\n"] {
            let mut stream = connect(&agent).await;
            stream.write_all(beginning.as_bytes()).await.expect("sent");
            let answer = rest(stream).await;
            assert!(!answer.contains("200 OK"), "{beginning}: {answer}");
        }
        check(&agent.get("/health").await, 200, "{}\n");
    }
}

#[tokio::test]
async fn idle_connections_end_and_busy_ones_do_not() {
    let agent = Agent::start_with(HASTE, local(), SOON).await;
    let mut stream = connect(&agent).await;
    for _ in 0..4 {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.expect("answered");
        assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
        tokio::time::sleep(SHORT / 2).await;
    }
    // A part of a head moves nothing.
    stream.write_all(b"GET /health HTTP/1.1\r\nhost:").await.expect("sent");
    assert_eq!(rest(stream).await, "");
}

#[tokio::test]
async fn huge_heads_are_refused() {
    let agent = Agent::start_with("{}", local(), SOON).await;
    let ask = async |length: usize| {
        let mut stream = connect(&agent).await;
        let head =
            format!("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-a: {}\r\n\r\n", "a".repeat(length));
        // The server may hang up while it is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        rest(stream).await
    };
    let large = ask(600_000).await;
    assert!(large.starts_with("HTTP/1.1 200 OK"), "{large}");
    let huge = ask(4_000_000).await;
    assert!(huge.is_empty() || huge.starts_with("HTTP/1.1 431 "), "{huge}");
    check(&agent.get("/health").await, 200, "{}\n");
}

#[tokio::test]
async fn bodies_have_a_limit_packed_and_unpacked() {
    let config = "server: {decoding: {max_length: 100, gzip: {max_length: 200}}}";
    let agent = Agent::start_with(config, local(), SOON).await;
    let message = async |headers: &[(&str, &str)], body: Vec<u8>| {
        let answer = agent.ask("POST", "/v1/data/x", headers, body).await;
        (answer.status.as_u16(), answer.json()["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(message(&[], vec![b' '; 101]).await, (400, "request body too large".to_owned()));
    let pack = |length: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &vec![b' '; length]).expect("memory");
        encoder.finish().expect("memory")
    };
    let gzip = [("content-encoding", "gzip")];
    assert_eq!(message(&gzip, pack(200)).await.0, 200);
    let expected = "could not decompress the body: gzip payload too large";
    assert_eq!(message(&gzip, pack(201)).await, (400, expected.to_owned()));
}

/// A function that panics.
struct Broken(Declaration);

impl Builtin for Broken {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, _: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        panic!("a mistake that this test makes on purpose");
    }
}

async fn breakable(options: Options) -> Agent {
    let declaration = Declaration::parse("acme.broken(any) => any").expect("a declaration");
    let engine = RegoEngine::default().with_builtins(&[Arc::new(Broken(declaration))]).expect("functions are taken");
    Agent::start_on(engine, "{}", options, SOON).await
}

const FAILED: &str = "{\n  \"code\": \"internal_error\",\n  \"message\": \"the agent failed to answer\"\n}\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_its_request_only() {
    let agent = breakable(local()).await;
    agent.put("/v1/policies/p", "package p\n\nx := acme.broken(input)").await;
    let mut stream = connect(&agent).await;
    for _ in 0..3 {
        stream.write_all(b"GET /v1/data/p/x?input=1 HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.expect("answered");
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 500") && answer.ends_with(FAILED), "{answer}");
    }
    check(&agent.post("/v1/data/p/x", "{\"input\": 1}").await, 500, FAILED);
    check(&agent.get("/health").await, 200, "{}\n");
    agent.put("/v1/data/y", "1").await;
    let metrics = agent.get("/metrics").await.text();
    assert!(metrics.contains("code=\"500\",handler=\"v1/data\""), "{metrics}");
    agent.stop().await.expect("nothing runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_the_authorization_policy_lets_nobody_in() {
    let agent = breakable(Options { authorization: Authorization::Basic, ..local() }).await;
    agent.policy("package system.authz\n\nallow if input.params.open\n\nallow if acme.broken(input)").await;
    check(&agent.get("/health").await, 500, FAILED);
    check(&agent.get("/health").await, 500, FAILED);
    agent.policy("package system.authz\n\nallow := true").await;
    check(&agent.get("/health").await, 200, "{}\n");
}

/// Go's server reads on for a while as well; without that, the end of the connection may take the answer away.
#[tokio::test]
async fn a_client_that_still_sends_a_body_that_is_too_large_gets_its_answer() {
    let agent = Agent::start_with("server: {decoding: {max_length: 100}}", local(), SOON).await;
    let mut stream = connect(&agent).await;
    let head = "POST /v1/data HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let chunk = format!("3e8\r\n{}\r\n", " ".repeat(1000));
    for _ in 0..100 {
        stream.write_all(chunk.as_bytes()).await.expect("it is read");
        tokio::task::yield_now().await;
    }
    let end = "0\r\n\r\nGET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(end.as_bytes()).await.expect("sent");
    let answers = rest(stream).await;
    assert!(answers.starts_with("HTTP/1.1 400 ") && answers.contains("request body too large"), "{answers}");
    assert!(answers.contains("HTTP/1.1 200 OK"), "the connection goes on: {answers}");
}
