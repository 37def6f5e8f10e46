//! What peers may say, and what they are told, as with opal-server; and what agents of Regent are told beyond that.

use regent_kit::wait;
use serde_json::{Value as Json, json};

use crate::LIMIT;
use crate::peer::Peer;
use crate::running::Running;

#[tokio::test]
async fn peers_are_answered_as_by_opal() {
    let hub = Running::start("{}").await;
    let mut peer = Peer::connect(&hub).await;
    peer.send(&json!({"request": {"method": "_ping_", "arguments": {}, "call_id": "p"}})).await;
    let pong = json!({"request": null, "response": {"result": "pong", "result_type": "str", "call_id": "p"}});
    assert_eq!(peer.next().await, pong);
    let answer = peer.subscribe(&["t1", "t2"]).await;
    let expected = json!({"request": null, "response": {"result": true, "result_type": "bool", "call_id": "1"}});
    assert_eq!(answer, expected, "who is not of Regent is told nothing else");
    peer.call("_get_channel_id_", json!({})).await;
    let channel = peer.next().await;
    let channel = channel["response"]["result"].as_str().expect("an id").to_owned();
    assert_eq!(channel.len(), 32);
    // What nobody understands is passed over.
    for message in [
        json!({}),
        json!({"foo": 1}),
        json!({"request": {"method": "_unknown", "call_id": "1"}}),
        json!({"request": {"arguments": {}}}),
    ] {
        peer.send(&message).await;
    }
    peer.send(&json!({"response": {"result": "None", "call_id": "unknown"}})).await;
    peer.call("ping", json!({})).await;
    assert_eq!(peer.next().await["response"]["result"], "pong");
}

#[tokio::test]
async fn what_there_is_not_ends_the_connection() {
    let hub = Running::start("{}").await;
    let calls = [
        ("fly", json!({})),
        ("subscribe", json!({})),
        ("subscribe", json!({"topics": ["a"], "more": 1})),
        ("subscribe", json!({"topics": 1})),
        ("subscribe", json!({"topics": ["__EventNotifier_ALL_TOPICS__"]})),
        ("subscribe", json!({"topics": "__EventNotifier_ALL_TOPICS__"})),
        ("publish", json!({"topics": ["webhook"], "data": {}})),
        ("publish", json!({"topics": ["__opal_scope_purge__"]})),
        ("publish", json!({"data": {}})),
        ("ping", json!({"x": 1})),
    ];
    for (method, arguments) in calls {
        let mut peer = Peer::connect(&hub).await;
        peer.call(method, arguments.clone()).await;
        assert_eq!(peer.closed().await, 1000, "{method} {arguments}");
    }
    let mut peer = Peer::connect(&hub).await;
    futures_util::SinkExt::send(&mut peer.0, "no JSON".into()).await.expect("it is sent");
    assert_eq!(peer.closed().await, 1000);
    let mut peer = Peer::connect(&hub).await;
    futures_util::SinkExt::send(&mut peer.0, vec![1, 2].into()).await.expect("it is sent");
    assert_eq!(peer.closed().await, 1000);
    let is_empty = async || (hub.metric("hub_peers").await == 0).then_some(());
    wait::until(LIMIT, "an empty hub", is_empty).await.expect("nobody is left");
}

