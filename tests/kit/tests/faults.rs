//! Each fault, seen from the other end of the connection.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use regent_kit::{Client, ClientAuth, ControlPlane, Fault};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BUNDLE: &str = "/bundles/authz";
const LIMIT: Duration = Duration::from_secs(5);

async fn with_bundle() -> (ControlPlane, String) {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", "0123456789");
    let url = format!("{}{BUNDLE}", acme.url());
    (acme, url)
}

/// The bytes of the answer, and the error that ended it, if one did.
async fn raw(acme: &ControlPlane, head: &str) -> (String, Option<std::io::ErrorKind>) {
    let address = acme.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("the request is sent");
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).await.err().map(|error| error.kind());
    (String::from_utf8(answer).expect("text"), end)
}

#[tokio::test]
async fn a_status_breaks_one_request_and_the_next_is_served() {
    let (acme, url) = with_bundle().await;
    acme.fail_next(BUNDLE, Fault::Status(503));
    acme.fail_next(BUNDLE, Fault::Status(429));
    for expected in [503, 429, 200] {
        assert_eq!(Client::plain().get(&url).await.expect("an answer").status, expected);
    }
    assert_eq!(acme.requests().len(), 3, "broken requests are recorded too");
}

#[tokio::test]
async fn a_standing_fault_lasts_until_it_is_taken_back() {
    let (acme, url) = with_bundle().await;
    acme.fail_always(BUNDLE, Some(Fault::Status(500)));
    for _ in 0..3 {
        assert_eq!(Client::plain().get(&url).await.expect("an answer").status, 500);
    }
    acme.fail_always(BUNDLE, None);
    assert_eq!(Client::plain().get(&url).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_body_takes_the_place_of_the_bundle() {
    let (acme, url) = with_bundle().await;
    acme.fail_next(BUNDLE, Fault::Body(Bytes::from_static(b"no bundle")));
    let answer = Client::plain().get(&url).await.expect("an answer");
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "no bundle"));
    assert_eq!(answer.header("etag"), None);
}

#[tokio::test]
async fn a_hanging_answer_comes_late() {
    let (acme, url) = with_bundle().await;
    acme.fail_next(BUNDLE, Fault::Hang(Duration::from_millis(100)));
    let asked = std::time::Instant::now();
    assert_eq!(Client::plain().get(&url).await.expect("an answer").text(), "0123456789");
    assert!(asked.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn who_hangs_up_first_has_uploaded_nothing() {
    let acme = ControlPlane::start().await;
    // Both hang equally long: by the time the second is answered, the first would have been served.
    for _ in 0..2 {
        acme.fail_next("/logs", Fault::Hang(Duration::from_millis(100)));
    }
    let url = format!("{}/logs", acme.url());
    let client = Client::plain();
    tokio::select! {
        answer = client.post(&url, json!([{"n": 1}])) => panic!("no answer is due: {answer:?}"),
        request = acme.wait_for_requests("/logs", 1, LIMIT) => drop(request.expect("the request")),
    }
    client.post(&url, json!([{"n": 2}])).await.expect("an answer");
    assert_eq!(acme.events(), [json!({"n": 2})]);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_sends() {
    let (acme, url) = with_bundle().await;
    acme.fail_next(BUNDLE, Fault::Truncate(4));
    let (answer, error) = raw(&acme, "GET /bundles/authz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n"), "{answer}");
    assert!(answer.contains("\r\netag: ") && answer.ends_with("\r\n\r\n0123"), "{answer}");
    assert_eq!(error, None, "the connection is closed, not reset");

    acme.fail_next(BUNDLE, Fault::Truncate(10));
    let error = Client::plain().get(&url).await.expect_err("one byte is missing");
    assert!(error.to_string().contains("end of file"), "{error}");
}

#[tokio::test]
async fn a_large_bundle_is_cut_where_it_should_be() {
    let acme = ControlPlane::start().await;
    let etag = acme.serve_bundle("authz", vec![b'x'; 4_000_000]);
    acme.fail_next(BUNDLE, Fault::Truncate(3_000_000));
    let asked = format!("GET /bundles/authz HTTP/1.1\r\nHost: a\r\nIf-None-Match: {etag}\r\n\r\n");
    let (answer, _) = raw(&acme, &asked).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("content-length: 4000000"), "{head}");
    assert_eq!(body.len(), 3_000_000);
}

#[tokio::test]
async fn a_reset_leaves_no_answer() {
    let (acme, url) = with_bundle().await;
    acme.fail_next(BUNDLE, Fault::Reset);
    let (answer, error) = raw(&acme, "GET /bundles/authz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.as_str(), error), ("", Some(std::io::ErrorKind::ConnectionReset)));
    assert_eq!(Client::plain().get(&url).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_half_closed_connection_still_takes_what_the_client_sends() {
    let (acme, _) = with_bundle().await;
    acme.fail_next(BUNDLE, Fault::HalfClose);
    let mut stream = TcpStream::connect(acme.url().replace("http://", "")).await.expect("a connection");
    let request = b"GET /bundles/authz HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(request).await.expect("the request is sent");
    assert_eq!(stream.read(&mut [0; 1]).await.expect("no error"), 0, "the server has nothing more to say");
    // More than the buffers of two sockets hold, so that somebody has to read it.
    let more = vec![0; 32 << 20];
    stream.write_all(&more).await.expect("the server reads on");
}

#[tokio::test]
async fn faults_work_under_tls() {
    let acme = ControlPlane::start_tls(ClientAuth::None).await;
    acme.serve_bundle("authz", "0123456789");
    let client = Client::trusting(acme.ca_pem());
    let url = format!("{}{BUNDLE}", acme.url());
    for fault in [Fault::Reset, Fault::HalfClose, Fault::Truncate(4)] {
        acme.fail_next(BUNDLE, fault);
        client.get(&url).await.expect_err("a broken connection");
    }
    assert_eq!(client.get(&url).await.expect("an answer").text(), "0123456789");
}

#[tokio::test]
async fn a_broken_upload_leaves_no_events() {
    let acme = ControlPlane::start().await;
    let url = format!("{}/logs", acme.url());
    for fault in [Fault::Status(500), Fault::Body(Bytes::new()), Fault::Reset, Fault::HalfClose] {
        acme.fail_next("/logs", fault);
        let _broken = Client::plain().post(&url, json!([{"n": 1}])).await;
    }
    assert!(acme.events().is_empty());

    let request = Request::post(&url).body(Bytes::from_static(b"[{\"n\":2}]")).expect("a valid request");
    assert_eq!(Client::plain().send(request).await.expect("an answer").status, 200);
    assert_eq!(acme.events(), [json!({"n": 2})]);
}
