//! Verifiers and signers of bundles.

use std::path::Path;
use std::process::{Child, Command};

use regent_kit::{Bundle, wait};

use crate::build::{Libraries, SOON, cargo_build};

/// The process that knows the key; ends with the test.
struct KeyProcess(Child);

impl Drop for KeyProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl KeyProcess {
    async fn start(dir: &Path) -> Self {
        std::fs::write(dir.join("key"), "nobody else knows this").expect("written");
        let program = cargo_build("acme-key-verifier", "acme-key-process");
        let child = Command::new(program).arg(dir.join("socket")).arg(dir.join("key")).spawn().expect("it starts");
        let listens = async || dir.join("socket").exists().then_some(());
        wait::until(SOON, "the key process", listens).await.expect("it listens");
        Self(child)
    }
}

#[tokio::test]
async fn a_key_process_signs_and_verifies_bundles() {
    let libraries = Libraries::new();
    libraries.build("acme-key-verifier");
    let dir = libraries.dir();
    let keeper = KeyProcess::start(dir).await;
    let bundle = Bundle::new().revision("r1").rego("app.rego", "package app\n\nx := 1\n");
    std::fs::write(dir.join("bundle.tar.gz"), bundle.build()).expect("written");
    let sign = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regent"));
        let command = command.current_dir(dir).env("ACME_KEY_SOCKET", dir.join("socket"));
        let flags = ["sign", "--bundle", "--signing-key", "-", "--signing-plugin", "acme_key", "--plugin-dir", "."];
        command.args(flags).arg("bundle.tar.gz").output().expect("it runs")
    };
    let signed = sign();
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    let signatures = std::fs::read(dir.join(".signatures.json")).expect("signatures");
    let started = async |bundle: &Bundle| {
        let command = libraries.agent().env("ACME_KEY_SOCKET", dir.join("socket"));
        let command = command.file("signed.tar.gz", bundle.build()).args(["--bundle", "signed.tar.gz"]);
        command.args(["--verification-key", "-"]).start().await
    };
    let signed = bundle.file(".signatures.json", signatures.clone());
    let agent = started(&signed).await.expect("the agent starts");
    assert_eq!(agent.get("/v1/data/app/x").await.json()["result"], 1);

    let text = String::from_utf8(signatures).expect("text");
    let changed = Bundle::new().revision("r1").rego("app.rego", "package app\n\nx := 2\n");
    let refused = started(&changed.clone().file(".signatures.json", text.clone())).await.expect_err("another file");
    assert!(refused.to_string().contains("digest mismatch"), "{refused}");
    let forged = text.replacen("app.rego", "app2rego", 1);
    let refused = started(&changed.file(".signatures.json", forged)).await.expect_err("another list");
    assert!(refused.to_string().contains("the key process does not know this stamp"), "{refused}");
    drop(keeper);
    let refused = started(&signed).await.expect_err("nobody to ask");
    assert!(refused.to_string().contains("cannot ask the key process"), "{refused}");
}
