//! What was published against OPA, tried on Regent.
//!
//! One test for each advisory of open-policy-agent/opa, with the shape of its published proof. Those about the HTTP/2
//! server that OPA is built with are in `plugins/rest-api/tests/clients/http2.rs`.

use std::process::{Command, Output};

use regent_kit::Agent;
use serde_json::{Value, json};

use crate::support::{SOON, regent};

/// Runs `regent eval` to its end.
fn eval(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_regent")).arg("eval").args(arguments).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// CVE-2025-46569, GHSA-6m8w-jc87-6cr7: a quotation mark in the path of the Data API ended the string that OPA made of a
/// segment, and what followed was evaluated as Rego.
#[tokio::test]
async fn cve_2025_46569_paths_are_never_read_as_rego() {
    let policy = "package app\n\nallow := false\n\nfoo := 1\n\nreached if print(\"INJECTED\")\n";
    let health = "package system.health\n\nlive := true\n";
    let agent = regent().file("app.rego", policy).file("health.rego", health).args(["app.rego", "health.rego"]);
    let agent = agent.start().await.expect("the agent starts");
    let payloads = [
        // foo"];malicious_call();x=["
        "foo%22%5D%3Bmalicious_call%28%29%3Bx%3D%5B%22",
        // foo"]; data.app.reached; x := data["app
        "foo%22%5D%3B%20data.app.reached%3B%20x%20%3A%3D%20data%5B%22app",
        // foo`;data.app.reached;`
        "foo%60%3Bdata.app.reached%3B%60",
        // foo";data.app.reached#
        "foo%22%3Bdata.app.reached%23",
        // foo%0adata.app.reached and the same with a backslash before a quotation mark
        "foo%0adata.app.reached",
        "foo%5C%22%5D%3Bdata.app.reached%3Bx%3D%5B%22",
        // foo\u0022];data.app.reached
        "foo%5Cu0022%5D%3Bdata.app.reached",
    ];
    for payload in payloads {
        for (method, path) in [
            ("GET", "/v1/data/app/"),
            ("POST", "/v1/data/app/"),
            ("GET", "/v1/data/"),
            ("POST", "/v0/data/app/"),
            ("POST", "/v0/data/"),
            ("GET", "/health/"),
        ] {
            let answer = match method {
                "GET" => agent.get(&format!("{path}{payload}")).await,
                _ => agent.post(&format!("{path}{payload}"), json!({"input": {}})).await,
            };
            let body = answer.text();
            assert!(!body.contains("undefined function"), "{method} {path}{payload}: {body}");
            let refused = answer.status.as_u16() >= 400;
            let undefined = answer.status == 200 && answer.json().get("result").is_none();
            assert!(refused || undefined, "{method} {path}{payload}: {} {body}", answer.status);
        }
    }
    for parameters in
        ["?pretty=true%22%5D%3Bdata.app.reached", "?metrics=%22;data.app.reached", "?input=%7B%7D%22];data.app.reached"]
    {
        let answer = agent.get(&format!("/v1/data/app/foo{parameters}")).await;
        assert!(!answer.text().contains("undefined function"), "{parameters}: {}", answer.text());
    }
    assert!(!agent.stderr().contains("INJECTED"), "{}", agent.stderr());
    assert_eq!(agent.get("/v1/data/app/foo").await.json()["result"], 1);
    assert_eq!(agent.get("/health/live").await.status, 200);
}

/// The same by the paths of the configuration.
#[tokio::test]
async fn cve_2025_46569_paths_of_the_configuration_are_never_read_as_rego() {
    let policy = "package app\n\nmain := 7\n\nreached if print(\"INJECTED\")\n";
    let path = r#"app/main"]; data.app.reached; x := ["#;
    let config = format!("default_decision: '{path}'\ndefault_authorization_decision: '{path}'\n");
    for flags in [&[][..], &["--authorization=basic"]] {
        let agent = regent().config(&config).file("app.rego", policy).arg("app.rego").args(flags);
        // Either outcome is safe: such a configuration is refused, or the path names nothing.
        if let Ok(agent) = agent.start().await {
            let answer = agent.post("/", json!({})).await;
            assert!(answer.status.as_u16() >= 400, "{}: {}", answer.status, answer.text());
            assert!(!answer.text().contains("undefined function"), "{}", answer.text());
            assert!(!agent.stderr().contains("INJECTED"), "{}", agent.stderr());
        }
    }
}

/// CVE-2022-36085, GHSA-f524-rf33-2jjr: a function that policies must not call could be put in the place of another one
/// by `with`, which nobody checked.
#[tokio::test]
async fn cve_2022_36085_forbidden_functions_cannot_stand_in_for_others() {
    let agent = regent().start().await.expect("the agent starts");
    let query = r#"is_object({"method": "get", "url": "http://127.0.0.1:1"}) with is_object as http.send"#;
    let answer = agent.post("/v1/query", json!({"query": query})).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let message = &answer.json()["errors"][0]["message"];
    assert!(message.as_str().is_some_and(|text| text.contains("http.send")), "{message}");
    let indirect = r#"f := 1; is_object({"url": "x"}) with is_object as data.f.g with data.f.g as http.send"#;
    assert_eq!(agent.post("/v1/query", json!({"query": indirect})).await.status, 400);

    let directory = tempfile::tempdir().expect("a directory");
    let all = Command::new(env!("CARGO_BIN_EXE_regent")).args(["capabilities", "--current"]).output().expect("it runs");
    let mut capabilities: Value = serde_json::from_slice(&all.stdout).expect("JSON");
    let builtins = capabilities["builtins"].as_array_mut().expect("functions");
    let before = builtins.len();
    builtins.retain(|builtin| builtin["name"] != "http.send");
    assert_eq!(builtins.len(), before - 1);
    let file = directory.path().join("capabilities.json");
    std::fs::write(&file, capabilities.to_string()).expect("written");
    let policy = directory.path().join("p.rego");
    std::fs::write(&policy, format!("package p\n\nx if {{\n\t{query}\n}}\n")).expect("written");
    let arguments =
        ["--capabilities", &file.display().to_string(), "--data", &policy.display().to_string(), "data.p.x"];
    let output = eval(&arguments);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!output.status.success() && said.contains("var http is unsafe"), "{said}");
}

