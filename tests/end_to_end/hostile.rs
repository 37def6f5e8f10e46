//! Clients that mean harm, seen from outside: memory, descriptors, and what others get meanwhile.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use regent_kit::Agent;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::support::{SOON, decide, regent};

const POLICY: &str = "package app\n\nallow if input.user == \"ann\"\n";

async fn start(config: &str, flags: &[&str]) -> Agent {
    let agent = regent().config(config).file("app.rego", POLICY).arg("app.rego").args(flags);
    agent.start().await.expect("the agent starts")
}

async fn unharmed(agent: &Agent) {
    assert_eq!(decide(agent, "app/allow", json!({"user": "ann"})).await, true);
}

/// The agent's resident memory in bytes.
async fn memory(agent: &Agent) -> u64 {
    agent.get("/metrics/alloc_bytes").await.text().trim().parse().expect("a number")
}

fn connect(agent: &Agent) -> TcpStream {
    let address: SocketAddr = agent.url("").trim_start_matches("http://").parse().expect("an address");
    let stream = TcpStream::connect(address).expect("a listener");
    stream.set_read_timeout(Some(SOON)).expect("a time");
    stream
}

/// So many connections as the limits of this process allow, at most `wanted`.
fn affordable(wanted: usize) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("the soft limit may be raised");
    let room = maximum.map_or(wanted, |most| usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(1_000));
    if room < wanted {
        eprintln!("only {room} instead of {wanted} connections: the hard limit of open files is {maximum:?}");
    }
    room.min(wanted)
}

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_and_hold_nobody_up() {
    let agent = start("{}", &["--log-level=error"]).await;
    let count = affordable(10_000);
    unharmed(&agent).await;
    let before = memory(&agent).await;
    let mut idle = Vec::with_capacity(count);
    for number in 0..count {
        let mut stream = connect(&agent);
        // A third says nothing, a third half of a request, a third one request.
        let said = match number % 3 {
            0 => "",
            1 => "POST /v1/data/app/allow HTTP/1.1\r\nhost: x\r\ncontent-le",
            _ => "GET /health HTTP/1.1\r\nhost: x\r\n\r\n",
        };
        stream.write_all(said.as_bytes()).expect("sent");
        if number % 3 == 2 {
            assert!(stream.read(&mut [0; 512]).expect("answered") > 0);
        }
        idle.push(stream);
    }
    unharmed(&agent).await;
    let each = memory(&agent).await.saturating_sub(before) / count as u64;
    assert!(each < 64 << 10, "{each} bytes for each connection");
    drop(idle);
    unharmed(&agent).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_of_open_files_leave_room_for_the_agent() {
    let agent = start("server: {limits: {max_connections: 50}}", &["--diagnostic-addr=127.0.0.1:0"]).await;
    let mut open: Vec<TcpStream> = Vec::new();
    let refused = loop {
        let mut stream = connect(&agent);
        let asked = stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
        if asked.is_err() || !matches!(stream.read(&mut [0; 512]), Ok(1..)) {
            break open.len();
        }
        open.push(stream);
    };
    assert_eq!(refused, 50, "the next one is closed");
    drop(open);
    regent_kit::wait::until(SOON, "room", async || {
        let request = http::Request::get("/health").body(bytes::Bytes::new()).expect("a request");
        agent.send(request).await.ok().map(drop)
    })
    .await
    .expect("there is room again");
    let line = agent.wait_for_log("Too many connections", SOON).await.expect("it is said");
    assert!(line.contains("\"limit\":50") && line.contains("warn"), "{line}");
    let lines = agent.stderr().matches("Too many connections").count();
    assert_eq!(lines, 1, "once a minute");
}

#[tokio::test]
async fn bombs_take_no_more_memory_than_the_limits_allow() {
    let agent = start("server: {decoding: {gzip: {max_length: 4000000}}}", &["--log-level=error"]).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; 256 << 20]).expect("memory");
    let bomb = encoder.finish().expect("memory");
    unharmed(&agent).await;
    let before = memory(&agent).await;
    for _ in 0..20 {
        let request = http::Request::post("/v1/data/app/allow").header("content-encoding", "gzip");
        let answer = agent.send(request.body(bomb.clone().into()).expect("a request")).await.expect("an answer");
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    let grown = memory(&agent).await.saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    unharmed(&agent).await;
}

#[tokio::test]
async fn announced_bodies_that_never_come_take_no_memory() {
    let agent = start("{}", &["--log-level=error"]).await;
    unharmed(&agent).await;
    let before = memory(&agent).await;
    let waiting: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut stream = connect(&agent);
            let head = "POST /v1/data/app/allow HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 200000000\r\n\r\n";
            stream.write_all(head.as_bytes()).expect("sent");
            assert!(stream.read(&mut [0; 512]).expect("continued") > 0);
            stream
        })
        .collect();
    let grown = memory(&agent).await.saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for {} bodies of 200 MB", waiting.len());
    unharmed(&agent).await;
}

/// What the log has read of a body, and refused, must be gone for the route as well: what is left is another document.
#[tokio::test]
async fn the_rest_of_a_refused_body_does_not_pass_for_the_whole() {
    let agent = start("server: {decoding: {max_length: 100}}", &["--log-level=debug"]).await;
    let mut stream = connect(&agent);
    let head = "POST /v1/data/app/allow HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}80\r\n{}\r\n", " ".repeat(128)).as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    let rest = "{\"input\":{\"user\":\"ann\"}}";
    // The server may have answered and gone.
    let _ = stream.write_all(format!("{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len()).as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("request body too large"), "{answer}");
    unharmed(&agent).await;
}

/// What a command line names may be deeper than any stack.
#[tokio::test]
async fn files_of_any_depth_are_refused_beyond_a_limit() {
    let directory = tempfile::tempdir().expect("a directory");
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let array = file("array.json", deep("[", "]"));
    let object = file("object.json", deep("{\"a\":", "}"));
    let yaml = file("array.yaml", deep("[", "]"));
    let policy = file("deep.rego", format!("package p\n\nx := {}\n", deep("[", "]")));
    file("bundle/data.json", deep("{\"a\":", "}"));
    let bundle = directory.path().join("bundle").display().to_string();
    for arguments in [
        ["--input", &array],
        ["--input", &yaml],
        ["--data", &object],
        ["--data", &yaml],
        ["--data", &policy],
        ["--schema", &array],
        ["--capabilities", &array],
        ["--bundle", &bundle],
    ] {
        let eval =
            std::process::Command::new(env!("CARGO_BIN_EXE_regent")).arg("eval").args(arguments).arg("1").output();
        let output = eval.expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {}", output.status);
        assert!(["depth", "recursion limit"].iter().any(|why| said.contains(why)), "{arguments:?}: {said}");
    }
    for arguments in [&["--config-file", &yaml][..], &[&object], &[&policy], &["--bundle", &bundle]] {
        let output = regent().args(arguments).run_to_end(SOON).await.expect("the agent ends by itself");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
