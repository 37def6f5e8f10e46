//! Bundles that come in as they should.

use regent_core::status::Moment;
use regent_kit::{Bundle, ControlPlane, Fault, Registry};
use serde_json::json;

use crate::agent::{Agent, LIMIT, eager, manual};
use crate::{AUTHZ, active, authz};

#[tokio::test]
async fn a_bundle_becomes_active_and_its_status_says_so() {
    let acme = ControlPlane::start().await;
    let bytes = authz("v1", "1").data("authz/users", json!({"ann": 1})).build();
    let etag = acme.serve_bundle("authz", bytes.clone());
    let agent = Agent::start(&eager(&acme, &["authz"])).await;
    let status = agent.revision("authz", "v1").await;
    agent.ready().await;

    assert_eq!((agent.ask("authz/answer"), agent.ask("authz/users/ann")), ("1".to_owned(), "1".to_owned()));
    assert_eq!((status.kind, status.size), (Some("snapshot"), Some(bytes.len() as u64)));
    assert_eq!((status.code, status.message, status.errors, status.http_code), (None, None, None, None));
    let never = Moment::default();
    assert!(status.last_successful_activation > never && status.last_successful_download > never);
    let metrics = status.metrics.expect("metrics");
    for timer in ["bundle_request", "rego_module_parse", "rego_module_compile", "rego_load_bundles"] {
        assert!(metrics.get(&format!("timer_{timer}_ns")).is_some(), "{timer}: {metrics}");
    }
    let snapshot = agent.host.store.snapshot();
    let policy = &snapshot.policies()["authz/u.rego"];
    assert_eq!(&*policy.source().file, "u.rego");
    assert_eq!(snapshot.bundles()["authz"].etag.as_deref(), Some(&*etag));
    let first = &acme.requests()[0];
    assert_eq!((first.header("if-none-match"), first.header("accept-encoding")), (None, Some("gzip")));
}

#[tokio::test]
async fn an_unchanged_bundle_is_asked_for_with_its_etag_and_stays() {
    let (acme, agent) = active().await;
    let before = agent.host.store.snapshot().generation();
    let status = agent.revision("authz", "v1").await;
    agent.trigger().await.expect("not modified");
    let later = agent.bundle("authz", |now| now.last_successful_request > status.last_successful_request).await;
    assert_eq!(later.last_successful_download, status.last_successful_download);
    assert_eq!(agent.host.store.snapshot().generation(), before);
    assert!(acme.requests()[1].header("if-none-match").is_some());
}

#[tokio::test]
async fn a_bundle_without_an_etag_is_activated_again_each_time() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle_without_etag("authz", authz("v1", "1").build());
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    for generation in 1..=2 {
        agent.trigger().await.expect("v1 arrives");
        assert_eq!(agent.host.store.snapshot().generation(), generation);
    }
}

#[tokio::test]
async fn the_etag_is_that_of_the_last_answer_and_the_type_of_an_answer_says_nothing() {
    let server = Registry::start().await;
    let answer = |status, etag: &str, body: Vec<u8>| {
        let headers = [("etag", etag), ("content-type", "text/html")];
        server.answer("GET", AUTHZ, status, &headers[usize::from(etag.is_empty())..], body);
    };
    let url = server.url();
    let agent =
        Agent::start(&format!("services: {{acme: {{url: '{url}'}}}}\nbundles: {{authz: {{trigger: manual}}}}")).await;
    for (status, etag, body) in [
        (200, "\"e1\"", authz("v1", "1").build()),
        (304, "\"e2\"", Vec::new()),
        (304, "", Vec::new()),
        // Nothing at all: there is no bundle at the moment, and none that the service knows to be here.
        (200, "\"e3\"", Vec::new()),
        (200, "", authz("v2", "2").build()),
    ] {
        answer(status, etag, body);
        agent.trigger().await.expect("no error");
    }
    let sent: Vec<_> =
        server.requests().iter().map(|request| request.header("if-none-match").map(str::to_owned)).collect();
    let etag = |text: &str| Some(format!("\"{text}\""));
    assert_eq!(sent, [None, etag("e1"), etag("e2"), etag("e2"), None]);
    assert_eq!(agent.ask("authz/answer"), "2");
}