/// CVE-2022-23628, GHSA-hcw3-j74m-qc58: OPA wrote the elements of some arrays in another order when it printed a policy
/// that it had made itself. What is printed here must mean what was parsed.
#[tokio::test]
async fn cve_2022_23628_what_is_printed_means_what_was_parsed() {
    let policy = "package p\n\nhello if {\n\t[\"foo\", _] = [\"foo\", input.x]\n\tinput.y == [3, input.x, 1, [2, [0]]]\n}\n\n\
                  order := [x | some x in [3, 1, 2]]\n\nnested := [[b, a] | some a, b in [\"z\", \"y\"]]\n\n\
                  keyed := {k: [v, (k + 1)] | some k, v in [9, 8]}\n";
    let agent = regent().file("p.rego", policy).arg("p.rego").start().await.expect("the agent starts");
    let raw = agent.get("/v1/policies").await.json()["result"][0]["raw"].as_str().expect("a text").to_owned();
    assert_eq!(raw, policy);
    let document = |agent: Agent| async move {
        let input = json!({"input": {"x": "bar", "y": [3, "bar", 1, [2, [0]]]}});
        agent.post("/v1/data/p", input).await.json()["result"].clone()
    };
    let expected = json!({
        "hello": true,
        "order": [3, 1, 2],
        "nested": [["z", 0], ["y", 1]],
        "keyed": {"0": [9, 1], "1": [8, 2]},
    });
    assert_eq!(document(agent).await, expected);
    let again = regent().file("q.rego", raw).arg("q.rego").start().await.expect("it is still a policy");
    assert_eq!(document(again).await, expected);
}

/// Puts policies that must be refused with an error in their text, and asks for a decision after each.
async fn refused_without_harm(policies: &[&str]) {
    let agent = regent().file("app.rego", "package app\n\nallow := true\n").arg("app.rego");
    let agent = agent.start().await.expect("the agent starts");
    for policy in policies {
        let answer = agent.put("/v1/policies/crafted", *policy).await;
        assert_eq!(answer.status, 400, "{policy}: {}", answer.text());
        let error = &answer.json()["errors"][0]["code"];
        assert!(error.as_str().is_some_and(|code| code.starts_with("rego_")), "{policy}: {}", answer.text());
        assert_eq!(agent.get("/v1/data/app/allow").await.json()["result"], true, "{policy}");
    }
    assert!(!agent.stderr().contains("panic"), "{}", agent.stderr());
}

/// CVE-2022-28946, GHSA-x7f3-62pm-9p38: the functions that `in` stands for, called by their own names with too few
/// operands behind `some` or `every`, were read beyond their end.
#[tokio::test]
async fn cve_2022_28946_membership_without_operands_is_a_parse_error() {
    let expressions = [
        "some internal.member_2()",
        "some internal.member_2(x)",
        "some internal.member_3()",
        "some internal.member_3(x, y)",
        "every internal.member_2() { true }",
        "every x in internal.member_2() { true }",
        "every internal.member_3(x) { true }",
        "some x in",
        "every x, y in { true }",
    ];
    let policies = expressions.map(|expression| format!("package p\n\nq if {{\n\t{expression}\n}}\n"));
    refused_without_harm(&policies.each_ref().map(String::as_str)).await;
    let agent = regent().start().await.expect("the agent starts");
    for expression in expressions {
        let answer = agent.post("/v1/query", json!({"query": expression})).await;
        assert_eq!(answer.status, 400, "{expression}: {}", answer.text());
    }
}

