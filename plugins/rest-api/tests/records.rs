//! Decisions are recorded before they are answered.

mod support;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use regent_agent_kit::NoConfig;
use regent_core::decision::{Ack, DecisionEvent, DecisionRecorder};
use regent_core::plugin::{Inbox, Plugin, Roles, Signal};
use regent_core::{Error, ErrorKind, Host, Registry, Supervisor, Value};
use support::{Agent, check, identity, tree};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const CONFIG: &str = "{plugins: {recorder: {}}, nd_builtin_cache: true, default_decision: p/allow}";

/// The supervisor makes the plugin, so the events leave it through a static. A mutex, because only one test may read.
static EVENTS: LazyLock<(UnboundedSender<DecisionEvent>, Mutex<UnboundedReceiver<DecisionEvent>>)> =
    LazyLock::new(|| {
        let (sender, receiver) = unbounded_channel();
        (sender, Mutex::new(receiver))
    });

struct Recorder;

impl Plugin for Recorder {
    const NAME: &'static str = "recorder";
    type Config = NoConfig;

    fn build(_: NoConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn roles(&self) -> Roles {
        Roles { decision_recorder: Some(Arc::new(Self)), ..Roles::default() }
    }

    async fn run(self, mut inbox: Inbox<NoConfig>) -> Result<(), Error> {
        while !matches!(inbox.recv().await, Signal::Stop(_)) {}
        Ok(())
    }
}

impl DecisionRecorder for Recorder {
    fn record(&self, event: Box<DecisionEvent>) -> Result<Option<Ack>, Error> {
        if event.path == "refused" {
            return Err(Error::new(ErrorKind::Refused, "the record is full"));
        }
        let is_lost = event.path == "lost";
        EVENTS.0.send(*event).map_err(|_| Error::new(ErrorKind::Internal, "nobody listens"))?;
        let failed = || Err(Error::new(ErrorKind::Unavailable, "the disk is full"));
        Ok(is_lost.then(|| Box::pin(async move { failed() }) as Ack))
    }
}

async fn recorded() -> (Agent, Supervisor) {
    let agent = Agent::start(CONFIG).await;
    let mut registry = Registry::default();
    registry.plugin::<Recorder>();
    let mut supervisor = Supervisor::new(Arc::new(registry), agent.host.clone(), identity());
    supervisor.apply(&tree(CONFIG)).await.expect("a sound configuration");
    regent_kit::wait::until(Duration::from_secs(30), "the recorder", async || agent.host.keeps_records().then_some(()))
        .await
        .expect("it starts");
    (agent, supervisor)
}

#[tokio::test]
async fn every_decision_is_recorded_under_the_id_that_the_client_sees() {
    let mut events = EVENTS.1.lock().await;
    let (agent, _supervisor) = recorded().await;
    agent.put("/v1/policies/p", "package p\n\nallow if input.a\n\nbad := 1 if input.b\n\nbad := 2 if input.b\n").await;

    let answer = agent.post("/v1/data/p/allow", r#"{"input":{"a":1}}"#).await.json();
    let event = events.recv().await.expect("an event");
    assert_eq!(answer["decision_id"], *event.decision_id);
    assert_eq!(
        (event.path.as_str(), event.result, event.nd_builtin_cache),
        ("p/allow", Some(true.into()), Some(Value::empty_object()))
    );
    assert_eq!(event.input, Some(Value::object([("a", 1_i64)])));
    assert!(event.metrics.to_value().get("timer_server_handler_ns").is_some());

    let undefined = agent.get("/v1/data/p/allow").await.json();
    let event = events.recv().await.expect("an event");
    assert_eq!(undefined["decision_id"], *event.decision_id);
    assert_eq!((event.input, event.result), (None, None));

    assert_eq!(agent.post("/", r#"{"a":1}"#).await.text(), "true\n");
    assert_eq!(events.recv().await.expect("an event").path, "p/allow");

    let failed = agent.post("/v1/data/p/bad", r#"{"input":{"b":1}}"#).await;
    assert!(failed.status == 500 && failed.json().get("decision_id").is_none());
    let error = events.recv().await.expect("an event").error.expect("an error");
    assert_eq!(error.get("code"), Some(&"eval_conflict_error".into()));

    agent.get("/v1/query?q=data.nope").await;
    let event = events.recv().await.expect("an event");
    assert_eq!((event.query.as_deref(), event.path.as_str(), event.result), (Some("data.nope"), "", Some(Value::NULL)));

    agent.post("/v0/data/p/nope%20x", "{}").await;
    let event = events.recv().await.expect("an event");
    assert_eq!((event.path.as_str(), event.result), ("p/nope%20x", None));
    assert_eq!(event.error.expect("an error").get("code"), Some(&"undefined_document".into()));

    agent.get("/v1/data/p/%22").await;
    let event = events.recv().await.expect("an event");
    assert_eq!(event.error, Some("invalid_parameter: invalid path: invalid ref term '\"'".into()));

    agent.get("/v1/query?q=f(1)").await;
    let event = events.recv().await.expect("an event");
    assert!(event.error.is_some_and(|errors| errors.as_array().is_some_and(|errors| !errors.is_empty())));

    agent.get("/health").await;
    agent.get("/v1/query?q=%7B").await;
    agent.post("/v1/data/p/allow", "{").await;
    assert!(events.try_recv().is_err(), "health and malformed requests are no decisions");
}

/// The next event; a failure if there is none.
async fn next(events: &mut UnboundedReceiver<DecisionEvent>) -> DecisionEvent {
    let event = tokio::time::timeout(Duration::from_secs(30), events.recv()).await;
    event.expect("an event soon").expect("an event")
}

#[tokio::test]
async fn ad_hoc_queries_are_recorded_as_opa_spells_what_it_parsed() {
    let mut events = EVENTS.1.lock().await;
    let (agent, _supervisor) = recorded().await;
    agent.put("/v1/policies/p", "package p\n\nx := 1 if input.a\n\nx := 2 if input.a\n").await;

    let query = r#"{"query": "x := input.a # why\n  x ==   1", "input": {"a": 1}}"#;
    check(&agent.post("/v1/query", query).await, 200, "{\"result\":[{\"x\":1}]}\n");
    let event = next(&mut events).await;
    assert_eq!((event.query.as_deref(), &*event.path), (Some("assign(x, input.a); equal(x, 1)"), ""));
    assert!(event.result.is_some() && event.error.is_none());

    assert_eq!(agent.get("/v1/query?q=x+%3E+1").await.status, 400);
    let event = next(&mut events).await;
    assert_eq!((event.query.as_deref(), event.error.is_some()), (Some("gt(x, 1)"), true));

    let failing = r#"{"query": "x =   data.p[\"x\"]", "input": {"a": 1}}"#;
    assert_eq!(agent.post("/v1/query", failing).await.status, 500);
    let event = next(&mut events).await;
    assert_eq!((event.query.as_deref(), event.error.is_some()), (Some("x = data.p.x"), true));

    for nothing in ["/v1/query?q=", "/v1/query?q=%23+why"] {
        assert_eq!(agent.get(nothing).await.status, 500);
        let event = next(&mut events).await;
        assert_eq!(event.error, Some("cannot evaluate empty query".into()));
        let shown = event.to_value();
        assert!(shown.get("query").is_none() && shown.get("path").is_none(), "{shown}");
    }

    for unparsable in ["/v1/query?q=x+%3D", "/v1/query?q=p+:=+1+if+true"] {
        assert!(agent.get(unparsable).await.status.as_u16() >= 400);
    }
    agent.get("/v1/data/p").await;
    let event = next(&mut events).await;
    assert_eq!((event.query, &*event.path), (None, "p"), "what does not parse is no decision");
}

#[tokio::test]
async fn a_decision_that_cannot_be_recorded_is_not_answered() {
    let (agent, _supervisor) = recorded().await;
    let refused = agent.get("/v1/data/refused").await;
    assert_eq!((refused.status.as_u16(), refused.json()["message"].as_str()), (500, Some("the record is full")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_until_its_record_is_safe_and_does_not_go_out_if_it_is_not() {
    let mut events = EVENTS.1.lock().await;
    let (agent, _supervisor) = recorded().await;
    let many = r#"{"inputs": {"a": 1, "b": 2, "c": 3}}"#;
    let answers = [
        agent.get("/v1/data/lost").await,
        agent.post("/v1/data/lost", "{}").await,
        agent.post("/v0/data/lost", "{}").await,
        agent.post("/v1/batch/data/lost", many).await,
    ];
    for answer in answers {
        assert_eq!((answer.status.as_u16(), answer.json()["message"].as_str()), (500, Some("the disk is full")));
    }
    for _ in 0..6 {
        assert_eq!(events.recv().await.expect("an event").path, "lost");
    }
}

const ENDLESS: &str = "package endless

p if {
	some i in numbers.range(1, 100000)
	some j in numbers.range(1, 100000)
	i + j < 0
}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_take_their_evaluations_with_them() {
    let mut events = EVENTS.1.lock().await;
    let (agent, _supervisor) = recorded().await;
    agent.put("/v1/policies/endless", ENDLESS).await;
    let event = regent_kit::wait::until(Duration::from_mins(1), "an event", async || {
        let mut client = TcpStream::connect(agent.url.trim_start_matches("http://")).await.expect("a listener");
        client.write_all(b"GET /v1/data/endless/p HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        // By the answer to a later request the evaluation has most likely begun; if not, the next try will see one.
        agent.get("/health").await;
        drop(client);
        tokio::time::timeout(Duration::from_secs(5), events.recv()).await.ok().flatten()
    });
    let event = event.await.expect("the evaluation ends");
    assert_eq!((event.path.as_str(), event.result), ("endless/p", None));
    assert_eq!(event.error.expect("an error").get("code"), Some(&"eval_cancel_error".into()));
    cancelled(&agent, "http_request_cancellations{code=\"500\",handler=\"v1/data\",method=\"GET\"} ").await;
    let metrics = agent.get("/metrics").await.text();
    assert!(!metrics.contains("http_request_cancellations{code=\"200\""), "others are not counted: {metrics}");
}

/// Waits until requests are counted as cancelled.
async fn cancelled(agent: &Agent, counter: &str) {
    let is_counted = async || agent.get("/metrics").await.text().contains(counter).then_some(());
    regent_kit::wait::until(Duration::from_mins(1), counter, is_counted).await.expect("it is counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_take_their_batches_with_them() {
    const MANY: usize = 1_000;
    let mut events = EVENTS.1.lock().await;
    let (agent, _supervisor) = recorded().await;
    agent.put("/v1/policies/endless", ENDLESS).await;
    let inputs: Vec<_> = (0..MANY).map(|index| format!("\"{index}\":0")).collect();
    let body = format!("{{\"inputs\":{{{}}}}}", inputs.join(","));
    let request =
        format!("POST /v1/batch/data/endless/p HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let event = regent_kit::wait::until(Duration::from_mins(1), "an event", async || {
        let mut client = TcpStream::connect(agent.url.trim_start_matches("http://")).await.expect("a listener");
        client.write_all(request.as_bytes()).await.expect("sent");
        // Answered although the batch occupies all threads.
        assert_eq!(agent.get("/health").await.status, 200);
        drop(client);
        tokio::time::timeout(Duration::from_secs(5), events.recv()).await.ok().flatten()
    });
    let event = event.await.expect("the evaluation ends");
    assert_eq!(event.error.expect("an error").get("code"), Some(&"eval_cancel_error".into()));
    cancelled(&agent, "http_request_cancellations{code=\"500\",handler=\"v1/batch/data\",method=\"POST\"} ").await;
    let mut count = 1;
    // Those that are left would follow one upon the other.
    while tokio::time::timeout(Duration::from_secs(2), events.recv()).await.is_ok() {
        count += 1;
        assert!(count < MANY / 2, "decisions of a batch that nobody waits for");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_decision_of_a_batch_is_recorded_with_the_id_of_the_batch() {
    let mut events = EVENTS.1.lock().await;
    let (agent, _supervisor) = recorded().await;
    agent.put("/v1/policies/p", "package p\n\nx := 1 if input.a\n\nx := 2 if input.b\n").await;
    let body = r#"{"inputs":{"good":{"a":true},"bad":{"a":true,"b":true},"none":{}},"common_input":{"c":1}}"#;
    let answer = agent.post("/v1/batch/data/p/x", body).await.json();
    let batch = answer["batch_decision_id"].as_str().expect("an id").to_owned();
    for _ in 0..3 {
        let event = events.recv().await.expect("an event");
        let responses = answer["responses"].as_object().expect("responses");
        let (key, _) = responses.iter().find(|(_, one)| one["decision_id"] == *event.decision_id).expect("is answered");
        assert_eq!((event.batch_decision_id.as_deref(), event.path.as_str()), (Some(&*batch), "p/x"));
        assert_eq!(event.custom, Some(Value::object([("type", "eopa.styra.com/batch")])));
        assert_eq!(event.input.and_then(|input| input.get("c").cloned()), Some(1_i64.into()), "{key}");
        assert_eq!(event.error.is_some(), key == "bad");
        assert_eq!(event.result, (key == "good").then(|| 1_i64.into()));
        assert!(event.metrics.to_value().get("timer_server_handler_ns").is_some());
    }

    let refused = agent.post("/v1/batch/data/refused", r#"{"inputs":{"a":1,"b":2}}"#).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["responses"]["a"]["message"]),
        (500, &"the record is full".into())
    );

    agent.post("/v1/batch/data/p/%22", r#"{"inputs":{"a":1,"b":2}}"#).await;
    let event = events.recv().await.expect("an event");
    assert_eq!((event.path.as_str(), event.input, event.error.is_some()), ("p/%22", None, true));
    let empty = agent.post("/v1/batch/data/p/x", r#"{"inputs":{}}"#).await.json();
    assert!(empty["batch_decision_id"].is_string() && events.try_recv().is_err(), "no input, no decision");
}
