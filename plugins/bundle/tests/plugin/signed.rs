//! Signed bundles that are downloaded: what a bad signature, a copy on disk and another key come to.

use std::fmt::Write as _;

use regent_bundle::format::Limits;
use regent_bundle::format::sign::{self, files_of_archive};
use regent_core::Value;
use regent_core::config::{KeyAlgorithm, Secret};
use regent_core::signing::SigningKey;
use regent_kit::{Bundle, ControlPlane};
use regent_signing::TokenSigner;

use crate::agent::{Agent, manual};
use crate::authz;

fn sign(bundle: &Bundle, secret: &str) -> Bundle {
    sign_claiming(bundle, secret, None)
}

/// The same with claims in place of the key's name in the payload.
fn sign_claiming(bundle: &Bundle, secret: &str, claims: Option<Value>) -> Bundle {
    let files = files_of_archive(&bundle.build()[..], &Limits::default()).expect("a list");
    let algorithm = KeyAlgorithm::of_name("HS256").expect("an algorithm");
    let key = SigningKey { key: Secret::new(secret), algorithm, key_id: "k".to_owned(), claims };
    let signatures = sign::sign(&files, &TokenSigner, &key).expect("a signature");
    bundle.clone().file(".signatures.json", sign::text(&signatures))
}

/// A configuration with a key in which only triggers make the agent ask.
fn with_key(acme: &ControlPlane, secret: &str, bundle: &str) -> String {
    let url = acme.url();
    let keys = format!("keys: {{k: {{key: {secret}, algorithm: HS256}}}}");
    format!("services: {{acme: {{url: '{url}'}}}}\n{keys}\nbundles: {{authz: {{trigger: manual{bundle}}}}}\n")
}

const REQUIRED: &str = ", signing: {keyid: k}";

#[tokio::test]
async fn a_bad_signature_is_reported_and_the_good_bundle_goes_on() {
    let acme = ControlPlane::start().await;
    let good = sign(&authz("v1", "1"), "s3cret");
    acme.serve_bundle("authz", good.build());
    let agent = Agent::start(&with_key(&acme, "s3cret", REQUIRED)).await;
    agent.trigger().await.expect("v1 arrives");
    assert_eq!(agent.ask("authz/answer"), "1");
    for (bad, expected) in [
        (authz("v2", "2"), "bundle missing .signatures.json file"),
        (sign(&authz("v2", "2"), "0ther"), "failed to verify JWT signature: invalid HMAC signature"),
        (sign(&authz("v2", "2"), "s3cret").file("x", "y"), "file x not included in bundle signature"),
    ] {
        acme.serve_bundle("authz", bad.build());
        assert_eq!(agent.trigger().await, Err(expected.to_owned()));
        let status = agent.bundle("authz", |status| status.message.as_deref() == Some(expected)).await;
        assert_eq!((status.code, status.active_revision.as_deref()), (Some("bundle_error"), Some("v1")));
        assert_eq!(agent.ask("authz/answer"), "1");
    }
    acme.serve_bundle("authz", sign(&authz("v3", "3"), "s3cret").build());
    agent.trigger().await.expect("v3 arrives");
    assert_eq!((agent.ask("authz/answer"), agent.revision("authz", "v3").await.code), ("3".to_owned(), None));
}

#[tokio::test]
async fn without_keys_a_signed_bundle_is_refused_and_with_keys_an_unsigned_one_is_not() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", sign(&authz("v1", "1"), "s3cret").build());
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    assert_eq!(agent.trigger().await, Err("verification key not provided".to_owned()));
    acme.serve_bundle("authz", authz("v2", "2").build());
    let agent = Agent::start(&with_key(&acme, "s3cret", "")).await;
    agent.trigger().await.expect("v2 arrives");
    let agent = Agent::start(&with_key(&acme, "s3cret", ", signing: {}")).await;
    assert_eq!(agent.trigger().await, Err("bundle missing .signatures.json file".to_owned()));
}

