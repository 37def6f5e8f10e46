//! `regent config check`: what would be in effect, where it comes from, what is wrong, what discovery would change.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use regent_kit::{Bundle, ControlPlane, Fault};
use serde_json::{Value, json};

/// Checks a configuration, which is in a file `config.yaml`.
async fn check(yaml: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("config.yaml"), yaml).expect("the folder can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_regent"));
    command.args(["config", "check", "--config-file", "config.yaml"]).args(arguments);
    command.current_dir(folder.path()).env_clear().envs(environment.iter().copied());
    // On another thread, because control planes live on this one.
    let run = tokio::task::spawn_blocking(move || command.output().expect("the binary runs"));
    let Output { status, stdout, stderr } = run.await.expect("it ends");
    drop(folder);
    assert_eq!(String::from_utf8_lossy(&stderr), "", "what is found goes to standard output");
    (status.code().expect("it ends by itself"), String::from_utf8(stdout).expect("UTF-8"))
}

async fn check_json(yaml: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, Value) {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--format", "json"]).collect();
    let (code, text) = check(yaml, &arguments, environment).await;
    (code, serde_json::from_str(&text).expect("JSON"))
}

/// The entry of a list that is about a key.
fn about<'v>(list: &'v Value, key: &str) -> &'v Value {
    list.as_array().and_then(|entries| entries.iter().find(|entry| entry["key"] == key)).unwrap_or(&Value::Null)
}

const SERVICE: &str = "services: {acme: {url: \"${ACME}\", credentials: {bearer: {token: \"${TOKEN}\"}}}}\n";

