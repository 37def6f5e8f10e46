//! The configuration comes from a bundle: found, computed, refused, kept on disk, taken away again.

use regent_kit::{Agent, Bundle, ControlPlane, Fault};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, decide, regent};

const QUICKLY: &str = "{min_delay_seconds: 1, max_delay_seconds: 1}";

/// A configuration that says little more than where the rest is found.
fn boot(acme: &ControlPlane, more: &str) -> String {
    format!(
        "services: {{acme: {{url: \"{}\"}}}}\nlabels: {{region: north}}\npersistence_directory: kept\n\
         discovery: {{service: acme, resource: bundles/discovery, polling: {QUICKLY}{more}}}\n",
        acme.url()
    )
}

/// What an agent should do: one bundle, and reports of how it fares.
fn configuration(more: &Value) -> Value {
    let polling = json!({"min_delay_seconds": 1, "max_delay_seconds": 1});
    let mut configuration = json!({
        "bundles": {"authz": {"service": "acme", "polling": polling}},
        "status": {"service": "acme"},
    });
    for (key, value) in more.as_object().expect("an object") {
        configuration[key] = value.clone();
    }
    configuration
}

/// A bundle whose data is the configuration.
fn discovery(revision: &str, configuration: Value) -> Vec<u8> {
    Bundle::new().revision(revision).data("", configuration).build()
}

async fn with_authz() -> ControlPlane {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    acme
}

async fn effective(agent: &Agent) -> Value {
    agent.get("/v1/config").await.json()["result"].clone()
}

/// Waits for a report in which this revision of the discovery bundle is active.
async fn revision(acme: &ControlPlane, revision: &str) -> Value {
    let active = |report: &Value| report["discovery"]["active_revision"] == revision;
    acme.wait_for_status(SOON, active).await.expect("the revision becomes active")
}

async fn plugins(agent: &Agent, wanted: impl Fn(&Value) -> bool) {
    regent_kit::wait::until(SOON, "the plugins to change", async || {
        let status = agent.get("/v1/status").await.json()["result"]["plugins"].clone();
        wanted(&status).then_some(())
    })
    .await
    .expect("the plugins change");
}

#[tokio::test]
async fn a_configuration_is_found_and_put_into_effect() {
    let acme = with_authz().await;
    acme.serve_bundle("discovery", discovery("d1", configuration(&json!({"labels": {"tier": "edge"}}))));
    let agent = regent().config(&boot(&acme, "")).start().await.expect("the agent starts");
    let report = revision(&acme, "d1").await;
    assert_eq!((&report["discovery"]["name"], &report["discovery"]["type"]), (&"discovery".into(), &"snapshot".into()));
    assert_eq!((&report["labels"]["region"], &report["labels"]["tier"]), (&"north".into(), &"edge".into()));
    acme.wait_for_status(SOON, |report| report["bundles"]["authz"]["active_revision"] == "v1").await.expect("active");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    let shown = effective(&agent).await;
    assert_eq!((&shown["labels"]["tier"], &shown["bundles"]["authz"]["service"]), (&"edge".into(), &"acme".into()));
    assert_eq!(agent.get("/health?bundles&plugins").await.status, 200);
}

#[tokio::test]
async fn what_is_discovered_may_add_services_and_say_nothing_of_those_that_are_there() {
    let (acme, other) = (with_authz().await, ControlPlane::start().await);
    other.serve_bundle("more", Bundle::new().revision("m1").data("more", json!({"x": 1})).roots(["more"]).build());
    let polling = json!({"min_delay_seconds": 1, "max_delay_seconds": 1});
    let found = json!({
        "services": [{"name": "other", "url": other.url()}],
        "bundles": {"authz": {"polling": polling}, "more": {"service": "other", "polling": polling}, "off": null},
        "status": {}, "persistence_directory": "elsewhere", "discovery": {"service": "other", "resource": "x"},
    });
    acme.serve_bundle("discovery", discovery("d1", found));
    let agent = regent().config(&boot(&acme, ", persist: true")).start().await.expect("the agent starts");
    let active = |report: &Value| report["bundles"]["more"]["active_revision"] == "m1";
    let report = acme.wait_for_status(SOON, active).await.expect("the bundle of the new service becomes active");
    assert_eq!(report["bundles"].get("off"), None);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "from the service that was there");
    let shown = effective(&agent).await;
    assert_eq!((&shown["persistence_directory"], &shown["discovery"]["service"]), (&"kept".into(), &"acme".into()));
    assert!(!agent.dir().join("elsewhere").exists());
}

