//! Requests that are meant to do harm: each is answered or refused, and the next one is served.

use std::io::Write as _;

use crate::support::{Agent, check};
use crate::wire::{AT_LAST, exchange};
use regent_rest_api::{Authorization, Options};

/// An agent with one decision.
async fn start(config: &str) -> Agent {
    let options = Options { addresses: vec!["127.0.0.1:0".to_owned()], ..Options::default() };
    let agent = Agent::start_with(config, options, AT_LAST).await;
    agent.put("/v1/policies/app", "package app\n\nallow if input.user == \"ann\"").await;
    agent
}

async fn unharmed(agent: &Agent) {
    check(&agent.post("/v1/data/app/allow", r#"{"input": {"user": "ann"}}"#).await, 200, "{\"result\":true}\n");
}

/// The status of an answer; 0 if the server hung up without one.
fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn floods_of_headers_are_refused() {
    let agent = start("{}").await;
    let many = (0..50_000).map(|number| format!("x-{number}: y\r\n")).collect::<Vec<_>>().concat();
    let same = "cookie: a=b\r\n".repeat(50_000);
    let long_name = format!("{}: y\r\n", "n".repeat(3 << 20));
    let long_value = format!("x: {}\r\n", "v".repeat(3 << 20));
    let folded = format!("x: y\r\n{}", " z\r\n".repeat(300_000));
    for (what, headers) in
        [("many", many), ("same", same), ("long name", long_name), ("long value", long_value), ("folded", folded)]
    {
        let request = format!("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        let answer = exchange(&agent, request.as_bytes()).await;
        assert!(matches!(status(&answer), 0 | 400 | 431), "{what}: {answer}");
        unharmed(&agent).await;
    }
}

/// A GET of this target that the server must not keep the connection open for.
async fn get(agent: &Agent, target: &str) -> (u16, String) {
    let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let answer = exchange(agent, request.as_bytes()).await;
    (status(&answer), answer)
}

#[tokio::test]
async fn paths_lead_nowhere_but_to_their_documents() {
    let agent = start("{}").await;
    agent.put("/v1/data/secret", "\"s3cret\"").await;
    for target in [
        "/v1/data/app/../secret",
        "/v1/data/app/%2e%2e/secret",
        "/v1/data/app/%2E%2E%2Fsecret",
        "/v1/data/app/..%2fsecret",
        "/v1/data/app/..%5csecret",
        "/v1/data/app/%252e%252e/secret",
        "/v1/data/app/%252e%252e%252fsecret",
        "/v1/data/app%2f..%2fsecret",
        "/v1/data/app/%00/../secret",
        "/v1/data/secret%00",
        "/v1/data/%00secret",
        "/v1/data/app/%c0%ae%c0%ae/secret",
        "/v1/data/app/%ff%fe",
        "/v1/data/app/%zz",
        "/v1/data/app/%",
        "/v1/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1/policies/..%2f..%2fetc%2fpasswd",
        "/v1/policies/../data/secret",
    ] {
        let (status, answer) = get(&agent, target).await;
        assert!(matches!(status, 200 | 301 | 307 | 400 | 404 | 500), "{target}: {answer}");
        assert!(!answer.contains("s3cret") && !answer.contains("root:"), "{target}: {answer}");
    }
    unharmed(&agent).await;
}

#[tokio::test]
async fn targets_of_other_forms_are_understood_or_refused() {
    let agent = start("{}").await;
    // A target with a host is what proxies are sent; servers must take it, too (RFC 9112, 3.2.2).
    let (status, answer) = get(&agent, "http://elsewhere.example/v1/data/app").await;
    assert_eq!(status, 200, "{answer}");
    for target in [
        "http://elsewhere.example",
        "*",
        "elsewhere.example:443",
        "v1/data",
        "",
        "/a b",
        "/v1/data/\u{e9}",
        "\\\\host\\x",
    ] {
        let (status, answer) = get(&agent, target).await;
        assert!(matches!(status, 0 | 200 | 301 | 307 | 400 | 404), "{target}: {answer}");
        assert!(!answer.contains("\"result\""), "{target}: {answer}");
    }
    let connect = b"CONNECT x:443 HTTP/1.1\r\nhost: x:443\r\nconnection: close\r\n\r\n";
    let answer = exchange(&agent, connect).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    for length in [10_000, 65_000, 66_000, 900_000, 4_000_000] {
        let (status, answer) = get(&agent, &format!("/v1/data/{}", "a".repeat(length))).await;
        assert!(matches!(status, 0 | 200 | 414 | 431), "{length}: {answer}");
        let (status, answer) = get(&agent, &format!("/v1/data/{}", "a/".repeat(length / 2))).await;
        assert!(matches!(status, 0 | 301 | 307 | 400 | 414 | 431), "{length}: {answer}");
    }
    unharmed(&agent).await;
}

/// Requests that one server ends elsewhere than another would: what a proxy lets through as a body must not be taken for
/// a request of its own.
#[tokio::test]
async fn nothing_is_smuggled_behind_a_request() {
    let agent = start("{}").await;
    let hidden = "GET /v1/data/smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    let length = hidden.len() + 5;
    let attempts = [
        (
            "length and coding",
            format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        ("coding and length", format!("transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n{hidden}")),
        ("two lengths", format!("content-length: 0\r\ncontent-length: {length}\r\n\r\n{hidden}")),
        ("a list of lengths", format!("content-length: 0, {length}\r\n\r\n{hidden}")),
        ("a signed length", format!("content-length: +0\r\n\r\n{hidden}")),
        ("a length with space", format!("content-length : 0\r\n\r\n{hidden}")),
        ("a negative length", format!("content-length: -1\r\n\r\n{hidden}")),
        ("a huge length", format!("content-length: 99999999999999999999\r\n\r\n{hidden}")),
        ("an unknown coding", format!("transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("chunked not last", format!("transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}")),
        ("a hidden coding", format!("transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("a coding with space", format!("transfer-encoding : chunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("a folded coding", format!("x: y\r\n transfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("a wrong chunk size", format!("transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n{hidden}")),
        ("an endless chunk size", format!("transfer-encoding: chunked\r\n\r\nffffffffffffffffff0\r\n\r\n{hidden}")),
        ("a bare line feed in a chunk", format!("transfer-encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n{hidden}")),
        ("a null in a header", format!("x: a\0b\r\ncontent-length: 0\r\n\r\n{hidden}")),
        ("a bare carriage return", format!("x: a\rtransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")),
    ];
    let answers = async |rest: &str| {
        let request = format!("POST /v1/data/app HTTP/1.1\r\nhost: x\r\n{rest}");
        let mut stream = crate::wire::connect(&agent).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.expect("sent");
        tokio::io::AsyncWriteExt::shutdown(&mut stream).await.expect("sent");
        let answer = crate::wire::rest(&mut stream).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let count = |answer: &str| answer.matches("HTTP/1.1 ").count();
    assert_eq!(count(&answers(&format!("content-length: 0\r\n\r\n{hidden}")).await), 2, "this one is in the open");
    for (what, rest) in attempts {
        let answer = answers(&rest).await;
        assert!(count(&answer) <= 1, "{what}: {answer}");
    }
    unharmed(&agent).await;
}

#[tokio::test]
async fn lines_that_end_without_a_carriage_return_make_no_second_request() {
    let agent = start("{}").await;
    let bare = exchange(&agent, b"GET /health HTTP/1.1\nhost: x\nconnection: close\n\n").await;
    assert!(matches!(status(&bare), 200 | 400), "{bare}");
    let mixed = "GET /health HTTP/1.1\r\nhost: x\r\nx: y\n\nGET /v1/data HTTP/1.1\r\nconnection: close\r\n\r\n";
    let answer = exchange(&agent, mixed.as_bytes()).await;
    assert!(answer.matches("HTTP/1.1 ").count() <= 2, "{answer}");
    unharmed(&agent).await;
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn bodies_that_unpack_without_end_are_refused() {
    let agent = start("server: {decoding: {max_length: 1000000, gzip: {max_length: 2000000}}}").await;
    let gzip = [("content-encoding", "gzip")];
    let bomb = packed(&vec![b' '; 100 << 20]);
    assert!(bomb.len() < 200_000);
    let members = packed(&vec![b' '; 500_000]).repeat(100);
    // Unpacked once, the outer one is no document; nothing unpacks it again.
    let nested = packed(&packed(&bomb));
    for (what, body) in [("bomb", bomb), ("members", members), ("nested", nested)] {
        for path in ["/v1/data/app", "/v0/data/app", "/v1/query", "/"] {
            let answer = agent.ask("POST", path, &gzip, body.clone()).await;
            assert!(
                answer.status == 400 || answer.status == 200 && path == "/v1/query",
                "{what} {path}: {}",
                answer.text()
            );
        }
    }
    unharmed(&agent).await;
}

const DEEP: usize = 10_000;

fn deep(open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(DEEP), close.repeat(DEEP))
}

#[tokio::test]
async fn documents_of_any_depth_are_refused_beyond_a_limit() {
    let agent = start("{}").await;
    let array = deep("[", "1", "]");
    let object = deep("{\"a\":", "1", "}");
    let flow = deep("[", "1", "]");
    let block = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<Vec<_>>().concat();
    for document in [&array, &object] {
        let wrapped = format!("{{\"input\": {document}}}");
        let patch = format!("[{{\"op\": \"add\", \"path\": \"/x\", \"value\": {document}}}]");
        for (method, path, body) in [
            ("POST", "/v1/data/app/allow", &wrapped),
            ("POST", "/v0/data/app/allow", document),
            ("PUT", "/v1/data/x", document),
            ("PATCH", "/v1/data", &patch),
            ("POST", "/v1/query", &format!("{{\"query\": \"x = input\", \"input\": {document}}}")),
        ] {
            let answer = agent.ask(method, path, &[], body.clone()).await;
            assert_eq!(answer.status, 400, "{method} {path}: {}", answer.text());
        }
        let (status, answer) =
            get(&agent, &format!("/v1/data/app/allow?input={}", document.replace('"', "%22").replace(['{', '}'], "[")))
                .await;
        assert!(matches!(status, 400 | 414 | 431), "{answer}");
    }
    let yaml = [("content-type", "application/yaml")];
    for document in [flow, block] {
        let answer = agent.ask("POST", "/v1/data/app/allow", &yaml, document).await;
        assert!(answer.status == 400 || answer.status == 200, "{}", answer.text());
    }
    unharmed(&agent).await;
}

#[tokio::test]
async fn patches_of_any_depth_are_refused_beyond_a_limit() {
    let agent = start("{}").await;
    let deep = "/a".repeat(DEEP);
    for operation in ["add", "replace", "remove"] {
        let patch = format!("[{{\"op\": \"{operation}\", \"path\": \"{deep}\", \"value\": 1}}]");
        let answer = agent.ask("PATCH", "/v1/data", &[], patch).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{operation}: {}", answer.text());
    }
    let many: Vec<String> =
        (0..1_000).map(|number| format!("{{\"op\": \"add\", \"path\": \"/k{number}\", \"value\": 1}}")).collect();
    let answer = agent.ask("PATCH", "/v1/data", &[], format!("[{}]", many.join(","))).await;
    assert_eq!(answer.status, 204, "many, but sound: {}", answer.text());
    unharmed(&agent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_and_queries_of_any_depth_are_refused_beyond_a_limit() {
    let agent = start("{}").await;
    for (what, expression) in [
        ("parentheses", deep("(", "1", ")")),
        ("arrays", deep("[", "1", "]")),
        ("objects", deep("{\"a\": ", "1", "}")),
        ("sets", deep("{", "1", "}")),
        ("calls", deep("abs(", "1", ")")),
        ("comprehensions", deep("[x | x := ", "1", "]")),
        ("references", format!("input{}", "[input".repeat(DEEP) + &"]".repeat(DEEP))),
        ("unclosed", "[".repeat(DEEP)),
        ("minus", format!("{}1", "-".repeat(DEEP))),
    ] {
        let answer = agent.ask("PUT", "/v1/policies/deep", &[], format!("package deep\n\nx := {expression}\n")).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        let query = serde_json::json!({"query": format!("x := {expression}")}).to_string();
        let answer = agent.ask("POST", "/v1/query", &[], query).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        unharmed(&agent).await;
    }
    for (what, text) in [
        ("not", format!("package deep\n\nx if {} false\n", "not ".repeat(DEEP))),
        ("every", format!("package deep\n\nx if {} true {}\n", "every y in [1] { ".repeat(DEEP), "}".repeat(DEEP))),
        ("else", format!("package deep\n\nx := 1 if false {}\n", "else := 1 if false ".repeat(DEEP))),
        ("with", format!("package deep\n\nx if true {}\n", "with input.x as 1 ".repeat(DEEP))),
        ("plus", format!("package deep\n\nx := 1{}\n", " + 1".repeat(DEEP))),
        ("package", format!("package deep{}\n", ".a".repeat(DEEP))),
        ("rule", format!("package deep\n\nx{} := 1\n", ".a".repeat(DEEP))),
    ] {
        let answer = agent.ask("PUT", "/v1/policies/deep", &[], text).await;
        assert!(matches!(answer.status.as_u16(), 200 | 400), "{what}: {}", answer.text());
        unharmed(&agent).await;
        agent.ask("DELETE", "/v1/policies/deep", &[], "").await;
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused() {
    let agent = start("{}").await;
    let broken = b"{\"input\": \"\xff\xfe\"}".to_vec();
    let answer = agent.ask("POST", "/v1/data/app/allow", &[], broken.clone()).await;
    assert!(matches!(answer.status.as_u16(), 200 | 400), "{}", answer.text());
    let answer = agent.ask("PUT", "/v1/policies/p", &[], b"package p\n\nx := \"\xff\"\n".to_vec()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let answer = agent.ask("PUT", "/v1/data/x", &[], broken).await;
    assert!(matches!(answer.status.as_u16(), 204 | 400), "{}", answer.text());
    for target in ["/v1/data/%ff", "/v1/data/a%ffb", "/v1/data?input=%ff", "/v1/query?q=%ff", "/health/%ff"] {
        let (status, answer) = get(&agent, target).await;
        assert!(matches!(status, 200 | 400 | 404 | 500), "{target}: {answer}");
    }
    for head in [
        &b"GET /v1/data/\xff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"[..],
        b"GET /health HTTP/1.1\r\nhost: \xff\r\nx: \xc0\xae\r\nconnection: close\r\n\r\n",
        b"G\xffT /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"\xff\xfe\x00\x01\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut stream = crate::wire::connect(&agent).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, head).await.expect("sent");
        tokio::io::AsyncWriteExt::shutdown(&mut stream).await.expect("sent");
        let answer = crate::wire::rest(&mut stream).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(matches!(status(&answer), 0 | 200 | 400 | 404 | 405 | 500), "{head:?}: {answer}");
    }
    unharmed(&agent).await;
}

/// What a policy sees of a header that is no text must be something, and must not stop the agent.
#[tokio::test]
async fn the_authorization_policy_sees_odd_requests_and_decides() {
    let options = Options {
        addresses: vec!["127.0.0.1:0".to_owned()],
        authorization: Authorization::Basic,
        ..Options::default()
    };
    let agent = Agent::start_with("{}", options, AT_LAST).await;
    agent
        .policy("package system.authz\n\nallow if not startswith(concat(\"/\", input.path), \"v1/data/secret\")")
        .await;
    let secret = regent_core::Value::from("s3cret");
    let put = agent.host.store.write(move |txn| txn.put(&regent_core::value::Path::new(["secret"]), secret));
    put.await.expect("room");
    for target in [
        "/v1/data/secret",
        "/v1/data/%73ecret",
        "/v1/data/%2573ecret",
        "/v1/data//secret",
        "/v1/data/./secret",
        "/v1/data/x/../secret",
        "/v1/data/x%2f..%2fsecret",
        "/v1/./data/secret",
        "//v1/data/secret",
        "/v1/data/secret/",
        "/v1/data/secret%2f",
        "http://x/v1/data/secret",
    ] {
        let (status, answer) = get(&agent, target).await;
        assert!(status != 200 || !answer.contains("s3cret"), "{target}: {answer}");
    }
}
