//! The bundle service as a polling agent sees it.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use regent_kit::{Answer, Bundle, Client, ControlPlane};

const LIMIT: Duration = Duration::from_secs(5);

async fn poll(acme: &ControlPlane, path: &str, etag: &str) -> Answer {
    let request = Request::get(format!("{}{path}", acme.url())).header("If-None-Match", etag);
    let request = request.body(Bytes::new()).expect("a valid request");
    Client::plain().send(request).await.expect("an answer")
}

#[tokio::test]
async fn a_bundle_comes_once_per_version() {
    let acme = ControlPlane::start().await;
    let bundle = Bundle::new().revision("v1").build();
    let etag = acme.serve_bundle("authz", bundle.clone());

    let first = poll(&acme, "/bundles/authz", "").await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body, bundle);
    assert_eq!(first.header("etag"), Some(etag.as_str()));
    assert_eq!(first.header("content-type"), Some("application/gzip"));

    let second = poll(&acme, "/bundles/authz?x=1", &etag).await;
    assert_eq!(second.status, 304);
    assert!(second.body.is_empty());
    assert_eq!(second.header("etag"), Some(etag.as_str()));

    let newer = acme.serve_bundle("authz", Bundle::new().revision("v2").build());
    assert_ne!(newer, etag);
    assert_eq!(poll(&acme, "/bundles/authz", &etag).await.status, 200);
    assert_eq!(acme.serve_bundle("authz", bundle), etag, "the tag is the contents'");
}

#[tokio::test]
async fn without_a_tag_a_bundle_comes_each_time() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle_without_etag("a/b", "bytes");
    let answer = poll(&acme, "/bundles/a/b", "*").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), None);
}

#[tokio::test]
async fn a_removed_bundle_is_not_found() {
    let acme = ControlPlane::start().await;
    let etag = acme.serve_bundle("authz", "bytes");
    acme.remove_bundle("authz");
    assert_eq!(poll(&acme, "/bundles/authz", &etag).await.status, 404);
    assert_eq!(poll(&acme, "/elsewhere", "").await.status, 404);
}

#[tokio::test]
async fn requests_are_recorded_with_their_headers() {
    let acme = ControlPlane::start().await;
    poll(&acme, "/bundles/authz?v=1", "\"tag\"").await;

    let requests = acme.wait_for_requests("/bundles/authz", 1, LIMIT).await.expect("the request");
    assert_eq!(requests[0].path, "/bundles/authz?v=1");
    assert_eq!(requests[0].header("if-none-match"), Some("\"tag\""));
    acme.wait_for_request(LIMIT, |request| request.method == "GET").await.expect("the same");
    assert_eq!(acme.requests().len(), 1);
}

#[tokio::test]
async fn a_required_header_keeps_others_out() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", "bytes");
    acme.require_header("Authorization", "Bearer secret");
    assert_eq!(poll(&acme, "/bundles/authz", "").await.status, 401);

    let request = Request::get(format!("{}/bundles/authz", acme.url())).header("Authorization", "Bearer secret");
    let request = request.body(Bytes::new()).expect("a valid request");
    assert_eq!(Client::plain().send(request).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_stopped_control_plane_is_unreachable() {
    let acme = ControlPlane::start().await;
    let url = acme.url();
    acme.stop().await;
    let error = Client::plain().get(&url).await.expect_err("nobody listens");
    assert!(error.to_string().contains("refused"), "{error}");
}