#[tokio::test]
async fn services_may_be_added_where_discovery_names_none_because_there_was_only_one() {
    let acme = with_authz().await;
    let found = json!({"services": {"other": {"url": "http://127.0.0.1:1"}}, "labels": {"tier": "edge"}});
    acme.serve_bundle("discovery", discovery("d1", configuration(&found)));
    let boot = boot(&acme, "").replace("service: acme, resource", "resource");
    let agent = regent().config(&boot).start().await.expect("the agent starts");
    revision(&acme, "d1").await;
    assert_eq!(effective(&agent).await["services"]["other"]["url"], "http://127.0.0.1:1");
    acme.wait_for_status(SOON, |report| report["bundles"]["authz"]["active_revision"] == "v1").await.expect("active");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
}

#[tokio::test]
async fn keys_that_are_discovered_are_no_change_for_discovery_and_those_that_are_reloaded_are() {
    let acme = with_authz().await;
    let found = json!({"keys": {"more": {"key": "secret", "algorithm": "HS256"}}});
    acme.serve_bundle("discovery", discovery("d1", configuration(&found)));
    let asked = || acme.requests().iter().filter(|request| request.path == "/bundles/discovery").count();
    let seldom = boot(&acme, "").replace(QUICKLY, "{min_delay_seconds: 3600, max_delay_seconds: 3600}");
    let agent = regent().config(&seldom).start().await.expect("the agent starts");
    revision(&acme, "d1").await;
    assert_eq!(asked(), 1);
    std::fs::write(agent.dir().join("config.yaml"), format!("{seldom}keys: {{k: {{key: other, algorithm: HS256}}}}\n"))
        .expect("the configuration can be written");
    agent.signal("HUP").expect("a signal");
    agent.wait_for_log("Configuration reloaded.", SOON).await.expect("a line");
    // A new instance goes by the new keys, and asks at once.
    let again = async || (asked() == 2).then_some(());
    regent_kit::wait::until(SOON, "discovery to start anew", again).await.expect("it does");
}

#[tokio::test]
async fn a_configuration_is_computed_for_the_agent_that_asks() {
    let acme = with_authz().await;
    acme.serve_bundle("authz-north", bundle("n1", &["ann"]));
    let policy = r#"package example

discovery := {"bundles": {"authz": bundle}, "status": {"service": "acme"}, "labels": {"zone": zone}}

bundle := {"service": "acme", "resource": sprintf("bundles/authz-%s", [opa.runtime().config.labels.region])}

zone := concat("", ["$", "{ZONE}"])
"#;
    acme.serve_bundle("discovery", Bundle::new().revision("d1").rego("d.rego", policy).build());
    let config = boot(&acme, ", decision: example/discovery");
    let agent = regent().env("ZONE", "z7").config(&config).start().await.expect("the agent starts");
    let active = |report: &Value| report["bundles"]["authz"]["active_revision"] == "n1";
    let report = acme.wait_for_status(SOON, active).await.expect("the bundle of the region becomes active");
    assert_eq!(report["labels"]["zone"], "z7", "variables in what is discovered are replaced");
    assert_eq!(agent.get("/v1/data/example").await.json().get("result"), None, "its policies decide nothing else");
}

#[tokio::test]
async fn what_the_agent_was_started_with_waits_and_wins() {
    let acme = with_authz().await;
    acme.fail_always("/bundles/discovery", Some(Fault::Status(503)));
    let config = boot(&acme, "") + "status: {service: acme, partition_name: mine}\n";
    let agent = regent().config(&config).start().await.expect("the agent starts");
    agent
        .wait_for_log("Discovery download failed: server replied with Service Unavailable", SOON)
        .await
        .expect("a line");
    assert_eq!(agent.get("/health?plugins").await.status, 500);
    assert!(acme.statuses().is_empty(), "nothing else starts before");

    let other = json!({"status": {"service": "acme", "partition_name": "theirs"}, "labels": {"region": "south"}});
    acme.serve_bundle("discovery", discovery("d1", configuration(&other)));
    acme.fail_always("/bundles/discovery", None);
    let report = revision(&acme, "d1").await;
    let message = report["discovery"]["message"].as_str().expect("a message");
    let expected = "Keys in the discovered configuration overridden by boot configuration: ";
    assert_eq!(message, format!("{expected}labels.region, status.partition_name"));
    assert_eq!(report["labels"]["region"], "north");
    assert!(acme.requests().iter().all(|request| request.path != "/status/theirs"));
    assert_eq!(report["discovery"].get("code"), None);
}

