//! Ad-hoc queries.

mod support;

use support::{Agent, check};

#[tokio::test]
async fn rows_are_bindings() {
    let agent = Agent::start("{}").await;
    agent.put("/v1/data/servers", r#"[{"id":"a"},{"id":"b"}]"#).await;
    check(
        &agent.get("/v1/query?q=1+==+1&q=data.servers[i];i").await,
        200,
        "{\"result\":[{}]}\n", // a pair with a semicolon does not count, as in Go
    );
    let rows = agent.get("/v1/query?q=data.servers[_].id+=+id%3B+id+==+%22b%22").await;
    check(&rows, 200, "{\"result\":[{\"id\":\"b\"}]}\n");
    check(
        &agent.post("/v1/query", r#"{"query":"x = input.a","input":{"a":1}}"#).await,
        200,
        "{\"result\":[{\"x\":1}]}\n",
    );
    check(&agent.get("/v1/query?q=data.nope").await, 200, "{}\n");
}

#[tokio::test]
async fn errors_say_at_which_stage_they_occurred() {
    let agent = Agent::start("{}").await;
    let message = async |path: &str| agent.get(path).await.json()["message"].clone();
    assert_eq!(message("/v1/query").await, "missing parameter 'q'");
    assert_eq!(message("/v1/query?q=").await, "cannot evaluate empty query");
    assert_eq!(message("/v1/query?q=x+=").await, "error(s) occurred while parsing query");
    assert_eq!(message("/v1/query?q=x+%3E+1").await, "error(s) occurred while compiling query");
    let refused = agent.get("/v1/query?q=http.send(%7B%7D)").await.json();
    assert_eq!(refused["errors"][0]["message"], "unsafe built-in function calls in expression: http.send");
    let wrong = agent.post("/v1/query", r#"{"query":1}"#).await.json()["message"].to_string();
    assert!(wrong.contains("error(s) occurred while decoding request: json: cannot unmarshal number"), "{wrong}");
}

#[tokio::test]
async fn queries_are_json_whatever_they_claim_to_be() {
    let agent = Agent::start("{}").await;
    let yaml = agent.ask("POST", "/v1/query", &[("content-type", "application/x-yaml")], "query: x = 1").await;
    let message = "error(s) occurred while decoding request: invalid character 'q' looking for beginning of value";
    assert_eq!((yaml.status.as_u16(), yaml.json()["message"].as_str()), (400, Some(message)));
}
