//! Who may come in.

mod support;

use std::time::Duration;

use regent_kit::Client;
use regent_rest_api::{Authentication, Authorization, Options};
use support::{Agent, check};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

const POLICY: &str = r#"package system.authz

allow if input.identity == "root"

allow := {"allowed": true} if input.identity == "object"

allow := {"allowed": false, "reason": "not today"} if input.identity == "late"

allow := {"reason": "no key"} if input.identity == "keyless"

allow := false if input.identity == "nobody"

allow if {
	input.identity == "clash"
	input.method == "PUT"
}

allow := 1 if input.identity == "clash"

allow := input.body.input.open if input.identity == "body"

allow := {"allowed": false, "reason": json.marshal(input)} if input.identity == "echo"
"#;

const REJECTED: &str =
    "{\n  \"code\": \"unauthorized\",\n  \"message\": \"request rejected by administrative policy\"\n}\n";
const MISSING: &str =
    "{\n  \"code\": \"internal_error\",\n  \"message\": \"authorization policy missing or undefined\"\n}\n";

fn guarded() -> Options {
    Options {
        addresses: vec!["127.0.0.1:0".to_owned()],
        authentication: Authentication::Token,
        authorization: Authorization::Basic,
        ..Options::default()
    }
}

async fn start(options: Options) -> Agent {
    let agent = Agent::start_with("{}", options, Duration::from_secs(10)).await;
    agent.policy(POLICY).await;
    agent
}

async fn as_user(agent: &Agent, user: &str, method: &str, path: &str, body: &'static str) -> regent_kit::Answer {
    agent.ask(method, path, &[("authorization", &format!("Bearer {user}"))], body).await
}

