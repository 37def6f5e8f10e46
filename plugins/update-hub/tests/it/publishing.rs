//! Publishing, base data, and what else is asked by HTTP.

use http::Method;
use serde_json::{Value as Json, json};

use crate::running::{Running, config};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn bodies_are_taken_as_opal_takes_them() {
    let hub = Running::start("{}").await;
    let update = r#"{"entries": [{"url": "", "data": {"a": 1}, "dst_path": "/x"}]}"#;
    let post = async |headers: &[(&str, &str)], body: &str| hub.ask(Method::POST, "/data/config", headers, body).await;
    for kind in
        [Some("application/json"), Some("application/vnd.x+json"), Some("application/json; charset=utf-8"), None]
    {
        let headers: Vec<_> = kind.into_iter().map(|kind| ("content-type", kind)).collect();
        assert_eq!(post(&headers, update).await.status, 200, "{kind:?}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let answer = post(&[("content-type", kind)], update).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["detail"][0]["loc"]), (422, &json!(["body"])), "{kind}");
    }
    for (body, place) in [
        ("{}", json!(["body", "entries"])),
        (r#"{"entries": [{}]}"#, json!(["body", "entries", 0, "url"])),
        (r#"{"entries": [{"url": "", "data": 5}]}"#, json!(["body", "entries", 0, "data"])),
        (r#"{"entries": [{"url": "", "save_method": "PATCH", "data": null}]}"#, json!(["body", "entries", 0, "data"])),
        (r#"{"entries": [{"url": "", "save_method": "PATCH", "data": {}}]}"#, json!(["body", "entries", 0, "data"])),
        (
            r#"{"entries": [{"url": "", "save_method": "POST", "data": {}}]}"#,
            json!(["body", "entries", 0, "save_method"]),
        ),
        ("[]", json!(["body"])),
    ] {
        let answer = post(&[JSON], body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["detail"][0]["loc"]), (422, &place), "{body}");
    }
    assert_eq!(post(&[JSON], "{bad").await.json()["detail"][0]["type"], "json_invalid");
    let empty = post(&[JSON], r#"{"entries": []}"#).await;
    assert_eq!((empty.status.as_u16(), empty.json()), (200, json!({"status": "ok"})));
    assert_eq!(hub.metric("hub_published").await, 4, "what is refused or empty is not published");
}

#[tokio::test]
async fn what_an_opal_client_could_not_take_is_refused() {
    let hub = Running::start("{max_update_bytes: 2000}").await;
    let of = |size| json!({"entries": [{"url": "", "data": {"x": "x".repeat(size)}}]});
    assert_eq!(hub.publish(&of(1_000)).await.status, 200);
    let refused = hub.publish(&of(2_000)).await;
    assert_eq!(refused.status, 413);
    assert!(refused.text().contains("more than 2000 bytes (`hub.max_update_bytes`)"), "{}", refused.text());
    let far_too_large = hub.publish(&of(17 << 20)).await;
    assert_eq!(far_too_large.status, 413);
}

#[tokio::test]
async fn base_data_is_listed_or_lies_elsewhere() {
    let entries = r"[{url: 'http://s/a', dst_path: /a}, {url: 'http://s/p', save_method: PATCH, dst_path: /a}]";
    let hub = Running::start(&format!("{{data_sources: {{entries: {entries}}}}}")).await;
    let list = hub.get("/data/config").await.json();
    let expected = json!({"url": "http://s/a", "config": null, "topics": ["policy_data"], "dst_path": "/a", "save_method": "PUT", "data": null});
    assert_eq!(list, json!({"entries": [expected]}), "an opal-client would refuse the patch");
    let ours = hub.ask(Method::GET, "/data/config", &[("regent-peer", "1")], "").await.json();
    assert_eq!(ours["entries"].as_array().map(Vec::len), Some(2));
    assert_eq!(Running::start("{}").await.get("/data/config").await.json(), json!({"entries": []}));
    let hub = Running::start("{data_sources: {external_source_url: 'https://s/list?tenant=1'}}").await;
    let moved = hub.ask(Method::GET, "/data/config", &[("authorization", "Bearer t.o.k")], "").await;
    assert_eq!(moved.status, 307);
    assert_eq!(moved.headers["location"], "https://s/list?tenant=1&token=t.o.k");
}

#[tokio::test]
async fn reports_are_kept_for_who_asks() {
    let hub = Running::start("{}").await;
    let report = json!({"update_id": "u-1", "reports": [{"fetched": true, "saved": true}], "policy_hash": null, "user_data": {}});
    let taken = hub.ask(Method::POST, "/data/callback_report", &[JSON], &report.to_string()).await;
    assert_eq!((taken.status.as_u16(), taken.json()), (200, json!({})));
    let kept = hub.get("/data/callback_report?update_id=u-1").await.json();
    assert_eq!((&kept[0]["report"], kept.as_array().map(Vec::len)), (&report, Some(1)));
    assert_eq!(hub.get("/data/callback_report?update_id=u-2").await.json(), json!([]));
    assert_eq!(hub.get("/data/callback_report").await.status, 400);
}

#[tokio::test]
async fn other_paths_are_answered_as_by_opal() {
    let hub = Running::start("{load_limit: 2/minute}").await;
    for (method, path, status, body) in [
        (Method::GET, "/", 200, json!({"status": "ok"})),
        (Method::GET, "/healthcheck", 200, json!({"status": "ok"})),
        (Method::GET, "/policy-data", 200, json!({})),
        (Method::GET, "/.well-known/jwks.json", 200, json!({})),
        (Method::GET, "/nope", 404, json!({"detail": "Not Found"})),
        (Method::GET, "/ws", 404, json!({"detail": "Not Found"})),
        (Method::DELETE, "/data/config", 405, json!({"detail": "Method Not Allowed"})),
        (Method::GET, "/loadlimit", 200, Json::Null),
        (Method::GET, "/loadlimit", 200, Json::Null),
        (Method::GET, "/loadlimit", 429, json!({"detail": "2 per 1 minute"})),
        (
            Method::POST,
            "/token",
            503,
            json!({"detail": "opal server was not configured with security, cannot generate tokens!"}),
        ),
    ] {
        let answer = hub.ask(method, path, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.json()), (status, body), "{path}");
    }
    let moved = hub.get("/data/config/").await;
    assert_eq!((moved.status.as_u16(), moved.headers["location"].as_bytes()), (307, b"/data/config".as_slice()));
    let page = [("origin", "https://page"), ("access-control-request-method", "POST")];
    let allowed = hub.ask(Method::OPTIONS, "/data/config", &page, "").await;
    assert_eq!((allowed.status.as_u16(), allowed.text()), (200, "OK".to_owned()));
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://page");
}

#[test]
fn what_is_wrong_with_a_configuration_is_named() {
    for (section, expected) in [
        ("{adr: x}", "hub.adr: unknown field `adr`"),
        ("{load_limit: often}", "hub.load_limit: must be like `10/minute`"),
        ("{max_update_bytes: 99999999}", "hub.max_update_bytes: must be at most"),
        ("{max_peers: 0}", "hub.max_peers: must be at least 1"),
        ("{data_sources: {external_source_url: x}}", "hub.data_sources.external_source_url: must be an address"),
        ("{data_sources: {entries: [{}]}}", "missing field `url`"),
        ("{backbone: {url: 'ftp://x'}}", "hub.backbone.url: must be an address that begins with one of"),
        ("{backbone: {url: 'redis://x', name: a-b}}", "hub.backbone.name: must be made of letters"),
        ("{auth: {private_key: /nonexistent, master_token: m}}", "hub.auth.private_key: is neither a key nor a file"),
        ("{auth: {private_key: x, master_token: m, algorithm: HS256}}", "hub.auth.algorithm: must be one of"),
        ("{auth: {private_key: x, master_token: ''}}", "hub.auth.master_token: must not be empty"),
    ] {
        let error = config(section).expect_err(section);
        assert!(error.contains(expected), "{section}: {error}");
    }
}
