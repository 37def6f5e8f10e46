//! Signed bundles, from the command that signs to the decision.

use regent_bundle::format::Limits;
use regent_bundle::format::sign::{self, files_of_archive};
use regent_core::config::{KeyAlgorithm, Secret};
use regent_core::signing::SigningKey;
use regent_kit::{Bundle, ControlPlane};
use regent_signing::TokenSigner;
use serde_json::{Value, json};

use crate::examples::{embedding, embedding_path};
use crate::support::{SOON, decide, policy, ready, regent};

/// A key pair that was made for one test, in PEM.
pub(crate) struct Pair {
    private: String,
    pub(crate) public: String,
}

impl Pair {
    pub(crate) fn generate() -> Self {
        let pair = rcgen::KeyPair::generate().expect("a key on P-256");
        Self { private: pair.serialize_pem(), public: pair.public_key_pem() }
    }

    pub(crate) fn sign(&self, bundle: &Bundle, key_id: &str) -> Bundle {
        let files = files_of_archive(&bundle.build()[..], &Limits::default()).expect("a list");
        let algorithm = KeyAlgorithm::of_name("ES256").expect("an algorithm");
        let key = SigningKey { key: Secret::new(&*self.private), algorithm, key_id: key_id.to_owned(), claims: None };
        let signatures = sign::sign(&files, &TokenSigner, &key).expect("a signature");
        bundle.clone().file(".signatures.json", sign::text(&signatures))
    }

    /// The public key as a value in JSON.
    fn key(&self) -> Value {
        json!({"key": self.public, "algorithm": "ES256"})
    }
}

fn app(revision: &str) -> Bundle {
    Bundle::new()
        .revision(revision)
        .roots(["app"])
        .rego("app.rego", &policy(revision))
        .data("app", json!({"users": []}))
}

fn polled(signing: &Value) -> Value {
    json!({"service": "acme", "signing": signing, "polling": {"min_delay_seconds": 1, "max_delay_seconds": 1}})
}

#[tokio::test]
async fn a_badly_signed_bundle_is_reported_while_the_good_one_goes_on() {
    let (acme, pair) = (ControlPlane::start().await, Pair::generate());
    acme.serve_bundle("authz", pair.sign(&app("v1"), "release").build());
    let config = json!({
        "services": {"acme": {"url": acme.url()}}, "status": {"service": "acme"},
        "keys": {"release": pair.key()}, "bundles": {"authz": polled(&json!({"keyid": "release"}))},
    });
    let agent = ready(regent().config(&config.to_string()).args(["--log-level", "debug"])).await;
    let failing = [
        (Pair::generate().sign(&app("v2"), "release"), "failed to verify JWT signature: invalid ECDSA signature"),
        (app("v2"), "bundle missing .signatures.json file"),
        (pair.sign(&app("v2"), "release").file("x.txt", "x"), "file x.txt not included in bundle signature"),
    ];
    for (bad, message) in failing {
        acme.serve_bundle("authz", bad.build());
        let reported = |report: &Value| report["bundles"]["authz"]["message"] == message;
        let report = acme.wait_for_status(SOON, reported).await.expect("the failure is reported");
        assert_eq!(report["bundles"]["authz"]["active_revision"], "v1");
        assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
    }
    acme.serve_bundle("authz", pair.sign(&app("v3"), "release").build());
    let recovered = |report: &Value| report["bundles"]["authz"]["active_revision"] == "v3";
    acme.wait_for_status(SOON, recovered).await.expect("the good one becomes active");
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v3");
    let shown = agent.get("/v1/config").await.json()["result"].clone();
    assert_eq!(shown["keys"]["release"], json!({"algorithm": "ES256"}), "{shown}");
    let secret = pair.public.lines().nth(1).expect("a line of the key");
    assert!(!agent.stderr().contains(secret), "the key is in the log");
}

#[tokio::test]
async fn discovery_is_verified_and_brings_the_keys_of_bundles() {
    let (acme, boot, release) = (ControlPlane::start().await, Pair::generate(), Pair::generate());
    acme.serve_bundle("authz", release.sign(&app("v1"), "release").build());
    let found = |key: &Pair| {
        let bundles = json!({"authz": polled(&json!({"keyid": "release"}))});
        let status = json!({"service": "acme"});
        Bundle::new().data("", json!({"bundles": bundles, "status": status, "keys": {"release": key.key()}}))
    };
    acme.serve_bundle("discovery", boot.sign(&found(&release).revision("d1"), "boot").build());
    let mut discovery = polled(&json!({"keyid": "boot"}));
    discovery["resource"] = json!("bundles/discovery");
    let config = json!({
        "services": {"acme": {"url": acme.url()}}, "keys": {"boot": boot.key()}, "discovery": discovery,
    });
    let agent = ready(regent().config(&config.to_string())).await;
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");

    let wrong = Pair::generate().sign(&found(&release).revision("d2"), "boot");
    acme.serve_bundle("discovery", wrong.build());
    let refused = "failed to verify JWT signature: invalid ECDSA signature";
    let reported = |report: &Value| report["discovery"]["message"] == refused;
    acme.wait_for_status(SOON, reported).await.expect("the failure is reported");

    // Another key alone: the bundle is verified anew, and the old one stays until one comes that fits.
    let next = Pair::generate();
    acme.serve_bundle("discovery", boot.sign(&found(&next).revision("d3"), "boot").build());
    let reported = |report: &Value| report["bundles"]["authz"]["message"] == refused;
    acme.wait_for_status(SOON, reported).await.expect("the old signature no longer counts");
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
    acme.serve_bundle("authz", next.sign(&app("v2"), "release").build());
    let active = |report: &Value| report["bundles"]["authz"]["active_revision"] == "v2";
    acme.wait_for_status(SOON, active).await.expect("the new signature counts");
}

