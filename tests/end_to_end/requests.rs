//! Requests that make no sense get OPA's answer.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, StatusCode};
use regent_kit::Agent;
use serde_json::{Value, json};

use crate::support::regent;

async fn post(agent: &Agent, body: &[u8], encoding: Option<&str>) -> (StatusCode, Value) {
    let mut request = Request::post("/v1/data/app/allow").header("Content-Type", "application/json");
    if let Some(encoding) = encoding {
        request = request.header("Content-Encoding", encoding);
    }
    let request = request.body(body.to_vec().into()).expect("a request");
    let answer = agent.send(request).await.expect("an answer");
    (answer.status, answer.json())
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let yaml = "server: {decoding: {max_length: 1000, gzip: {max_length: 2000}}}";
    let agent = regent().config(yaml).start().await.expect("the agent starts");

    let (status, answer) = post(&agent, b"{\"input\": nope}", None).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_parameter")));
    assert!(
        answer["message"].as_str().is_some_and(|text| text.starts_with("body contains malformed input document: "))
    );

    let (status, answer) = post(&agent, json!({"input": "x".repeat(2000)}).to_string().as_bytes(), None).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_parameter")));
    assert!(answer["message"].as_str().is_some_and(|text| text.contains("request body too large")), "{answer}");

    let (status, answer) = post(&agent, b"no gzip", Some("gzip")).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_parameter")));

    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 100_000]).expect("memory is enough");
    let bomb = bomb.finish().expect("memory is enough");
    assert!(bomb.len() < 1000);
    let (status, answer) = post(&agent, &bomb, Some("gzip")).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_parameter")));

    let (status, _) = post(&agent, b"{}", None).await;
    assert_eq!(status, StatusCode::OK, "and the agent goes on");
}

#[tokio::test]
async fn data_and_policies_are_written_and_read_over_rest() {
    let agent = regent().start().await.expect("the agent starts");
    let policy = "package app\n\nallow if input.user == data.owner\n";
    assert_eq!(agent.put("/v1/policies/app", policy).await.status, 200);
    assert_eq!(agent.put("/v1/data/owner", json!("ann")).await.status, 204);
    assert_eq!(agent.get("/v1/data/owner").await.json()["result"], "ann");
    assert_eq!(crate::support::decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    let patch = json!([{"op": "replace", "path": "/owner", "value": "bob"}]);
    assert_eq!(agent.patch("/v1/data", patch).await.status, 204);
    assert_eq!(crate::support::decide(&agent, "app/allow", json!({"user": "ann"})).await, Value::Null);
    assert_eq!(agent.delete("/v1/data/owner").await.status, 204);
    assert_eq!(agent.delete("/v1/policies/app").await.status, 200);
    assert_eq!(agent.get("/v1/data").await.json(), json!({"result": {}}));
}