#[tokio::test]
async fn every_value_is_shown_with_the_layer_that_it_comes_from() {
    let yaml = format!("{SERVICE}labels: {{region: north, zone: a}}\nbundles: {{authz: {{service: acme}}}}\n");
    let environment = [("ACME", "http://127.0.0.1:1"), ("TOKEN", "s3cret")];
    let arguments = ["--set", "labels.zone=b"];
    let (code, text) = check(&yaml, &arguments, &environment).await;
    assert_eq!(code, 0, "{text}");
    for (key, value, origin) in [
        ("services.acme.url", r#""http://127.0.0.1:1""#, "config.yaml, ${ACME}"),
        ("services.acme.credentials", r#""***""#, "config.yaml, ${TOKEN}"),
        ("labels.region", r#""north""#, "config.yaml"),
        ("labels.zone", r#""b""#, "--set"),
        ("default_decision", r#""/system/main""#, "default"),
        ("engine", r#""rego""#, "default"),
    ] {
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{key}: ")));
        let line = line.unwrap_or_else(|| panic!("no line about {key}: {text}"));
        assert_eq!(
            line.split_once(": ").map(|(_, rest)| rest.split("  # ").map(str::trim).collect()),
            Some(vec![value, origin])
        );
    }
    assert!(!text.contains("s3cret"), "{text}");
    assert!(text.ends_with("The configuration is accepted.\n"), "{text}");

    let (code, report) = check_json(&yaml, &arguments, &environment).await;
    assert_eq!(
        (code, &report["accepted"], &report["errors"], &report["discovery"]),
        (0, &json!(true), &json!([]), &Value::Null)
    );
    let url = json!({"key": "services.acme.url", "value": "http://127.0.0.1:1", "origin": "config.yaml", "variables": ["ACME"]});
    assert_eq!(about(&report["values"], "services.acme.url"), &url);
    assert!(!report.to_string().contains("s3cret"), "{report}");
}

#[tokio::test]
async fn defaults_of_bundles_and_discovery_are_among_the_values() {
    let polling = "polling: {min_delay_seconds: 5, max_delay_seconds: 6}";
    let services = "services: {acme: {url: 'http://127.0.0.1:1'}}\n";
    let yaml = format!(
        "{services}discovery: {{resource: d}}\n\
         bundles: {{a.b: {{{polling}}}, file: {{resource: 'file:///x'}}, long: {{resource: r, persist: true}}}}\n"
    );
    let (code, report) = check_json(&yaml, &["--discovery", "skip"], &[]).await;
    assert_eq!(code, 0, "{report}");
    for (key, value, origin) in [
        ("discovery.service", json!("acme"), "default"),
        ("discovery.resource", json!("d"), "config.yaml"),
        ("discovery.polling.max_delay_seconds", json!(120), "default"),
        (r"bundles.a\.b.service", json!("acme"), "default"),
        (r"bundles.a\.b.resource", json!("bundles/a.b"), "default"),
        (r"bundles.a\.b.polling.min_delay_seconds", json!(5), "config.yaml"),
        (r"bundles.a\.b.trigger", json!("periodic"), "default"),
        (r"bundles.a\.b.persist", json!(false), "default"),
        (r"bundles.a\.b.size_limit_bytes", json!(1 << 30), "default"),
        ("bundles.long.persist", json!(true), "config.yaml"),
        ("bundles.long.polling.min_delay_seconds", json!(60), "default"),
    ] {
        let found = about(&report["values"], key);
        assert_eq!((&found["value"], found["origin"].as_str()), (&value, Some(origin)), "{key}: {report}");
    }
    assert_each_key_once(&report);
    assert_eq!(about(&report["values"], "bundles.file.service"), &Value::Null, "a file has no service");
}

fn assert_each_key_once(report: &Value) {
    let keys: Vec<_> = report["values"].as_array().expect("a list").iter().map(|value| value["key"].clone()).collect();
    assert!(keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key)), "each key once: {keys:?}");
}

#[tokio::test]
async fn defaults_of_decision_logs_and_status_are_among_the_values() {
    let services = "services: {acme: {url: 'http://127.0.0.1:1'}, more: {url: 'http://127.0.0.1:2'}}\n";
    let buckets: Vec<_> = (0..20).map(|exponent| 1000 << exponent).collect();
    let tables = [
        (
            "decision_logs: {partition_name: eu, reporting: {upload_size_limit_bytes: 100}}\nstatus: {}",
            vec![
                ("decision_logs.service", json!("acme"), "default"),
                ("decision_logs.resource", json!("/logs/eu"), "default"),
                ("decision_logs.console", json!(false), "default"),
                ("decision_logs.mask_decision", json!("/system/log/mask"), "default"),
                ("decision_logs.drop_decision", json!("/system/log/drop"), "default"),
                ("decision_logs.request_context.http.headers", json!([]), "default"),
                ("decision_logs.reporting.min_delay_seconds", json!(300), "default"),
                ("decision_logs.reporting.max_delay_seconds", json!(600), "default"),
                ("decision_logs.reporting.upload_size_limit_bytes", json!(100), "config.yaml"),
                ("decision_logs.reporting.trigger", json!("periodic"), "default"),
                ("decision_logs.reporting.buffer_type", json!("size"), "default"),
                ("decision_logs.reporting.buffer_size_limit_bytes", json!(256 << 20), "default"),
                ("decision_logs.reporting.buffer_size_limit_events", Value::Null, ""),
                ("decision_logs.reporting.disk_sync", Value::Null, ""),
                ("status.service", json!("acme"), "default"),
                ("status.console", json!(false), "default"),
                ("status.prometheus", json!(false), "default"),
                ("status.trigger", json!("periodic"), "default"),
                ("status.prometheus_config.collectors.bundle_loading_duration_ns.buckets", Value::Null, ""),
            ],
        ),
        (
            "decision_logs: {console: true, reporting: {buffer_type: disk, disk_sync: interval}}\nstatus: {prometheus: true, trigger: manual}",
            vec![
                ("decision_logs.service", Value::Null, ""),
                ("decision_logs.resource", Value::Null, ""),
                ("decision_logs.console", json!(true), "config.yaml"),
                ("decision_logs.reporting.buffer_size_limit_bytes", Value::Null, ""),
                ("decision_logs.reporting.disk_size_limit_bytes", json!(1 << 30), "default"),
                ("decision_logs.reporting.disk_sync", json!("interval"), "config.yaml"),
                ("decision_logs.reporting.disk_sync_interval_ms", json!(100), "default"),
                ("decision_logs.reporting.disk_on_failure", json!("drop"), "default"),
                ("status.service", Value::Null, ""),
                ("status.prometheus", json!(true), "config.yaml"),
                ("status.trigger", json!("manual"), "config.yaml"),
                ("status.prometheus_config.collectors.bundle_loading_duration_ns.buckets", json!(buckets), "default"),
            ],
        ),
        (
            "decision_logs: {reporting: {buffer_type: event, trigger: immediate}}",
            vec![
                ("decision_logs.reporting.buffer_size_limit_events", json!(10_000), "default"),
                ("decision_logs.reporting.trigger", json!("immediate"), "config.yaml"),
                ("status.trigger", Value::Null, ""),
            ],
        ),
    ];
    for (sections, expected) in tables {
        let (code, report) = check_json(&format!("{services}{sections}\n"), &[], &[]).await;
        assert_eq!(code, 0, "{report}");
        assert_each_key_once(&report);
        for (key, value, origin) in expected {
            let found = about(&report["values"], key);
            assert_eq!(
                (&found["value"], found["origin"].as_str().unwrap_or_default()),
                (&value, origin),
                "{key}: {report}"
            );
        }
    }
}

#[tokio::test]
async fn the_mode_of_discovery_is_a_default_of_what_follows_it() {
    let yaml = "services: {acme: {url: 'http://127.0.0.1:1'}}\ndiscovery: {resource: d, trigger: manual}\ndecision_logs: {}\nstatus: {}\n";
    let (code, report) = check_json(yaml, &["--discovery", "skip"], &[]).await;
    assert_eq!(code, 0, "{report}");
    for key in ["decision_logs.reporting.trigger", "status.trigger"] {
        assert_eq!(about(&report["values"], key)["value"], "manual", "{key}: {report}");
    }
}

#[tokio::test]
async fn unknown_keys_are_shown_with_their_layer_and_the_nearest_known_key() {
    let yaml = format!(
        "{SERVICE}bundels: {{}}\n'server.logger_plugin': x\nbundles: {{authz: {{service: acme, poling: {{}}}}}}\ndecision_logs: {{reporting: {{max_delay_secs: 1}}}}\n"
    );
    let environment = [("ACME", "http://127.0.0.1:1"), ("TOKEN", "s3cret")];
    let arguments =
        ["--set", "services.acme.credentials.bearer.shceme=Basic", "--set", "server.limits.max_conections=1"];
    let (code, report) = check_json(&yaml, &arguments, &environment).await;
    assert_eq!(code, 0, "{report}");
    for (key, nearest, origin) in [
        ("bundels", Some("bundles"), "config.yaml"),
        ("server.logger_plugin", None, "config.yaml"),
        ("bundles.authz.poling", Some("polling"), "config.yaml"),
        ("decision_logs.reporting.max_delay_secs", None, "config.yaml"),
        ("server.limits.max_conections", Some("max_connections"), "--set"),
        ("services.acme.credentials.bearer.shceme", Some("scheme"), "--set"),
    ] {
        let expected = json!({"key": key, "nearest": nearest, "origin": origin});
        assert_eq!(about(&report["unknown"], key), &expected, "{report}");
    }
    let (_, text) = check(&yaml, &arguments, &environment).await;
    assert!(text.contains("bundles.authz.poling, did you mean \"polling\"? (from config.yaml)"), "{text}");
}

#[tokio::test]
async fn what_a_start_would_refuse_is_refused_with_everything_that_is_wrong() {
    let yaml = "services: {acme: {url: 7}}\nlabels: {a: 1}\nengine: nil\nserver: {decoding: {max_length: -1}}\n\
                status: {console: sometimes}\nbundles: {authz: {service: nobody}}\nplugins: {zap: {}}\n\
                keys: {k: {algorithm: none, key: s3cret}}\n";
    let (code, report) = check_json(yaml, &["--set", "default_decision=7"], &[]).await;
    assert_eq!((code, &report["accepted"]), (1, &json!(false)), "{report}");
    let errors = report["errors"].as_array().expect("errors");
    for (key, message, origin) in [
        ("services.acme.url", "invalid type: integer `7`, expected a string", "config.yaml"),
        ("labels.a", "cannot use number 1 as string", "config.yaml"),
        ("engine", "there is no engine \"nil\"", "config.yaml"),
        ("", "invalid value for server.decoding.max_length field, should be a positive number", ""),
        ("status.console", "invalid type: string \"sometimes\", expected a boolean", "config.yaml"),
        ("", "invalid configuration for bundle \"authz\": service name \"nobody\" not found", "config.yaml"),
        ("", "plugin \"zap\" not registered", "config.yaml"),
        ("", "unsupported algorithm 'none'", "config.yaml"),
        ("", "default_decision must be a string", "--set"),
    ] {
        let found = errors.iter().find(|error| {
            error["key"] == key
                && error["origin"] == origin
                && error["message"].as_str().is_some_and(|text| text.starts_with(message))
        });
        let found = found.unwrap_or_else(|| panic!("{message} is not among {report}"));
        assert!(found["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{found}");
    }
    assert!(!report.to_string().contains("s3cret"), "{report}");
    let (code, text) = check(yaml, &[], &[]).await;
    assert_eq!(code, 1);
    let expected = "  status.console: invalid type: string \"sometimes\", expected a boolean (from config.yaml)\n    \
                    correct status.console in config.yaml\n";
    assert!(text.contains(expected), "{text}");
    assert!(text.ends_with("The configuration is refused.\n"), "{text}");

    let (code, text) = check("{", &[], &[]).await;
    assert_eq!(code, 1);
    assert!(text.contains("config error: failed to parse config.yaml"), "{text}");
}

#[tokio::test]
async fn what_a_start_would_warn_of_is_shown() {
    let yaml = "services: {acme: {url: 'http://127.0.0.1:1', credentials: {bearer: {}}}}\n\
                storage: {}\nserver: {logger_plugin: mine}\n";
    let expected = json!([
        "`server.logger_plugin` has no effect yet (from config.yaml)",
        "`storage` has no effect yet (from config.yaml)",
        "service \"acme\", which nothing uses, cannot be asked: invalid config: \
         specify a value for either the \"token\" or \"token_path\" field (from config.yaml)",
    ]);
    let (code, report) = check_json(yaml, &[], &[]).await;
    assert_eq!((code, &report["warnings"]), (0, &expected), "{report}");

    // What is wrong elsewhere hides none of those that can be told.
    let (code, report) = check_json(&format!("{yaml}labels: {{a: 1}}\n"), &[], &[]).await;
    assert_eq!((code, report["warnings"].as_array().map(Vec::len)), (1, Some(2)), "{report}");
}

#[tokio::test]
async fn each_error_is_shown_once_also_where_sections_wait_for_discovery() {
    let yaml = "services: {acme: {url: 'http://127.0.0.1:1'}}\ndiscovery: {resource: d, trigger: sometimes}\n\
                labels: {a: 1}\nserver: {batch: {max_inputs: 0}}\nstatus: {console: sometimes}\n";
    let (code, report) = check_json(yaml, &[], &[]).await;
    let errors = report["errors"].as_array().expect("errors");
    assert_eq!((code, errors.len(), &report["discovery"]), (1, 4, &Value::Null), "{report}");
}

fn boot(acme: &ControlPlane, more: &str) -> String {
    format!(
        "services: {{acme: {{url: \"{}\"}}}}\nlabels: {{region: north}}\n\
         discovery: {{service: acme, resource: bundles/discovery}}\n{more}",
        acme.url()
    )
}

fn discovery(configuration: Value) -> Vec<u8> {
    Bundle::new().revision("d1").data("", configuration).build()
}

#[tokio::test]
async fn what_discovery_would_change_is_shown() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle(
        "discovery",
        discovery(json!({
            "bundles": {"authz": {"service": "acme"}}, "labels": {"region": "south", "tier": "edge"},
            "keys": {"k": {"key": "s3cret", "algorithm": "HS256"}}, "server": {"batch": {"max_inputs": 3}},
        })),
    );
    let (code, report) = check_json(&boot(&acme, ""), &[], &[]).await;
    assert_eq!(code, 0, "{report}");
    let found = &report["discovery"];
    assert_eq!((&found["outcome"], &found["overridden"]), (&json!("found"), &json!(["labels.region"])));
    let keys: Vec<_> = found["added"].as_array().expect("a list").iter().map(|leaf| leaf["key"].clone()).collect();
    assert_eq!(
        keys,
        ["bundles.authz.service", "keys.k.algorithm", "keys.k.key", "labels.tier", "server.batch.max_inputs"]
    );
    assert_eq!(about(&report["values"], "labels.tier")["origin"], "discovery");
    assert_eq!(about(&report["values"], "labels.region")["value"], "north");
    assert!(report["warnings"].to_string().contains("`server` has no effect where it is discovered"), "{report}");
    assert!(!report.to_string().contains("s3cret"), "{report}");
    assert_eq!(acme.requests().len(), 1, "discovery is asked once, and nothing is started");

    let (_, text) = check(&boot(&acme, ""), &[], &[]).await;
    for line in ["  + labels.tier: \"edge\"\n", "  = labels.region (what is discovered does not count)\n"] {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test]
async fn what_discovery_may_not_change_is_refused_with_its_message() {
    let acme = ControlPlane::start().await;
    for (change, expected) in [
        (
            json!({"services": {"acme": {"url": "http://127.0.0.1:1"}}}),
            "updates to the discovery service are not allowed",
        ),
        (json!({"bundles": {"b": {"service": "nobody"}}}), "service name \"nobody\" not found"),
        (json!({"server": {"batch": {"max_inputs": -3}}}), "invalid value for server.batch.max_inputs field"),
        (json!({"engine": "nil"}), "there is no engine \"nil\""),
        (json!([1]), "failed to parse discovery"),
    ] {
        acme.serve_bundle(
            "discovery",
            if change.is_object() {
                discovery(change)
            } else {
                Bundle::new().rego("d.rego", "package found\n\nconfig := [1]").build()
            },
        );
        let yaml = boot(&acme, "").replace("bundles/discovery}", "bundles/discovery, decision: found/config}");
        let yaml = if expected.starts_with("failed") { yaml } else { boot(&acme, "") };
        let (code, report) = check_json(&yaml, &[], &[]).await;
        assert_eq!((code, &report["discovery"]["outcome"]), (1, &json!("refused")), "{report}");
        assert!(report["discovery"]["errors"].to_string().replace("\\\"", "\"").contains(expected), "{report}");
        assert_eq!(report["errors"], json!([]), "the configuration itself is sound");
        assert_eq!(about(&report["values"], "labels.region")["origin"], "config.yaml", "what stays in effect is shown");
    }
}

#[tokio::test]
async fn discovery_that_is_not_to_be_had_is_told_and_fails_only_where_it_is_required() {
    let acme = ControlPlane::start().await;
    acme.fail_always("/bundles/discovery", Some(Fault::Status(503)));
    let (code, report) = check_json(&boot(&acme, ""), &[], &[]).await;
    assert_eq!((code, &report["discovery"]["outcome"]), (0, &json!("unreachable")), "{report}");
    assert_eq!(report["discovery"]["message"], "server replied with Service Unavailable");
    let (code, text) = check(&boot(&acme, ""), &["--discovery", "require"], &[]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("not to be had: server replied with Service Unavailable"), "{text}");

    // What waits for discovery is checked all the same.
    let (code, report) = check_json(&boot(&acme, "status: {console: sometimes}\n"), &[], &[]).await;
    assert_eq!((code, &report["errors"][0]["key"]), (1, &json!("status.console")), "{report}");

    acme.fail_always("/bundles/discovery", Some(Fault::Hang(std::time::Duration::from_hours(1))));
    let (code, text) = check(&boot(&acme, ""), &["--discovery-timeout", "1"], &[]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("not to be had: there was no answer within 1s"), "{text}");

    let asked = acme.requests().len();
    let (code, report) = check_json(&boot(&acme, ""), &["--discovery", "skip"], &[]).await;
    assert_eq!((code, &report["discovery"]["outcome"]), (0, &json!("skipped")), "{report}");
    assert_eq!(acme.requests().len(), asked, "nobody is asked");
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the agent lies in the workspace").join("config-examples")
}

#[tokio::test]
async fn the_check_shows_what_the_documentation_shows() {
    let page = std::fs::read_to_string(examples().with_file_name("docs").join("running.md")).expect("the page");
    let (_, section) = page.split_once("### Checking a configuration").expect("the section");
    let block = |kind: &str| section.split(&format!("```{kind}\n")).nth(1).and_then(|rest| rest.split("```").next());
    let commands = block("sh").expect("commands");
    let arguments =
        commands.lines().nth(1).and_then(|line| line.strip_prefix("regent config check ")).expect("a command");
    let arguments: Vec<_> = arguments.split(' ').skip(2).collect();
    let yaml = std::fs::read_to_string(examples().join("quickstart/config.yaml")).expect("the configuration");
    let (code, text) = check(&yaml, &arguments, &[]).await;
    assert_eq!((code, &*text), (0, block("text").expect("what it shows")));
}

#[tokio::test]
async fn every_example_is_accepted_and_has_no_unknown_key() {
    let mut tried = 0;
    for entry in std::fs::read_dir(examples()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let yaml = std::fs::read_to_string(&path).expect("an example");
        let nowhere = "http://127.0.0.1:1";
        let environment = [
            ("CONTROL_PLANE_URL", nowhere),
            ("CONTROL_PLANE_TOKEN", "t0ken"),
            ("REGISTRY_URL", nowhere),
            ("REGISTRY_USER", "user"),
            ("REGISTRY_PASSWORD", "t0ken"),
            ("NATS_URL", "nats://127.0.0.1:1"),
            ("NATS_PASSWORD", "s3cret"),
            ("POSTGRES_HOST", "127.0.0.1"),
            ("POSTGRES_PASSWORD", "s3cret"),
        ];
        let arguments: &[&str] = if yaml.contains("signing:") { &["--set", "keys.release.key=k"] } else { &[] };
        let arguments: Vec<_> = arguments.iter().copied().chain(["--discovery", "skip"]).collect();
        let (code, report) = check_json(&yaml, &arguments, &environment).await;
        assert_eq!(
            (code, &report["unknown"], &report["warnings"]),
            (0, &json!([]), &json!([])),
            "{}: {report}",
            path.display()
        );
        tried += 1;
    }
    assert!(tried > 2, "there are examples");
}
