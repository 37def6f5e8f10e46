//! Functions that policies call.

use serde_json::json;

use crate::build::{Libraries, query, regent};

const DOMAIN: &str = "docs/plugins/examples/c-builtin/domain.c";

#[tokio::test]
async fn a_function_in_c_is_like_any_other_one() {
    let libraries = Libraries::new();
    libraries.compile(DOMAIN, &[]);
    let policy = "package mail\n\nimport rego.v1\n\nallow if acme.domain(input.from) in {\"example.com\"}\n";
    let agent = libraries.agent().file("mail.rego", policy).arg("mail.rego").start().await.expect("the agent starts");
    let ask = async |from: serde_json::Value| {
        let answer = agent.post("/v1/data/mail/allow", json!({"input": {"from": from}})).await;
        answer.json()["result"].clone()
    };
    assert_eq!(ask(json!("ann@example.com")).await, json!(true));
    assert_eq!(ask(json!("ann@example.org")).await, json!(null));
    assert_eq!(ask(json!("nobody")).await, json!(null), "undefined");
    assert_eq!(ask(json!(["ann@example.com"])).await, json!(null), "an operand of another type");

    let strict = agent.post("/v1/data/mail/allow?strict-builtin-errors", json!({"input": {"from": 5}})).await;
    assert_eq!(strict.status, 500);
    assert!(strict.text().contains("acme.domain: operand 1 must be a string"), "{}", strict.text());
    let wrong = agent.put("/v1/policies/wrong", "package wrong\n\nx := acme.domain(1)\n").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("acme.domain: invalid argument(s)"), "{}", wrong.text());
    let status = agent.get("/health?plugins").await;
    assert_eq!(status.status, 200, "{}", status.text());
}

#[test]
fn every_command_that_uses_functions_knows_them() {
    let libraries = Libraries::new();
    let library = libraries.compile(DOMAIN, &[]);
    let dir = libraries.dir().to_str().expect("a plain path");
    let shown = |arguments: &[&str]| {
        let output = regent(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let evaluated = shown(&["eval", "--plugin-dir", dir, "--format", "raw", "acme.domain(\"a@b\")"]);
    assert_eq!(evaluated.trim(), "b");
    let capabilities = shown(&["capabilities", "--current", "--plugin-dir", dir]);
    assert!(capabilities.contains("\"acme.domain\""));
    let library = library.to_str().expect("a plain path");
    let listed = shown(&["plugin", "list", "--plugin-dir", dir]);
    let row = listed.lines().find(|line| line.contains("acme.domain")).expect("a row");
    assert!(row.starts_with("builtin") && row.ends_with(library), "{row}");
    assert!(
        listed.lines().any(|line| line.starts_with("sink") && line.contains("file_sink") && line.ends_with("stock"))
    );
    let inspected = shown(&["plugin", "inspect", library]);
    let row = "builtin  acme.domain  The part of an address of mail behind the @.";
    assert!(inspected.contains("library  acme-domain 1.0.0\n") && inspected.contains(row), "{inspected}");
    let config = libraries.dir().join("config.yaml");
    std::fs::write(&config, format!("plugin_libraries: [{{path: {library}}}]\n")).expect("written");
    let config = config.to_str().expect("a plain path");
    let checked = shown(&["config", "check", "--config-file", config]);
    assert!(!checked.contains("unknown"), "{checked}");
}

#[tokio::test]
async fn exceptions_stay_inside() {
    let libraries = Libraries::new();
    libraries.compile("tests/plugins/c/throws.cc", &[]);
    let agent = libraries.agent().start().await.expect("the agent starts");
    assert_eq!(query(&agent, "x := acme.throws(\"no\")").await["result"][0]["x"], "fine");
    let policy = "package p\n\nx := acme.throws(input)\n";
    assert_eq!(agent.put("/v1/policies/p", policy).await.status, 200);
    for (operand, text) in [("text", "thrown on purpose"), ("number", "an exception that tells nothing")] {
        let answer = agent.post("/v1/data/p/x?strict-builtin-errors", json!({"input": operand})).await;
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains(text), "{}", answer.text());
    }
}
