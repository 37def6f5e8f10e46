//! Binding, serving, stopping.

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use regent_kit::Client;
use regent_rest_api::{Listeners, Options};
use support::{Agent, check};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

fn on(address: &str) -> Options {
    Options { addresses: vec![address.to_owned()], ..Options::default() }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_cause_and_remedy() {
    let first = Listeners::bind(on("127.0.0.1:0")).await.expect("a free port");
    let address = first.local_addresses().remove(0);
    let error = Listeners::bind(on(&address)).await.err().expect("the port is taken").to_string();
    assert!(error.contains(&address) && error.contains("in use") && error.contains("--addr"), "{error}");
    let error = Listeners::bind(on("https://localhost:0")).await.err().expect("no certificate").to_string();
    assert_eq!(error, "`https://localhost:0` is no address to listen on: TLS certificate required but not supplied");
}

#[tokio::test]
async fn socket_files_are_served_and_removed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("agent.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a stale socket"));
    let options = Options {
        addresses: vec!["127.0.0.1:0".to_owned(), format!("unix://{}", path.display())],
        unix_socket_permissions: 0o700,
        ..Options::default()
    };
    let agent = Agent::start_with("{}", options, Duration::from_secs(10)).await;
    let mode = std::fs::metadata(&path).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let mut stream = UnixStream::connect(&path).await.expect("a listener");
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    agent.stop().await.expect("nothing runs");
    assert!(!path.exists());
}

#[tokio::test]
async fn diagnostic_listeners_serve_health_and_metrics_only() {
    let options = Options { diagnostic_addresses: vec!["127.0.0.1:0".to_owned()], ..on("127.0.0.1:0") };
    let agent = Agent::start_with("{}", options, Duration::from_secs(10)).await;
    let get = async |path: &str| {
        let url = format!("http://{}{path}", agent.diagnostics[0]);
        Client::plain().get(&url).await.expect("an answer")
    };
    check(&get("/health").await, 200, "{}\n");
    assert_eq!(get("/metrics").await.status, 200);
    let bytes = get("/metrics/alloc_bytes").await;
    assert!(bytes.text().trim_end().parse::<u64>().is_ok_and(|bytes| bytes > 100_000), "{}", bytes.text());
    assert!(get("/metrics/alloc_bytes?pretty=true").await.text().ends_with("MB\n"));
    check(&get("/v1/data").await, 404, "404 page not found\n");
}

#[tokio::test]
async fn stopping_closes_idle_connections_and_frees_the_address() {
    let agent = Agent::start("{}").await;
    let address = agent.url.trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).await.expect("a listener");
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    assert!(idle.read(&mut [0; 1024]).await.expect("answered") > 0);
    agent.stop().await.expect("nothing runs");
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or_default(), 0);
    Listeners::bind(on(&address)).await.expect("the address is free");
}

#[tokio::test]
async fn a_request_that_does_not_end_exceeds_the_grace_period() {
    let agent = Agent::start_with("{}", on("127.0.0.1:0"), Duration::from_millis(10)).await;
    let address = agent.url.trim_start_matches("http://").to_owned();
    let mut half = TcpStream::connect(&address).await.expect("a listener");
    let head = b"POST /v1/data/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n";
    half.write_all(head).await.expect("sent");
    // `100 Continue` says that the request is being answered.
    assert!(half.read(&mut [0; 1024]).await.expect("continued") > 0);
    let error = agent.stop().await.expect_err("a request is running").to_string();
    assert_eq!(error, "requests were still running after the grace period of 10ms");
}

#[tokio::test]
async fn http2_without_tls_is_served_when_switched_on() {
    let agent = Agent::start_with("{}", Options { h2c: true, ..on("127.0.0.1:0") }, Duration::from_secs(10)).await;
    let address = agent.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    // The preface of a client and its empty settings; the server's first frame is its settings.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("sent");
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[3], 4, "settings");
    check(&agent.get("/health").await, 200, "{}\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn abstract_names_are_listened_on() {
    let listeners = Listeners::bind(on("unix://@regent-test-abstract")).await.expect("a free name");
    assert_eq!(listeners.local_addresses(), ["unix://@regent-test-abstract"]);
}

const ENDLESS: &str = "package endless\n\np if {\n\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti + j < 0\n}\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evaluations_that_do_not_end_hold_up_nobody_else() {
    let agent = Agent::start("{}").await;
    agent.put("/v1/policies/endless", ENDLESS).await;
    let address = agent.url.trim_start_matches("http://");
    let mut running = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(address).await.expect("a listener");
        stream.write_all(b"GET /v1/data/endless/p HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        running.push(stream);
    }
    for _ in 0..20 {
        let answer = tokio::time::timeout(Duration::from_secs(20), agent.get("/health")).await;
        check(&answer.expect("someone is free to answer"), 200, "{}\n");
    }
    for stream in &running {
        assert!(stream.try_read(&mut [0; 1]).is_err(), "it is still being evaluated");
    }
}