#[tokio::test]
async fn what_sign_signs_run_believes_and_nothing_else() {
    let (pair, folder) = (Pair::generate(), tempfile::tempdir().expect("a directory"));
    std::fs::create_dir(folder.path().join("src")).expect("a directory");
    for (name, text) in [("src/app.rego", &policy("v1")), ("key.pem", &pair.private)] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_regent"));
    command.current_dir(folder.path()).args([
        "sign",
        "-b",
        "src",
        "--signing-alg",
        "ES256",
        "--signing-key",
        "key.pem",
    ]);
    let claims = folder.path().join("claims.json");
    std::fs::write(&claims, r#"{"iss": "ci"}"#).expect("written");
    let output = command.arg("--claims-file").arg(&claims).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let signed = std::fs::read(folder.path().join(".signatures.json")).expect("signed");
    let with = |arguments: &[&str]| {
        let command = regent().file("src/app.rego", policy("v1")).file("p.pem", &pair.public);
        command.file("other.pem", Pair::generate().public).args(arguments)
    };
    let run = |key: &str, more: &[&str]| {
        let command = with(&["-b", "src", "--signing-alg", "ES256", "--verification-key", key]);
        command.file("src/.signatures.json", &signed).args(more)
    };
    let agent = run("p.pem", &[]).start().await.expect("it starts");
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
    for (command, expected) in [
        (run("other.pem", &[]), "load error: bundle src: failed to verify JWT signature: invalid ECDSA signature"),
        (run("p.pem", &["--scope", "write"]), "load error: bundle src: scope mismatch"),
        (
            run("p.pem", &[]).file("src/x.txt", "x"),
            "load error: bundle src: file src/x.txt not included in bundle signature",
        ),
        (
            with(&["-b", "src"]).file("src/.signatures.json", &signed),
            "load error: bundle src: verification key not provided",
        ),
        (
            with(&["-b", "src", "--verification-key", "p.pem"]),
            "load error: bundle src: bundle missing .signatures.json file",
        ),
    ] {
        let output = command.run_to_end(SOON).await.expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(&format!("error: {expected}")), "{expected}: {stderr}");
    }
    for more in [&["--exclude-files-verify", "src/*.txt"][..], &["--skip-verify"]] {
        let agent = run("p.pem", more).file("src/x.txt", "x").start().await.expect("it starts");
        assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
    }
}

#[tokio::test]
async fn a_secret_may_stand_in_the_flag_itself() {
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(folder.path().join("src")).expect("a directory");
    std::fs::write(folder.path().join("src/app.rego"), policy("v1")).expect("written");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_regent"));
    command.current_dir(folder.path()).args(["sign", "-b", "src", "--signing-alg", "HS256", "--signing-key", "s3cret"]);
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let signed = std::fs::read(folder.path().join(".signatures.json")).expect("signed");
    let run = |more: &[&str]| {
        let command = regent().file("src/app.rego", policy("v1")).file("src/.signatures.json", &signed);
        command.file("secret", "s3cret").args(["-b", "src", "--signing-alg", "HS256"]).args(more)
    };
    // In the flag, in a file that it names, or in a variable.
    for command in [
        run(&["--verification-key", "s3cret"]),
        run(&["--verification-key", "secret"]),
        run(&["--verification-key", "s3cret", "--verification-key-id", "mine"]),
        run(&[]).env("OPA_RUN_VERIFICATION_KEY", "s3cret"),
    ] {
        let agent = command.start().await.expect("it starts");
        assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
    }
    for (command, expected) in [
        (run(&["--verification-key", "0ther"]), "failed to verify JWT signature: invalid HMAC signature"),
        (run(&["--verification-key", "s3cret", "--signing-alg", "HS384"]), "invalid HMAC signature"),
        (run(&["--verification-key", "s3cret", "--scope", "write"]), "scope mismatch"),
    ] {
        let output = command.run_to_end(SOON).await.expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(expected) && !stderr.contains("s3cret"), "{expected}: {stderr}");
    }
}

#[tokio::test]
async fn a_program_verifies_with_a_key_that_only_another_process_knows() {
    let acme = ControlPlane::start().await;
    let folder = tempfile::tempdir().expect("a directory");
    let key = folder.path().join("secret");
    std::fs::write(&key, "of the keeper").expect("written");
    let sign = |bundle: Bundle| {
        std::fs::write(folder.path().join("b.tar.gz"), bundle.build()).expect("written");
        let program = embedding_path("key_keeper");
        let mut command = std::process::Command::new(program);
        command.current_dir(folder.path()).env("KEEPER_KEY_FILE", &key);
        let command = command.args(["sign", "-b", "b.tar.gz", "--signing-key", "-", "--signing-plugin", "key_keeper"]);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        bundle.file(".signatures.json", std::fs::read(folder.path().join(".signatures.json")).expect("signed"))
    };
    acme.serve_bundle("authz", sign(app("v1")).build());
    let config = json!({
        "services": {"acme": {"url": acme.url()}}, "status": {"service": "acme"},
        "bundles": {"authz": polled(&json!({"plugin": "key_keeper"}))},
    });
    let agent = ready(embedding("key_keeper").config(&config.to_string()).env("KEEPER_KEY_FILE", &key)).await;
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
    // The stamp of another key. The keeper that runs knows the old one.
    std::fs::write(&key, "of somebody else").expect("written");
    acme.serve_bundle("authz", sign(app("v2")).build());
    let unknown = "the keeper of the key does not know this stamp";
    let reported = |report: &Value| report["bundles"]["authz"]["message"] == unknown;
    acme.wait_for_status(SOON, reported).await.expect("the failure is reported");
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
}
