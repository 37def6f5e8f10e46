//! Registries that do not give what they promised.

use regent_kit::Registry;
use serde_json::json;

use super::{REFERENCE, pull, refusal, service};

const TAG: &str = "/v2/org/repo/manifests/latest";

/// How most errors begin.
fn failed(text: &str) -> String {
    format!("failed to pull {REFERENCE}: download for '{REFERENCE}' failed: {text}")
}

#[tokio::test]
async fn statuses_are_told_with_the_request_and_pass() {
    let registry = Registry::start().await;
    let (manifest, layer) = registry.push("org/repo", "latest", "bundle");
    let service = service(&registry, "").await;
    let places = [
        ("HEAD", TAG.to_owned()),
        ("GET", format!("/v2/org/repo/manifests/{manifest}")),
        ("GET", format!("/v2/org/repo/blobs/{layer}")),
    ];
    for (method, path) in places {
        for (status, words) in [(401, "Unauthorized"), (404, "Not Found"), (500, "Internal Server Error")] {
            registry.answer(method, &path, status, &[], "{}");
            let text = failed(&format!("{method} {}{path}: {status} {words}", registry.url()));
            assert_eq!(refusal(&*service, REFERENCE).await, (text, Some(status)));
        }
        registry.answer_as_usual(method, &path);
    }
    assert_eq!(pull(&*service, REFERENCE, "").await.expect("a bundle").2, "bundle");
}

#[tokio::test]
async fn a_registry_that_is_away_is_told() {
    let registry = Registry::start().await;
    let (service, url) = (service(&registry, "").await, registry.url());
    drop(registry);
    let (text, status) = refusal(&*service, REFERENCE).await;
    assert!(text.starts_with(&failed(&format!("HEAD {url}{TAG}: no answer: "))), "{text}");
    assert_eq!(status, None);
}

#[tokio::test]
async fn digests_have_to_be_said_and_to_be_right() {
    let registry = Registry::start().await;
    let (manifest, layer) = registry.push("org/repo", "latest", "bundle");
    let service = service(&registry, "").await;
    registry.answer("HEAD", TAG, 200, &[], "");
    let (text, _) = refusal(&*service, REFERENCE).await;
    assert_eq!(text, failed("missing Docker-Content-Digest header in response"));
    registry.answer("HEAD", TAG, 200, &[("docker-content-digest", "sha256:x")], "");
    assert_eq!(refusal(&*service, REFERENCE).await.0, failed(r#"invalid digest "sha256:x""#));
    registry.answer_as_usual("HEAD", TAG);

    // Another manifest under the digest of this one, which would be just as sound.
    let path = format!("/v2/org/repo/manifests/{manifest}");
    registry.answer("GET", &path, 200, &[], r#"{"layers": []}"#);
    let (text, _) = refusal(&*service, REFERENCE).await;
    assert!(text.starts_with(&failed(&format!("content of {manifest} has another digest: sha256:"))), "{text}");
    registry.answer_as_usual("GET", &path);

    let path = format!("/v2/org/repo/blobs/{layer}");
    for (body, expected) in [
        ("BUNDLE", format!("content of {layer} has another digest: sha256:")),
        ("bund", format!("{layer} ends after 4 of 6 bytes")),
        ("bundles", format!("{layer} is larger than the 6 bytes of its descriptor")),
    ] {
        registry.answer("GET", &path, 200, &[], body);
        let (text, status) = refusal(&*service, REFERENCE).await;
        assert!(text.starts_with(&failed(&expected)), "{text}");
        assert_eq!(status, None);
    }
    registry.answer_as_usual("GET", &path);
    assert_eq!(pull(&*service, REFERENCE, "").await.expect("a bundle").2, "bundle");
}

#[tokio::test]
async fn manifests_have_bounds_and_a_form() {
    let registry = Registry::start().await;
    let service = service(&registry, "").await;
    let image = "application/vnd.oci.image.manifest.v1+json";
    let check = async |content: serde_json::Value, expected: &str| {
        registry.put_manifest("org/repo", "latest", image, &content);
        let (text, _) = refusal(&*service, REFERENCE).await;
        assert!(text.contains(expected), "{text}");
    };
    check(json!({}), "no layers in manifest").await;
    check(json!({"layers": []}), "no layers in manifest").await;
    let descriptor = |kind: &str| json!({"mediaType": kind, "digest": format!("sha256:{}", "0".repeat(64)), "size": 1});
    let docker = descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip");
    check(json!({"layers": [docker]}), "no tarball descriptor found in the layers").await;
    check(json!({"layers": {}}), "unable to unmarshal manifest: invalid type: map").await;
    check(json!([]), "unable to unmarshal manifest: ").await;
    let both = json!({"layers": [docker], "manifests": [docker]});
    check(both, "unable to unmarshal manifest: it is both an image and an index").await;
    let mut layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip");
    layer["digest"] = json!("sha512:00");
    check(json!({"layers": [layer]}), r#"invalid digest "sha512:00""#).await;
    check(json!({"layers": [], "annotations": "x".repeat(4 << 20)}), "response body exceeds 4194304 bytes").await;
}

#[tokio::test]
async fn references_that_are_none_ask_nobody() {
    let registry = Registry::start().await;
    let service = service(&registry, "").await;
    let text = r#"failed to pull bundles/authz: invalid reference "bundles/authz": missing tag or digest"#;
    assert_eq!(refusal(&*service, "bundles/authz").await, (text.to_owned(), None));
    assert!(registry.requests().is_empty());
}
