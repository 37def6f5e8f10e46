//! The configuration is read again while the agent runs: all of it takes effect, or nothing.

use regent_kit::{Agent, Bundle, ControlPlane};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, config, decide, ready, regent};

async fn control_plane() -> ControlPlane {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    acme.serve_bundle("other", Bundle::new().revision("o1").roots(["other"]).data("other", json!({"x": 1})).build());
    acme
}

fn rewrite(agent: &Agent, config: &str) {
    std::fs::write(agent.dir().join("config.yaml"), config).expect("the configuration can be written");
}

/// The configuration with one more bundle and another label.
fn changed(acme: &ControlPlane) -> String {
    let polling = "{min_delay_seconds: 1, max_delay_seconds: 1}";
    config(acme)
        .replace("{region: test}", "{region: moved}")
        .replace("bundles: {", &format!("bundles: {{other: {{service: acme, polling: {polling}}}, "))
}

async fn effective(agent: &Agent) -> Value {
    agent.get("/v1/config").await.json()["result"].clone()
}

async fn has_both(acme: &ControlPlane) {
    let both =
        |report: &Value| report["bundles"]["other"]["active_revision"] == "o1" && report["labels"]["region"] == "moved";
    acme.wait_for_status(SOON, both).await.expect("the other bundle becomes active");
}

