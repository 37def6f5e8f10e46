//! A hub that wants tokens.

use std::time::Duration;

use http::Method;
use serde_json::{Value as Json, json};

use crate::peer::Peer;
use crate::running::{Running, config};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A key as `ssh-keygen -m pem` makes it, and its public half.
fn keys(kind: &str) -> (String, String) {
    let file = format!("{}/tests/keys/{kind}", env!("CARGO_MANIFEST_DIR"));
    let public = std::fs::read_to_string(format!("{file}.pub")).expect("the public key");
    (file, public.trim().to_owned())
}

fn section(more: &str) -> String {
    let (private, public) = keys("rsa");
    format!("{{auth: {{private_key: '{private}', public_key: '{public}', master_token: master{more}}}}}")
}

async fn token(hub: &Running, wanted: Json) -> Json {
    let headers = [JSON, ("authorization", "bearer master")];
    let answer = hub.ask(Method::POST, "/token", &headers, &wanted.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn token_of(hub: &Running, kind: &str, topics: Json) -> String {
    let claims = if topics.is_null() { json!({}) } else { json!({"permitted_topics": topics}) };
    token(hub, json!({"type": kind, "claims": claims})).await["token"].as_str().expect("a token").to_owned()
}

async fn publish(hub: &Running, token: &str, topics: &[&str]) -> (u16, Json) {
    let update = json!({"entries": [{"url": "", "data": {}, "topics": topics}]});
    let authorization = format!("Bearer {token}");
    let answer =
        hub.ask(Method::POST, "/data/config", &[JSON, ("authorization", &authorization)], &update.to_string()).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn tokens_say_what_opal_says() {
    let hub = Running::start(&section("")).await;
    let id = "123e4567-e89b-42d3-a456-426614174000";
    let claims = json!({"permitted_topics": ["a"], "team": "x", "sub": "me", "peer_type": "listener", "exp": 9_999_999_999_u64, "iss": "me"});
    let answer = token(&hub, json!({"id": id, "type": "datasource", "ttl": "PT10M", "claims": claims})).await;
    assert_eq!(answer["type"], "bearer");
    assert_eq!((&answer["details"]["id"], &answer["details"]["type"]), (&json!(id), &json!("datasource")));
    let expected = json!({"peer_type": "datasource", "permitted_topics": ["a"], "team": "x"});
    assert_eq!(answer["details"]["claims"], expected, "what the hub says itself cannot be overridden");
    let token = answer["token"].as_str().expect("a token");
    let part = |index| {
        let part = token.split('.').nth(index).expect("three parts");
        serde_json::from_slice::<Json>(&regent_signing::base64::url_bytes(part).expect("base64")).expect("JSON")
    };
    assert_eq!(part(0), json!({"alg": "RS256", "typ": "JWT"}));
    let claims = part(1);
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!("https://api.opal.ac/v1/"), &json!("https://opal.ac/")));
    assert_eq!(claims["sub"], "123e4567e89b42d3a456426614174000");
    assert_eq!(claims["exp"].as_i64().expect("seconds") - claims["iat"].as_i64().expect("seconds"), 600);
    let keys = hub.get("/.well-known/jwks.json").await.json();
    assert_eq!(
        (&keys["keys"][0]["kty"], &keys["keys"][0]["key_ops"], &keys["keys"][0]["e"]),
        (&json!("RSA"), &json!(["verify"]), &json!("AQAB"))
    );
    assert_eq!(publish(&hub, token, &["a"]).await.0, 200);
}

#[tokio::test]
async fn no_token_is_made_for_who_has_no_master_token() {
    let hub = Running::start(&section("")).await;
    let refused = async |headers: &[(&str, &str)]| {
        let answer = hub.ask(Method::POST, "/token", headers, "{}").await;
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        (answer.status.as_u16(), answer.json())
    };
    let missing = json!({"detail": {"error": "Authorization header is required!"}});
    assert_eq!(refused(&[JSON]).await, (401, missing));
    let wrong = json!({"detail": {"error": "unauthorized to access this endpoint!"}});
    assert_eq!(refused(&[JSON, ("authorization", "Bearer nope")]).await, (401, wrong), "the token is not repeated");
    for body in [
        json!({"type": "Client"}),
        json!({"type": null}),
        json!({"ttl": "1 day"}),
        json!({"id": "x"}),
        json!({"ttl": 1e300}),
    ] {
        let answer =
            hub.ask(Method::POST, "/token", &[JSON, ("authorization", "Bearer master")], &body.to_string()).await;
        assert_eq!(answer.status, 422, "{body}");
    }
}

#[tokio::test]
async fn only_sources_of_data_publish_and_only_what_they_may() {
    let hub = Running::start(&section("")).await;
    let error = |of: &str| json!({"detail": {"error": of}});
    let client = token_of(&hub, "client", Json::Null).await;
    let wrong = "Incorrect 'peer_type' claim for OPAL jwt token: PeerType.client, expected: PeerType.datasource";
    assert_eq!(publish(&hub, &client, &["a"]).await, (401, error(wrong)));
    assert_eq!(publish(&hub, "master", &["a"]).await, (401, error("Could not decode access token")));
    let limited = token_of(&hub, "datasource", json!(["eu"])).await;
    assert_eq!(publish(&hub, &limited, &["eu"]).await.0, 200);
    assert_eq!(publish(&hub, &limited, &["eu/x"]).await, (401, error("Invalid 'topics' to publish {'eu/x'}")));
    assert_eq!(publish(&hub, &limited, &[]).await.0, 200);
    let expired =
        token(&hub, json!({"type": "datasource", "ttl": -5})).await["token"].as_str().expect("a token").to_owned();
    assert_eq!(publish(&hub, &expired, &["a"]).await, (401, error("Access token is expired")));
    // A token of another audience, and a forged one.
    let other = Running::start(&section(", audience: 'https://other/'")).await;
    let foreign = token_of(&other, "datasource", Json::Null).await;
    assert_eq!(publish(&hub, &foreign, &["a"]).await, (401, error("Invalid access token: invalid audience claim")));
    let other = Running::start(&section(", issuer: 'https://other/'")).await;
    let foreign = token_of(&other, "datasource", Json::Null).await;
    assert_eq!(publish(&hub, &foreign, &["a"]).await, (401, error("Invalid access token: invalid issuer claim")));
    let (signed, _) = limited.rsplit_once('.').expect("a signature");
    let header = regent_signing::base64::spell_url(br#"{"alg":"none","typ":"JWT"}"#);
    let claims = signed.split_once('.').expect("claims").1;
    for forged in
        [format!("{signed}.AAAA"), format!("{header}.{claims}."), signed.to_owned(), "a.b.c".to_owned(), "a".to_owned()]
    {
        let (status, answer) = publish(&hub, &forged, &["a"]).await;
        assert_eq!((status, answer), (401, error("Could not decode access token")), "{forged}");
    }
    assert_eq!(hub.get("/data/config").await.json(), error("access token was not provided"));
    assert_eq!(hub.get("/healthcheck").await.status, 200);
}

#[tokio::test]
async fn websockets_are_for_who_has_a_token_and_topics_for_who_may() {
    let hub = Running::start(&section("")).await;
    for token in [None, Some("forged")] {
        assert_eq!(Peer::connect_as(&hub, "", token).await.err(), Some(403));
    }
    let limited = token_of(&hub, "client", json!(["eu", "policy:."])).await;
    let connect = async |token: &str| Peer::connect_as(&hub, "", Some(token)).await.expect("it is let in");
    let mut peer = connect(&limited).await;
    peer.subscribe(&["eu", "policy:."]).await;
    for topics in [json!(["us"]), json!(["eu/x"]), json!("eu")] {
        let mut peer = connect(&limited).await;
        peer.call("subscribe", json!({"topics": topics})).await;
        assert_eq!(peer.closed().await, 1000, "{topics}");
    }
    // A client's token cannot forge updates, whatever its topics.
    let mut forger = connect(&token_of(&hub, "client", Json::Null).await).await;
    forger.call("publish", json!({"topics": ["eu"], "data": {"entries": []}})).await;
    assert_eq!(forger.closed().await, 1000);
    let mut source = connect(&token_of(&hub, "datasource", Json::Null).await).await;
    source.call("publish", json!({"topics": ["eu"], "data": 1})).await;
    assert_eq!(source.next().await["response"]["result"], true);
    assert_eq!(peer.notice().await, ("eu".to_owned(), json!(1)));
    // But it may say who it is.
    peer.call("publish", json!({"topics": ["__opal_stats_add"], "data": {"client_id": "c", "rpc_id": "r"}})).await;
    assert_eq!(peer.next().await["response"]["result"], true);
    assert_eq!(hub.metric("hub_handshakes_refused").await, 2);
}

#[tokio::test(start_paused = false)]
async fn who_is_refused_again_and_again_is_answered_late_and_others_at_once() {
    let hub = Running::start(&section("")).await;
    let good = token_of(&hub, "client", Json::Null).await;
    for _ in 0..5 {
        assert_eq!(Peer::connect_as(&hub, "", None).await.err(), Some(403));
    }
    let refused = Peer::connect_as(&hub, "", None);
    let mut refused = std::pin::pin!(refused);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut refused).await;
    assert!(early.is_err(), "the refusal is held back");
    assert!(Peer::connect_as(&hub, "", Some(&good)).await.is_ok(), "who has a token is let in meanwhile");
    assert_eq!(refused.await.err(), Some(403));
}

#[tokio::test]
async fn keys_may_be_texts_and_have_to_belong_together() {
    let (file, public) = keys("rsa");
    let text = std::fs::read_to_string(&file).expect("the key").replace('\n', "_");
    let of = |private: &str, public: &str, algorithm: &str| {
        config(&format!(
            "{{auth: {{private_key: '{private}', public_key: '{public}', master_token: m, algorithm: {algorithm}}}}}"
        ))
        .map(drop)
    };
    of(&text, &public, "RS256").expect("the text is as good as the file");
    of(&text, &public, "PS512").expect("another algorithm of the same kind");
    let error = of(&text, &public, "ES256").expect_err("no such key");
    assert!(error.contains("hub.auth.p"), "{error}");
    assert!(!error.contains("PRIVATE"), "{error}");
    let (other, other_public) = keys("ecdsa");
    of(&other, &other_public, "ES256").expect("an elliptic curve");
    let error = of(&text, &other_public, "RS256").expect_err("they do not belong together");
    assert!(error.contains("hub.auth.public_key: does not belong"), "{error}");
}