#[tokio::test]
async fn what_may_not_change_is_refused_as_a_whole() {
    let acme = with_authz().await;
    acme.serve_bundle("discovery", discovery("d1", configuration(&json!({}))));
    let agent = regent().config(&boot(&acme, "")).start().await.expect("the agent starts");
    revision(&acme, "d1").await;
    let moved = json!({"services": {"acme": {"url": "http://127.0.0.1:1"}}});
    let broken = json!({"bundles": {"other": {"service": "nobody"}}});
    let unknown = json!({"plugins": {"nobody": {}}, "bundles": {}});
    for (change, expected) in [
        (moved, "updates to the discovery service are not allowed"),
        (broken, r#"invalid configuration for bundle "other": service name "nobody" not found"#),
        (unknown, r#"plugin "nobody" not registered"#),
        (json!({"bundles": {"authz": {"trigger": "manual"}}}), "trigger mode mismatch: manual and periodic"),
        (json!({"server": {"batch": {"max_inputs": -3}}}), "invalid value for server.batch.max_inputs field"),
    ] {
        acme.serve_bundle("discovery", discovery("bad", configuration(&change)));
        let refused = |report: &Value| {
            let message = report["discovery"]["message"].as_str();
            message.is_some_and(|message| message.contains(expected))
        };
        let report = acme.wait_for_status(SOON, refused).await.expect("the refusal is reported");
        assert_eq!(report["discovery"]["code"], "bundle_error", "{expected}");
        assert_eq!(report["discovery"]["active_revision"], "d1", "{expected}");
        assert_eq!(effective(&agent).await["bundles"]["authz"]["service"], "acme", "{expected}");
    }
    // What is in effect is no longer what the service had last, so it is asked for whatever it has.
    let asked = acme.requests().into_iter().filter(|request| request.path == "/bundles/discovery");
    assert_eq!(asked.last().and_then(|last| last.header("if-none-match").map(str::to_owned)), None);
    acme.serve_bundle("discovery", discovery("d2", configuration(&json!({"labels": {"tier": "edge"}}))));
    let report = revision(&acme, "d2").await;
    assert_eq!((report["discovery"].get("code"), &report["labels"]["tier"]), (None, &"edge".into()));
}

#[tokio::test]
async fn a_bundle_that_gives_no_configuration_is_reported() {
    let acme = with_authz().await;
    acme.serve_bundle("discovery", discovery("d1", configuration(&json!({}))));
    let config = boot(&acme, ", decision: found").replace("\ndiscovery", "\nstatus: {service: acme}\ndiscovery");
    acme.serve_bundle("discovery", Bundle::new().revision("d1").data("found", configuration(&json!({}))).build());
    let agent = regent().config(&config).start().await.expect("the agent starts");
    revision(&acme, "d1").await;
    let reports = async |bundle: Vec<u8>, expected: &str| {
        acme.serve_bundle("discovery", bundle);
        let wanted =
            |report: &Value| report["discovery"]["message"].as_str().is_some_and(|message| message.contains(expected));
        acme.wait_for_status(SOON, wanted).await.expect("the failure is reported")
    };
    reports(Bundle::new().data("elsewhere", json!({})).build(), "undefined configuration").await;
    let broken = Bundle::new().rego("d.rego", "package found\n\nlabels := x").build();
    let report = reports(broken, "error(s) occurred while compiling module(s)").await;
    assert_eq!(report["discovery"]["errors"][0]["code"], "rego_unsafe_var_error");
    reports(Bundle::new().data("found", json!([1])).build(), "failed to parse discovery").await;
    let patch = r#"{"data": [{"op": "remove", "path": "/found"}]}"#;
    reports(Bundle::new().file("patch.json", patch).build(), "has to be whole").await;
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "the agent goes on as before");
}

#[tokio::test]
async fn plugins_come_and_go_and_bundles_only_where_that_is_said() {
    let acme = with_authz().await;
    acme.serve_bundle("discovery", discovery("d1", configuration(&json!({}))));
    let agent = regent().config(&boot(&acme, "")).start().await.expect("the agent starts");
    revision(&acme, "d1").await;
    let console = json!({"decision_logs": {"console": true}});
    acme.serve_bundle("discovery", discovery("d2", configuration(&console)));
    plugins(&agent, |plugins| plugins["decision_logs"]["state"] == "OK").await;
    decide(&agent, "app/allow", json!({"user": "ann"})).await;
    agent.wait_for_log("Decision Log", SOON).await.expect("decisions are logged");

    // Bundles that are not mentioned stay, and so does their policy; a plugin that is not mentioned stops.
    acme.serve_bundle("discovery", discovery("d3", json!({"status": {"service": "acme"}})));
    plugins(&agent, |plugins| plugins.get("decision_logs").is_none() && plugins["bundle"]["state"] == "OK").await;
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    acme.serve_bundle("authz", bundle("v2", &["bob"]));
    acme.wait_for_status(SOON, |report| report["bundles"]["authz"]["active_revision"] == "v2")
        .await
        .expect("it is polled");

    acme.serve_bundle("discovery", discovery("d4", json!({"status": {"service": "acme"}, "bundles": {}})));
    regent_kit::wait::until(SOON, "the policy to go", async || {
        let answer = agent.get("/v1/data/app").await.json();
        answer.get("result").is_none_or(Value::is_null).then_some(())
    })
    .await
    .expect("bundles that are taken away are erased");
}

#[tokio::test]
async fn without_its_service_an_agent_starts_as_it_was_configured_last() {
    let acme = with_authz().await;
    acme.serve_bundle("discovery", discovery("d1", configuration(&json!({}))));
    let agent = regent().arg("--log-level=debug").config(&boot(&acme, ", persist: true"));
    let agent = agent.start().await.expect("the agent starts");
    revision(&acme, "d1").await;
    let kept = "kept/bundles/discovery/bundle.tar.gz";
    agent.wait_for_log("Bundle persisted to disk successfully", SOON).await.expect("the bundle is kept");
    assert!(agent.dir().join(kept).exists());

    let command = agent.into_command().await;
    acme.fail_always("/bundles/discovery", Some(Fault::Reset));
    let agent = command.start().await.expect("the agent starts");
    agent.wait_for_log("Discovery bundle loaded from disk and activated successfully.", SOON).await.expect("a line");
    regent_kit::wait::until(SOON, "the bundle", async || {
        (agent.get("/health?bundles").await.status == 200).then_some(())
    })
    .await
    .expect("the bundle becomes active");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
}

#[tokio::test]
async fn a_configuration_that_keeps_changing_disturbs_no_decision() {
    let acme = with_authz().await;
    let long = json!({"min_delay_seconds": 3600, "max_delay_seconds": 3600});
    let polled = json!({"service": "acme", "polling": long});
    let versions = [json!({"authz": polled}), json!({"authz": polled, "other": polled})];
    acme.serve_bundle("other", Bundle::new().revision("o1").data("other", json!({"x": 1})).roots(["other"]).build());
    let serve = |turn: usize| {
        let bundles = json!({"bundles": versions[turn % 2], "status": {"service": "acme"}});
        acme.serve_bundle_holding("discovery", discovery(&format!("d{turn}"), bundles));
    };
    serve(0);
    let polling = "polling: {min_delay_seconds: 1, max_delay_seconds: 1, long_polling_timeout_seconds: 30}";
    let config = boot(&acme, "").replace(&format!("polling: {QUICKLY}"), polling);
    let agent = regent().config(&config).start().await.expect("the agent starts");
    let active = |report: &Value| report["bundles"]["authz"]["active_revision"] == "v1";
    acme.wait_for_status(SOON, active).await.expect("the bundle becomes active");
    for turn in 1..=20 {
        serve(turn);
        revision(&acme, &format!("d{turn}")).await;
        assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "turn {turn}");
    }
    let asked = acme.requests().into_iter().filter(|request| request.path == "/bundles/authz").count();
    assert_eq!(asked, 1, "a bundle that does not change is not loaded again");
}