#[tokio::test]
async fn bundles_are_asked_for_at_their_service_and_place() {
    let (first, second) = (ControlPlane::start().await, ControlPlane::start().await);
    for (section, expected) in [
        ("bundles: {authz: {}}", "/bundles/authz"),
        ("bundles: {authz: {resource: ''}}", "/bundles/authz"),
        ("bundles: {authz/bundle.tar.gz: {}}", "/bundles/authz/bundle.tar.gz"),
        ("bundles: {authz: {resource: /some/dir/b.tar.gz}}", "/some/dir/b.tar.gz"),
        ("bundles: {authz: {resource: 'b?x=1', size_limit_bytes: -1}}", "/b?x=1"),
        ("bundle: {name: authz}", "/bundles/authz"),
        ("bundle: {name: authz, prefix: /some/}", "/some/authz"),
        ("bundle: {name: authz, prefix: x, resource: r}", "/r"),
    ] {
        // Of several services the first one counts, in the order of the document.
        let services = format!("services: {{zeta: {{url: '{}/'}}, acme: {{url: '{}'}}}}", first.url(), second.url());
        let agent = Agent::start(&format!("{services}\n{section}\n")).await;
        let asked = |request: &regent_kit::Received| request.path == expected;
        regent_kit::wait::until(LIMIT, "the request", async || first.requests().iter().any(asked).then_some(()))
            .await
            .unwrap_or_else(|error| panic!("{section}: {error}: {:?}", first.requests()));
        drop(agent);
    }
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn changes_may_be_the_first_that_comes() {
    let acme = ControlPlane::start().await;
    let patch = json!({"data": [
        {"op": "upsert", "path": "/authz/list", "value": [2]},
        {"op": "upsert", "path": "/authz/list/0", "value": 1},
        {"op": "upsert", "path": "/authz/list/-", "value": 3},
        {"op": "upsert", "path": "/authz/deep/er/x", "value": true},
    ]});
    let delta = Bundle::new().file("patch.json", patch.to_string()).roots(["authz"]).revision("d1");
    acme.serve_bundle("authz", delta.build());
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    agent.trigger().await.expect("it arrives");
    assert_eq!(agent.revision("authz", "d1").await.kind, Some("delta"));
    assert_eq!((agent.ask("authz/list"), agent.ask("authz/deep/er/x")), ("[1,2,3]".to_owned(), "true".to_owned()));
    agent.ready().await;
}

#[tokio::test]
async fn a_service_that_begins_to_hold_requests_is_believed() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let polling = "polling: {min_delay_seconds: 0, max_delay_seconds: 1, long_polling_timeout_seconds: 20}";
    let url = acme.url();
    let agent = Agent::start(&format!("services: {{acme: {{url: '{url}'}}}}\nbundles: {{authz: {{{polling}}}}}")).await;
    let (plain, held) = ("modes=snapshot,delta", "modes=snapshot,delta;wait=20");
    let sent = |at: usize| acme.requests()[at].header("prefer").map(str::to_owned);
    acme.wait_for_requests(AUTHZ, 2, LIMIT).await.expect("it is polled");
    assert_eq!((sent(0).as_deref(), sent(1).as_deref()), (Some(held), Some(plain)));
    acme.serve_bundle_holding("authz", authz("v2", "2").build());
    agent.revision("authz", "v2").await;
    regent_kit::wait::until(LIMIT, "a request to be held", async || {
        let requests = acme.requests();
        (requests.last()?.header("prefer") == Some(held)).then_some(())
    })
    .await
    .expect("it is asked to hold requests again");
}

#[tokio::test]
async fn a_new_revision_arrives_by_polling() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let agent = Agent::start(&eager(&acme, &["authz"])).await;
    agent.revision("authz", "v1").await;
    acme.serve_bundle("authz", authz("v2", "2").build());
    agent.revision("authz", "v2").await;
    assert_eq!(agent.ask("authz/answer"), "2");
}

