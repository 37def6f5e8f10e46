//! Sources of data that updates speak of.

use std::process::{Child, Command, Stdio};

use regent_kit::{Agent, Client, Redis, wait};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::build::{Libraries, SOON};

/// A hub that takes updates from everybody, and ends with the test.
struct Hub(Child, String);

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Hub {
    async fn start() -> Self {
        let addr = TcpListener::bind("127.0.0.1:0").await.and_then(|socket| socket.local_addr()).expect("a port");
        let mut command = Command::new(env!("CARGO_BIN_EXE_regent"));
        let command = command.args(["hub", "--log-level", "error", "--set", &format!("hub.addr={addr}")]);
        let hub = Self(command.stdout(Stdio::null()).spawn().expect("a hub"), format!("http://{addr}"));
        let up = async || Client::plain().get(&format!("{}/healthcheck", hub.1)).await.is_ok().then_some(());
        wait::until(SOON, "the hub", up).await.expect("the hub is up");
        hub
    }

    async fn publish(&self, entry: Value) {
        let url = format!("{}/data/config", self.1);
        let answer = Client::plain().post(&url, json!({"entries": [entry]})).await.expect("the hub answers");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

async fn becomes(agent: &Agent, path: &str, expected: Value) {
    wait::until(SOON, "the data", async || {
        (agent.get(&format!("/v1/data/{path}")).await.json()["result"] == expected).then_some(())
    })
    .await
    .unwrap_or_else(|error| panic!("{path} becomes {expected}: {error}"));
}

#[tokio::test]
async fn documents_come_from_redis_by_a_fetcher_in_rust() {
    let Some(mut redis) = Redis::find(env!("CARGO_TARGET_TMPDIR")) else {
        println!("there is no redis-server: the fetcher is not tried");
        return;
    };
    redis.start().await;
    let libraries = Libraries::new();
    libraries.build("acme-redis-fetcher");
    let hub = Hub::start().await;
    let fetchers = "{redis: {allowed_prefix: 'policy:'}}";
    let config = format!(
        "data_updates: {{server_url: '{}', topics: [policy_data], fetchers: {fetchers}}}\nstatus: {{console: true}}\n",
        hub.1
    );
    let agent = libraries.agent().config(&config).start().await.expect("the agent starts");
    let subscribed = async || (agent.get("/health?plugins").await.status == 200).then_some(());
    wait::until(SOON, "the agent to be ready", subscribed).await.expect("it is ready");
    set(&redis, "policy:users", r#"{"ann": {"admin": true}}"#).await;
    set(&redis, "other", "1").await;
    let entry = |key: &str, fetcher: &str, to: &str| json!({"url": redis.url(), "config": {"fetcher": fetcher, "key": key}, "topics": ["policy_data"], "dst_path": to});
    hub.publish(entry("policy:users", "redis", "/users")).await;
    becomes(&agent, "users", json!({"ann": {"admin": true}})).await;
    hub.publish(entry("policy:users", "RedisFetchProvider", "/again")).await;
    becomes(&agent, "again", json!({"ann": {"admin": true}})).await;
    hub.publish(entry("other", "redis", "/other")).await;
    let refused = "the key \\\"other\\\" may not be read: it has another prefix";
    agent.wait_for_log(refused, SOON).await.expect("it says why");
}

/// Sets a key as any client does: by a line of Redis' own protocol.
async fn set(redis: &Redis, key: &str, value: &str) {
    let address = redis.url().trim_start_matches("redis://").to_owned();
    let mut connection = TcpStream::connect(address).await.expect("Redis listens");
    let text = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n", key.len(), value.len());
    connection.write_all(text.as_bytes()).await.expect("sent");
    let mut answer = [0; 5];
    connection.read_exact(&mut answer).await.expect("answered");
    assert_eq!(&answer, b"+OK\r\n");
}
