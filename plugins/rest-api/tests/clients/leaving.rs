//! Clients that leave in the middle of a decision that is usually quick. It ends with them.

use std::time::Duration;

use regent_rest_api::Options;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use crate::frames::{END_HEADERS, END_STREAM, HEADERS, PREFACE, RESET, frame, get};
use crate::support::{Agent, LATE, are_cancelled, late, leave};
use crate::wire::{AT_LAST, connect};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_connection_of_its_own() {
    let sockets = tempfile::tempdir().expect("a directory");
    let socket = sockets.path().join("regent");
    let addresses = vec!["127.0.0.1:0".to_owned(), format!("unix://{}", socket.display())];
    let agent = Agent::start_with("{}", Options { addresses, ..Options::default() }, AT_LAST).await;
    agent.put("/v1/policies/late", LATE).await;
    leave(connect(&agent).await).await;
    leave(UnixStream::connect(&socket).await.expect("a listener")).await;
    are_cancelled(&agent, 2).await;
    assert_eq!(agent.stop().await, Ok(()), "no evaluation goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_of_the_streams_of_http2() {
    let options = Options { addresses: vec!["127.0.0.1:0".to_owned()], h2c: true, ..Options::default() };
    let agent = Agent::start_with("{}", options, AT_LAST).await;
    agent.put("/v1/policies/late", LATE).await;
    for _ in 0..20 {
        agent.get(&late(1)).await;
    }
    let mut client = connect(&agent).await;
    let ask = frame(HEADERS, END_HEADERS | END_STREAM, 1, &get(&late(1_000_000)));
    client.write_all(&[PREFACE, &ask].concat()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.write_all(&frame(RESET, 0, 1, &[0, 0, 0, 8])).await.expect("sent");
    are_cancelled(&agent, 1).await;
    drop(client);
    assert_eq!(agent.stop().await, Ok(()), "no evaluation goes on");
}
