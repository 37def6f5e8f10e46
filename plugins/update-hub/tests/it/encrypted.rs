//! A hub that is spoken to by `https` and `wss`.

use regent_agent_kit::Agent;
use regent_kit::{Certificates, wait};
use serde_json::json;
use tempfile::TempDir;

use crate::LIMIT;
use crate::running::{Running, config};

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_publishers_are_encrypted_and_strangers_are_not_trusted() {
    let certificates = Certificates::generate();
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.display().to_string()
    };
    let (cert, key) = (file("cert.pem", &certificates.server_cert), file("key.pem", &certificates.server_key));
    let authority = file("ca.pem", &certificates.ca);
    let hub = Running::start(&format!(
        "{{tls: {{cert: {cert}, private_key: {key}}}, data_sources: {{entries: [{{url: '', data: {{n: 1}}, dst_path: /base}}]}}}}"
    ))
    .await;
    let url = format!("https://{}", hub.addr);
    let trusting = format!("data_updates: {{server_url: '{url}', tls: {{ca_cert: {authority}}}}}");
    let agent = Agent::start(regent_data_updates::register, &trusting).await;
    agent.ready("data_updates").await;
    let client = regent_kit::Client::trusting(&certificates.ca);
    let update = json!({"entries": [{"url": "", "data": {"n": 2}, "dst_path": "/base"}]}).to_string();
    let request = http::Request::post(format!("{url}/data/config")).header("content-type", "application/json");
    let answer = client.send(request.body(update.into()).expect("a request")).await.expect("an answer");
    assert_eq!(answer.status, 200);
    let is_there = async || {
        let snapshot = agent.host.store.snapshot();
        let base = snapshot.data().get("base").map(ToString::to_string);
        (base.as_deref() == Some(r#"{"n":2}"#)).then_some(())
    };
    wait::until(LIMIT, "the update", is_there).await.expect("it comes");

    let suspicious =
        Agent::start(regent_data_updates::register, &format!("data_updates: {{server_url: '{url}'}}")).await;
    let mut board = suspicious.host.status.watch();
    let told = board.wait_for(|report| {
        let of = report.plugins.get("data_updates");
        of.and_then(|plugin| plugin.message.as_deref()).is_some_and(|message| message.contains("TLS"))
    });
    tokio::time::timeout(LIMIT, told).await.expect("in time").expect("the board lives");
    assert!(suspicious.host.store.snapshot().data().get("base").is_none());
    agent.stop().await;
    suspicious.stop().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let config =
        config("{addr: '127.0.0.1:0', tls: {cert: /nonexistent, private_key: /nonexistent}}").expect("well-formed");
    let error = regent_update_hub::Hub::bind(config).await.err().expect("no certificate");
    let error = regent_core::error::chain(&error);
    assert!(error.contains("`hub.tls`: `cert`: "), "{error}");
}
