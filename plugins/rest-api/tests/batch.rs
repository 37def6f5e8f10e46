//! Many decisions in one request.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use regent_core::builtin::{Builtin, Call, Declaration, Operands, Outcome};
use regent_core::engine::Engine as _;
use regent_engine_rego::RegoEngine;
use regent_rest_api::{Authorization, Options};
use serde_json::{Value, json};
use support::{Agent, check};
use tokio::sync::Barrier;

const SOON: Duration = Duration::from_secs(30);

const POLICY: &str = "package p

allow if input.user.title == \"owner\"

allow := false if input.user.wrong

merged := input

divided := 1 / input.by

named[name] := size if some name, size in input.sizes
";

async fn agent(config: &str) -> Agent {
    let agent = Agent::start(config).await;
    agent.put("/v1/policies/p", POLICY).await;
    agent
}

const OWNER: &str = r#"{"user":{"title":"owner"}}"#;
const BOTH: &str = r#"{"user":{"title":"owner","wrong":true}}"#;
const CONFLICT: &str = "p:3: eval_conflict_error: complete rules must not produce multiple outputs";

async fn ask(agent: &Agent, path: &str, body: String) -> (u16, Value) {
    let answer = agent.ask("POST", path, &[], body).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn answers_come_by_the_keys_of_the_inputs_and_undefined_ones_are_empty() {
    let agent = agent("{}").await;
    let answer = agent.ask("POST", "/v1/batch/data/p/allow", &[], format!(r#"{{"inputs":{{"b":{{}},"a":{OWNER}}}}}"#));
    check(&answer.await, 200, "{\"responses\":{\"a\":{\"result\":true},\"b\":{}}}\n");
    let pretty = agent.post("/v1/batch/data/p/allow?pretty", r#"{"inputs":{"b":1}}"#).await;
    check(&pretty, 200, "{\n  \"responses\": {\n    \"b\": {}\n  }\n}\n");
    let whole = agent.post("/v1/batch/data", r#"{"inputs":{"x":{"by":2}}}"#).await;
    assert_eq!(whole.json()["responses"]["x"]["result"]["p"]["divided"], json!(0.5), "{}", whole.text());
}

#[tokio::test]
async fn mixed_outcomes_say_each_how_it_went() {
    let agent = agent("{}").await;
    let body = format!(r#"{{"inputs":{{"good":{OWNER},"bad":{BOTH},"none":{{}}}}}}"#);
    let (status, answer) = ask(&agent, "/v1/batch/data/p/allow", body).await;
    assert_eq!(status, 207, "{answer}");
    let responses = &answer["responses"];
    assert_eq!(responses["good"], json!({"result": true, "http_status_code": "200"}));
    assert_eq!(responses["none"], json!({"http_status_code": "200"}));
    let bad = &responses["bad"];
    assert_eq!(
        (&bad["http_status_code"], &bad["code"], &bad["message"]),
        (&json!("500"), &json!("internal_error"), &json!(CONFLICT))
    );
    assert_eq!(bad["errors"][0]["location"], json!({"file": "p", "row": 3, "col": 1}));
}

#[tokio::test]
async fn a_batch_without_any_success_fails() {
    let agent = agent("{}").await;
    let (status, answer) =
        ask(&agent, "/v1/batch/data/p/allow", format!(r#"{{"inputs":{{"a":{BOTH},"b":{BOTH}}}}}"#)).await;
    assert_eq!(status, 500, "{answer}");
    for key in ["a", "b"] {
        let one = &answer["responses"][key];
        assert_eq!((&one["message"], one.get("http_status_code")), (&json!(CONFLICT), None), "{answer}");
    }
    let (status, answer) =
        ask(&agent, "/v1/batch/data/p/divided?strict-builtin-errors", r#"{"inputs":{"a":{"by":0}}}"#.to_owned()).await;
    let expected = json!("p:9: eval_builtin_error: div: divide by zero");
    assert_eq!((status, &answer["responses"]["a"]["message"]), (500, &expected));
}

#[tokio::test]
async fn what_all_inputs_have_in_common_is_merged_into_each() {
    let agent = agent("{}").await;
    let body = r#"{"inputs":{"a":{"user":{"name":"ann"}},"b":{"user":{"title":"owner"},"n":1},"c":[1]},
                   "common_input":{"user":{"title":"none","name":"any"},"n":0}}"#;
    let (status, answer) = ask(&agent, "/v1/batch/data/p/merged", body.to_owned()).await;
    assert_eq!(status, 200, "{answer}");
    let merged = |key: &str| &answer["responses"][key]["result"];
    assert_eq!(merged("a"), &json!({"user": {"title": "none", "name": "ann"}, "n": 0}));
    assert_eq!(merged("b"), &json!({"user": {"title": "owner", "name": "any"}, "n": 1}));
    assert_eq!(merged("c"), &json!([1]));
}

#[tokio::test]
async fn parameters_mean_what_they_mean_to_the_data_api() {
    let agent = agent("{}").await;
    let body = format!(r#"{{"inputs":{{"a":{OWNER}}}}}"#);
    let (_, answer) = ask(&agent, "/v1/batch/data/p/allow?metrics&provenance", body.clone()).await;
    let one = &answer["responses"]["a"];
    assert!(answer["metrics"]["timer_rego_input_parse_ns"].is_u64(), "{answer}");
    assert!(answer["metrics"]["timer_server_handler_ns"].is_u64(), "{answer}");
    assert!(one["metrics"]["timer_rego_query_eval_ns"].is_u64(), "{answer}");
    assert_eq!(one["provenance"]["version"], "1.2.3");
    let (_, answer) = ask(&agent, "/v1/batch/data/p/allow?instrument", body.clone()).await;
    assert!(answer.get("metrics").is_none() && answer["responses"]["a"]["metrics"].is_object(), "{answer}");
    let (status, answer) = ask(&agent, "/v1/batch/data/p/allow?explain=full", body).await;
    assert_eq!(status, 400, "{answer}");
}

#[tokio::test]
async fn a_batch_without_inputs_is_answered_with_a_warning() {
    let agent = agent("{}").await;
    let warning = "{\"warning\":{\"code\":\"api_usage_warning\",\
                   \"message\":\"'inputs' key missing from the request\"}}\n";
    for body in ["", "{}", r#"{"inputs":null}"#] {
        check(&agent.post("/v1/batch/data/p/allow", body).await, 200, warning);
    }
    check(&agent.post("/v1/batch/data/p/allow", r#"{"inputs":{}}"#).await, 200, "{}\n");
}

#[tokio::test]
async fn what_is_no_batch_is_refused() {
    let agent = agent("server: {batch: {max_inputs: 2}}").await;
    let message = async |path: &str, body: &'static str| {
        let answer = agent.post(path, body).await;
        (answer.status.as_u16(), answer.json()["message"].as_str().unwrap_or_default().to_owned())
    };
    let malformed = "body contains malformed input document: ";
    let (status, text) = message("/v1/batch/data/p/allow", "{").await;
    assert!(status == 400 && text.starts_with(malformed), "{text}");
    let (status, text) = message("/v1/batch/data/p/allow", r#"{"inputs":[]}"#).await;
    assert!(status == 400 && text.ends_with("BatchDataRequestV1.inputs of type map[string]*interface {}"), "{text}");
    let many = message("/v1/batch/data/p/allow", r#"{"inputs":{"a":1,"b":1,"c":1}}"#).await;
    let text = "the batch has 3 inputs, server.batch.max_inputs allows 2: split it";
    assert_eq!(many, (400, text.to_owned()));
    let wrong = message("/v1/batch/data/p/%22", r#"{"inputs":{"a":1}}"#).await;
    assert_eq!(wrong, (500, "invalid_parameter: invalid path: invalid ref term '\"'".to_owned()));
    let get = agent.get("/v1/batch/data/p/allow").await;
    assert_eq!((get.status.as_u16(), get.headers["allow"].to_str().expect("text")), (405, "POST"));
}

#[tokio::test]
async fn batches_may_be_yaml_and_packed_both_ways() {
    let agent = agent("server: {encoding: {gzip: {min_length: 1}}}").await;
    let yaml = "inputs:\n  a: {user: {title: owner}}\n";
    let plain = agent.ask("POST", "/v1/batch/data/p/allow", &[("content-type", "application/yaml")], yaml).await;
    check(&plain, 200, "{\"responses\":{\"a\":{\"result\":true}}}\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, br#"{"inputs":{"a":{}}}"#).expect("memory");
    let headers = [("content-encoding", "gzip"), ("accept-encoding", "gzip")];
    let packed = packed.finish().expect("memory");
    let answer = agent.ask("POST", "/v1/batch/data/p/allow", &headers, packed).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-encoding"].as_bytes()), (200, &&b"gzip"[..]));
}

#[tokio::test]
async fn a_policy_authorizes_batches_by_what_is_in_them() {
    let addresses = vec!["127.0.0.1:0".to_owned()];
    let options = Options { addresses, authorization: Authorization::Basic, ..Options::default() };
    let agent = Agent::start_with("{}", options, SOON).await;
    agent
        .policy("package system.authz\n\ndefault allow := false\n\nallow if count(input.body.inputs) < 2\n\nx := input")
        .await;
    let one = agent.post("/v1/batch/data/system/authz/x/a", r#"{"inputs":{"k":{"a":7}}}"#).await;
    check(&one, 200, "{\"responses\":{\"k\":{\"result\":7}}}\n");
    let two = agent.post("/v1/batch/data/system/authz/x", r#"{"inputs":{"k":1,"l":1}}"#).await;
    assert_eq!(two.status, 401, "{}", two.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_decisions_of_a_batch_see_one_state() {
    let agent = Arc::new(agent("{}").await);
    agent.put("/v1/data/n", "0").await;
    let writer = {
        let agent = agent.clone();
        tokio::spawn(async move {
            for n in 1.. {
                agent.ask("PUT", "/v1/data/n", &[], n.to_string()).await;
            }
        })
    };
    let inputs: Vec<_> = (0..500).map(|index| format!(r#""{index}":0"#)).collect();
    for _ in 0..5 {
        let (_, answer) = ask(&agent, "/v1/batch/data/n", format!(r#"{{"inputs":{{{}}}}}"#, inputs.join(","))).await;
        let responses = answer["responses"].as_object().expect("responses");
        let first = &responses["0"]["result"];
        assert!(first.is_number() && responses.values().all(|one| &one["result"] == first), "{answer}");
    }
    writer.abort();
}

/// A function that is true if it is called as often at the same time as the barrier says.
struct Meeting(Declaration, Arc<Barrier>);

impl Builtin for Meeting {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, _: Operands<'_>, call: &mut Call<'_>) -> Outcome {
        let barrier = self.1.clone();
        let mut met = None;
        (call.linger)(&mut || {
            let meeting = async { tokio::time::timeout(SOON, barrier.wait()).await.ok() };
            met = tokio::runtime::Handle::current().block_on(meeting).map(|_| true.into());
        });
        Ok(met)
    }
}

async fn agent_with(builtin: Arc<dyn Builtin>, policy: &'static str) -> Agent {
    let engine = RegoEngine::default().with_builtins(&[builtin]).expect("functions are taken");
    let options = Options { addresses: vec!["127.0.0.1:0".to_owned()], ..Options::default() };
    let agent = Agent::start_on(engine, "{}", options, SOON).await;
    agent.put("/v1/policies/p", policy).await;
    agent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn decisions_are_made_at_the_same_time() {
    let declaration = Declaration::parse("acme.meet(any) => boolean").expect("a declaration");
    let meeting = Meeting(declaration, Arc::new(Barrier::new(3)));
    let agent = agent_with(Arc::new(meeting), "package p\n\nx := acme.meet(input)").await;
    let (_, answer) = ask(&agent, "/v1/batch/data/p/x", r#"{"inputs":{"a":1,"b":2,"c":3}}"#.to_owned()).await;
    let met = json!({"result": true});
    assert_eq!(answer["responses"], json!({"a": met, "b": met, "c": met}));
}

/// A function that counts its calls.
struct Counting(Declaration, Arc<AtomicUsize>);

impl Builtin for Counting {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, _: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(Some(true.into()))
    }
}

/// On a runtime with one thread there is nobody to step in.
#[tokio::test]
async fn others_are_answered_while_a_batch_is_at_work() {
    const MANY: usize = 50_000;
    let calls = Arc::<AtomicUsize>::default();
    let declaration = Declaration::parse("acme.count(any) => boolean").expect("a declaration");
    let agent = agent_with(Arc::new(Counting(declaration, calls.clone())), "package p\n\nx := acme.count(input)").await;
    let agent = Arc::new(agent);
    let inputs: Vec<_> = (0..MANY).map(|index| format!(r#""{index}":{index}"#)).collect();
    let body = format!(r#"{{"inputs":{{{}}}}}"#, inputs.join(","));
    let batch = {
        let agent = agent.clone();
        tokio::spawn(async move { agent.ask("POST", "/v1/batch/data/p/x", &[], body).await })
    };
    while calls.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    check(&agent.get("/health").await, 200, "{}\n");
    assert!(calls.load(Ordering::Relaxed) < MANY, "the batch was not done before anyone else had a turn");
    assert_eq!(batch.await.expect("no panic").status, 200);
    assert_eq!(calls.load(Ordering::Relaxed), MANY);
}