#[tokio::test]
async fn all_that_is_configured_of_signatures_counts() {
    let acme = ControlPlane::start().await;
    let keys = "keys: {k: {key: s3cret, algorithm: HS256}, two: {key: 0ther, algorithm: HS256}, \
                scoped: {key: s3cret, algorithm: HS256, scope: write}}";
    let plain = authz("v1", "1");
    let good = sign(&plain, "s3cret");
    let writing = sign_claiming(&plain, "s3cret", Some(Value::object([("scope", "write")])));
    let extra = good.clone().file("x.txt", "x").file("y/z.txt", "z");
    let (mismatch, wrong) = ("scope mismatch", "failed to verify JWT signature: invalid HMAC signature");
    for (signing, bundle, expected) in [
        // Without a section the signature chooses its key, and has to be right all the same.
        ("", &good, Ok(())),
        ("", &sign(&plain, "0ther"), Err(wrong)),
        ("", &writing, Err(mismatch)),
        ("signing: {keyid: k}", &good, Ok(())),
        // The key of the configuration counts, whatever the signature says.
        ("signing: {keyid: two}", &good, Err(wrong)),
        ("signing: {keyid: two}", &sign(&plain, "0ther"), Ok(())),
        ("signing: {keyid: scoped}", &good, Err(mismatch)),
        ("signing: {keyid: scoped}", &writing, Ok(())),
        ("signing: {keyid: k, scope: write}", &good, Err(mismatch)),
        ("signing: {keyid: k, scope: write}", &writing, Ok(())),
        ("signing: {keyid: scoped, scope: read}", &writing, Err(mismatch)),
        ("signing: {keyid: k}", &extra, Err("file x.txt not included in bundle signature")),
        ("signing: {keyid: k, exclude_files: ['*.txt']}", &extra, Err("file y/z.txt not included in bundle signature")),
        ("signing: {keyid: k, exclude_files: ['*.txt', 'y/*']}", &extra, Ok(())),
        ("signing: {plugin: kms}", &good, Err("no verifier exists under id kms")),
        ("signing: {plugin: _default}", &good, Ok(())),
    ] {
        acme.serve_bundle("authz", bundle.build());
        let url = acme.url();
        let bundle = format!("bundles: {{authz: {{trigger: manual, {signing}}}}}");
        let agent = Agent::start(&format!("services: {{acme: {{url: '{url}'}}}}\n{keys}\n{bundle}\n")).await;
        assert_eq!(agent.trigger().await, expected.map_err(str::to_owned), "{signing}");
        assert_eq!(agent.ask("authz/answer"), if expected.is_ok() { "1" } else { "undefined" }, "{signing}");
    }
}

#[tokio::test]
async fn other_keys_alone_make_the_bundle_be_asked_for_and_verified_again() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", sign(&authz("v1", "1"), "s3cret").build());
    let mut agent = Agent::start(&with_key(&acme, "s3cret", REQUIRED)).await;
    agent.trigger().await.expect("v1 arrives");
    agent.trigger().await.expect("not modified");
    agent.apply(&with_key(&acme, "0ther", REQUIRED)).await.expect("a valid configuration");
    let refused = "failed to verify JWT signature: invalid HMAC signature";
    assert_eq!(agent.trigger().await, Err(refused.to_owned()));
    assert_eq!(agent.ask("authz/answer"), "1", "what is active stays");
    let sent = |at: usize| acme.requests()[at].header("if-none-match").is_some();
    assert_eq!((sent(0), sent(1), sent(2)), (false, true, false));
    acme.serve_bundle("authz", sign(&authz("v2", "2"), "0ther").build());
    agent.trigger().await.expect("v2 arrives");
    assert_eq!(agent.ask("authz/answer"), "2");
}

#[tokio::test]
async fn a_copy_on_disk_is_verified_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", sign(&authz("v1", "1"), "s3cret").build());
    let config = |secret: &str| {
        let mut config = with_key(&acme, secret, ", persist: true, signing: {keyid: k}");
        let _ = writeln!(config, "persistence_directory: {}", directory.path().display());
        config
    };
    let agent = Agent::start(&config("s3cret")).await;
    agent.trigger().await.expect("v1 arrives");
    drop(agent);
    let copy = directory.path().join("bundles/authz/bundle.tar.gz");
    let again = Agent::start(&config("s3cret")).await;
    again.revision("authz", "v1").await;
    assert_eq!(acme.requests().len(), 1, "it came from disk");
    // Whoever can write there cannot change the policy.
    std::fs::write(&copy, authz("v2", "2").build()).expect("written");
    let unsigned = Agent::start(&config("s3cret")).await;
    let status = unsigned.bundle("authz", |status| status.code.is_some()).await;
    assert_eq!(status.message.as_deref(), Some("bundle missing .signatures.json file"));
    std::fs::write(&copy, sign(&authz("v2", "2"), "0ther").build()).expect("written");
    let forged = Agent::start(&config("s3cret")).await;
    let status = forged.bundle("authz", |status| status.code.is_some()).await;
    let wrong = "failed to verify JWT signature: invalid HMAC signature";
    assert_eq!((status.message.as_deref(), &*forged.ask("authz/answer")), (Some(wrong), "undefined"));
}