/// CVE-2022-33082, GHSA-2m4x-4q9j-w97g (issues 4761 and 4762): variables in comprehensions that had the names of functions
/// called in their heads, and other text that the compiler did not expect.
#[tokio::test]
async fn cve_2022_33082_functions_that_variables_hide_are_a_compile_error() {
    refused_without_harm(&[
        "package p\n\nq := [f(x) | f := 1; x := 2]\n\nf(x) := x\n",
        "package p\n\nq := {count(x) | count := 1; x := [2]}\n",
        "package p\n\nq := {k: sum(k) | sum := 1; k := [1]}\n",
        "package p\n\nq := [[abs(y) | abs := y] | y := 1]\n",
        "package p\n\nf(x)[x] if true\n",
        "package p\n\n0{{}}assign()\n",
        "package p\n\n.\n",
        "package p\n\nsome x\n",
    ])
    .await;
}

/// Whether a name was refused as such, or taken for a local file that is not there.
fn is_refusal(said: &str) -> bool {
    let said = said.to_lowercase();
    ["no such file", "unc path read is not allowed"].iter().any(|refusal| said.contains(refusal))
}

/// CVE-2024-8260, GHSA-c77r-fh37-x2px: file names could be those of other hosts, to which Windows then showed the
/// user's credentials. Here such names are refused, or are those of local files that do not exist.
#[tokio::test]
async fn cve_2024_8260_files_are_never_fetched_from_other_hosts() {
    let names = [
        r"\\127.0.0.1\share\p.rego",
        "//127.0.0.1/share/p.rego",
        "file://127.0.0.1/share/p.rego",
        r"file://\\127.0.0.1\share\p.rego",
    ];
    for name in names {
        for flags in [&["--data"][..], &["--bundle"], &["--input"], &["--schema"], &["--capabilities"]] {
            let output = eval(&[flags, &[name, "1"]].concat());
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!output.status.success(), "{flags:?} {name}: {said}");
            assert!(is_refusal(&said), "{flags:?} {name}: {said}");
            let loaded = matches!(flags, ["--data" | "--bundle"]);
            assert_eq!(
                loaded && !name.starts_with("file://127"),
                said.contains("UNC path"),
                "{flags:?} {name}: {said}"
            );
        }
        for arguments in [
            &[name][..],
            &["--bundle", name],
            &["--config-file", name],
            &["--tls-cert-file", name, "--tls-private-key-file", name],
            &["--set-file", &format!("a={name}")],
        ] {
            let output = regent().args(arguments).run_to_end(SOON).await.expect("the agent ends by itself");
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
            assert!(is_refusal(&said), "{arguments:?}: {said}");
        }
    }
}

/// CVE-2026-26205, GHSA-9f29-v6mm-pw6w, of OPA's plugin for Envoy: a path that begins with two slashes was read as if a
/// host stood there. Of the path of a request, the policy that authorizes it must see every segment.
#[tokio::test]
async fn cve_2026_26205_no_segment_of_a_path_is_taken_for_a_host() {
    let policy = "package system.authz\n\nallow := {\"allowed\": false, \"reason\": concat(\"|\", input.path)}\n";
    let agent = regent().file("authz.rego", policy).args(["--authorization=basic", "authz.rego"]);
    let agent = agent.start().await.expect("the agent starts");
    let seen = async |path: &str| {
        let answer = agent.get(path).await;
        (answer.status.as_u16(), answer.json()["message"].clone())
    };
    assert_eq!(seen("/v1/data/admin").await, (401, json!("v1|data|admin")));
    assert_eq!(seen("/%2Fadmin/v1/data").await, (401, json!("|admin|v1|data")));
    for moved in ["//admin/v1/data/x", "/v1//data/x", "//v1/data/x"] {
        let answer = agent.get(moved).await;
        assert_eq!(answer.status, 307, "{moved}: {}", answer.text());
        let clean = answer.header("location").expect("a place").to_owned();
        assert!(clean.starts_with('/') && !clean.contains("//"), "{moved}: {clean}");
    }
    let request = http::Request::get("//admin/v1/data").body(bytes::Bytes::new());
    assert!(request.is_ok(), "the path is one that clients can send");
}
