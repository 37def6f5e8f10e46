//! Requests and responses.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use regent_core::engine::{Cancel, Recorded};
use regent_core::value::encode;

use crate::asking::Agent;
use crate::server::{Reply, Server, json, nobody, response};

#[test]
fn a_response_has_all_its_parts() {
    let server = Server::start(|_, _| json("x-two: 1\r\nX-Two: 2\r\n", r#"{"a": 1.0}"#));
    let url = server.url("/x?y=1");
    let answer = Agent::new().send(&format!(r#"{{"method": "get", "url": "{url}"}}"#)).expect("an answer");
    let expected = concat!(
        r#"{"body":{"a":1.0},"headers":{"content-length":["10"],"content-type":["application/json"],"x-two":["1","2"]},"#,
        r#""raw_body":"{\"a\": 1.0}","status":"200 OK","status_code":200}"#
    );
    assert_eq!(encode(&answer), expected);
    let request = &server.received()[0];
    assert_eq!((request.line.as_str(), request.body.as_str()), ("GET /x?y=1 HTTP/1.1", ""));
    assert_eq!((request.header("accept-encoding"), request.header("content-length")), (Some("gzip"), None));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("Open-Policy-Agent/")));
}

#[test]
fn the_status_is_in_the_servers_words() {
    let server = Server::start(|_, _| response("418 Short and stout", "", ""));
    let url = server.url("/");
    assert_eq!(
        Agent::new().part(&format!(r#"{{"method": "get", "url": "{url}"}}"#), "status"),
        r#""418 Short and stout""#
    );
}

#[test]
fn methods_headers_and_bodies_are_sent_as_given() {
    let server = Server::start(|_, _| response("200 OK", "", ""));
    let (agent, url) = (Agent::new(), server.url("/"));
    for more in [
        r#""method": "post", "body": {"b": {1, 2}, "a": 1.0}, "headers": {"content-type": "application/json", "x-a": "b"}"#,
        r#""method": "put", "raw_body": "as it is", "body": 1"#,
        r#""method": "nope""#,
        r#""method": "POST", "headers": {"host": "acme.test", "accept-encoding": "br"}"#,
    ] {
        assert_eq!(agent.part(&format!(r#"{{"url": "{url}", {more}}}"#), "status_code"), "200", "{more}");
    }
    let requests = server.received();
    assert!(requests[0].line.starts_with("POST / ") && requests[0].header("x-a") == Some("b"));
    assert_eq!(requests[0].body, r#"{"a":1.0,"b":[1,2]}"#);
    assert_eq!((requests[1].body.as_str(), requests[1].header("content-type")), ("as it is", None));
    assert!(requests[2].line.starts_with("NOPE / "));
    assert_eq!((requests[3].header("host"), requests[3].header("content-length")), (Some("acme.test"), Some("0")));
    assert_eq!(requests[3].header("accept-encoding"), Some("br"));
}

#[test]
fn credentials_in_the_address_are_sent_and_not_shown() {
    let server = Server::start(|_, _| response("200 OK", "", ""));
    let agent = Agent::new();
    let url = server.url("/").replace("http://", "http://bob:hunter2@");
    assert_eq!(agent.part(&format!(r#"{{"method": "get", "url": "{url}"}}"#), "status_code"), "200");
    assert_eq!(server.received()[0].header("authorization"), Some("Basic Ym9iOmh1bnRlcjI="));
    let error = agent.send(&format!(r#"{{"method": "get", "url": "http://bob:hunter2@{}/"}}"#, nobody()));
    let error = error.expect_err("nobody listens");
    assert!(error.contains("bob:***@") && !error.contains("hunter2"), "{error}");
}

#[test]
fn packed_bodies_are_unpacked_unless_the_policy_asked_for_them() {
    let server = Server::start(|_, _| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"[1, 2]").expect("memory is enough");
        let body = encoder.finish().expect("memory is enough");
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Reply::Bytes([head.into_bytes(), body].concat())
    });
    let (agent, url) = (Agent::new(), server.url("/"));
    let answer = agent.send(&format!(r#"{{"method": "get", "url": "{url}"}}"#)).expect("an answer");
    assert_eq!(answer.get("body").map(encode).as_deref(), Some("[1,2]"));
    assert_eq!(answer.get("headers").map(encode).as_deref(), Some(r#"{"content-type":["application/json"]}"#));
    let own = format!(r#"{{"method": "get", "url": "{url}", "headers": {{"accept-encoding": "gzip"}}}}"#);
    assert_eq!(agent.part(&own, "body"), "null");
}

#[test]
fn chunked_bodies_lose_what_tells_how_they_travelled() {
    let server = Server::start(|_, _| {
        Reply::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".to_vec())
    });
    let answer =
        Agent::new().send(&format!(r#"{{"method": "get", "url": "{}"}}"#, server.url("/"))).expect("an answer");
    assert_eq!(answer.get("raw_body"), Some(&"abcde".into()));
    assert_eq!(answer.get("headers").map(encode).as_deref(), Some("{}"));
}

#[test]
fn redirects_are_followed_only_if_the_policy_says_so() {
    let server = Server::start(|_, request| match request.line.split(' ').nth(1) {
        Some("/a") => response("302 Found", "location: /b\r\n", ""),
        Some("/loop") => response("307 Temporary Redirect", "location: /loop\r\n", ""),
        _ => response("200 OK", "", "here"),
    });
    let agent = Agent::new();
    let asked =
        |path: &str, more: &str| format!(r#"{{"method": "post", "body": 1, "url": "{}"{more}}}"#, server.url(path));
    assert_eq!(agent.part(&asked("/a", ""), "status_code"), "302");
    assert_eq!(agent.part(&asked("/a", r#", "enable_redirect": true"#), "raw_body"), r#""here""#);
    let last = server.received().pop().expect("a request");
    assert_eq!((last.line.as_str(), last.body.as_str()), ("GET /b HTTP/1.1", ""));
    assert_eq!(last.header("referer"), Some(&*server.url("/a")));
    let error = agent.send(&asked("/loop", r#", "enable_redirect": true"#)).expect_err("it never ends");
    assert_eq!(error, format!("http.send: Post \"{}\": stopped after 50 redirects", server.url("/loop")));
}

#[test]
fn a_socket_takes_the_place_of_the_network() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("s");
    let server = Server::start_unix(&path, |_, _| json("", "7"));
    let url = |path: &str| format!("unix://localhost/end/point?socket={}&b=2&a=1", path.replace('/', "%2F"));
    let agent = Agent::new();
    let there = url(&path.display().to_string());
    assert_eq!(agent.part(&format!(r#"{{"method": "get", "url": "{there}"}}"#), "body"), "7");
    let request = &server.received()[0];
    assert_eq!((request.line.as_str(), request.header("host")), ("GET /end/point?a=1&b=2 HTTP/1.1", Some("localhost")));
    let error = agent.send(&format!(r#"{{"method": "get", "url": "{}"}}"#, url("/nowhere/s"))).expect_err("no socket");
    assert!(error.ends_with("dial unix /nowhere/s: connect: no such file or directory"), "{error}");
}

#[test]
fn failures_are_errors_or_answers_as_the_policy_says() {
    let agent = Agent::new();
    let address = nobody();
    let why = format!("Get \"http://{address}/\": dial tcp {address}: connect: connection refused");
    let asked = |more: &str| agent.send(&format!(r#"{{"method": "get", "url": "http://{address}/"{more}}}"#));
    assert_eq!(asked(""), Err(format!("http.send: {why}")));
    let shown = |code: &str, message: &str| {
        let message = encode(&message.into());
        format!(r#"{{"error":{{"code":"eval_http_send_{code}_error","message":{message}}},"status_code":0}}"#)
    };
    let quiet = |more: &str| encode(&asked(&format!(r#", "raise_error": false{more}"#)).expect("an answer"));
    assert_eq!(quiet(""), shown("network", &why));
    let message = r#"1:6: eval_type_error: http.send: operand 1 invalid request parameters(s): {"bad"}"#;
    assert_eq!(quiet(r#", "bad": 1"#), shown("internal", message));
    let message = r#"1:6: eval_builtin_error: http.send: invalid value for "cache" field"#;
    assert_eq!(quiet(r#", "cache": 1"#), shown("internal", message));
    assert_eq!(asked(r#", "raise_error": 1"#), Err("http.send: invalid value for raise_error field".to_owned()));
    assert_eq!(
        agent.query(r#"y := {"url": "x"}; x := http.send(y)"#).result,
        Err(r#"http.send: operand 1 missing required request parameters(s): {"method"}"#.to_owned())
    );
}

#[test]
fn one_query_sends_the_same_request_once() {
    let server = Server::start(|before, request| {
        let status = if request.line.contains("/created") { "201 Created" } else { "200 OK" };
        response(status, "content-type: application/json\r\n", &before.to_string())
    });
    let agent = Agent::new();
    let twice = |path: &str, more: &str| {
        let asked = format!(r#"{{"method": "get", "url": "{}"{more}}}"#, server.url(path));
        agent.query(&format!("y := http.send({asked}); z := http.send({asked}); x := [y.body, z.body]"))
    };
    let same = twice("/", "");
    assert_eq!(same.result.as_ref().map(encode).as_deref(), Ok("[0,0]"));
    assert_eq!((same.count("network_requests"), same.count("interquery_cache_hits")), ("1".to_owned(), "0".to_owned()));
    assert!(same.metrics.to_value().get("timer_rego_builtin_http_send_ns").is_some());
    assert_eq!(twice("/", "").result.as_ref().map(encode).as_deref(), Ok("[1,1]"), "another query asks again");
    assert_eq!(twice("/created", "").result.as_ref().map(encode).as_deref(), Ok("[2,3]"), "not every status is kept");
}

#[test]
fn one_query_fails_the_same_request_once() {
    let server = Server::start(|_, _| Reply::Cut(Vec::new()));
    let agent = Agent::new();
    let twice = |more: &str| {
        let asked = format!(r#"{{"method": "get", "url": "{}", "raise_error": false{more}}}"#, server.url("/"));
        let text = format!("y := http.send({asked}); z := http.send({asked}); x := [y.error, z.error]");
        encode(&agent.query(&text).result.expect("an answer"))
    };
    for more in ["", r#", "cache": true"#] {
        let before = server.count();
        assert!(twice(more).contains(r#"\": EOF""#));
        assert_eq!(server.count() - before, 1);
    }
}

#[test]
fn a_response_that_breaks_off_is_asked_for_again() {
    let server = Server::start(|before, _| match before {
        0 => Reply::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec()),
        _ => response("200 OK", "", "whole"),
    });
    let asked = format!(r#"{{"method": "get", "url": "{}", "raise_error": false}}"#, server.url("/"));
    let text = format!("y := http.send({asked}); z := http.send({asked}); x := [y, z.raw_body]");
    let expected = concat!(
        r#"[{"error":{"code":"eval_http_send_internal_error","#,
        r#""message":"1:6: eval_builtin_error: http.send: unexpected EOF"},"status_code":0},"whole"]"#
    );
    assert_eq!(Agent::new().query(&text).result.as_ref().map(encode).as_deref(), Ok(expected));
}

#[test]
fn what_was_recorded_is_not_asked_again() {
    let server = Server::start(|before, _| response("201 Created", "", &before.to_string()));
    let agent = Agent::new();
    let asked = format!(r#"{{"method": "get", "url": "{}"}}"#, server.url("/"));
    let text = format!("y := http.send({asked}); z := http.send({asked}); x := [y.raw_body, z.raw_body]");
    let answer = agent.query_with(&text, &Cancel::default(), Some(Recorded::default()));
    assert_eq!(answer.result.as_ref().map(encode).as_deref(), Ok(r#"["0","0"]"#));
    let recorded = answer.recorded.expect("a record").to_value();
    let key = format!(r#"[{{"method":"get","url":"{}"}}]"#, server.url("/"));
    let kept = recorded.get("http.send").and_then(|calls| calls.get(&key)).expect("the call");
    assert_eq!(kept.get("raw_body"), Some(&"0".into()));
    assert!(agent.query(&text).recorded.is_none());
}
