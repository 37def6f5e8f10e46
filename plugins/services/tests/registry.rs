//! Registries: references, manifests, tokens, and what goes wrong with them.

mod common;
#[path = "registry/credentials.rs"]
mod credentials;
#[path = "registry/faults.rs"]
mod faults;
#[path = "registry/indexes.rs"]
mod indexes;
#[path = "registry/tls.rs"]
mod tls;

use std::sync::Arc;

use http::{HeaderValue, Method};
use regent_core::service::{PullError, Service, ServiceRequest};
use regent_kit::{ControlPlane, Registry};

use common::{acme, get};

const REFERENCE: &str = "ghcr.io/org/repo:latest";

/// The service of a registry, with more of its section.
async fn service(registry: &Registry, more: &str) -> Arc<dyn Service> {
    acme(&format!("services: {{acme: {{url: '{}/ignored', type: oci, {more}}}}}", registry.url())).await
}

/// Status, `ETag` and body of an answer.
type Pulled = (u16, String, String);

/// Pulls unless this is there already; else the whole text of the error, and what it says was answered.
async fn pull(service: &dyn Service, reference: &str, etag: &str) -> Result<Pulled, (String, Option<u16>)> {
    let mut request = ServiceRequest::new(Method::GET, reference);
    request.headers.insert("if-none-match", HeaderValue::try_from(etag).expect("a fit text"));
    request.headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    let read = async {
        let answer = service.send(request).await?;
        let (status, etag) = (answer.status.as_u16(), answer.headers["etag"].to_str().unwrap_or_default().to_owned());
        let body = answer.read(1 << 20).await?;
        Ok((status, etag, String::from_utf8_lossy(&body).into_owned()))
    };
    read.await.map_err(|error: regent_core::Error| {
        let why = PullError::of(&error).cloned().unwrap_or_else(|| panic!("no error of a pull: {}", error.chain()));
        (why.text, why.status.map(|status| status.as_u16()))
    })
}

/// The error of a pull.
async fn refusal(service: &dyn Service, reference: &str) -> (String, Option<u16>) {
    pull(service, reference, "").await.expect_err("nothing is pulled")
}

#[tokio::test]
async fn the_layer_of_a_tag_is_pulled_and_not_asked_for_again_while_it_stays() {
    let registry = Registry::start().await;
    let (manifest, layer) = registry.push("org/repo", "latest", "bundle");
    let service = service(&registry, "").await;
    let etag = layer.trim_start_matches("sha256:");
    let expected = (200, etag.to_owned(), "bundle".to_owned());
    assert_eq!(pull(&*service, REFERENCE, "").await, Ok(expected));
    let head = "HEAD /v2/org/repo/manifests/latest".to_owned();
    let all =
        [head.clone(), format!("GET /v2/org/repo/manifests/{manifest}"), format!("GET /v2/org/repo/blobs/{layer}")];
    assert_eq!(registry.take_asked(), all);

    assert_eq!(pull(&*service, REFERENCE, etag).await, Ok((304, etag.to_owned(), String::new())));
    assert_eq!(registry.take_asked(), [head], "an unchanged manifest is not fetched");

    let (_, layer) = registry.push("org/repo", "latest", "another");
    let etag = layer.trim_start_matches("sha256:").to_owned();
    assert_eq!(pull(&*service, REFERENCE, "x").await, Ok((200, etag, "another".to_owned())));
    assert_eq!(registry.take_asked().len(), 3);
}

#[tokio::test]
async fn a_digest_pins_what_is_pulled() {
    let registry = Registry::start().await;
    let (manifest, _) = registry.push("org/repo", "latest", "bundle");
    let (other, _) = registry.push("org/repo", "latest", "another");
    let service = service(&registry, "").await;
    let reference = format!("ghcr.io/org/repo@{manifest}");
    assert_eq!(get(&*service, &reference).await, Ok((200, "bundle".to_owned())));
    // One that says to have it, and has something else.
    let path = format!("/v2/org/repo/manifests/{manifest}");
    registry.answer("HEAD", &path, 200, &[("docker-content-digest", &other)], "");
    let text = format!("content of {manifest} has another digest: {other}");
    let (error, status) = refusal(&*service, &reference).await;
    assert_eq!(error, format!("failed to pull {reference}: download for '{reference}' failed: {text}"));
    assert_eq!(status, None);
}

#[tokio::test]
async fn requests_are_opas() {
    let registry = Registry::start().await;
    registry.push("org/repo", "latest", "bundle");
    let service = service(&registry, "headers: {x-team: blue}").await;
    pull(&*service, REFERENCE, "").await.expect("a bundle");
    let types = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                 application/vnd.docker.distribution.manifest.v2+json, \
                 application/vnd.docker.distribution.manifest.list.v2+json";
    let accepted = [types, "application/vnd.oci.image.manifest.v1+json", "*/*"];
    for (request, accepted) in registry.requests().iter().zip(accepted) {
        assert_eq!(request.header("accept"), Some(accepted));
        assert_eq!(request.header("x-team"), Some("blue"));
        let agent = request.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("Open-Policy-Agent/1."), "{agent}");
        // What a layer is encoded in on the way would have another digest.
        assert_eq!((request.header("accept-encoding"), request.header("authorization")), (None, None));
    }
    let address = service.address(REFERENCE);
    assert_eq!(address, format!("{}/v2/org/repo/manifests/latest", registry.url()));
    assert!(!service.may_hold());
}

#[tokio::test]
async fn what_is_no_question_goes_out_as_to_any_other_service() {
    let server = ControlPlane::start().await;
    let service = acme(&format!("services: {{acme: {{url: '{}', type: OCI}}}}", server.url())).await;
    let mut request = ServiceRequest::new(Method::POST, "status");
    request.body = "{}".into();
    assert_eq!(service.send(request).await.expect("an answer").status, 200);
    assert_eq!(server.statuses().len(), 1);
}