#[tokio::test]
async fn the_deprecated_section_has_one_bundle_of_its_own() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", authz("v1", "1").build());
    let polling = "polling: {min_delay_seconds: 0, max_delay_seconds: 1}";
    let url = acme.url();
    let agent =
        Agent::start(&format!("services: {{acme: {{url: '{url}'}}}}\nbundle: {{name: authz, {polling}}}\n")).await;
    agent.revision("authz", "v1").await;
    assert_eq!(agent.host.status.report().legacy_bundle.as_deref(), Some("authz"));
}

#[tokio::test]
async fn a_file_is_loaded_at_start_and_when_triggered() {
    let directory = tempfile::tempdir().expect("a directory");
    authz("v1", "1").write_dir(directory.path()).expect("written");
    let config = format!("bundles: {{authz: {{resource: 'file://{}'}}}}", directory.path().display());
    let agent = Agent::start(&config).await;
    agent.revision("authz", "v1").await;
    agent.ready().await;
    authz("v2", "2").write_dir(directory.path()).expect("written");
    agent.trigger().await.expect("v2");
    assert_eq!(agent.ask("authz/answer"), "2");

    let agent = Agent::start(&config.replace("'}", "', signing: {}}")).await;
    assert_eq!(agent.trigger().await, Err("bundle missing .signatures.json file".to_owned()));

    let agent = Agent::start("bundles: {authz: {resource: 'file:///nowhere/b.tar.gz'}}").await;
    let status = agent.bundle("authz", |status| status.code.is_some()).await;
    assert!(status.message.expect("a message").contains("/nowhere/b.tar.gz"));
}

#[tokio::test]
async fn a_gzip_encoding_of_the_transport_is_taken_off_once() {
    let packed = authz("v1", "1").build();
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut twice, &packed).expect("a vector takes it");
    let body = twice.finish().expect("a vector takes it");
    let url = serve_once("Content-Encoding: gzip\r\nETag: \"e\"", body).await;
    let config = format!("services: {{acme: {{url: '{url}'}}}}\nbundles: {{authz: {{trigger: manual}}}}");
    let agent = Agent::start(&config).await;
    agent.trigger().await.expect("v1 arrives");
    assert_eq!(agent.ask("authz/answer"), "1");
}

/// A server that answers one request so.
async fn serve_once(headers: &'static str, body: Vec<u8>) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        let _ = stream.read(&mut [0; 4096]).await;
        let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&body).await;
    });
    url
}

#[tokio::test]
async fn status_says_for_as_long_as_it_is_active_that_wasm_is_not_run() {
    let acme = ControlPlane::start().await;
    let manifest =
        json!({"revision": "v1", "roots": ["authz"], "wasm": [{"entrypoint": "authz/deny", "module": "/policy.wasm"}]});
    let compiled = authz("v1", "1").file("policy.wasm", "\0asm").manifest(manifest);
    acme.serve_bundle("authz", compiled.build());
    let agent = Agent::start(&manual(&acme, &["authz"])).await;
    let expected = "policies compiled to Wasm are not run: policy.wasm; what they decide is undefined unless a policy in Rego \
                    decides it: authz/deny";
    for _activated_then_not_modified in 0..2 {
        agent.trigger().await.expect("it is no error");
        let status = agent.host.status.report().bundles["authz"].clone();
        assert_eq!((&status.warnings[..], status.code), (&[expected.to_owned()][..], None));
        assert_eq!((agent.ask("authz/answer"), agent.ask("authz/deny")), ("1".to_owned(), "undefined".to_owned()));
    }
    agent.ready().await;
    acme.serve_bundle("authz", authz("v2", "2").build());
    agent.trigger().await.expect("v2 arrives");
    assert!(agent.host.status.report().bundles["authz"].warnings.is_empty());
}

#[tokio::test]
async fn without_bundles_the_plugin_is_ready() {
    let agent = Agent::start("bundles: {off: null}").await;
    agent.ready().await;
}

#[tokio::test]
async fn stopping_ends_a_request_on_the_way() {
    let acme = ControlPlane::start().await;
    acme.fail_always(AUTHZ, Some(Fault::Hang(LIMIT * 100)));
    let agent = Agent::start(&eager(&acme, &["authz"])).await;
    acme.wait_for_requests(AUTHZ, 1, LIMIT).await.expect("a request");
    agent.stop().await;
}
