//! How old bundles are, what too old comes to, and that the wall clock has no say in it.

use std::path::PathBuf;
use std::process::Command;

use regent_kit::{Agent, AgentCommand, Bundle, ControlPlane, Fault};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, decide, ready, regent};

const HEALTH: &str = "package system.health\n\nfresh if {\n\tinput.bundles.authz.confirmed\n\tnot input.bundles.authz.stale\n\t\
                      input.bundles.authz.age_seconds < 100\n\tinput.bundles.authz.active_revision\n}\n";

const AUTHZ: &str = "/bundles/authz";

/// A configuration with a bundle that is asked for every second, and too old after three.
fn config(acme: &ControlPlane, more: &str) -> String {
    let polling = "polling: {min_delay_seconds: 1, max_delay_seconds: 1}";
    format!(
        "services: {{acme: {{url: \"{}\"}}}}\nstatus: {{service: acme}}\npersistence_directory: kept\n\
         bundles: {{authz: {{service: acme, {polling}, max_staleness_seconds: 3{more}}}}}\n",
        acme.url()
    )
}

fn command(acme: &ControlPlane, more: &str) -> AgentCommand {
    regent().config(&config(acme, more)).file("health.rego", HEALTH).arg("health.rego").arg("--log-level=info")
}

/// The gauge, as often as it is asked for.
async fn gauge(agent: &Agent) -> Option<f64> {
    let page = agent.get("/metrics").await.text();
    let line = page.lines().find_map(|line| line.strip_prefix("bundle_age_seconds{name=\"authz\"} "))?;
    Some(line.parse().expect("a number"))
}

async fn state(acme: &ControlPlane, state: &str) -> Value {
    let seen = acme.statuses().len();
    let mut at = 0;
    let report = acme.wait_for_status(SOON, |report| {
        at += 1;
        at > seen && report["plugins"]["bundle"]["state"] == state
    });
    report.await.expect("the state is reported")
}

#[tokio::test]
async fn a_bundle_that_nobody_confirms_any_more_is_too_old_until_somebody_does() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(command(&acme, "")).await;
    let report = state(&acme, "OK").await;
    assert_eq!(report["bundles"]["authz"]["confirmed"], true);
    // "Not modified" confirms as a bundle does.
    acme.wait_for_requests(AUTHZ, 6, SOON).await.expect("it is polled");
    assert_eq!(agent.get("/health?bundles").await.status, 200);
    assert_eq!(agent.get("/health/fresh").await.status, 200);
    assert!(gauge(&agent).await.is_some_and(|age| age < 30.0));

    acme.fail_always(AUTHZ, Some(Fault::Status(503)));
    let stale = state(&acme, "ERROR").await;
    let expected = "not confirmed by their service for longer than max_staleness_seconds: authz";
    assert_eq!(stale["plugins"]["bundle"]["message"], expected);
    let authz = &stale["bundles"]["authz"];
    assert_eq!((&authz["stale"], &authz["active_revision"]), (&true.into(), &"v1".into()));
    assert!(authz["age_seconds"].as_u64().is_some_and(|age| age >= 3), "{authz}");
    assert!(gauge(&agent).await.is_some_and(|age| age >= 3.0));
    assert_eq!(agent.get("/health?bundles").await.status, 500);
    assert_eq!(agent.get("/health/fresh").await.status, 500);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "it still decides");
    agent.wait_for_log("Bundle is stale: ", SOON).await.expect("a line of the log");

    // What is shown is the age of now, not that of the last report.
    let shown = async || agent.get("/v1/status").await.json()["result"]["bundles"]["authz"]["age_seconds"].as_u64();
    let before = shown().await.expect("a number");
    regent_kit::wait::until(SOON, "it to get older", async || (shown().await > Some(before)).then_some(()))
        .await
        .expect("it gets older");

    // A version that cannot be used confirms nothing.
    acme.serve_bundle("authz", "no archive");
    acme.fail_always(AUTHZ, None);
    acme.wait_for_status(SOON, |report| {
        let message = report["bundles"]["authz"]["message"].as_str();
        message.is_some_and(|message| message.contains("archive read failed"))
    })
    .await
    .expect("it is asked again");
    assert_eq!(agent.get("/health?bundles").await.status, 500);
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let fresh = state(&acme, "OK").await;
    assert_eq!((&fresh["bundles"]["authz"]["stale"], fresh["plugins"]["bundle"].get("message")), (&false.into(), None));
    assert_eq!(agent.get("/health/fresh").await.status, 200);
    agent.wait_for_log("Bundle is no longer stale.", SOON).await.expect("a line of the log");
}

