//! A start that cannot succeed says why and leaves nothing behind.

use std::process::Output;

use crate::support::{SOON, regent};

async fn refused(command: regent_kit::AgentCommand) -> String {
    let Output { status, stderr, .. } = command.run_to_end(SOON).await.expect("the agent ends by itself");
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(1), "{stderr}");
    stderr
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_named_with_its_value_and_layer() {
    let yaml = "services: {acme: {url: \"http://127.0.0.1:1\"}}\nstatus: {console: sometimes}\n";
    let error = refused(regent().config(yaml)).await;
    assert!(
        error.contains("status.console") && error.contains("sometimes") && error.contains("config.yaml"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_override_is_blamed_on_the_override() {
    let error = refused(regent().config("{}").args(["--set", "status.console=sometimes"])).await;
    assert!(error.contains("status.console") && error.contains("--set"), "{error}");
}

#[tokio::test]
async fn an_unknown_service_is_named() {
    let error = refused(regent().config("bundles: {authz: {service: acme}}")).await;
    assert!(error.contains(r#"invalid configuration for bundle "authz": service name "acme" not found"#), "{error}");
}

#[tokio::test]
async fn every_error_is_reported_at_once() {
    let yaml = "labels: {a: 1}\nengine: nil\nserver: {decoding: {max_length: -1}}\n\
                bundles: {authz: {service: acme}}\nplugins: {zap: {}}\n";
    let error = refused(regent().config(yaml)).await;
    for expected in [
        "labels.a: cannot use number 1 as string",
        r#"engine: there is no engine "nil""#,
        "invalid value for server.decoding.max_length field, should be a positive number",
        r#"service name "acme" not found"#,
        r#"plugin "zap" not registered"#,
    ] {
        assert_eq!(error.matches(expected).count(), 1, "{expected}: {error}");
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_named() {
    let error = refused(regent().args(["--config-file", "missing.yaml"])).await;
    assert!(error.contains("config error: open missing.yaml: no such file or directory"), "{error}");
    let error = refused(regent().config("services: [\n")).await;
    assert!(error.contains("config error: failed to parse"), "{error}");
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_or_parsed_is_named() {
    let error = refused(regent().arg("missing.rego")).await;
    assert!(error.contains("missing.rego: no such file or directory"), "{error}");
    let error = refused(regent().file("bad.rego", "package bad\n\nallow if {").arg("bad.rego")).await;
    assert!(error.contains("bad.rego") && error.contains("rego_parse_error"), "{error}");
}

#[tokio::test]
async fn a_signal_ends_a_start_that_waits_for_plugins() {
    let yaml = "services: {acme: {url: \"http://127.0.0.1:1\"}}\nbundle: {name: authz, service: acme}\n";
    let agent = regent().config(yaml).args(["--ready-timeout", "3600"]);
    let agent = agent.args(["--log-level", "debug", "--shutdown-grace-period", "18446744073709551615"]);
    let mut agent = agent.begin().expect("the agent starts");
    agent.wait_for_log("Waiting for plugins activation", SOON).await.expect("it waits");
    let warnings = agent.stderr().matches("Deprecated 'bundle' configuration specified").count();
    assert_eq!(warnings, 1, "{}", agent.stderr());
    agent.terminate().expect("it runs");
    assert_eq!(agent.wait(SOON).await.expect("it ends").code(), Some(1));
}

#[tokio::test]
async fn files_and_bundles_leave_alone_what_the_agent_keeps_about_itself() {
    let agent = regent().file("data.json", r#"{"system": {"authz": {"x": 1}}}"#).arg("data.json");
    let agent = agent.start().await.expect("the agent starts");
    let system = agent.get("/v1/data/system").await.json()["result"].clone();
    assert_eq!(system["authz"]["x"], 1);
    assert!(system["version"]["version"].is_string(), "{system}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let error = refused(regent().args(["--addr", &address])).await;
    assert!(error.contains(&address), "{error}");
    assert_eq!(error.to_lowercase().matches("in use").count(), 1, "{error}");
}

#[tokio::test]
async fn secrets_stay_out_of_errors_and_of_the_shown_configuration() {
    let yaml = "services: {acme: {url: \"http://127.0.0.1:1\", headers: {X-Key: s3cret}, \
                credentials: {bearer: {token: s3cret, token_path: /also}}}}\nbundles: {authz: {service: acme}}\n";
    let error = refused(regent().config(yaml)).await;
    assert!(error.contains(r#"specify a value for either the "token" or "token_path" field"#), "{error}");
    assert!(!error.contains("s3cret"), "{error}");

    let agent = regent().config(&yaml.replace(", token_path: /also", "")).start().await.expect("the agent starts");
    let shown = agent.get("/v1/config").await;
    assert_eq!(shown.json()["result"]["services"]["acme"]["url"], "http://127.0.0.1:1");
    assert!(!shown.text().contains("s3cret"), "{}", shown.text());
}

#[tokio::test]
async fn a_signature_algorithm_that_nobody_knows_is_refused_without_showing_the_key() {
    let error = refused(regent().args(["--verification-key", "hunter2", "--signing-alg", "none"])).await;
    assert!(error.contains("unknown signature algorithm: none") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn of_a_flag_given_twice_the_last_counts_and_lists_grow() {
    let args = ["--log-level", "debug", "--log-level", "error", "--set", "labels.a=1x", "--set", "labels.b=2x"];
    let agent = regent().args(args).start().await.expect("the agent starts");
    let labels = agent.get("/v1/config").await.json()["result"]["labels"].clone();
    assert_eq!((labels["a"].as_str(), labels["b"].as_str()), (Some("1x"), Some("2x")));
    assert!(!agent.stderr().contains("Initializing server."), "{}", agent.stderr());
}

#[tokio::test]
async fn what_has_no_effect_and_services_that_cannot_be_asked_are_told() {
    let yaml = "services: {acme: {url: 'http://127.0.0.1:1', credentials: {bearer: {}}}}\n\
                storage: {disk: {directory: x}}\nserver: {logger_plugin: mine}\n";
    let agent = regent().config(yaml).start().await.expect("the agent starts");
    let log = agent.stderr();
    for expected in [
        "service \\\"acme\\\", which nothing uses, cannot be asked: ",
        "`storage` has no effect yet (from config.yaml)",
        "`server.logger_plugin` has no effect yet (from config.yaml)",
    ] {
        assert_eq!(log.matches(expected).count(), 1, "{expected}: {log}");
    }
}
