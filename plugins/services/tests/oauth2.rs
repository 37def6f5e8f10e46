//! Services whose tokens come from a token endpoint.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{acme, get, try_acme};
use futures_util::future::join_all;
use regent_kit::{Certificates, ClientAuth, ControlPlane, Fault, Received};
use regent_signing::base64;
use regent_signing::jws::{self, Algorithm};
use url::form_urlencoded;

/// A service that is guarded, and the token endpoint.
struct World {
    guarded: ControlPlane,
    tokens: ControlPlane,
}

impl World {
    async fn start() -> Self {
        let guarded = ControlPlane::start().await;
        guarded.serve_bundle("authz", "bytes");
        Self { guarded, tokens: ControlPlane::start_tls(ClientAuth::None).await }
    }

    /// The configuration; `more` is the rest of `oauth2`, `rest` the rest of the document.
    fn config(&self, more: &str, rest: &str) -> String {
        let (service, tokens) = (self.guarded.url(), self.tokens.url());
        format!(
            "services: {{acme: {{url: '{service}', allow_insecure_tls: true, \
             credentials: {{oauth2: {{token_url: '{tokens}/token', {more}}}}}}}}}\n{rest}"
        )
    }

    fn gives(&self, token: &str, expires_in: u32) {
        let answer = format!(r#"{{"access_token":"{token}","token_type":"bEARER","expires_in":{expires_in}}}"#);
        self.tokens.fail_always("/token", Some(Fault::Body(answer.into())));
    }

    fn asked(&self) -> Vec<Received> {
        self.tokens.requests()
    }

    /// What the guarded service saw in `Authorization`.
    fn seen(&self) -> Vec<String> {
        let header = |request: &Received| request.header("authorization").unwrap_or_default().to_owned();
        self.guarded.requests().iter().map(header).collect()
    }
}

const SECRET: &str = "client_id: me, client_secret: hunter2";

fn form(request: &Received) -> BTreeMap<String, String> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

fn good() -> (u16, String) {
    (200, "bytes".to_owned())
}

#[tokio::test]
async fn a_client_with_a_secret_gets_a_token_and_keeps_it() {
    let world = World::start().await;
    world.guarded.require_header("authorization", "Bearer t1");
    world.gives("t1", 3600);
    let more = format!(
        "{SECRET}, scopes: [a, b], additional_headers: {{x-team: blue}}, additional_parameters: {{audience: 'x y'}}"
    );
    let service = acme(&world.config(&more, "")).await;
    for _ in 0..3 {
        assert_eq!(get(&*service, "bundles/authz").await, Ok(good()));
    }
    let [request] = &world.asked()[..] else { panic!("one token is enough: {:?}", world.asked()) };
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/token"));
    assert_eq!(request.header("authorization"), Some("Basic bWU6aHVudGVyMg=="));
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("x-team"), Some("blue"));
    let expected = [("audience", "x y"), ("grant_type", "client_credentials"), ("scope", "a b")];
    assert_eq!(form(request), expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
}

#[tokio::test]
async fn a_wrong_token_is_refused_by_the_service() {
    let world = World::start().await;
    world.guarded.require_header("authorization", "Bearer another");
    world.gives("t1", 3600);
    let service = acme(&world.config(SECRET, "")).await;
    assert_eq!(get(&*service, "bundles/authz").await.expect("an answer").0, 401);
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_used_again() {
    let world = World::start().await;
    world.guarded.require_header("authorization", "Bearer t2");
    world.gives("t1", 3600);
    let service = acme(&world.config(SECRET, "")).await;
    assert_eq!(get(&*service, "bundles/authz").await.expect("an answer").0, 401);
    world.gives("t2", 3600);
    for _ in 0..2 {
        assert_eq!(get(&*service, "bundles/authz").await, Ok(good()));
    }
    assert_eq!(world.asked().len(), 2);
    // Other refusals say nothing about the token.
    world.guarded.fail_next("/bundles/authz", Fault::Status(403));
    get(&*service, "bundles/authz").await.expect("an answer");
    assert_eq!(get(&*service, "bundles/authz").await, Ok(good()));
    assert_eq!(world.asked().len(), 2);
}

#[tokio::test]
async fn requests_at_once_ask_for_one_token() {
    let world = World::start().await;
    world.gives("t1", 3600);
    let service = acme(&world.config(SECRET, "")).await;
    let answers = join_all((0..16).map(|_| get(&*service, "bundles/authz"))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(good())), "{answers:?}");
    assert_eq!((world.asked().len(), world.seen()), (1, vec!["Bearer t1".to_owned(); 16]));
}

#[tokio::test]
async fn a_token_is_renewed_ten_seconds_before_its_end() {
    let world = World::start().await;
    world.gives("t1", 12);
    let service = acme(&world.config(SECRET, "")).await;
    get(&*service, "bundles/authz").await.expect("an answer");
    world.gives("t2", 3600);
    let patience = Instant::now() + Duration::from_mins(1);
    while world.seen().last().is_some_and(|token| token == "Bearer t1") {
        assert!(Instant::now() < patience, "the token is never renewed");
        get(&*service, "bundles/authz").await.expect("an answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((world.seen().last().map(String::as_str), world.asked().len()), (Some("Bearer t2"), 2));
}

#[tokio::test]
async fn a_token_that_does_not_last_is_used_once() {
    let world = World::start().await;
    let service = acme(&world.config(SECRET, "")).await;
    for (token, expires_in) in [("t1", 0), ("t2", 9)] {
        world.gives(token, expires_in);
        assert_eq!(get(&*service, "bundles/authz").await, Ok(good()));
    }
    world.tokens.fail_always("/token", Some(Fault::Body(r#"{"access_token":"t3","token_type":"bearer"}"#.into())));
    assert_eq!(get(&*service, "bundles/authz").await, Ok(good()));
    assert_eq!(
        (world.seen(), world.asked().len()),
        (["Bearer t1", "Bearer t2", "Bearer t3"].map(String::from).into(), 3)
    );
}

#[tokio::test]
async fn what_the_endpoint_does_wrong_fails_the_request_and_passes() {
    let world = World::start().await;
    let service = acme(&world.config(SECRET, "")).await;
    let body = |text: &'static str| Fault::Body(text.into());
    let faults = [
        (Fault::Reset, "error in request to OAuth2 token endpoint: no answer"),
        (Fault::Status(503), "error in response from OAuth2 token endpoint: "),
        (body("not json hunter3"), "answer of OAuth2 token endpoint is no JSON object with a token: line 1 column 2"),
        (body(r#"{"access_token": 271828}"#), "answer of OAuth2 token endpoint is no JSON object with a token"),
        (body(r#"{"access_token": "t", "token_type": "mac"}"#), "unknown token type returned from token endpoint"),
        (body(r#"{"access_token": "t"}"#), "unknown token type returned from token endpoint"),
        (body(r#"{"token_type": "bearer"}"#), "no access_token returned from token endpoint"),
        (body(r#"{"token_type": "bearer", "access_token": "a\nb"}"#), "token is not fit for a header"),
    ];
    for (number, (fault, expected)) in faults.into_iter().enumerate() {
        world.tokens.fail_next("/token", fault);
        let error = get(&*service, "bundles/authz").await.expect_err("no token");
        assert!(error.starts_with(expected), "{error}");
        assert!(!["hunter", "271828", "127.0.0.1"].iter().any(|secret| error.contains(secret)), "{error}");
        assert_eq!((world.seen().len(), world.asked().len()), (0, number + 1), "asked once, and nothing sent without");
    }
    world.gives("t1", 3600);
    assert_eq!(get(&*service, "bundles/authz").await, Ok(good()));
}

#[tokio::test]
async fn the_endpoint_has_to_prove_who_it_is() {
    let world = World::start().await;
    world.gives("t1", 3600);
    let config = world.config(SECRET, "").replace("allow_insecure_tls: true", "allow_insecure_tls: false");
    let error = get(&*acme(&config).await, "bundles/authz").await.expect_err("an unknown authority");
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn ready_made_assertions_are_sent_as_they_are() {
    let world = World::start().await;
    world.gives("t1", 0);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("assertion");
    let from_file = format!("client_id: me, client_assertion_type: mine, client_assertion_path: '{}'", file.display());
    let literal = acme(&world.config("client_id: me, client_assertion: a.b.c", "")).await;
    let from_file = acme(&world.config(&from_file, "")).await;
    get(&*literal, "x").await.expect("an answer");
    let error = get(&*from_file, "x").await.expect_err("there is no file yet");
    assert!(error.starts_with("cannot read client assertion "), "{error}");
    for text in [" first\n", "second"] {
        std::fs::write(&file, text).expect("the assertion is written");
        get(&*from_file, "x").await.expect("an answer");
    }
    let sent: Vec<_> = world.asked().iter().map(form).collect();
    let expected = |kind: &str, assertion: &str| {
        let pairs = [
            ("client_assertion", assertion),
            ("client_assertion_type", kind),
            ("client_id", "me"),
            ("grant_type", "client_credentials"),
        ];
        BTreeMap::from(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())))
    };
    let usual = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(sent, [expected(usual, "a.b.c"), expected("mine", "first"), expected("mine", "second")]);
    assert!(world.asked().iter().all(|request| request.header("authorization").is_none()));
}

/// Header and claims of a token whose signature is right.
fn verified(token: &str, algorithm: &str, key: &str) -> (serde_json::Value, serde_json::Value) {
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let (header, claims) = message.split_once('.').expect("claims");
    let algorithm = Algorithm::of_name(algorithm).expect("a known algorithm");
    let key = jws::verification_key(key, algorithm).expect("a key");
    let signature = base64::url_bytes(signature).expect("base64");
    assert!(algorithm.verifies(&key, message.as_bytes(), &signature), "{token}");
    let json = |part| serde_json::from_slice(&base64::url_bytes(part).expect("base64")).expect("JSON");
    (json(header), json(claims))
}

#[tokio::test]
async fn assertions_signed_with_a_key_are_a_grant_or_prove_the_client() {
    let world = World::start().await;
    world.gives("t1", 0);
    let key = Certificates::generate().client_key;
    let keys = serde_json::json!({"keys": {
        "ec": {"private_key": key, "algorithm": "ES256"},
        "mac": {"private_key": "s3cret", "algorithm": "HS512"},
    }});
    let rest = format!("keys: {}", keys["keys"]);
    let grant = "grant_type: jwt_bearer, signing_key: ec, scopes: [a, b], include_jti_claim: true, \
                 thumbprint: 8F1BDDDE9982299E62749C20EDDBAAC57F619D04, \
                 additional_claims: {aud: acme, exp: 7, deep: {m: 1.5}}";
    get(&*acme(&world.config(grant, &rest)).await, "x").await.expect("an answer");
    get(&*acme(&world.config("signing_key: mac, client_id: me", &rest)).await, "x").await.expect("an answer");
    let [grant, client] = &world.asked().iter().map(form).collect::<Vec<_>>()[..] else { panic!("two tokens") };

    assert_eq!(grant["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!((grant["scope"].as_str(), grant.len()), ("a b", 3));
    let (header, claims) = verified(&grant["assertion"], "ES256", &key);
    let expected = serde_json::json!({"alg": "ES256", "typ": "JWT", "x5t": "jxvd3pmCKZ5idJwg7duqxX9hnQQ="});
    assert_eq!(header, expected);
    assert_eq!((&claims["aud"], &claims["exp"], &claims["deep"]["m"]), (&"acme".into(), &7.into(), &1.5.into()));
    assert_eq!((&claims["scope"], claims["jti"].as_str().map(str::len)), (&"a b".into(), Some(36)));

    assert_eq!((client["grant_type"].as_str(), client["client_id"].as_str()), ("client_credentials", "me"));
    assert_eq!(client["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let (_, claims) = verified(&client["client_assertion"], "HS512", "s3cret");
    let (from, until) = (claims["iat"].as_u64().expect("a time"), claims["exp"].as_u64().expect("a time"));
    assert_eq!((until - from, claims.as_object().map(serde_json::Map::len)), (600, Some(2)));
}

#[tokio::test]
async fn what_the_endpoint_quotes_of_a_secret_is_not_shown() {
    // Only the control plane's own answers to refused requests have both a status and a text.
    let world = World::start().await;
    world.tokens.require_header("x-never", "sent");
    let error = get(&*acme(&world.config("client_id: me, client_secret: x-never", "")).await, "x").await;
    let error = error.expect_err("refused");
    assert_eq!(error, "error in response from OAuth2 token endpoint: the required `***` is missing or another");
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_opas_words() {
    let check = async |oauth2: &str, expected: &str| {
        let config = format!(
            "services: {{acme: {{url: 'http://x', credentials: {{oauth2: {{{oauth2}}}}}}}}}\n\
             keys: {{public: {{key: k}}, odd: {{private_key: k, algorithm: X1}}, text: {{private_key: k}}, \
             other: {{private_key: \"-----BEGIN OTHER-----\\nAAAA\\n-----END OTHER-----\\n\"}}, mac: {{private_key: k, algorithm: HS256}}}}"
        );
        let error = try_acme(&config).await.err().expect("a refusal");
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    };
    let url = "token_url: 'https://x'";
    check("grant_type: magic", "grant_type must be either client_credentials or jwt_bearer").await;
    check("grant_type: jwt_bearer", "signing_key required for jwt_bearer grant type").await;
    check("signing_key: none", "signing_key refers to non-existent key").await;
    check("signing_key: public", "referenced signing_key does not include a private key").await;
    check("signing_key: odd", "unknown signature algorithm: X1").await;
    check("signing_key: text", "failed to decode PEM key").await;
    check("signing_key: other", "unsupported key type: OTHER").await;
    check(&format!("{url}, signing_key: mac, thumbprint: xy"), "oauth2.thumbprint: is no hexadecimal text").await;
    check(SECRET, "token_url required to use https scheme").await;
    check(&format!("token_url: 'http://x', {SECRET}"), "token_url required to use https scheme").await;
    check(&format!("token_url: 'https://[', {SECRET}"), "oauth2.token_url: is invalid").await;
    let choice =
        "one of client_secret, signing_key, aws_kms, azure_keyvault, client_assertion, or client_assertion_path";
    check(url, &format!("please provide {choice} required")).await;
    check(&format!("{url}, {SECRET}, client_assertion: a"), &format!("can only use {choice}")).await;
    check(&format!("{url}, {SECRET}, aws_kms: {{}}"), &format!("can only use {choice}")).await;
    check(&format!("{url}, client_secret: hunter2"), "client_id and client_secret required").await;
    check(&format!("{url}, client_assertion: hunter2"), "client_id and client_assertion required").await;
    check(&format!("{url}, client_assertion_path: a"), "client_id and client_assertion_path required").await;
    check(&format!("{url}, client_secret: [hunter2]"), "credentials.oauth2.client_secret: invalid").await;
    check(&format!("{url}, {SECRET}, additional_headers: {{'a b': c}}"), "additional_headers.a b: is not fit").await;
}
