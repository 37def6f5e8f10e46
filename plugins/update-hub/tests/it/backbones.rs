//! Two hubs on one backbone, real ones, and two hundred agents that are subscribed to updates of which none may be lost, doubled
//! or out of order, while one part after the other ends and comes back.

use std::sync::Arc;
use std::time::Duration;

use regent_agent_kit::Agent;
use regent_kit::{Nats, Postgres, Redis, wait};
use serde_json::{Value as Json, json};

use crate::LIMIT;
use crate::peer::Peer;
use crate::running::Running;

/// Agents, half of them at each hub.
const AGENTS: usize = 200;

/// Updates that are published at a stretch.
const STRETCH: u32 = 25;

const TMP: &str = env!("CARGO_TARGET_TMPDIR");

/// Publishes to a hub until it takes the update. One that it was not sure of may come twice, which its id tells.
async fn publish(hub: &Running, number: u32) {
    // Fits at one place only, so that nothing is applied out of order or twice unseen.
    let operations = json!([
        {"op": "test", "path": "/latest", "value": number - 1},
        {"op": "replace", "path": "/latest", "value": number},
        {"op": "add", "path": "/all/-", "value": number},
    ]);
    let entry = json!({"url": "", "save_method": "PATCH", "dst_path": "/log", "data": operations});
    let update = json!({"id": format!("u-{number}"), "entries": [entry]});
    let taken = async || {
        let answer = hub.publish(&update).await;
        match answer.status.as_u16() {
            200 => Some(()),
            503 => None,
            other => panic!("{other}: {}", answer.text()),
        }
    };
    wait::until(LIMIT, "the hub to take an update", taken).await.expect("the backbone comes back");
}

async fn agent(hub: &Running) -> Agent {
    let config = format!("data_updates: {{server_url: '{}', max_reconnect_delay_seconds: 0.5}}", hub.url());
    Agent::start(regent_data_updates::register, &config).await
}

fn log_of(agent: &Agent) -> Json {
    let snapshot = agent.host.store.snapshot();
    snapshot.data().get("log").map_or(Json::Null, |value| serde_json::from_str(&value.to_string()).expect("JSON"))
}

/// A part that can end and come back.
trait Part {
    async fn kill(&mut self);
    async fn start(&mut self);
}

impl Part for Redis {
    async fn kill(&mut self) {
        Redis::kill(self).await;
    }
    async fn start(&mut self) {
        Redis::start(self).await;
    }
}

impl Part for Nats {
    async fn kill(&mut self) {
        Nats::kill(self).await;
    }
    async fn start(&mut self) {
        Nats::start(self).await;
    }
}

impl Part for Postgres {
    async fn kill(&mut self) {
        Postgres::stop(self).await;
    }
    async fn start(&mut self) {
        Postgres::start(self).await;
    }
}