#[tokio::test]
async fn peers_tell_each_other_but_not_themselves() {
    let hub = Running::start("{}").await;
    let (mut one, mut other) = (Peer::connect(&hub).await, Peer::connect(&hub).await);
    one.subscribe(&["t1", "t2"]).await;
    other.subscribe(&["t2", "a/*"]).await;
    one.call("publish", json!({"topics": ["t1", "t2"], "data": {"hello": 1}})).await;
    assert_eq!(one.next().await["response"]["result"], true);
    assert_eq!(other.notice().await, ("t2".to_owned(), json!({"hello": 1})));
    one.hears_nothing().await;
    // Under another name it does hear itself; once for each topic.
    one.call("publish", json!({"topics": ["t1", "t2"], "data": null, "notifier_id": "z", "sync": false})).await;
    assert_eq!(one.next().await["response"]["result"], true);
    assert_eq!(one.notice().await, ("t1".to_owned(), Json::Null));
    assert_eq!(one.notice().await, ("t2".to_owned(), Json::Null));
    assert_eq!(other.notice().await.1, Json::Null);
    // There are no wildcards, and topics of peers are not made longer or shorter.
    one.call("publish", json!({"topics": ["a/b"], "data": 1})).await;
    assert_eq!(one.next().await["response"]["result"], true);
    other.hears_nothing().await;
    other.call("unsubscribe", json!({"topics": ["t2", "never"]})).await;
    assert_eq!(other.next().await["response"]["result"], true);
    one.call("publish", json!({"topics": ["t2"], "data": 1})).await;
    assert_eq!(one.next().await["response"]["result"], true);
    other.hears_nothing().await;
    // A text is taken letter by letter.
    other.call("subscribe", json!({"topics": "xy"})).await;
    assert_eq!(other.next().await["response"]["result"], true);
    one.call("publish", json!({"topics": ["y"], "data": 2})).await;
    assert_eq!(other.notice().await, ("y".to_owned(), json!(2)));
}

#[tokio::test]
async fn each_peer_gets_what_concerns_it() {
    let hub = Running::start("{}").await;
    let (mut all, mut users, mut ours) =
        (Peer::connect(&hub).await, Peer::connect(&hub).await, Peer::connect(&hub).await);
    all.subscribe(&["data", "data/users"]).await;
    users.subscribe(&["data/users"]).await;
    ours.resume(&["data", "data/users"], Json::Null).await;
    let entry = |topic: &str| json!({"url": "", "data": {}, "topics": [topic], "dst_path": topic});
    let update = json!({"id": "u", "entries": [entry("data/users/keys"), entry("data/roles")]});
    let answer = hub.publish(&update).await.json();
    assert_eq!((&answer["status"], &answer["seq"], &answer["subscribers"]), (&json!("ok"), &json!(1), &json!(3)));
    let paths = |data: &Json| {
        let entries = data["entries"].as_array().expect("entries").iter();
        entries.map(|entry| entry["dst_path"].as_str().expect("a path").to_owned()).collect::<Vec<_>>().join(" ")
    };
    let (topic, data) = users.notice().await;
    assert_eq!((topic.as_str(), paths(&data).as_str()), ("data/users", "data/users/keys"));
    assert_eq!(data["entries"][0]["topics"], json!(["data", "data/users", "data/users/keys"]));
    let (topic, data) = all.notice().await;
    assert_eq!((topic.as_str(), paths(&data).as_str()), ("data", "data/users/keys data/roles"));
    let (topic, data) = all.notice().await;
    assert_eq!((topic.as_str(), paths(&data).as_str()), ("data/users", "data/users/keys"));
    // An agent of Regent gets all of it once.
    let (topic, data) = ours.notice().await;
    assert_eq!((topic.as_str(), paths(&data).as_str()), ("data", "data/users/keys data/roles"));
    ours.hears_nothing().await;
}

#[tokio::test]
async fn who_comes_back_gets_what_it_missed_or_is_told_to_reload() {
    let hub = Running::start("{log: {max_updates: 3}}").await;
    let publish = async |topic: &str, n: u32| {
        let entry = json!({"url": "", "data": {"n": n}, "topics": [topic]});
        assert_eq!(hub.publish(&json!({"entries": [entry]})).await.status, 200);
    };
    publish("a", 1).await;
    let mut peer = Peer::connect(&hub).await;
    let first = peer.resume(&["a"], Json::Null).await;
    assert_eq!((&first["seq"], &first["resumed"]), (&json!(1), &json!(false)));
    publish("a", 2).await;
    let message = peer.next().await;
    assert_eq!(message["regent"], json!({"seq": 2}));
    drop(peer);
    publish("b", 3).await;
    publish("a", 4).await;
    let resume = async |seq: u64, topics: &[&str]| {
        let mut peer = Peer::connect(&hub).await;
        let answer = peer.resume(topics, json!({"epoch": first["epoch"], "seq": seq})).await;
        (answer["resumed"] == true, peer)
    };
    let (resumed, mut peer) = resume(2, &["a"]).await;
    assert!(resumed);
    assert_eq!(peer.notice().await.1["entries"][0]["data"], json!({"n": 4}));
    // And then what comes.
    publish("a", 5).await;
    assert_eq!(peer.notice().await.1["entries"][0]["data"], json!({"n": 5}));
    // The log holds 3, 4 and 5.
    assert!(!resume(1, &["a"]).await.0, "an update of the topic is gone");
    assert!(resume(1, &["b"]).await.0, "none of the topic is gone");
    let mut peer = Peer::connect(&hub).await;
    let answer = peer.resume(&["a"], json!({"epoch": "another", "seq": 5})).await;
    assert_eq!(answer["resumed"], false);
    assert_eq!((hub.metric("hub_peers_resumed").await, hub.metric("hub_peers_told_to_reload").await), (2, 2));
}

