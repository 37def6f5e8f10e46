//! The log and status services, and the waits for what they receive.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;
use regent_kit::{Answer, Client, ControlPlane};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(5);
const NO_TIME: Duration = Duration::from_millis(20);

fn gzip(json: &Value) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json.to_string().as_bytes()).expect("a vector takes every write");
    encoder.finish().expect("a vector takes every write").into()
}

async fn upload(acme: &ControlPlane, path: &str, body: Bytes) -> Answer {
    let request = Request::post(format!("{}{path}", acme.url())).header("Content-Encoding", "gzip");
    Client::plain().send(request.body(body).expect("a valid request")).await.expect("an answer")
}

#[tokio::test]
async fn events_are_kept_in_order_whatever_their_partition() {
    let acme = ControlPlane::start().await;
    let chunk = gzip(&json!([{"n": 1}, {"n": 2}]));
    assert_eq!(upload(&acme, "/logs", chunk.clone()).await.status, 200);
    assert_eq!(upload(&acme, "/logs/eu", gzip(&json!([{"n": 3}]))).await.status, 200);

    assert_eq!(acme.events(), [json!({"n": 1}), json!({"n": 2}), json!({"n": 3})]);
    let uploads = acme.uploads();
    assert_eq!(uploads[0].compressed_size, chunk.len());
    assert_eq!(uploads[0].events.len(), 2);
    assert_eq!(uploads[0].headers["content-encoding"], "gzip");
    assert_eq!(uploads[1].path, "/logs/eu");
}

#[tokio::test]
async fn a_wait_for_events_ends_with_the_last_of_them() {
    let acme = ControlPlane::start().await;
    let (events, ()) = tokio::join!(acme.wait_for_events(3, LIMIT), async {
        for n in 0..3 {
            upload(&acme, "/logs", gzip(&json!([{ "n": n }]))).await;
        }
    });
    assert_eq!(events.expect("three events").len(), 3);
}

#[tokio::test]
async fn a_wait_without_success_tells_what_arrived() {
    let acme = ControlPlane::start().await;
    upload(&acme, "/logs", gzip(&json!([{"decision_id": "d1"}]))).await;
    upload(&acme, "/logs", Bytes::from_static(b"not gzip")).await;

    let error = acme.wait_for_events(2, NO_TIME).await.expect_err("only one event").to_string();
    assert!(error.starts_with("2 decisions: not within 20ms; arrived so far:\nrequests: 2\n"), "{error}");
    assert!(error.contains("events: 1\n  {\"decision_id\":\"d1\"}\n"), "{error}");
    assert!(error.contains("complaints: 1\n  POST /logs: the body is no gzip"), "{error}");
}

#[tokio::test]
async fn what_is_no_array_of_json_is_refused() {
    let acme = ControlPlane::start().await;
    assert_eq!(upload(&acme, "/logs", gzip(&json!({"n": 1}))).await.status, 400);
    assert_eq!(upload(&acme, "/logs", Bytes::from_static(b"[]")).await.status, 400);
    let plain = Client::plain().post(&format!("{}/status", acme.url()), "no JSON").await;
    assert_eq!(plain.expect("an answer").status, 400);
    assert!(acme.uploads().is_empty() && acme.statuses().is_empty());
}

#[tokio::test]
async fn the_first_fitting_report_ends_a_wait_for_status() {
    let acme = ControlPlane::start().await;
    let report = |revision: &str| json!({"bundles": {"authz": {"active_revision": revision}}});
    let send = async |path: &str, revision: &str| {
        Client::plain().post(&format!("{}{path}", acme.url()), report(revision)).await.expect("an answer");
    };
    send("/status", "v1").await;
    let is_v2 = |report: &Value| report["bundles"]["authz"]["active_revision"] == "v2";
    let error = acme.wait_for_status(NO_TIME, is_v2).await.expect_err("not yet").to_string();
    assert!(error.contains("status reports: 1\n  {\"bundles\""), "{error}");

    let (found, ()) = tokio::join!(acme.wait_for_status(LIMIT, is_v2), async {
        send("/status/eu", "v2").await;
        send("/status/eu", "v3").await;
    });
    assert_eq!(found.expect("the second report"), report("v2"));
    assert_eq!(acme.statuses().len(), 3);
}
