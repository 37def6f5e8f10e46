//! The configuration's error texts.

use crate::agent::Agent;

async fn check(config: &str, expected: &str) {
    let error = Agent::new().apply(config).await.expect_err("a refusal");
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn mistakes_are_refused_in_opas_words() {
    let check = async |bundle: &str, why: &str| {
        let config = format!("services: {{acme: {{url: 'http://x'}}}}\nbundles: {{acl: {bundle}}}");
        check(&config, &format!("invalid configuration for bundle \"acl\": {why}")).await;
    };
    check("{service: x}", r#"service name "x" not found"#).await;
    check("{polling: {min_delay_seconds: 1}}", "polling configuration missing 'max_delay_seconds'").await;
    check("{polling: {max_delay_seconds: 1}}", "polling configuration missing 'min_delay_seconds'").await;
    let reversed = "{polling: {min_delay_seconds: 2, max_delay_seconds: 1}}";
    check(reversed, "max polling delay must be >= min polling delay").await;
    let long = "{polling: {long_polling_timeout_seconds: 0}}";
    check(long, "'long_polling_timeout_seconds' must be at least 1").await;
    check("{max_staleness_seconds: 0}", "'max_staleness_seconds' must be at least 1").await;
    let pause = "'max_staleness_seconds' must be more than the longest pause between two requests, ";
    check("{max_staleness_seconds: 120}", &format!("{pause}120")).await;
    let long = "polling: {min_delay_seconds: 1, max_delay_seconds: 2, long_polling_timeout_seconds: 30}";
    check(&format!("{{max_staleness_seconds: 30, {long}}}"), &format!("{pause}30")).await;
    let file = "'max_staleness_seconds' is for bundles of services: files are not asked for again";
    check("{max_staleness_seconds: 10, resource: 'file:///x'}", file).await;
    check("{trigger: never}", r#"invalid trigger mode "never" (want "periodic" or "manual")"#).await;
    check("{signing: {keyid: k}}", "key id k not found").await;
    check("{signing: {keyid: '', plugin: x}, service: x}", r#"service name "x" not found"#).await;
}

#[tokio::test]
async fn bundles_need_a_service_or_a_file() {
    check("bundles: {acl: {}}", r#"invalid configuration for bundle "acl": service name "" not found"#).await;
    check("bundles: {acl: {resource: 'file://'}}", r#"invalid URL for bundle "acl": "#).await;
    check("bundle: {}", r#"invalid bundle name """#).await;
}

#[tokio::test]
async fn every_mistake_is_reported() {
    let config = "services: {acme: {url: 'http://x'}}\nbundles: {a: {service: x}, b: {trigger: z}}";
    let error = Agent::new().apply(config).await.expect_err("a refusal");
    assert!(error.contains(r#"bundle "a""#) && error.contains(r#"bundle "b""#), "{error}");
}

#[tokio::test]
async fn what_may_be_left_out_is_told() {
    let told = |config: &str| {
        let plan = Agent::new().check(config).expect("valid");
        plan.defaults().iter().map(|(path, value)| format!("{}={value}", path.join("/"))).collect::<Vec<_>>()
    };
    let services = "services: {acme: {url: 'http://x'}}\n";
    let expected = [
        "bundle/service=\"acme\"",
        "bundle/resource=\"p/authz\"",
        "bundle/polling/min_delay_seconds=60",
        "bundle/polling/max_delay_seconds=120",
    ];
    assert_eq!(told(&format!("{services}bundle: {{name: authz, prefix: p}}")), expected);
    let all = told(&format!("{services}bundles: {{a.b: {{trigger: manual}}}}"));
    assert_eq!(all[..2], ["bundles/a.b/persist=false", "bundles/a.b/trigger=\"manual\""]);
    assert_eq!((all.len(), &*all[6]), (7, "bundles/a.b/size_limit_bytes=1073741824"));
}

#[tokio::test]
async fn of_both_sections_the_deprecated_one_counts() {
    let check = async |config: &str| {
        let mut agent = Agent::new();
        agent.apply(config).await.expect("a valid configuration");
        agent.reports("one", |report| report.legacy_bundle.as_deref() == Some("old")).await;
    };
    check("services: {acme: {url: 'http://127.0.0.1:1'}}\nbundle: {name: old}\nbundles: {new: {}}").await;
}
