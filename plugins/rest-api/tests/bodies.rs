//! Bodies: limits, compression in both directions.

mod support;

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use support::{Agent, check};

const LIMITS: &str =
    "server: {decoding: {max_length: 200, gzip: {max_length: 300}}, encoding: {gzip: {min_length: 50}}}";

fn packed(plain: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn bodies_over_the_limits_are_refused() {
    let agent = Agent::start(LIMITS).await;
    let long = format!("{{\"input\":\"{}\"}}", "x".repeat(250));
    let gzip = [("content-encoding", "gzip")];
    for (method, path) in [
        ("POST", "/v0/data/x"),
        ("GET", "/health"),
        ("POST", "/v1/data/x"),
        ("PUT", "/v1/data/x"),
        ("PUT", "/v1/policies/x"),
        ("POST", "/v1/query"),
    ] {
        let answer = agent.ask(method, path, &[], long.clone()).await;
        assert_eq!(answer.status, 400, "{method} {path}");
        assert_eq!(answer.json()["message"], "request body too large", "{method} {path}");
    }
    assert_eq!(agent.ask("POST", "/v1/data/x", &gzip, packed(&long)).await.status, 200);
    let parts = [packed("{\"input\":"), packed("1}")].concat();
    assert_eq!(agent.ask("POST", "/v1/data/x", &gzip, parts).await.text(), "{}\n", "several members are one body");
    let bomb = agent.ask("POST", "/v1/data/x", &gzip, packed(&"x".repeat(10_000))).await;
    assert_eq!(bomb.json()["message"], "could not decompress the body: gzip payload too large");
    let plain = agent.ask("POST", "/v0/data/x", &gzip, "{}").await.json()["message"].to_string();
    assert!(plain.starts_with("\"unexpected parse error for input: could not decompress the body: "), "{plain}");
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let agent = Agent::start(LIMITS).await;
    agent.put("/v1/data/long", "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"").await;
    let plain = agent.get("/v1/data/long").await;
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    let answer = agent.ask("GET", "/v1/data/long", &[("accept-encoding", "br, gzip;q=0")], "").await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    GzDecoder::new(&*answer.body).read_to_end(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain.body);
    let short = agent.ask("GET", "/v1/data/none", &[("accept-encoding", "gzip")], "").await;
    check(&short, 200, "{}\n");
    assert_eq!(short.header("content-encoding"), None);
}
