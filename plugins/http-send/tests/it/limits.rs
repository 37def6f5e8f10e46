//! What takes too long, is too much, or is not allowed.

use std::thread;
use std::time::{Duration, Instant};

use regent_core::engine::Cancel;
use regent_core::value::encode;

use crate::asking::Agent;
use crate::server::{Reply, Server, response};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what} in vain");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_slow_server_is_given_up() {
    let server = Server::start(|_, _| Reply::Hang(Vec::new()));
    let (agent, url) = (Agent::new(), server.url("/"));
    for timeout in [r#""100ms""#, "100000000", r#""100000000""#] {
        let asked =
            |more: &str| agent.send(&format!(r#"{{"method": "get", "url": "{url}", "timeout": {timeout}{more}}}"#));
        assert_eq!(asked(""), Err(format!("http.send: Get {url}: request timed out")));
        let quiet = encode(&asked(r#", "raise_error": false"#).expect("an answer"));
        assert!(
            quiet.contains("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
            "{quiet}"
        );
        assert!(quiet.contains("eval_http_send_network_error"), "{quiet}");
    }
    until("waiting for connections to close", || server.gone() == server.count());
}

#[test]
fn a_slow_body_is_given_up() {
    let server = Server::start(|_, _| Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec()));
    let asked = format!(r#"{{"method": "get", "url": "{}", "timeout": "5s"}}"#, server.url("/"));
    let late = "http.send: context deadline exceeded (Client.Timeout or context cancellation while reading body)";
    assert_eq!(Agent::new().send(&asked), Err(late.to_owned()));
}

#[test]
fn a_cancelled_query_waits_no_longer() {
    let server = Server::start(|_, _| Reply::Hang(Vec::new()));
    let agent = Agent::new();
    for more in ["", r#", "cache": true"#, r#", "raise_error": false"#] {
        let (cancel, before) = (Cancel::default(), server.gone());
        thread::scope(|scope| {
            let asked = format!(r#"x := http.send({{"method": "get", "url": "{}"{more}}})"#, server.url("/"));
            let waiting = scope.spawn({
                let (agent, cancel) = (&agent, cancel.clone());
                move || agent.query_with(&asked, &cancel, None).result
            });
            until("waiting for the request", || server.count() > before);
            cancel.cancel();
            let result = waiting.join().expect("no panic");
            assert_eq!(result, Err("caller cancelled query execution".to_owned()));
        });
        until("waiting for the connection to close", || server.gone() > before);
    }
}

#[test]
fn a_body_has_a_bound() {
    let server = Server::start(|_, _| {
        let size = (64 << 20) + 1;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
        Reply::Bytes([head.into_bytes(), vec![b'x'; size]].concat())
    });
    let error = Agent::new().send(&format!(r#"{{"method": "get", "url": "{}", "timeout": "60s"}}"#, server.url("/")));
    assert_eq!(error, Err("http.send: response body is larger than 67108864 bytes".to_owned()));
}

#[test]
fn a_request_is_sent_again_as_often_as_the_policy_says() {
    let flaky = || {
        Server::start(|before, _| if before < 2 { Reply::Cut(Vec::new()) } else { response("200 OK", "", "at last") })
    };
    let ask = |server: &Server, attempts: u32| {
        let url = server.url("/");
        Agent::new().query(&format!(
            r#"x := http.send({{"method": "post", "body": 1, "url": "{url}", "max_retry_attempts": {attempts}}})"#
        ))
    };
    let server = flaky();
    let answer = ask(&server, 2);
    assert_eq!(answer.result.expect("an answer").get("raw_body"), Some(&"at last".into()));
    assert_eq!(server.count(), 3);
    let server = flaky();
    let error = ask(&server, 1).result.expect_err("two failures");
    assert_eq!((error, server.count()), (format!("http.send: Post \"{}\": EOF", server.url("/")), 2));
}

#[test]
fn only_allowed_hosts_are_asked() {
    let server = Server::start(|_, request| match request.line.split(' ').nth(1) {
        Some("/away") => response("302 Found", "location: http://localhost:1/\r\n", ""),
        _ => response("200 OK", "", ""),
    });
    let ask = |hosts: &[&str], path: &str| {
        let agent = Agent::allowing(Some(hosts));
        let asked = format!(r#"{{"method": "get", "url": "{}", "enable_redirect": true}}"#, server.url(path));
        agent.send(&asked).map(|answer| answer.get("status_code").map(encode).unwrap_or_default())
    };
    assert_eq!(ask(&["127.0.0.1"], "/"), Ok("200".to_owned()));
    let refused = "http.send: Get \"http://localhost:1/\": unallowed host: localhost";
    assert_eq!(ask(&["127.0.0.1"], "/away"), Err(refused.to_owned()));
    let before = server.count();
    assert_eq!(ask(&["localhost"], "/"), Err("http.send: unallowed host: 127.0.0.1".to_owned()));
    assert_eq!(ask(&[], "/"), Err("http.send: unallowed host: 127.0.0.1".to_owned()));
    assert_eq!(server.count(), before);
}
