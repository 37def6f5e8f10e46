//! Clients that use HTTP/2 to do harm. Each is answered, refused or told to go; the others are served meanwhile.

use crate::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, GO_AWAY, HEADERS, OK, PING, PREFACE, RESET, SETTINGS, frame, get, kinds,
    parse,
};
use crate::support::{Agent, check};
use crate::wire::{AT_LAST, connect, until_open};
use regent_rest_api::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn start() -> Agent {
    let options = Options { addresses: vec!["127.0.0.1:0".to_owned()], h2c: true, ..Options::default() };
    Agent::start_with("{}", options, AT_LAST).await
}

/// Sends frames and gives what the server says until it hangs up.
async fn attack(agent: &Agent, frames: &[u8]) -> Vec<u8> {
    let (mut read, mut write) = connect(agent).await.into_split();
    let attack = [PREFACE, frames].concat();
    let sending = tokio::spawn(async move {
        // The server may hang up while it is sent.
        let _ = write.write_all(&attack).await;
        let _ = write.shutdown().await;
    });
    let mut said = Vec::new();
    let ended = timeout(AT_LAST, read.read_to_end(&mut said)).await;
    let _ = ended.expect("the server hangs up");
    sending.await.expect("no panic");
    said
}

/// That others are served, and the connection is gone.
async fn unharmed(agent: &Agent) {
    agent.put("/v1/data/x", "1").await;
    check(&agent.get("/v1/data/x").await, 200, "{\"result\":1}\n");
    until_open(agent, 0).await;
}

/// CVE-2023-44487: requests that are taken back at once.
#[tokio::test]
async fn cve_2023_44487_rapid_resets_end_the_connection() {
    let agent = start().await;
    let block = get("/health");
    let reset = |stream: u32| {
        let ask = frame(HEADERS, END_HEADERS | END_STREAM, stream, &block);
        [ask, frame(RESET, 0, stream, &[0, 0, 0, 8])].concat()
    };
    let frames: Vec<u8> = (0..20_000).flat_map(|number| reset(2 * number + 1)).collect();
    let said = kinds(&attack(&agent, &frames).await);
    let answers: Vec<_> = said.iter().filter(|kind| **kind == HEADERS).collect();
    assert!(said.contains(&GO_AWAY) && answers.len() < 20_000, "{} answers", answers.len());
    unharmed(&agent).await;
}

/// CVE-2023-45288 and its kin: a head that never ends.
#[tokio::test]
async fn cve_2023_45288_endless_continuations_end_the_connection() {
    let agent = start().await;
    let beginning = frame(HEADERS, END_STREAM, 1, &get("/health"));
    // A header of sixteen thousand bytes that is not kept, in each of two thousand frames.
    let header = [&[0x00, 1, b'a', 0x7f, 0x81, 0x7c][..], &[b'v'; 16_000]].concat();
    for payload in [header, Vec::new(), vec![0x82]] {
        let more: Vec<u8> = (0..2_000).flat_map(|_| frame(CONTINUATION, 0, 1, &payload)).collect();
        let said = kinds(&attack(&agent, &[&beginning[..], &more].concat()).await);
        assert!(said.contains(&GO_AWAY), "{} bytes each: {said:?}", payload.len());
        assert!(!said.contains(&HEADERS), "nothing was asked");
        unharmed(&agent).await;
    }
}

/// A small block that unpacks into very many headers.
#[tokio::test]
async fn headers_that_unpack_without_end_are_refused() {
    let agent = start().await;
    // Puts a header of four thousand bytes into the table, and then refers to it ten thousand times.
    let large = [&[0x40, 1, b'a', 0x7f, 0xa1, 0x1e][..], &[b'v'; 4_000]].concat();
    let block = [&get("/health")[..], &large, &[0xbe; 10_000]].concat();
    let said = attack(&agent, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)).await;
    let is_refusal = |(kind, payload): &(u8, &[u8])| match *kind {
        HEADERS => payload.first() != Some(&OK),
        RESET | GO_AWAY => true,
        _ => false,
    };
    let heads = parse(&said).iter().filter(|(kind, _)| *kind == HEADERS).count();
    assert!(parse(&said).iter().any(is_refusal) && heads <= 1, "{:?}", kinds(&said));
    unharmed(&agent).await;
}

#[tokio::test]
async fn floods_of_pings_and_settings_hold_nobody_up() {
    let agent = start().await;
    for flood in [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[]), frame(RESET, 0, 1, &[0; 4])] {
        let mut silent = connect(&agent).await;
        silent.write_all(PREFACE).await.expect("sent");
        let flood = flood.repeat(10_000);
        // Nothing is read: the server must not keep what it would have to answer.
        for _ in 0..100 {
            let sent = timeout(std::time::Duration::from_millis(100), silent.write_all(&flood)).await;
            if !matches!(sent, Ok(Ok(()))) {
                break;
            }
        }
        agent.put("/v1/data/x", "1").await;
        check(&agent.get("/v1/data/x").await, 200, "{\"result\":1}\n");
        drop(silent);
        unharmed(&agent).await;
    }
}

#[tokio::test]
async fn no_more_streams_than_announced_are_served() {
    let agent = start().await;
    let mut stream = connect(&agent).await;
    let block = get("/v1/data/x");
    // Bodies that do not come: each request is under way for as long as its client likes.
    let block = [&[0x83][..], &block[1..]].concat();
    let frames: Vec<u8> = (0..300).flat_map(|number| frame(HEADERS, END_HEADERS, 2 * number + 1, &block)).collect();
    stream.write_all(&[PREFACE, &frames].concat()).await.expect("sent");
    let refused = resets(&mut stream, 50).await;
    assert!(refused >= 50, "{refused} of 300 streams were refused");
    unharmed_while(&agent, stream).await;
}

/// Reads until so many streams were reset, and gives their number.
async fn resets(stream: &mut TcpStream, enough: usize) -> usize {
    let mut said = Vec::new();
    loop {
        let count = kinds(&said).iter().filter(|kind| matches!(**kind, RESET)).count();
        if count >= enough || kinds(&said).contains(&GO_AWAY) {
            return if kinds(&said).contains(&GO_AWAY) { enough } else { count };
        }
        let mut part = [0; 4096];
        let length = timeout(AT_LAST, stream.read(&mut part)).await.expect("an answer").expect("no error");
        assert!(length > 0, "the server hung up");
        said.extend_from_slice(&part[..length]);
    }
}

async fn unharmed_while(agent: &Agent, open: TcpStream) {
    agent.put("/v1/data/x", "1").await;
    check(&agent.get("/v1/data/x").await, 200, "{\"result\":1}\n");
    drop(open);
    until_open(agent, 0).await;
}
