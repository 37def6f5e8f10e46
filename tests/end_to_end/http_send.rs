//! Policies that ask other services.

use std::future::Future;
use std::time::Duration;

use regent_kit::{Agent, AgentCommand, ControlPlane, Fault};
use serde_json::{Value, json};

use crate::support::{SOON, decide, regent};

const POLICY: &str = "package app

remote := http.send({\"method\": \"get\", \"url\": input.url, \"timeout\": \"60s\", \"raise_error\": false}).status_code

quick := input.x + 1

twice := [rand.intn(\"a\", 1000000000), rand.intn(\"a\", 1000000000)]
";

async fn start(command: AgentCommand) -> Agent {
    let agent = command.start().await.expect("the agent starts");
    assert_eq!(agent.put("/v1/policies/app", POLICY).await.status, 200);
    agent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_service_holds_up_only_who_asks_it() {
    const SLOW: Duration = Duration::from_secs(8);
    let acme = ControlPlane::start().await;
    acme.serve_bundle("x", "bytes");
    acme.fail_always("/bundles/x", Some(Fault::Hang(SLOW)));
    for threads in ["1", "2"] {
        let agent = start(regent().env("TOKIO_WORKER_THREADS", threads)).await;
        let url = format!("{}/bundles/x", acme.url());
        // More slow requests than there are threads.
        let before = acme.requests().len();
        let slow = (0..4).map(|_| decide(&agent, "app/remote", json!({"url": url})));
        let slow = futures(slow);
        let others = async {
            regent_kit::wait::until(SOON, "the slow requests", async || {
                (acme.requests().len() == before + 4).then_some(())
            })
            .await
            .expect("they arrive");
            for x in 0..5 {
                assert_eq!(decide(&agent, "app/quick", json!({"x": x})).await, x + 1);
            }
        };
        // The slow ones hang for longer than the machine may ever take for five quick ones.
        tokio::pin!(slow);
        tokio::select! {
            biased;
            _ = &mut slow => panic!("the others were held up by {threads} threads"),
            () = others => {}
        }
        assert_eq!(slow.await, vec![json!(200); 4]);
    }
}

/// All outcomes at the same time.
async fn futures(all: impl Iterator<Item = impl Future<Output = Value>>) -> Vec<Value> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<Value>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, done) in all.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            return std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect());
        }
        std::task::Poll::Pending
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_functions_gave_is_logged_and_masked() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("x", "bytes");
    let config = format!(
        "services: {{acme: {{url: \"{}\"}}}}\nnd_builtin_cache: true\n\
         decision_logs: {{service: acme, reporting: {{min_delay_seconds: 1, max_delay_seconds: 1}}}}\n",
        acme.url()
    );
    let agent = start(regent().config(&config)).await;
    let mask = "package system.log\n\nmask contains \"/nd_builtin_cache/rand.intn\" if input.path == \"app/twice\"\n";
    assert_eq!(agent.put("/v1/policies/mask", mask).await.status, 200);
    let url = format!("{}/bundles/x", acme.url());
    assert_eq!(decide(&agent, "app/remote", json!({"url": url})).await, 200);
    let numbers = decide(&agent, "app/twice", json!({})).await;
    assert_eq!(numbers[0], numbers[1]);
    assert_eq!(decide(&agent, "app/quick", json!({"x": 1})).await, 2);

    let events = regent_kit::wait::until(SOON, "the events", async || {
        let events = acme.events();
        (events.len() == 3).then_some(events)
    })
    .await
    .expect("the events arrive");
    let event = |path: &str| events.iter().find(|event| event["path"] == path).expect("an event");
    let key = format!("[{{\"method\":\"get\",\"raise_error\":false,\"timeout\":\"60s\",\"url\":\"{url}\"}}]");
    assert_eq!(event("app/remote")["nd_builtin_cache"]["http.send"][&key]["raw_body"], "bytes");
    let metrics = &event("app/remote")["metrics"];
    assert_eq!(metrics["counter_rego_builtin_http_send_network_requests"], 1);
    assert!(metrics["timer_rego_builtin_http_send_ns"].as_u64().is_some_and(|spent| spent > 0));
    assert_eq!(event("app/twice")["nd_builtin_cache"], json!({}));
    assert_eq!(event("app/twice")["erased"], json!(["/nd_builtin_cache/rand.intn"]));
    assert_eq!(event("app/quick")["nd_builtin_cache"], json!({}));
}

#[tokio::test]
async fn caching_that_makes_no_sense_is_refused() {
    let config = "caching: {inter_query_builtin_cache: {forced_eviction_threshold_percentage: 101}}";
    let error = regent().config(config).start().await.expect_err("it does not start").to_string();
    assert!(error.contains("invalid forced_eviction_threshold_percentage 101"), "{error}");
}