/// Everything that is published reaches everyone, once and in order, whatever ends and comes back.
async fn nothing_is_lost(backbone: &mut impl Part, url: &str) {
    let sources = "{entries: [{url: '', data: {latest: 0, all: []}, dst_path: /log}]}";
    let section = format!("{{backbone: {{url: '{url}'}}, data_sources: {sources}}}");
    let (mut one, mut other) = (Running::start(&section).await, Running::start(&section).await);
    for hub in [&one, &other] {
        let is_up = async || (hub.get("/healthcheck").await.status == 200).then_some(());
        wait::until(LIMIT, "the backbone", is_up).await.expect("the hub finds it");
    }
    let mut agents = Vec::with_capacity(AGENTS);
    for index in 0..AGENTS {
        agents.push(agent(if index % 2 == 0 { &one } else { &other }).await);
    }
    for agent in &agents {
        agent.ready("data_updates").await;
    }
    let mut published = 0;
    let mut stretch = async |hub: &Running| {
        for _ in 0..STRETCH {
            published += 1;
            publish(hub, published).await;
        }
    };
    stretch(&one).await;
    stretch(&other).await;
    // A hub.
    one.stop().await;
    stretch(&other).await;
    one.again().await;
    stretch(&one).await;
    // The backbone, in the middle of a stretch.
    let restart = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        backbone.kill().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        backbone.start().await;
    };
    tokio::join!(stretch(&one), restart);
    stretch(&other).await;
    // And the other hub.
    other.stop().await;
    stretch(&one).await;
    other.again().await;
    stretch(&other).await;
    let expected = json!({"latest": published, "all": (1..=published).collect::<Vec<_>>()});
    for (index, agent) in agents.iter().enumerate() {
        let is_there = async || (log_of(agent) == expected).then_some(());
        let waited = wait::until(LIMIT, "all updates", is_there).await;
        assert!(waited.is_ok(), "agent {index} has {}", log_of(agent));
    }
    for agent in agents {
        agent.stop().await;
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_over_redis() {
    let Some(mut redis) = Redis::find(TMP) else { return };
    redis.start().await;
    let url = redis.url();
    nothing_is_lost(&mut redis, &url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_over_postgresql() {
    let Some(mut postgres) = Postgres::find(TMP) else { return };
    postgres.start().await;
    let url = format!("postgres://postgres:{}@127.0.0.1:{}/postgres", Postgres::PASSWORD, postgres.port());
    nothing_is_lost(&mut postgres, &url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_over_nats() {
    let Some(mut nats) = Nats::find(TMP) else { return };
    nats.start().await;
    let url = nats.url();
    nothing_is_lost(&mut nats, &url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backbone_that_is_away_is_told_and_found_again() {
    let Some(mut redis) = Redis::find(TMP) else { return };
    let hub = Running::start(&format!("{{backbone: {{url: '{}'}}}}", redis.url())).await;
    let update = json!({"entries": [{"url": "", "data": {}}]});
    assert_eq!(hub.get("/healthcheck").await.status, 503);
    let refused = hub.publish(&update).await;
    assert_eq!((refused.status.as_u16(), refused.headers["retry-after"].as_bytes()), (503, b"1".as_slice()));
    assert_eq!(hub.metric("hub_backbone_up").await, 0);
    assert_eq!(hub.metric("hub_publications_failed").await, 1);
    redis.start().await;
    let is_up = async || (hub.get("/healthcheck").await.status == 200).then_some(());
    wait::until(LIMIT, "the backbone", is_up).await.expect("the hub finds it");
    assert_eq!(hub.publish(&update).await.status, 200);
}

/// Redis loses what it has acknowledged if it is told to keep it in memory, or not to wait for the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_backbone_that_has_lost_something_has_everyone_reload() {
    let Some(mut redis) = Redis::find(TMP) else { return };
    redis.start_with(&[]).await;
    let hub = Running::start(&format!("{{backbone: {{url: '{}'}}}}", redis.url())).await;
    let update = json!({"entries": [{"url": "", "data": {}}]});
    let published = async || (hub.publish(&update).await.status == 200).then_some(());
    wait::until(LIMIT, "the backbone", published).await.expect("the hub finds it");
    let mut peer = Peer::connect(&hub).await;
    let before = peer.resume(&["policy_data"], Json::Null).await;
    redis.kill().await;
    redis.start_with(&[]).await;
    assert_eq!(peer.closed().await, 1012);
    let mut peer = Peer::connect(&hub).await;
    let after = peer.resume(&["policy_data"], json!({"epoch": before["epoch"], "seq": before["seq"]})).await;
    assert_eq!(after["resumed"], false);
    assert_ne!(after["epoch"], before["epoch"]);
}

/// What was published while nobody was there reaches who comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_starts_has_what_was_published_before() {
    let Some(mut nats) = Nats::find(TMP) else { return };
    nats.start().await;
    let section = format!("{{backbone: {{url: '{}'}}}}", nats.url());
    let mut hub = Running::start(&section).await;
    let publish = async |hub: &Running, n: u32| {
        let update = json!({"entries": [{"url": "", "data": {"n": n}}]});
        let published = async || (hub.publish(&update).await.status == 200).then_some(());
        wait::until(LIMIT, "the backbone", published).await.expect("the hub finds it");
    };
    publish(&hub, 1).await;
    let mut peer = Peer::connect(&hub).await;
    let position = peer.resume(&["policy_data"], Json::Null).await;
    publish(&hub, 2).await;
    hub.stop().await;
    let another = Arc::new(Running::start(&section).await);
    let mut peer = Peer::connect(&another).await;
    let is_there = async || (another.get("/healthcheck").await.status == 200).then_some(());
    wait::until(LIMIT, "the backbone", is_there).await.expect("the hub finds it");
    publish(&another, 3).await;
    let resumed = peer.resume(&["policy_data"], json!({"epoch": position["epoch"], "seq": position["seq"]})).await;
    assert_eq!(resumed["resumed"], true, "{resumed}");
    for n in [2, 3] {
        assert_eq!(peer.notice().await.1["entries"][0]["data"]["n"], n);
    }
}

/// A backbone that has lost what it had acknowledged, and then has other updates under the same numbers, or fewer.
#[tokio::test(flavor = "multi_thread")]
async fn a_backbone_that_was_rewound_is_found_out() {
    let (Some(mut redis), Some(mut copy)) = (Redis::find(TMP), Redis::find(TMP)) else { return };
    let section = |redis: &Redis| format!("{{backbone: {{url: '{}'}}}}", redis.url());
    let publish = async |hub: &Running, word: &str| {
        let update = json!({"entries": [{"url": "", "data": {"word": word}}]});
        let published = async || (hub.publish(&update).await.status == 200).then_some(());
        wait::until(LIMIT, "the backbone", published).await.expect("the hub finds it");
    };
    redis.start().await;
    let hub = Running::start(&section(&redis)).await;
    publish(&hub, "one").await;
    for others in [0, 5] {
        let mut peer = Peer::connect(&hub).await;
        let before = peer.resume(&["policy_data"], Json::Null).await;
        // What is there now is all that will be left.
        redis.kill().await;
        copy.copy_files_of(&redis);
        redis.start().await;
        publish(&hub, "two").await;
        publish(&hub, "three").await;
        assert_eq!(peer.notice().await.1["entries"][0]["data"]["word"], "two");
        assert_eq!(peer.notice().await.1["entries"][0]["data"]["word"], "three");
        redis.kill().await;
        copy.start().await;
        let mut another = Running::start(&section(&copy)).await;
        for _ in 0..others {
            publish(&another, "other").await;
        }
        another.stop().await;
        copy.kill().await;
        redis.copy_files_of(&copy);
        redis.start().await;
        assert_eq!(peer.closed().await, 1012, "after {others} others");
        let mut peer = Peer::connect(&hub).await;
        let seq = before["seq"].as_u64().expect("a number") + 2;
        let after = peer.resume(&["policy_data"], json!({"epoch": before["epoch"], "seq": seq})).await;
        assert_eq!(after["resumed"], false, "after {others} others");
        publish(&hub, "four").await;
        assert_eq!(peer.notice().await.1["entries"][0]["data"]["word"], "four");
    }
}

/// Somebody empties Redis under the feet of two hubs.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_emptied_begins_anew_on_all_hubs() {
    let Some(mut redis) = Redis::find(TMP) else { return };
    redis.start().await;
    let section = format!("{{backbone: {{url: '{}'}}}}", redis.url());
    let (one, other) = (Running::start(&section).await, Running::start(&section).await);
    let update = json!({"entries": [{"url": "", "data": {"n": 1}}]});
    for hub in [&one, &other] {
        let published = async || (hub.publish(&update).await.status == 200).then_some(());
        wait::until(LIMIT, "the backbone", published).await.expect("the hub finds it");
    }
    let (mut near, mut far) = (Peer::connect(&one).await, Peer::connect(&other).await);
    near.resume(&["policy_data"], Json::Null).await;
    far.resume(&["policy_data"], Json::Null).await;
    redis.command("FLUSHALL").await;
    let published = async || (one.publish(&update).await.status == 200).then_some(());
    wait::until(LIMIT, "the backbone", published).await.expect("the hub finds it again");
    assert_eq!((near.closed().await, far.closed().await), (1012, 1012));
    let mut far = Peer::connect(&other).await;
    far.resume(&["policy_data"], Json::Null).await;
    let published = async || (one.publish(&update).await.status == 200).then_some(());
    wait::until(LIMIT, "the backbone", published).await.expect("the hub finds it again");
    assert_eq!(far.notice().await.1["entries"][0]["data"]["n"], 1);
}
