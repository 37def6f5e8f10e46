//! What queries take over from those before them.

use std::thread;
use std::time::{Duration, SystemTime};

use regent_core::caching::ResultCache;
use regent_core::value::encode;

use crate::asking::Agent;
use crate::server::{Reply, Server, json, response};

/// A date that long before now, as a header.
fn date(name: &str, age: Duration) -> String {
    format!("{name}: {}\r\n", httpdate::fmt_http_date(SystemTime::now() - age))
}

/// Headers of a response that is good for a minute.
fn fresh() -> String {
    format!("cache-control: max-age=60\r\n{}", date("date", Duration::ZERO))
}

/// Headers of a response that was good until a while ago.
fn stale() -> String {
    format!("cache-control: max-age=60\r\n{}", date("date", Duration::from_mins(2)))
}

/// A server whose responses have these headers and count up.
fn counting(headers: impl Fn() -> String + Send + Sync + 'static) -> Server {
    Server::start(move |before, _| json(&headers(), &before.to_string()))
}

/// The bodies of three queries in a row, and how many of them found something in the cache.
fn bodies(agent: &Agent, server: &Server, more: &str) -> (String, u32) {
    let asked = format!(r#"{{"method": "get", "url": "{}"{more}}}"#, server.url("/"));
    let mut hits = 0;
    let answers = (0..3).map(|_| {
        let answer = agent.query(&format!("x := http.send({asked}).body"));
        hits += answer.count("interquery_cache_hits").parse::<u32>().expect("a number");
        answer.result.as_ref().map(encode).expect("an answer")
    });
    (answers.collect::<Vec<_>>().join(" "), hits)
}

fn cached(headers: impl Fn() -> String + Send + Sync + 'static, more: &str) -> (String, u32) {
    bodies(&Agent::new(), &counting(headers), &format!(r#", "cache": true{more}"#))
}

#[test]
fn a_response_serves_as_long_as_it_says() {
    let same = ("0 0 0".to_owned(), 2);
    assert_eq!(cached(fresh, ""), same);
    assert_eq!(
        cached(|| format!("expires: {}\r\n", httpdate::fmt_http_date(SystemTime::now() + Duration::from_mins(1))), ""),
        same
    );
    assert_eq!(cached(fresh, r#", "caching_mode": "deserialized""#), same);
}

#[test]
fn a_response_does_not_serve_when_it_must_not_or_does_not_say() {
    let each = ("0 1 2".to_owned(), 0);
    assert_eq!(cached(stale, ""), each);
    assert_eq!(cached(|| format!("{}cache-control: no-store\r\n", date("date", Duration::ZERO)), ""), each);
    assert_eq!(cached(String::new, ""), each);
    assert_eq!(cached(|| "cache-control: max-age=60\r\n".to_owned(), ""), each, "from when on?");
    assert_eq!(cached(|| "expires: 0\r\n".to_owned(), ""), each);
    assert_eq!(cached(fresh, r#", "caching_mode": "other""#), each);
    assert_eq!(bodies(&Agent::new(), &counting(fresh), ""), each, "the policy has to want it");
    let created = Server::start(|before, _| {
        let headers = format!("content-type: application/json\r\n{}", fresh());
        response("201 Created", &headers, &before.to_string())
    });
    assert_eq!(bodies(&Agent::new(), &created, r#", "cache": true"#), each);
}

#[test]
fn a_forced_response_serves_as_long_as_the_policy_says() {
    let forced = r#", "force_cache": true, "force_cache_duration_seconds": 60"#;
    let same = ("0 0 0".to_owned(), 2);
    assert_eq!(cached(|| "cache-control: no-store\r\n".to_owned(), forced), same);
    assert_eq!(cached(stale, forced), same);
    let none = r#", "force_cache": true, "force_cache_duration_seconds": 0"#;
    assert_eq!(cached(fresh, none), same, "then the response says");

    let (agent, server) = (Agent::new(), counting(String::new));
    let asked = r#", "force_cache": true, "force_cache_duration_seconds": 1"#;
    assert_eq!(bodies(&agent, &server, asked), ("0 0 0".to_owned(), 2));
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(bodies(&agent, &server, asked), ("1 1 1".to_owned(), 3), "one that is stale counts as found");
}

#[test]
fn a_stale_response_is_asked_about() {
    let server = Server::start(|before, request| {
        let tagged = request.header("if-none-match") == Some("\"a\"") && request.header("if-modified-since").is_some();
        match before {
            0 => json(
                &format!("etag: \"a\"\r\nx-seen: once\r\n{}{}", date("last-modified", Duration::ZERO), stale()),
                "0",
            ),
            1 if tagged => response("304 Not Modified", &format!("x-seen: twice\r\n{}", fresh()), ""),
            _ => response("500 Oops", "", ""),
        }
    });
    let agent = Agent::new();
    assert_eq!(bodies(&agent, &server, r#", "cache": true"#), ("0 0 0".to_owned(), 2));
    assert_eq!(server.count(), 2, "the third one is fresh again");
    let asked = format!(r#"{{"method": "get", "url": "{}", "cache": true}}"#, server.url("/"));
    let seen = agent.part(&asked, "headers");
    assert!(seen.contains(r#""x-seen":["twice"]"#) && seen.contains(r#""etag":["\"a\""]"#), "{seen}");
}

#[test]
fn a_stale_response_is_replaced_or_forgotten() {
    let replaced = || format!("etag: \"a\"\r\n{}", stale());
    assert_eq!(cached(replaced, ""), ("0 1 2".to_owned(), 2));
    let forgotten = Server::start(|before, request| match request.header("if-none-match") {
        None => json(&format!("etag: \"a\"\r\n{}", stale()), &before.to_string()),
        Some(_) => response("503 Unavailable", "", ""),
    });
    assert_eq!(bodies(&Agent::new(), &forgotten, r#", "cache": true"#), ("0 2 4".to_owned(), 2));
}

#[test]
fn requests_that_differ_in_ignored_headers_only_share_a_response() {
    let server = counting(fresh);
    let agent = Agent::new();
    let body = |headers: &str, ignored: &str| {
        let asked = format!(
            r#"{{"method": "get", "url": "{}", "cache": true, "headers": {headers}, "cache_ignored_headers": {ignored}}}"#,
            server.url("/")
        );
        agent.part(&asked, "body")
    };
    assert_eq!(body(r#"{"a": "1", "trace": "1"}"#, r#"["trace"]"#), "0");
    assert_eq!(body(r#"{"a": "1", "trace": "2"}"#, r#"["trace"]"#), "0");
    assert_eq!(body(r#"{"a": "2", "trace": "2"}"#, r#"["trace"]"#), "1");
    assert_eq!(body(r#"{"a": "1", "trace": "2"}"#, "null"), "2");
    assert_eq!(server.received()[0].header("trace"), Some("1"), "they are sent all the same");
}

#[test]
fn the_cache_is_bounded() {
    let server = Server::start(|_, _| json(&fresh(), &format!("{:?}", "x".repeat(1000))));
    let mut agent = Agent::new();
    agent.caching.results = ResultCache { most_bytes: Some(4000), sweep_every: None };
    let ask = |path: &str| {
        let asked = format!(r#"x := http.send({{"method": "get", "url": "{}", "cache": true}})"#, server.url(path));
        agent.query(&asked).count("interquery_cache_hits")
    };
    assert_eq!(["/a", "/b", "/b", "/a"].map(ask), ["0", "0", "1", "1"]);
    assert_eq!(["/c", "/a", "/c"].map(ask), ["0", "0", "1"], "the oldest one had to go");
}

#[test]
fn queries_at_the_same_time_share_a_request_that_may_be_kept() {
    const QUERIES: usize = 8;
    let slow = |headers: String| {
        Server::start(move |before, _| {
            let Reply::Bytes(bytes) = json(&headers, &before.to_string()) else { unreachable!("it is bytes") };
            Reply::After(Duration::from_millis(300), bytes)
        })
    };
    let ask_all = |server: &Server| {
        let agent = Agent::new();
        let asked = format!(r#"x := http.send({{"method": "get", "url": "{}", "cache": true}}).body"#, server.url("/"));
        thread::scope(|scope| {
            let asking: Vec<_> = (0..QUERIES).map(|_| scope.spawn(|| agent.query(&asked))).collect();
            let answers = asking.into_iter().map(|asking| asking.join().expect("no panic"));
            let sent =
                |answer: crate::asking::Asked| answer.count("network_requests").parse::<usize>().expect("a number");
            answers.map(sent).sum::<usize>()
        })
    };
    let server = slow(fresh());
    assert_eq!((ask_all(&server), server.count()), (1, 1));
    let server = slow("cache-control: no-store\r\n".to_owned());
    assert_eq!((ask_all(&server), server.count()), (QUERIES, QUERIES));
}
