//! What nobody means well by: whatever it is, the hub goes on, and nothing in it panics.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::SinkExt as _;
use http::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::peer::Peer;
use crate::running::Running;

/// Messages and bodies to begin with.
const SEEDS: [&str; 7] = [
    r#"{"request": {"method": "subscribe", "arguments": {"topics": ["a", "b"]}, "call_id": "1"}, "regent": {"resume": {"epoch": "e", "seq": 7}}}"#,
    r#"{"request": {"method": "publish", "arguments": {"topics": ["a"], "data": {"entries": []}, "sync": true, "notifier_id": "n"}, "call_id": "1"}}"#,
    r#"{"request": {"method": "_get_channel_id_", "arguments": {}, "call_id": null}, "response": {"result": 1, "call_id": "x"}}"#,
    r#"{"id": "u", "entries": [{"url": "http://s/", "topics": ["a/b:c"], "dst_path": "/x", "save_method": "PATCH", "data": [{"op": "add", "path": "/a", "value": 1}]}], "callback": {"callbacks": ["http://c/", ["http://c/", {}]]}}"#,
    r#"{"id": "123e4567-e89b-42d3-a456-426614174000", "type": "client", "ttl": "3 days, 04:05:06", "claims": {"x": 1}}"#,
    r#"{"update_id": "u", "reports": [{"fetched": true}], "policy_hash": null}"#,
    r#"{"event": "push", "ref": "refs/heads/master", "repository": {"clone_url": "https://host/x.git", "links": {"html": {"href": "x"}}}}"#,
];

/// Pieces that take the place of others.
const PIECES: [&str; 14] =
    ["", "\"", "{", "}", "[", "]", "null", "-1", "1e999", "18446744073709551616", "\\u0000", "\u{fffd}", "/", ":"];

/// The next number of a sequence that is the same each time (xorshift).
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % 1_000_003).expect("it is small")
}

/// A seed of which something is changed.
fn mutated(state: &mut u64) -> String {
    let mut text: Vec<char> = SEEDS[next(state) % SEEDS.len()].chars().collect();
    for _ in 0..=next(state) % 4 {
        let begin = next(state) % text.len().max(1);
        let end = (begin + next(state) % 12).min(text.len());
        let piece = if next(state).is_multiple_of(3) {
            let other: Vec<char> = SEEDS[next(state) % SEEDS.len()].chars().collect();
            let from = next(state) % other.len();
            other[from..(from + 20).min(other.len())].iter().collect()
        } else {
            PIECES[next(state) % PIECES.len()].to_owned()
        };
        text.splice(begin.min(end)..end, piece.chars());
    }
    text.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_the_hub_goes_on() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some("tokio-rt-worker") {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        usual(info);
    }));
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/rsa");
    let open = Running::start("{statistics: true, log: {max_updates: 5}}").await;
    let secure = Running::start(&format!("{{auth: {{private_key: {key}, master_token: master}}}}")).await;
    let mut state = 0x2545_f491_4f6c_dd1d;
    let mut peer = Peer::connect(&open).await;
    for turn in 0..1_500 {
        let message = mutated(&mut state);
        match turn % 3 {
            0 => {
                if peer.0.send(Message::text(message)).await.is_err() {
                    peer = Peer::connect(&open).await;
                }
            }
            1 => {
                let paths = ["/data/config", "/data/callback_report", "/webhook"];
                let answer = open.ask(Method::POST, paths[next(&mut state) % 3], &[], &message).await;
                assert!(answer.status.as_u16() != 500, "{message}: {}", answer.text());
            }
            _ => {
                let answer = secure.ask(Method::POST, "/token", &[("authorization", "Bearer master")], &message).await;
                assert!(matches!(answer.status.as_u16(), 200 | 422), "{message}: {}", answer.text());
                let token: String = message.chars().filter(|letter| (' '..='~').contains(letter)).collect();
                let answer =
                    secure.ask(Method::GET, "/policy", &[("authorization", &format!("Bearer {token}"))], "").await;
                assert_eq!(answer.status, 401, "{token}");
            }
        }
    }
    let mut peer = Peer::connect(&open).await;
    assert_eq!(peer.next().await["request"]["method"], "_get_channel_id_");
    peer.subscribe(&["still"]).await;
    open.publish(&json!({"entries": [{"url": "", "data": {}, "topics": ["still"]}]})).await;
    assert_eq!(peer.notice().await.0, "still");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}
