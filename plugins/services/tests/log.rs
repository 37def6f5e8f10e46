//! What the log tells of requests at debug level. The only test of its program, because the log is one for all threads.

mod common;

use std::io::Seek as _;
use std::sync::Arc;

use common::{acme, get};
use regent_core::logging::{Format, Layout, Level, LogLayer};
use regent_kit::Registry;

#[tokio::test]
async fn requests_and_answers_are_in_the_log_and_failing_ones_with_the_beginning_of_their_body() {
    let server = Registry::start().await;
    let log = Arc::new(tempfile::tempfile().expect("a file"));
    let layer = LogLayer::new(Format::Json, Level::Debug, Layout::default(), log.clone());
    tracing::subscriber::set_global_default(layer.into_subscriber()).expect("the only test of this program");
    let config = format!("services: {{acme: {{url: '{}', credentials: {{bearer: {{token: s3cret}}}}}}}}", server.url());
    let service = acme(&config).await;
    let rant = "x".repeat(2000);
    for (status, body) in [(200, "fine"), (503, &*rant), (401, "")] {
        server.answer("GET", "/a", status, &[("x-seen", "1")], body.to_owned());
        assert_eq!(get(&*service, "a").await, Ok((status, body.to_owned())), "what is logged still arrives");
    }
    let mut log = &*log;
    log.rewind().expect("a file");
    let log = std::io::read_to_string(log).expect("UTF-8");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |message: &str| lines.iter().filter(|line| line["msg"] == message).cloned().collect::<Vec<_>>();
    let (sent, received) = (of("Sending request."), of("Received response."));
    assert_eq!((sent.len(), sent[0]["method"].as_str(), sent[0]["level"].as_str()), (3, Some("GET"), Some("debug")));
    assert!(sent[0]["url"].as_str().is_some_and(|url| url.ends_with("/a")), "{log}");
    assert!(log.contains("REDACTED") && !log.contains("s3cret"), "{log}");
    let bodies: Vec<_> = received.iter().map(|line| line["response"].as_str()).collect();
    assert_eq!(bodies, [None, Some(&rant[..1024]), Some("")]);
    assert!(
        received.iter().all(|line| line["headers"].as_str().is_some_and(|shown| shown.contains("x-seen"))),
        "{log}"
    );
}
