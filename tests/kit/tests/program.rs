//! Programs from Debian's packages.

use std::time::Duration;

use regent_kit::{Nats, Postgres, Program};
use tokio::net::TcpStream;

const TARGET: &str = env!("CARGO_TARGET_TMPDIR");

#[test]
fn a_program_runs_with_the_libraries_that_its_package_needs() {
    let Some(program) = Program::find("kcat", "kcat", TARGET) else { return };
    let output = program.command().arg("-V").output().expect("it can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_package_that_is_not_to_be_had_is_not_tried() {
    assert!(Program::find("regent-nothing", "regent-nothing", TARGET).is_none());
}

#[tokio::test]
async fn nats_comes_back_at_its_address() {
    let Some(mut nats) = Nats::find(TARGET) else { return };
    let address = nats.url().trim_start_matches("nats://").to_owned();
    for _ in 0..2 {
        TcpStream::connect(&address).await.expect_err("it does not run");
        nats.start().await;
        TcpStream::connect(&address).await.expect("it runs");
        nats.kill().await;
    }
}

#[tokio::test]
async fn postgresql_comes_back_at_its_address() {
    let Some(mut postgres) = Postgres::find(TARGET) else { return };
    let address = ("127.0.0.1", postgres.port());
    for _ in 0..2 {
        TcpStream::connect(address).await.expect_err("it does not run");
        postgres.start().await;
        TcpStream::connect(address).await.expect("it runs");
        let stop = postgres.stop();
        tokio::time::timeout(Duration::from_mins(1), stop).await.expect("it ends");
    }
}
