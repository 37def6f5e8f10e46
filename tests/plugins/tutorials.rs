//! The tutorials, typed as they stand.

use std::net::TcpListener;
use std::path::Path;

use regent_kit::{Program, Walkthrough};

use crate::build::root;

/// Goes through a page, with ports of its own.
async fn go(page: &str) {
    for program in ["bash", "curl", "timeout", "python3"] {
        if Program::installed(program).is_none() {
            println!("{program} is not installed: the tutorials are not tried");
            return;
        }
    }
    let text = std::fs::read_to_string(root().join("docs/plugins").join(page)).expect("the page");
    let mut walkthrough = Walkthrough::of(&text);
    let mut ports = Vec::new();
    for port in ["7002", "8181", "9000"] {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let free = socket.local_addr().expect("an address").port();
        // Kept until all have one, so that they differ.
        ports.push(socket);
        walkthrough = walkthrough.replacing(&format!("localhost:{port}"), &format!("localhost:{free}"));
        walkthrough = walkthrough.replacing(&format!("(\"localhost\", {port})"), &format!("(\"localhost\", {free})"));
        if port == "8181" {
            let addressed = format!("regent run --server --addr localhost:{free}");
            walkthrough = walkthrough.replacing("regent run --server", &addressed);
        }
    }
    drop(ports);
    let folder = tempfile::tempdir().expect("a folder");
    let programs = Path::new(env!("CARGO_BIN_EXE_regent")).parent().expect("a folder");
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tutorials");
    let cargo = Path::new(env!("CARGO")).parent().expect("a folder").display().to_string();
    let path = format!("{}:{cargo}", programs.display());
    let variables = [
        ("CARGO_NET_OFFLINE", "true".into()),
        // What one tutorial has built the others need not build again.
        ("CARGO_BUILD_BUILD_DIR", shared.into_os_string()),
        ("CARGO_TARGET_DIR", "target".into()),
    ];
    walkthrough.go(folder.path(), Path::new(&path), variables).await;
}

#[tokio::test]
async fn a_function() {
    let page = std::fs::read_to_string(root().join("docs/plugins/builtin.md")).expect("the page");
    let example =
        std::fs::read_to_string(root().join("docs/plugins/examples/c-builtin/domain.c")).expect("the example");
    assert!(page.contains(&format!("```c domain.c\n{example}```")), "the page shows another program");
    go("builtin.md").await;
}

#[tokio::test]
async fn a_sink() {
    go("sink.md").await;
}

#[tokio::test]
async fn a_fetcher() {
    go("fetcher.md").await;
}

#[tokio::test]
async fn a_verifier() {
    go("verifier.md").await;
}

#[tokio::test]
async fn a_credential() {
    go("credential.md").await;
}

#[tokio::test]
async fn a_plugin() {
    go("plugin.md").await;
}
