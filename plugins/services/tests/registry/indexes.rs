//! Indexes: of several manifests the first one that holds a bundle.

use regent_kit::Registry;
use serde_json::{Value, json};

use super::{REFERENCE, pull, refusal, service};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Has an image with a layer of that type; how an index names it.
fn image(registry: &Registry, kind: &str, content: &'static str) -> Value {
    let digest = registry.put_blob("org/repo", content);
    let manifest = json!({"layers": [{"mediaType": kind, "digest": digest, "size": content.len()}]});
    named(registry, IMAGE, &manifest)
}

fn bundle(registry: &Registry, content: &'static str) -> Value {
    image(registry, "application/vnd.oci.image.layer.v1.tar+gzip", content)
}

/// Has an index of these; how another one names it.
fn index(registry: &Registry, entries: &[Value]) -> Value {
    named(registry, INDEX, &json!({ "manifests": entries }))
}

fn named(registry: &Registry, kind: &str, manifest: &Value) -> Value {
    let digest = registry.put_manifest("org/repo", "none", kind, manifest);
    json!({"mediaType": kind, "digest": digest, "size": manifest.to_string().len()})
}

fn of_platform(mut entry: Value, os: &str, architecture: &str) -> Value {
    entry["platform"] = json!({"os": os, "architecture": architecture});
    entry
}

#[tokio::test]
async fn the_first_manifest_with_a_bundle_counts() {
    let registry = Registry::start().await;
    let service = service(&registry, "").await;
    let good = of_platform(bundle(&registry, "good"), "linux", "amd64");
    let decoy = of_platform(bundle(&registry, "decoy"), "unknown", "unknown");
    let other = image(&registry, "application/vnd.oci.image.layer.v1.tar", "other");
    let second = bundle(&registry, "second");
    let inner = index(&registry, std::slice::from_ref(&good));
    let nested = index(&registry, &[other.clone(), inner]);
    for entries in [
        vec![good.clone(), second.clone()],
        vec![decoy.clone(), good.clone()],
        vec![other.clone(), good.clone(), second.clone()],
        vec![nested, second],
    ] {
        for kind in [INDEX, DOCKER_LIST, "application/json"] {
            registry.put_manifest("org/repo", "latest", kind, &json!({"mediaType": kind, "manifests": entries}));
            assert_eq!(pull(&*service, REFERENCE, "").await.expect("a bundle").2, "good", "{entries:?}");
        }
    }
    let check = async |entries: &[Value], expected: &str| {
        registry.put_manifest("org/repo", "latest", INDEX, &json!({ "manifests": entries }));
        assert_eq!(refusal(&*service, REFERENCE).await.0, expected);
    };
    check(&[], "no layers in manifest").await;
    check(&[decoy], "no layers in manifest").await;
    let none = "no manifest in the image index contains a application/vnd.oci.image.layer.v1.tar+gzip layer";
    check(&[other], none).await;
}

#[tokio::test]
async fn indexes_have_bounds() {
    let registry = Registry::start().await;
    let service = service(&registry, "").await;
    let mut nested = bundle(&registry, "deep");
    for _ in 0..4 {
        nested = index(&registry, &[nested]);
    }
    registry.put_manifest("org/repo", "latest", INDEX, &json!({"manifests": [nested]}));
    assert_eq!(refusal(&*service, REFERENCE).await.0, "image index is nested more than 4 levels deep");

    // Each index names the next one many times, which would be as many requests to the power of their depth.
    let mut many = image(&registry, "text/plain", "none");
    for _ in 0..3 {
        many = index(&registry, &vec![many; 8]);
    }
    registry.put_manifest("org/repo", "latest", INDEX, &json!({"manifests": vec![many; 8]}));
    registry.take_asked();
    refusal(&*service, REFERENCE).await;
    assert_eq!(registry.take_asked().len(), 1 + 5, "one question and one manifest of each digest");

    let many: Vec<Value> = (0..100).map(|n| named(&registry, IMAGE, &json!({"layers": [], "n": n}))).collect();
    registry.put_manifest("org/repo", "latest", INDEX, &json!({ "manifests": many }));
    registry.take_asked();
    let (text, _) = refusal(&*service, REFERENCE).await;
    assert!(text.ends_with("image index names more than 64 manifests"), "{text}");
    assert_eq!(registry.take_asked().len(), 1 + 64);
}
