//! Bytes on a socket, for what no proper client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::Agent;

/// How long anything may take that must happen at last.
pub(crate) const AT_LAST: Duration = Duration::from_mins(1);

/// A connection to the agent.
pub(crate) async fn connect(agent: &Agent) -> TcpStream {
    TcpStream::connect(agent.url.trim_start_matches("http://")).await.expect("a listener")
}

/// What the server says until it hangs up. A reset is an end like any other.
pub(crate) async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let ended = timeout(AT_LAST, stream.read_to_end(&mut answer)).await;
    let _ = ended.expect("the server hangs up");
    answer
}

/// Sends bytes and gives what the server says until it hangs up, which it may do while they are sent.
pub(crate) async fn exchange(agent: &Agent, bytes: &[u8]) -> String {
    let mut stream = connect(agent).await;
    let sent = timeout(AT_LAST, stream.write_all(bytes)).await.expect("the server reads or hangs up");
    let answer = rest(&mut stream).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(sent.is_ok() || answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    answer
}

/// Waits until the agent has so many connections to its API.
pub(crate) async fn until_open(agent: &Agent, connections: usize) {
    let line = format!("http_connections_open{{listener=\"api\"}} {connections}\n");
    let open = async || agent.host.telemetry.render().contains(&line).then_some(());
    regent_kit::wait::until(AT_LAST, &format!("{connections} connections"), open).await.expect("no more and no less");
}