#[tokio::test]
async fn a_configuration_that_nobody_confirms_any_more_is_too_old_until_somebody_does() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let polling = json!({"min_delay_seconds": 1, "max_delay_seconds": 1});
    let found = json!({"bundles": {"authz": {"polling": polling}}, "status": {"service": "acme"}});
    let served = || Bundle::new().revision("d1").data("", found.clone()).build();
    acme.serve_bundle("discovery", served());
    let config = json!({
        "services": {"acme": {"url": acme.url()}},
        "discovery": {"resource": "bundles/discovery", "polling": polling, "max_staleness_seconds": 3},
    });
    let agent = ready(regent().config(&config.to_string())).await;
    let stale = |wanted: bool| move |report: &Value| report["discovery"]["stale"] == wanted;
    let report = acme.wait_for_status(SOON, stale(false)).await.expect("a report");
    assert_eq!((&report["discovery"]["confirmed"], &report["bundles"]["authz"]["stale"]), (&true.into(), &Value::Null));
    // "Not modified" confirms as a configuration does.
    acme.wait_for_requests("/bundles/discovery", 6, SOON).await.expect("it is polled");
    assert_eq!(agent.get("/health?plugins").await.status, 200);
    assert!(agent.get("/metrics").await.text().contains("\ndiscovery_age_seconds "));

    acme.fail_always("/bundles/discovery", Some(Fault::Status(503)));
    let report = acme.wait_for_status(SOON, stale(true)).await.expect("it is too old");
    assert_eq!(report["plugins"]["discovery"]["state"], "ERROR");
    let expected = "not confirmed by its service for longer than max_staleness_seconds";
    assert_eq!(report["plugins"]["discovery"]["message"], expected);
    assert!(report["discovery"]["age_seconds"].as_u64().is_some_and(|age| age >= 3), "{report}");
    assert_eq!(agent.get("/health?plugins").await.status, 500);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true, "it still decides");

    // A configuration that is refused confirms nothing.
    acme.serve_bundle("discovery", Bundle::new().data("", json!({"bundles": {"x": {"service": "nobody"}}})).build());
    acme.fail_always("/bundles/discovery", None);
    let refused = |report: &Value| report["discovery"]["message"].as_str().is_some_and(|text| text.contains("nobody"));
    let report = acme.wait_for_status(SOON, refused).await.expect("it is refused");
    assert_eq!(
        (&report["discovery"]["stale"], &report["plugins"]["discovery"]["state"]),
        (&true.into(), &"ERROR".into())
    );
    let seen = acme.statuses().len();
    acme.serve_bundle("discovery", served());
    let mut at = 0;
    let report = acme.wait_for_status(SOON, |report| {
        at += 1;
        at > seen && report["discovery"]["stale"] == false
    });
    let report = report.await.expect("all is well again");
    assert_eq!((&report["plugins"]["discovery"]["state"], report["discovery"].get("code")), (&"OK".into(), None));
    assert_eq!(agent.get("/health?plugins").await.status, 200);
}

#[tokio::test]
async fn a_copy_on_disk_is_not_confirmed_by_itself() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let command = command(&acme, ", persist: true").arg("--log-level=debug");
    let agent = ready(command).await;
    agent.wait_for_log("Bundle persisted to disk successfully", SOON).await.expect("the bundle is kept");
    acme.fail_always(AUTHZ, Some(Fault::Reset));
    let agent = ready(agent.into_command().await).await;
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    assert_eq!(agent.get("/health/fresh").await.status, 500, "it may be of any age");
    let stale = state(&acme, "ERROR").await;
    assert_eq!(stale["bundles"]["authz"]["confirmed"], false);
    acme.fail_always(AUTHZ, None);
    let fresh = state(&acme, "OK").await;
    assert_eq!(fresh["bundles"]["authz"]["confirmed"], true);
}

/// A library that makes a process see another wall clock: that of the machine and the seconds that a file says.
const CLOCK: &str = r#"#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    if (id == CLOCK_REALTIME && result == 0) {
        long long jump = 0;
        FILE *file = fopen(getenv("CLOCK_JUMP"), "r");
        if (file) {
            if (fscanf(file, "%lld", &jump) == 1) now->tv_sec += jump;
            fclose(file);
        }
    }
    return result;
}
"#;

/// An agent whose wall clock the test sets.
fn with_clock(command: AgentCommand) -> (AgentCommand, PathBuf) {
    let command = command.file("clock.c", CLOCK).file("jump", "0");
    let (library, jump) = (command.dir().join("clock.so"), command.dir().join("jump"));
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(command.dir().join("clock.c")).arg("-ldl");
    let done = compiler.output().expect("a C compiler, which Rust links with");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let command = command.env("LD_PRELOAD", &library).env("CLOCK_JUMP", &jump);
    (command, jump)
}

#[tokio::test]
async fn a_wall_clock_that_jumps_makes_no_bundle_old_and_none_young() {
    const DAY: i64 = 86_400;
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let (command, jump) = with_clock(command(&acme, ""));
    let agent = ready(command).await;
    let set = |seconds: i64| std::fs::write(&jump, seconds.to_string()).expect("written");
    let year = |report: &Value| report["bundles"]["authz"]["last_request"].as_str()?[..4].parse::<i64>().ok();
    let this_year = year(&state(&acme, "OK").await).expect("a time");
    for years in [20, -20] {
        set(years * 366 * DAY);
        let seen = acme.statuses().len();
        let jumped = |report: &Value| year(report).is_some_and(|year| (year - this_year - years).abs() <= 1);
        acme.wait_for_status(SOON, jumped).await.expect("the clock has jumped");
        let asked = acme.requests().iter().filter(|request| request.path == AUTHZ).count();
        acme.wait_for_requests(AUTHZ, asked + 4, SOON).await.expect("it is polled as before");
        let reports = acme.statuses();
        assert!(reports[seen..].iter().all(|report| report["plugins"]["bundle"]["state"] == "OK"), "{years}");
        assert!(reports[seen..].iter().all(|report| report["bundles"]["authz"]["age_seconds"].as_u64() < Some(60)));
        assert_eq!(agent.get("/health?bundles").await.status, 200, "{years}");
    }
    // From the past into another past: the age counts on.
    acme.fail_always(AUTHZ, Some(Fault::Status(503)));
    set(-40 * 366 * DAY);
    state(&acme, "ERROR").await;
    assert!(gauge(&agent).await.is_some_and(|age| (3.0..600.0).contains(&age)));
    acme.fail_always(AUTHZ, None);
    state(&acme, "OK").await;
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
}