#[tokio::test]
async fn who_is_too_slow_is_sent_away_and_holds_up_nobody() {
    let hub = Running::start("{}").await;
    let (mut slow, mut fast) = (Peer::connect(&hub).await, Peer::connect(&hub).await);
    slow.subscribe(&["policy_data"]).await;
    fast.subscribe(&["policy_data"]).await;
    let filling = "x".repeat(16 << 10);
    let mut published = 0;
    // More than any buffer between the two holds.
    while published % 100 != 0 || hub.metric("hub_peers_too_slow").await == 0 {
        let answer =
            hub.publish(&json!({"entries": [{"url": "", "data": {"n": published, "filling": filling}}]})).await;
        assert_eq!(answer.status, 200);
        assert_eq!(fast.notice().await.1["entries"][0]["data"]["n"], published);
        published += 1;
        assert!(published < 5_000, "the slow one is still there");
    }
    // It is told once it reads again, after what is on its way.
    loop {
        let frame = tokio::time::timeout(LIMIT, futures_util::StreamExt::next(&mut slow.0)).await.expect("in time");
        if let tokio_tungstenite::tungstenite::Message::Close(frame) = frame.expect("there").expect("a frame") {
            assert_eq!(u16::from(frame.expect("a code").code), 1013);
            break;
        }
    }
}

#[tokio::test]
async fn operators_see_who_is_there() {
    let hub = Running::start("{statistics: true}").await;
    let mut peer = Peer::connect_as(&hub, "?__opal_client_id=my-client&x=1", None).await.expect("it is let in");
    assert_eq!(peer.next().await["request"]["method"], "_get_channel_id_");
    peer.send(&json!({"response": {"result": "c1", "result_type": "str", "call_id": "x"}})).await;
    peer.subscribe(&["t"]).await;
    let introduction = json!({"topics": ["t"], "client_id": "CLIENT_1", "rpc_id": "c1"});
    peer.call("publish", json!({"topics": ["__opal_stats_add"], "data": introduction})).await;
    assert_eq!(peer.next().await["response"]["result"], true);
    let info = hub.get("/pubsub_client_info").await.json();
    assert_eq!(info["my-client"]["subscribed_topics"], json!(["t"]));
    assert_eq!(info["my-client"]["query_params"]["x"], "1");
    assert_eq!(info["my-client"]["refcount"], 1);
    let statistics = hub.get("/statistics").await.json();
    assert_eq!(statistics["clients"], json!({"CLIENT_1": [introduction]}));
    assert_eq!(hub.get("/stats").await.json()["client_count"], 1);
    drop(peer);
    let is_gone = async || (hub.get("/stats").await.json()["client_count"] == 0).then_some(());
    wait::until(LIMIT, "the client to be gone", is_gone).await.expect("it is gone");
    let silent = Running::start("{}").await;
    assert_eq!(
        (silent.get("/statistics").await.status.as_u16(), silent.get("/stats").await.status.as_u16()),
        (501, 501)
    );
}

#[tokio::test]
async fn a_hub_that_ends_sends_everyone_elsewhere() {
    let mut hub = Running::start("{max_peers: 1}").await;
    let mut peer = Peer::connect(&hub).await;
    peer.subscribe(&["t"]).await;
    assert_eq!(Peer::connect_as(&hub, "", None).await.err(), Some(503), "there is room for one");
    let ((), code) = tokio::join!(hub.stop(), peer.closed());
    assert_eq!(code, 1012);
}
