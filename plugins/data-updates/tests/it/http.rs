//! A web server that answers by path, well and badly.

use std::time::Duration;

use regent_core::data_fetcher::FetchLimits;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{LIMITS, fetched, fetcher};

/// Serves until the test ends; its address. What is asked for at `/echo` comes back, at `/to/URL` is a redirect.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    url
}

async fn answer(mut stream: TcpStream) {
    let mut asked = Vec::new();
    let mut part = [0; 4096];
    // The bodies of these tests end with a brace, and come with the head or right behind it.
    while !asked.ends_with(b"\r\n\r\n") && !asked.ends_with(b"}") {
        match stream.read(&mut part).await {
            Ok(length) if length > 0 => asked.extend_from_slice(&part[..length]),
            _ => return,
        }
    }
    let asked = String::from_utf8(asked).expect("a text");
    let path = asked.split(' ').nth(1).expect("a path");
    let (status, headers, body) = match path {
        "/echo" => ("200 OK", String::new(), serde_json::to_string(&asked).expect("JSON")),
        "/text" => ("200 OK", String::new(), "plain \"text\"".to_owned()),
        "/huge" => ("200 OK", String::new(), "1".repeat(1_001)),
        "/silent" => return std::future::pending().await,
        "/broken" => ("500 Internal Server Error", String::new(), "secret".to_owned()),
        "/none" => ("404 Not Found", String::new(), String::new()),
        _ => match path.strip_prefix("/to/") {
            Some(place) => ("307 Temporary Redirect", format!("Location: {place}\r\n"), String::new()),
            None => ("400 Bad Request", String::new(), String::new()),
        },
    };
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    // Who does not wait for the answer does not get it.
    let _gone = stream.write_all(text.as_bytes()).await;
}

#[tokio::test]
async fn entries_say_how_to_ask() {
    let (url, source) = (server().await, fetcher("http", json!({})));
    let config = json!({"fetcher": "HttpFetchProvider", "method": "post", "headers": {"X-Key": "k"}, "data": {"a": 1}});
    let found = fetched(&*source, &format!("{url}/echo"), config, LIMITS).await.expect("an answer");
    let asked: String = serde_json::from_str(&found).expect("JSON");
    assert!(asked.starts_with("POST /echo HTTP/1.1\r\n") && asked.ends_with("{\"a\":1}"), "{asked}");
    assert!(asked.contains("x-key: k\r\n") && asked.contains("content-type: application/json\r\n"), "{asked}");
    let text = fetched(&*source, &format!("{url}/text"), json!({"is_json": false}), LIMITS).await;
    assert_eq!(text, Ok(r#""plain \"text\"""#.to_owned()));
}

#[tokio::test]
async fn what_cannot_be_had_is_said() {
    let (url, source) = (server().await, fetcher("http", json!({})));
    let cases = [
        ("/huge", "the data has more than 1000 bytes (`data_updates.fetch.max_bytes`)"),
        ("/broken", "the source answers 500 Internal Server Error"),
        ("/none", "the source answers 404 Not Found"),
    ];
    for (path, expected) in cases {
        assert_eq!(fetched(&*source, &format!("{url}{path}"), json!({}), LIMITS).await, Err(expected.to_owned()));
    }
    let limits = FetchLimits { timeout: Duration::from_millis(200), ..LIMITS };
    let error = fetched(&*source, &format!("{url}/silent"), json!({}), limits).await.expect_err("silence");
    assert_eq!(error, "no whole answer within 200ms");
    let error =
        fetched(&*source, "http://u:hunter2@127.0.0.1:1/x?token=hunter2", json!({}), LIMITS).await.expect_err("nobody");
    assert!(error.starts_with("the source cannot be asked: ") && !error.contains("hunter2"), "{error}");
    let error = fetched(&*source, &url, json!({"method": "GET"}), LIMITS).await.expect_err("no such method");
    assert!(error.starts_with("the `config` of the entry is wrong: method: "), "{error}");
}

#[tokio::test]
async fn redirects_lead_to_other_private_servers_only_where_that_is_allowed() {
    let (one, other) = (server().await, server().await);
    let headers = json!({"headers": {"X-Key": "hunter2"}});
    let (to_itself, to_other) = (format!("{one}/to//echo"), format!("{one}/to/{other}/echo"));
    let careful = fetcher("http", json!({}));
    let same = fetched(&*careful, &to_itself.replace("/to//", "/to/"), headers.clone(), LIMITS).await;
    assert!(same.is_err(), "a path that leads nowhere: {same:?}");
    let same = fetched(&*careful, &to_itself, headers.clone(), LIMITS).await.expect("the same server");
    assert!(same.contains("hunter2"));
    let named =
        to_other.replacen(&format!("/to/{other}"), &format!("/to/{}", other.replace("127.0.0.1", "localhost")), 1);
    for place in [&to_other, &named] {
        let error = fetched(&*careful, place, headers.clone(), LIMITS).await.expect_err("another one");
        assert!(error.contains("redirected to an address that is not public"), "{error}");
    }
    let free = fetcher("http", json!({"redirects_to_private": true}));
    let found = fetched(&*free, &to_other, headers.clone(), LIMITS).await.expect("another server");
    assert!(!found.contains("hunter2"), "what is meant for one server is not told to another one: {found}");
    let strict = fetcher("http", json!({"max_redirects": 0}));
    let error = fetched(&*strict, &to_itself, headers, LIMITS).await.expect_err("no redirects");
    assert_eq!(error, "more than 0 redirects");
}