#[tokio::test]
async fn the_policy_decides_on_every_request() {
    let agent = start(guarded()).await;
    check(&as_user(&agent, "root", "PUT", "/v1/data/x", "1").await, 204, "");
    check(&as_user(&agent, "object", "GET", "/v1/data/x", "").await, 200, "{\"result\":1}\n");
    for path in ["/v1/data/x", "/v1/policies", "/health", "/metrics", "/", "/no/such/route"] {
        check(&as_user(&agent, "nobody", "GET", path, "").await, 401, REJECTED);
    }
    let late = as_user(&agent, "late", "GET", "/v1/data/x", "").await;
    check(&late, 401, "{\n  \"code\": \"unauthorized\",\n  \"message\": \"not today\"\n}\n");
    assert_eq!(late.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_policy_that_does_not_decide_is_the_agents_fault() {
    let agent = start(guarded()).await;
    check(&as_user(&agent, "stranger", "GET", "/v1/data/x", "").await, 500, MISSING);
    check(&agent.get("/health").await, 500, MISSING);
    let keyless = as_user(&agent, "keyless", "GET", "/v1/data/x", "").await;
    let body = "{\n  \"code\": \"internal_error\",\n  \"message\": \"document missing or undefined\"\n}\n";
    check(&keyless, 500, body);
    let clash = as_user(&agent, "clash", "PUT", "/v1/data/x", "1").await;
    assert_eq!(clash.status, 500);
    assert_eq!(clash.json()["errors"][0]["code"], "eval_conflict_error");
    check(&as_user(&agent, "clash", "GET", "/v1/data/x", "").await, 401, REJECTED);
    agent.host.store.write(|txn| txn.remove_policy("authz")).await.expect("nobody needs it");
    check(&as_user(&agent, "root", "GET", "/v1/data/x", "").await, 500, MISSING);
}

#[tokio::test]
async fn the_policy_sees_what_opa_shows() {
    let agent = start(guarded()).await;
    let headers = [("authorization", "Bearer echo"), ("x-a", "1"), ("X-A", "2")];
    let answer = agent.ask("POST", "/v1/data/a%2Fb/c?p=1&p=2&q", &headers, r#"{"input": 1.0}"#).await;
    assert_eq!(answer.status, 401);
    let message = answer.json()["message"].as_str().expect("a text").to_owned();
    let input: serde_json::Value = serde_json::from_str(&message).expect("JSON");
    let expected = serde_json::json!({
        "body": {"input": 1.0},
        "headers": {"Authorization": ["Bearer echo"], "Content-Length": ["14"], "X-A": ["1", "2"]},
        "identity": "echo",
        "method": "POST",
        "params": {"p": ["1", "2"], "q": [""]},
        "path": ["v1", "data", "a", "b", "c"],
    });
    assert_eq!(input, expected);
    assert!(message.contains("1.0"), "numbers keep their spelling");
}

#[tokio::test]
async fn bodies_are_judged_and_then_used() {
    let agent = start(guarded()).await;
    as_user(&agent, "root", "PUT", "/v1/policies/p", "package p\n\nx := input").await;
    let ask = async |body| as_user(&agent, "body", "POST", "/v1/data/p/x", body).await;
    check(&ask(r#"{"input": {"open": true}}"#).await, 200, "{\"result\":{\"open\":true}}\n");
    check(&ask(r#"{"input": {"open": false}}"#).await, 401, REJECTED);
    let garbage = ask(r#"{"input": {"open": true}} 5"#).await;
    assert_eq!(garbage.status, 400, "{}", garbage.text());
    assert_eq!(ask("{").await.json()["message"], "unexpected EOF");
    let null = as_user(&agent, "root", "POST", "/v1/data/p/x", r#"{"input": null}"#).await;
    check(&null, 200, "{\"result\":null}\n");
    check(&as_user(&agent, "root", "POST", "/v0/data/p/x", "7").await, 200, "7\n");
}

#[tokio::test]
async fn a_forbidden_request_is_answered_before_its_body_has_come() {
    let agent = start(guarded()).await;
    let mut stream = TcpStream::connect(agent.url.trim_start_matches("http://")).await.expect("a listener");
    let head = b"PUT /v1/data/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer nobody\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).await.expect("answered");
    assert!(answer[..length].starts_with(b"HTTP/1.1 401 Unauthorized"));
}

#[tokio::test]
async fn every_listener_asks_the_policy() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("agent.sock");
    let options = Options {
        addresses: vec!["127.0.0.1:0".to_owned(), format!("unix://{}", path.display())],
        diagnostic_addresses: vec!["127.0.0.1:0".to_owned()],
        ..guarded()
    };
    let agent = start(options).await;
    let url = format!("http://{}/health", agent.diagnostics[0]);
    check(&Client::plain().get(&url).await.expect("an answer"), 500, MISSING);
    for (user, status) in [("root", "200"), ("nobody", "401")] {
        let mut stream = UnixStream::connect(&path).await.expect("a listener");
        let request =
            format!("GET /health HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {user}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{user}: {answer}");
    }
}

#[tokio::test]
async fn authorization_is_measured_as_a_handler() {
    let agent = start(guarded()).await;
    as_user(&agent, "nobody", "GET", "/v1/data/x", "").await;
    as_user(&agent, "root", "GET", "/v1/data/x", "").await;
    let metrics = as_user(&agent, "root", "GET", "/metrics", "").await.text();
    let count = |code, handler| {
        let name =
            format!("http_request_duration_seconds_count{{code=\"{code}\",handler=\"{handler}\",method=\"get\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name).map(str::to_owned))
    };
    assert_eq!(count(401, "authz").as_deref(), Some("1"));
    assert_eq!(count(200, "authz").as_deref(), Some("1"));
    assert_eq!(count(200, "v1/data").as_deref(), Some("1"));
    assert_eq!(count(401, "v1/data"), None, "the route has not seen it");
}

#[tokio::test]
async fn tokens_alone_keep_nobody_out() {
    let agent =
        Agent::start_with("{}", Options { authorization: Authorization::Off, ..guarded() }, Duration::ZERO).await;
    check(&agent.get("/v1/data").await, 200, "{\"result\":{}}\n");
}
