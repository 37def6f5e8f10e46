//! Decisions while bundles change: none fails, none sees two states.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use regent_kit::{Agent, Bundle, ControlPlane};
use serde_json::{Value, json};

use crate::support::{SOON, config, ready, regent};

/// Connections that ask at the same time.
const CONNECTIONS: usize = 16;
/// Versions of the bundle that come in meanwhile.
const VERSIONS: u64 = 8;

/// A bundle whose data, policy and revision all say the same number.
fn version(number: u64) -> Vec<u8> {
    let rego =
        format!("package twins\n\npolicy := {number}\n\nboth := [data.numbers.left, data.numbers.right, policy]\n");
    Bundle::new()
        .revision(&format!("v{number}"))
        .rego("twins.rego", &rego)
        .data("numbers", json!({"left": number, "right": number, "ballast": vec![number; 20_000]}))
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_and_no_read_is_torn_while_a_bundle_is_activated_every_second() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", version(1));
    let agent = Arc::new(ready(regent().config(&config(&acme)).args(["--log-level", "error"])).await);
    let done = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let askers: Vec<_> =
        (0..CONNECTIONS).map(|_| tokio::spawn(ask_until(agent.clone(), done.clone(), answered.clone()))).collect();
    for number in 2..=VERSIONS {
        acme.serve_bundle("authz", version(number));
        let active = |status: &Value| status["bundles"]["authz"]["active_revision"] == format!("v{number}");
        acme.wait_for_status(SOON, active).await.expect("the version becomes active");
    }
    done.store(true, Ordering::Relaxed);
    for asker in askers {
        asker.await.expect("no request failed and no read was torn");
    }
    assert!(answered.load(Ordering::Relaxed) > 100, "the test has asked something");
}

async fn ask_until(agent: Arc<Agent>, done: Arc<AtomicBool>, answered: Arc<AtomicU64>) {
    let mut latest = 0;
    while !done.load(Ordering::Relaxed) {
        let answer = agent.post("/v1/data/twins/both", json!({"input": {}})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let both = answer.json()["result"].clone();
        let number = both[0].as_u64().unwrap_or_else(|| panic!("three numbers: {both}"));
        assert_eq!(both, json!([number, number, number]), "one state");
        assert!(number >= latest, "versions never go back");
        latest = number;
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Activations of which the first ones may make memory grow.
const WARM_UP: u64 = 200;

#[tokio::test]
async fn memory_stays_flat_over_a_thousand_activations() {
    let acme = ControlPlane::start().await;
    let url = acme.url();
    let config = format!("services: {{acme: {{url: \"{url}\"}}}}\nbundles: {{authz: {{trigger: manual}}}}\n");
    let agent = regent().config(&config).args(["--log-level", "error"]).start().await.expect("the agent starts");
    let (mut warm, mut most) = (0, 0);
    for number in 1..=1_000_u64 {
        acme.serve_bundle("authz", version(number));
        let answer = agent.post("/v1/bundles/authz/trigger", ()).await;
        assert_eq!(answer.json()["result"]["revision"], format!("v{number}"), "{}", answer.text());
        if number % 50 == 0 {
            acme.forget();
            let answer = agent.post("/v1/data/twins/both", json!({"input": {}})).await;
            assert_eq!(answer.json()["result"], json!([number, number, number]));
            let held: u64 = agent.get("/metrics/alloc_bytes").await.text().trim().parse().expect("a number");
            if number <= WARM_UP { warm = warm.max(held) } else { most = most.max(held) }
        }
    }
    // Each version holds 20,000 numbers: 800 of them would be several hundred megabytes.
    assert!(most < warm + (32 << 20), "{most} bytes after {warm}");
}