#[tokio::test]
async fn at_a_hangup_the_configuration_is_read_again() {
    let acme = control_plane().await;
    let agent = ready(regent().config(&config(&acme))).await;
    rewrite(&agent, &changed(&acme));
    agent.signal("HUP").expect("a signal");
    agent.wait_for_log("Configuration reloaded.", SOON).await.expect("a line");
    has_both(&acme).await;
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    let asked = acme.requests().iter().filter(|request| request.path == "/bundles/authz").count();
    assert!(asked > 0);

    // What is no longer configured leaves.
    rewrite(&agent, &config(&acme).replace("authz: {service", "other: {service"));
    agent.signal("HUP").expect("a signal");
    regent_kit::wait::until(SOON, "the policy to go", async || {
        agent.get("/v1/data/app").await.json().get("result").is_none().then_some(())
    })
    .await
    .expect("the bundle leaves");

    // So do all of them when there is no such section any more.
    assert_eq!(agent.get("/v1/data/other").await.json()["result"]["x"], 1);
    let without: String =
        config(&acme).lines().filter(|line| !line.starts_with("bundles")).collect::<Vec<_>>().join("\n");
    rewrite(&agent, &without);
    agent.signal("HUP").expect("a signal");
    regent_kit::wait::until(SOON, "the data to go", async || {
        agent.get("/v1/data/other").await.json().get("result").is_none().then_some(())
    })
    .await
    .expect("all bundles leave");
    assert_eq!(agent.get("/health?bundles&plugins").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    let acme = control_plane().await;
    let agent = ready(regent().config(&config(&acme))).await;
    let before = effective(&agent).await;
    let wrong = changed(&acme).replace("status: {service: acme}", "status: {service: nobody}");
    for (text, expected) in [
        ("{", "error converting YAML to JSON"),
        (wrong.as_str(), r#"invalid service name \"nobody\" in status"#),
        ("plugins: {nobody: {}}", r#"plugin \"nobody\" not registered"#),
        ("server: {decoding: {max_length: -1}}", "server.decoding.max_length"),
        ("server: {metrics: {prom: {http_request_duration_seconds: {buckets: []}}}}", "server.metrics.prom: "),
    ] {
        rewrite(&agent, text);
        agent.signal("HUP").expect("a signal");
        let line = regent_kit::wait::until(SOON, "the refusal", async || {
            let log = agent.stderr();
            log.lines().find(|line| line.contains("not reloaded") && line.contains(expected)).map(str::to_owned)
        });
        let line = line.await.expect("the refusal is logged");
        assert!(line.contains("the former one stays in effect"), "{line}");
        assert_eq!(effective(&agent).await, before, "{expected}");
        assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    }
    std::fs::remove_file(agent.dir().join("config.yaml")).expect("the file can be removed");
    agent.signal("HUP").expect("a signal");
    agent.wait_for_log("config.yaml: no such file or directory", SOON).await.expect("the refusal is logged");
    rewrite(&agent, &changed(&acme));
    agent.signal("HUP").expect("a signal");
    has_both(&acme).await;
}

#[tokio::test]
async fn a_file_that_changes_is_read_again_if_it_is_watched() {
    let acme = control_plane().await;
    let agent = ready(regent().arg("--watch-config").config(&config(&acme))).await;
    // As editors do it: a new file in the place of the old one.
    std::fs::write(agent.dir().join("new.yaml"), changed(&acme)).expect("the file can be written");
    std::fs::rename(agent.dir().join("new.yaml"), agent.dir().join("config.yaml")).expect("the file can be renamed");
    has_both(&acme).await;
    rewrite(&agent, &config(&acme));
    agent.wait_for_log("Configuration reloaded.", SOON).await.expect("a line");
    regent_kit::wait::until(SOON, "the label to change back", async || {
        (effective(&agent).await["labels"]["region"] == "test").then_some(())
    })
    .await
    .expect("the file is read again");
}

/// Has the configuration read again, and gives what the log then says of that.
async fn reloaded(agent: &Agent, config: &str) -> String {
    let reloads = || agent.stderr().lines().filter(|line| line.contains("Configuration reloaded.")).count();
    let before = reloads();
    rewrite(agent, config);
    agent.signal("HUP").expect("a signal");
    regent_kit::wait::until(SOON, "the reload", async || (reloads() > before).then_some(())).await.expect("a reload");
    let log = agent.stderr();
    log.lines().rfind(|line| line.contains("Configuration reloaded.")).expect("there").to_owned()
}

#[tokio::test]
async fn what_counts_only_at_the_start_is_named_while_it_differs() {
    let acme = control_plane().await;
    let agent = ready(regent().config(&config(&acme))).await;
    let larger = config(&acme) + "server: {encoding: {gzip: {min_length: 2048}}}\n";
    let late = "takes effect at the next start: server\"";
    for _ in 0..2 {
        let line = reloaded(&agent, &larger).await;
        assert!(line.contains(late), "{line}");
    }
    let line = reloaded(&agent, &config(&acme)).await;
    assert!(!line.contains("next start"), "as it was at the start: {line}");
}

#[tokio::test]
async fn what_has_no_effect_yet_is_named_and_not_promised() {
    let acme = control_plane().await;
    let agent = ready(regent().config(&config(&acme))).await;
    let more = "storage: {disk: {directory: x}}\nmetrics_export: {type: otlp/grpc}\nserver: {lmits: {}}\n";
    let line = reloaded(&agent, &(config(&acme) + more)).await;
    assert!(line.contains("takes effect at the next start: server\""), "{line}");
    let log = agent.stderr();
    for expected in ["`storage` has no effect yet", "`metrics_export` has no effect yet", "server.lmits"] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
}

#[tokio::test]
async fn what_was_discovered_stays_below_what_is_read_again() {
    let acme = control_plane().await;
    let found = json!({
        "bundles": {"authz": {"service": "acme"}}, "status": {"service": "acme"}, "labels": {"region": "found", "tier": "1"},
        "server": {"batch": {"max_inputs": 3}},
    });
    acme.serve_bundle("discovery", Bundle::new().data("", found).build());
    let boot = format!(
        "services: {{acme: {{url: \"{}\"}}}}\ndiscovery: {{service: acme, resource: bundles/discovery}}\n",
        acme.url()
    );
    let agent = regent().config(&boot).start().await.expect("the agent starts");
    let found =
        |report: &Value| report["labels"]["region"] == "found" && report["bundles"]["authz"]["active_revision"] == "v1";
    acme.wait_for_status(SOON, found).await.expect("it is found");
    let without = "`server` has no effect where it is discovered (from discovery)";
    assert!(agent.stderr().contains(without), "{}", agent.stderr());
    let line = reloaded(&agent, &(boot + "labels: {region: read}\n")).await;
    assert!(!line.contains("next start"), "no start looks at what is discovered: {line}");
    regent_kit::wait::until(SOON, "the label to change", async || {
        let labels = effective(&agent).await["labels"].clone();
        (labels["region"] == "read" && labels["tier"] == "1").then_some(())
    })
    .await
    .expect("the file wins");
    assert_eq!(agent.get("/health?bundles&plugins").await.status, 200);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
}
