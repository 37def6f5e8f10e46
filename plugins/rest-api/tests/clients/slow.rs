//! Clients that take their time: to send a request, to take an answer, to go away.

use std::time::Duration;

use crate::frames::{END_HEADERS, END_STREAM, GO_AWAY, HEADERS, PREFACE, SETTINGS, frame};
use crate::support::{Agent, check};
use crate::wire::{AT_LAST, connect, exchange, rest, until_open};
use regent_core::Value;
use regent_core::value::Path;
use regent_rest_api::{Authorization, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const POLICY: &str = "package system.authz\n\nallow := true";

fn local() -> Options {
    Options { addresses: vec!["127.0.0.1:0".to_owned()], ..Options::default() }
}

async fn start(config: &str, options: Options) -> Agent {
    Agent::start_with(config, options, AT_LAST).await
}

const LATE: &str = "request body did not arrive in time\"\n}\n";

#[tokio::test]
async fn bodies_that_never_come_are_not_waited_for() {
    let config = "server: {limits: {body_seconds: 0.3}}";
    for authorization in [Authorization::Off, Authorization::Basic] {
        let agent = start(config, Options { authorization, ..local() }).await;
        agent.policy(POLICY).await;
        for request in [
            "POST /v1/data/x",
            "POST /v0/data/x",
            "PUT /v1/data/x",
            "PATCH /v1/data/x",
            "PUT /v1/policies/x",
            "POST /v1/query",
            "POST /",
        ] {
            for body in ["content-length: 100\r\n\r\n{", "transfer-encoding: chunked\r\n\r\n5\r\n{\"inp"] {
                let answer = exchange(&agent, format!("{request} HTTP/1.1\r\nhost: x\r\n{body}").as_bytes()).await;
                assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with(LATE), "{request}: {answer}");
            }
        }
        check(&agent.get("/health").await, 200, "{}\n");
    }
}

#[tokio::test]
async fn bodies_that_trickle_are_not_waited_for() {
    let agent = start("server: {limits: {body_seconds: 0.5}}", local()).await;
    let (mut read, mut write) = connect(&agent).await.into_split();
    let trickle = tokio::spawn(async move {
        let head = b"POST /v1/data/x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{";
        write.write_all(head).await?;
        loop {
            write.write_all(b" ").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        #[expect(unreachable_code, reason = "says what the loop fails with")]
        std::io::Result::Ok(())
    });
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(AT_LAST, read.read_to_end(&mut answer)).await.expect("the server hangs up");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    tokio::time::timeout(AT_LAST, trickle).await.expect("it ends").expect("no panic").expect_err("nobody listens");
    check(&agent.get("/health").await, 200, "{}\n");
}

#[tokio::test]
async fn bodies_that_come_slowly_but_steadily_are_taken() {
    let agent = start("server: {limits: {body_seconds: 1}}", local()).await;
    let mut stream = connect(&agent).await;
    let head = b"POST /v1/data/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 65538\r\n\r\n{";
    stream.write_all(head).await.expect("sent");
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(&[b' '; 8192]).await.expect("taken");
    }
    stream.write_all(b"}").await.expect("taken");
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer));
}

/// An agent that has more to say than any socket holds.
async fn talkative(config: &str, options: Options) -> Agent {
    let agent = start(config, options).await;
    let long = Value::from("x".repeat(64 << 20));
    let put = agent.host.store.write(move |txn| txn.put(&Path::new(["long"]), long));
    put.await.expect("room");
    agent
}

#[tokio::test]
async fn answers_that_nobody_takes_do_not_stay() {
    let agent = talkative("server: {limits: {answer_seconds: 0.3}}", local()).await;
    let mut silent = connect(&agent).await;
    silent.write_all(b"GET /v1/data/long HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    until_open(&agent, 1).await;
    until_open(&agent, 0).await;
    check(&agent.get("/health").await, 200, "{}\n");
    let cut = rest(&mut silent).await;
    assert!(cut.len() < 64 << 20, "it was not sent as a whole");
}

#[tokio::test]
async fn an_answer_may_be_taken_for_longer_than_a_head_may_take() {
    for h2c in [false, true] {
        let config = "server: {limits: {head_seconds: 0.2, answer_seconds: 60}}";
        let agent = talkative(config, Options { h2c, ..local() }).await;
        let mut slow = connect(&agent).await;
        slow.write_all(b"GET /v1/data/long HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        assert_eq!(slow.read_u8().await.expect("it begins"), b'H');
        tokio::time::sleep(Duration::from_secs(1)).await;
        let taken = rest(&mut slow).await;
        assert!(taken.len() > 64 << 20, "all of it came, and then the end: {}", taken.len());
    }
}

#[tokio::test]
async fn answers_that_nobody_takes_do_not_stay_on_http2() {
    let options = Options { h2c: true, ..local() };
    let agent = talkative("server: {limits: {answer_seconds: 0.3}}", options).await;
    // No window at all: the server may not send a byte of any body, though the socket would take it.
    let no_window = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let ask = |path: &str| {
        let asks = frame(HEADERS, END_HEADERS | END_STREAM, 1, &crate::frames::get(path));
        [&PREFACE[..24], &no_window, &asks].concat()
    };
    for path in ["/v1/data/long", "/health"] {
        let mut silent = connect(&agent).await;
        silent.write_all(&ask(path)).await.expect("sent");
        until_open(&agent, 1).await;
        let said = rest(&mut silent).await;
        assert!(crate::frames::kinds(&said).contains(&HEADERS), "it was answered");
        until_open(&agent, 0).await;
    }
    check(&agent.get("/health").await, 200, "{}\n");
}

#[tokio::test]
async fn idle_connections_of_http2_are_told_to_go() {
    let options = Options { h2c: true, ..local() };
    let agent = start("server: {limits: {head_seconds: 0.3}}", options).await;
    let mut idle = connect(&agent).await;
    let asks = frame(HEADERS, END_HEADERS | END_STREAM, 1, &crate::frames::get("/health"));
    idle.write_all(&[PREFACE, &asks].concat()).await.expect("sent");
    let said = crate::frames::kinds(&rest(&mut idle).await);
    assert!(said.contains(&HEADERS) && said.contains(&GO_AWAY), "{said:?}");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_counted() {
    let options = Options { diagnostic_addresses: vec!["127.0.0.1:0".to_owned()], ..local() };
    let agent = start("server: {limits: {max_connections: 3}}", options).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&agent).await;
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        assert!(stream.read(&mut [0; 1024]).await.expect("answered") > 0);
        open.push(stream);
    }
    assert!(rest(&mut connect(&agent).await).await.is_empty(), "there is no room");
    let url = format!("http://{}/metrics", agent.diagnostics[0]);
    let metrics = regent_kit::Client::plain().get(&url).await.expect("room of its own").text();
    assert!(metrics.contains("http_connections_refused{listener=\"api\"} 1\n"), "{metrics}");
    assert!(metrics.contains("http_connections_open{listener=\"api\"} 3\n"), "{metrics}");
    open.pop();
    until_open(&agent, 2).await;
    check(&agent.get("/health").await, 200, "{}\n");
}
