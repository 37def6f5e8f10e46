//! The example of `docs/data-updates.md`, from end to end, as a reader would type it.

#![expect(clippy::print_stdout, reason = "a test tells so what it could not try")]

use std::path::Path;
use std::process::Command;

use regent_kit::Walkthrough;
use tokio::net::TcpListener;

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--help").output().is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_goes_as_it_is_told() {
    if let Some(missing) =
        ["python3", "ssh-keygen", "curl", "timeout", "bash"].into_iter().find(|program| !is_there(program))
    {
        println!("{missing} is not installed: the example of data updates is not tried");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the agent lies in the workspace");
    let page = std::fs::read_to_string(root.join("docs/data-updates.md")).expect("the page");
    let (_, section) = page.split_once("## From end to end").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("the end of the section");
    let mut walkthrough = Walkthrough::of(section);
    // A copy, with ports of its own.
    let folder = tempfile::tempdir().expect("a folder");
    let example = folder.path().join("config-examples/billing");
    let copied = Command::new("mkdir").arg("-p").arg(&example).status().is_ok_and(|status| status.success())
        && Command::new("cp").arg("-r").arg(root.join("config-examples/billing/.")).arg(&example).status().is_ok();
    assert!(copied);
    for port in ["7002", "8181", "9000"] {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address").port();
        let (from, to) = (format!("localhost:{port}"), format!("localhost:{free}"));
        for file in ["hub.yaml", "agent.yaml"] {
            let path = example.join(file);
            let text = std::fs::read_to_string(&path).expect("the file").replace(&from, &to);
            std::fs::write(&path, text).expect("it can be written");
        }
        walkthrough = walkthrough.replacing(&from, &to);
        walkthrough = walkthrough.replacing(&format!("http.server {port}"), &format!("http.server {free}"));
        if port == "8181" {
            walkthrough = walkthrough.replacing("regent run --server", &format!("regent run --server --addr {to}"));
        }
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_regent")).parent().expect("a folder");
    walkthrough.go(folder.path(), programs, [("LC_ALL", "C")]).await;
}
