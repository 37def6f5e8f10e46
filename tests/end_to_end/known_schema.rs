//! The policy that authorizes requests is checked against what its input holds.

use regent_kit::{AgentCommand, Bundle, ControlPlane};
use serde_json::Value;

use crate::support::{SOON, bundle, config, regent};

const TYPO: &str = "package system.authz\n\ndefault allow := false\n\nallow if {\n\tinput.identty == \"root\"\n}\n";
const OPEN: &str = "package system.authz\n\nallow := true\n";

/// The text that OPA 1.x has for it.
const ERROR: &str = "1 error occurred: authz.rego:6: rego_type_error: undefined ref: input.identty\n\tinput.identty\n\t      ^\n\t      \
                     have: \"identty\"\n\t      want (one of): [\"body\" \"client_certificates\" \"headers\" \"identity\" \
                     \"method\" \"params\" \"path\"]\n";

fn guarded(policy: &str) -> AgentCommand {
    regent().file("authz.rego", policy).args(["--authorization=basic", "authz.rego"])
}

async fn refused(command: AgentCommand) -> String {
    let output = command.run_to_end(SOON).await.expect("the agent ends by itself");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    stderr
}

#[tokio::test]
async fn a_mistyped_field_is_refused_at_start() {
    let error = refused(guarded(TYPO).arg("--log-level=error")).await;
    assert_eq!(error, format!("error: {ERROR}"));
    let wrong_type = "package system.authz\n\nallow if input.path == \"/health\"\n";
    assert!(refused(guarded(wrong_type)).await.contains("authz.rego:3: rego_type_error: match error"));
}

#[tokio::test]
async fn it_is_only_checked_where_it_decides_and_if_nobody_minds() {
    guarded(TYPO).arg("--skip-known-schema-check").start().await.expect("it was not to be checked");
    regent().file("authz.rego", TYPO).arg("authz.rego").start().await.expect("it decides on nothing");
    let other = guarded(TYPO).args(["--set", "default_authorization_decision=/app/allow"]);
    other.start().await.expect("another document decides");
    let other = TYPO.replace("system.authz", "doors.main");
    let error = refused(guarded(&other).args(["--set", "default_authorization_decision=/doors/main/allow"])).await;
    assert!(error.contains("undefined ref: input.identty"), "{error}");
}

#[tokio::test]
async fn what_it_depends_on_is_checked_in_its_package_and_below() {
    let policy = "package system.authz\n\nallow if data.system.authz.jwt.token == data.shared.token(input)\n";
    let shared = "package shared\n\ntoken(x) := x.identity if input.anything\n";
    let below = |field: &str| format!("package system.authz.jwt\n\ntoken := input.{field}\n");
    let start = |field: &str| {
        guarded(policy).file("shared.rego", shared).file("jwt.rego", below(field)).args(["shared.rego", "jwt.rego"])
    };
    start("identity").start().await.expect("other packages may have other inputs");
    let error = refused(start("identty")).await;
    assert!(error.contains("jwt.rego:3: rego_type_error: undefined ref: input.identty"), "{error}");
    assert!(!error.contains("input.anything"), "{error}");
}

#[tokio::test]
async fn bundles_are_checked_and_policies_that_come_by_the_api_are_not() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = guarded(OPEN).config(&config(&acme)).start().await.expect("the agent starts");
    let revision = |status: &Value| status["bundles"]["authz"]["active_revision"] == "v1";
    acme.wait_for_status(SOON, revision).await.expect("a bundle without such a policy is activated");

    let put = agent.put("/v1/policies/more", TYPO.replace("default allow := false\n\n", "")).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(agent.delete("/v1/policies/more").await.status, 200);

    acme.serve_bundle("authz", Bundle::new().revision("v2").roots(["system/authz"]).rego("authz.rego", TYPO).build());
    let failed = |status: &Value| status["bundles"]["authz"]["code"] == "bundle_error";
    let status = acme.wait_for_status(SOON, failed).await.expect("the failure is reported");
    let error = &status["bundles"]["authz"]["errors"][0];
    assert_eq!(error["code"], "rego_type_error", "{status}");
    assert_eq!(error["message"], "undefined ref: input.identty", "{status}");
    assert_eq!(status["bundles"]["authz"]["active_revision"], "v1");
}
