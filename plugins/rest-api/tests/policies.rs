//! Modules are stored, listed, read and removed.

mod support;

use support::{Agent, check};

#[tokio::test]
async fn a_module_comes_and_goes() {
    let agent = Agent::start("{}").await;
    check(&agent.get("/v1/policies").await, 200, "{\"result\":[]}\n");
    check(&agent.ask("PUT", "/v1/policies/team/a%20b", &[], "package p\n\nx := 1\n").await, 200, "{}\n");
    let read = agent.get("/v1/policies/team%2Fa%20b").await.json();
    assert_eq!(read["result"]["id"], "team/a b");
    assert_eq!(read["result"]["raw"], "package p\n\nx := 1\n");
    check(&agent.get("/v1/data/p").await, 200, "{\"result\":{\"x\":1}}\n");
    check(&agent.ask("DELETE", "/v1/policies/team/a%20b", &[], "").await, 200, "{}\n");
    let gone = agent.ask("DELETE", "/v1/policies/team/a%20b", &[], "").await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.json()["message"], "storage_not_found_error: policy id \"team/a b\"");
}

#[tokio::test]
async fn the_same_text_again_is_neither_parsed_nor_compiled() {
    let agent = Agent::start("{}").await;
    let timers = async || {
        let answer = agent.ask("PUT", "/v1/policies/p?metrics", &[], "package p\n\nx := 1\n").await.json();
        answer["metrics"].as_object().expect("an object").len()
    };
    assert_eq!(timers().await, 3);
    assert_eq!(timers().await, 1);
}

#[tokio::test]
async fn a_module_that_does_not_compile_changes_nothing() {
    let agent = Agent::start("{}").await;
    agent.put("/v1/policies/lib", "package lib\n\nf(x) := x + 1\n").await;
    agent.put("/v1/policies/app", "package app\n\ny := data.lib.f(1)\n").await;
    let refused = agent.ask("PUT", "/v1/policies/bad", &[], "package bad\n\nx := \n").await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["message"], "error(s) occurred while compiling module(s)");
    assert_eq!(refused.json()["errors"][0]["code"], "rego_parse_error");
    let needed = agent.ask("DELETE", "/v1/policies/lib", &[], "").await;
    assert_eq!((needed.status.as_u16(), needed.json()["code"].as_str()), (400, Some("invalid_operation")));
    check(&agent.get("/v1/data/app/y").await, 200, "{\"result\":2}\n");
    let latin = agent.ask("PUT", "/v1/policies/latin", &[], &b"package latin\n\nx := \"\xe9\"\n"[..]).await;
    assert_eq!(latin.json()["errors"][0]["message"], "illegal utf-8 character");
}

#[tokio::test]
async fn rules_and_data_do_not_share_a_path() {
    let agent = Agent::start("{}").await;
    agent.put("/v1/policies/app", "package app\n\nallow := true\n").await;
    let data = agent.ask("PUT", "/v1/data/app/allow", &[], "1").await.json();
    assert_eq!(
        data["message"],
        "1 error occurred: app:3: rego_compile_error: conflicting rule for data path app/allow found"
    );
    agent.put("/v1/data/inventory", r#"{"count":3}"#).await;
    let rule = agent.ask("PUT", "/v1/policies/inv", &[], "package inventory\n\ncount := 4\n").await.json();
    assert_eq!(rule["errors"][0]["message"], "conflicting rule for data path inventory/count found");
}
