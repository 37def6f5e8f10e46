//! Services that are asked with credentials of which something goes wrong: the agent goes on with what it has, says so,
//! asks no more often than it has to, and recovers by itself.

use regent_kit::{Agent, ClientAuth, ControlPlane, Fault, Registry};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, decide, ready, regent};

const AUTHZ: &str = "/bundles/authz";

/// A guarded service of bundles, the token endpoint that opens it, and one that hears how it goes.
struct World {
    guarded: ControlPlane,
    tokens: ControlPlane,
    acme: ControlPlane,
}

impl World {
    async fn start() -> Self {
        let tokens = ControlPlane::start_tls(ClientAuth::None).await;
        let world = Self { guarded: ControlPlane::start().await, tokens, acme: ControlPlane::start().await };
        world.guarded.serve_bundle("authz", bundle("v1", &["ann"]));
        world
    }

    fn gives(&self, expires_in: u32) {
        let answer = json!({"access_token": "t0ken", "token_type": "bearer", "expires_in": expires_in});
        self.tokens.fail_always("/token", Some(Fault::Body(answer.to_string().into())));
    }

    async fn agent(&self) -> Agent {
        let credentials =
            format!("oauth2: {{token_url: '{}/token', client_id: me, client_secret: hunter2}}", self.tokens.url());
        let config = format!(
            "services: {{guarded: {{url: '{}', allow_insecure_tls: true, credentials: {{{credentials}}}}}, \
             acme: {{url: '{}'}}}}\nstatus: {{service: acme}}\n\
             bundles: {{authz: {{service: guarded, polling: {{min_delay_seconds: 1, max_delay_seconds: 1}}}}}}\n",
            self.guarded.url(),
            self.acme.url()
        );
        ready(regent().config(&config)).await
    }

    /// Waits for a report on the bundle that fits.
    async fn reports(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let report = self.acme.wait_for_status(SOON, |report| fits(&report["bundles"]["authz"])).await;
        report.expect("the report comes")["bundles"]["authz"].clone()
    }

    /// Waits for a report of a failure that begins so.
    async fn fails(&self, agent: &Agent, text: &str) {
        self.reports(|authz| authz["message"].as_str().is_some_and(|message| message.starts_with(text))).await;
        assert_eq!(decide(agent, "app/revision", json!({})).await, "v1", "the last good policy stays");
    }
}

#[tokio::test]
async fn a_token_endpoint_may_go_and_come_back() {
    let world = World::start().await;
    world.gives(3600);
    let agent = world.agent().await;
    world.reports(|authz| authz["active_revision"] == "v1").await;

    // The token is revoked, and nobody gives another one.
    world.tokens.fail_always("/token", Some(Fault::Reset));
    world.guarded.fail_always(AUTHZ, Some(Fault::Status(401)));
    world.fails(&agent, "server replied with Unauthorized").await;
    world.fails(&agent, "request failed: error in request to OAuth2 token endpoint: no answer").await;
    for (fault, text) in [
        (Fault::Status(503), "error in response from OAuth2 token endpoint: "),
        (Fault::Body("<html>".into()), "answer of OAuth2 token endpoint is no JSON object with a token: "),
        (Fault::Body("{}".into()), "unknown token type returned from token endpoint"),
    ] {
        world.tokens.fail_always("/token", Some(fault));
        world.fails(&agent, &format!("request failed: {text}")).await;
    }
    let (asked, sent) = (world.tokens.requests().len(), world.guarded.requests().len());

    // Each poll asks for one token at most, and is reported.
    let reports = world.acme.statuses().len();
    assert!(asked <= reports + 1, "{asked} questions for tokens, {reports} reports");
    assert_eq!(world.guarded.requests().len(), sent, "nothing is sent without a token");

    world.guarded.serve_bundle("authz", bundle("v2", &["bob"]));
    world.guarded.fail_always(AUTHZ, None);
    world.gives(3600);
    let authz = world.reports(|authz| authz["active_revision"] == "v2").await;
    assert_eq!((&authz["code"], &authz["message"]), (&Value::Null, &Value::Null));
    assert_eq!(decide(&agent, "app/allow", json!({"user": "bob"})).await, true);
    let shown = format!("{}{}", agent.stdout(), agent.stderr());
    assert!(!shown.contains("hunter2") && !shown.contains("t0ken"), "{shown}");
}

#[tokio::test]
async fn a_token_that_ends_at_once_is_asked_for_as_often_as_it_is_needed() {
    let world = World::start().await;
    world.gives(0);
    let agent = world.agent().await;
    for (revision, previous) in [("v2", "v1"), ("v3", "v2")] {
        assert_eq!(decide(&agent, "app/revision", json!({})).await, previous);
        world.guarded.serve_bundle("authz", bundle(revision, &["ann"]));
        world.reports(|authz| authz["active_revision"] == revision).await;
    }
    drop(agent);
    let (asked, sent) = (world.tokens.requests().len(), world.guarded.requests().len());
    assert!(asked == sent || asked == sent + 1, "{asked} questions for tokens, {sent} for bundles");
    let authorized = |request: &regent_kit::Received| request.header("authorization") == Some("Bearer t0ken");
    assert!(world.guarded.requests().iter().all(authorized));
}

#[tokio::test]
async fn signatures_for_aws_stay_with_the_service() {
    let (bucket, mirror) = (Registry::start().await, Registry::start().await);
    mirror.answer("GET", "/mirror/authz.tar.gz", 200, &[], bundle("v1", &["ann"]));
    let place = format!("{}/mirror/authz.tar.gz", mirror.url());
    bucket.answer("GET", "/bundles/authz", 307, &[("location", &place)], "");
    let signing = "s3_signing: {signature_version: 4a, environment_credentials: {}}";
    let config = format!(
        "services: {{bucket: {{url: '{}', credentials: {{{signing}}}}}}}\nbundles: {{authz: {{service: bucket}}}}\n",
        bucket.url()
    );
    let command = regent().config(&config).env("AWS_ACCESS_KEY_ID", "AK").env("AWS_SECRET_ACCESS_KEY", "s3cret");
    let agent = ready(command.env("AWS_REGION", "eu-west-1").env("AWS_SESSION_TOKEN", "sess10n")).await;
    assert_eq!(decide(&agent, "app/revision", json!({})).await, "v1");
    let added = ["authorization", "x-amz-security-token", "x-amz-date", "x-amz-content-sha256", "x-amz-region-set"];
    let (first, second) = (&bucket.requests()[0], &mirror.requests()[0]);
    for name in added {
        assert!(first.header(name).is_some(), "{name} goes to the service");
        assert_eq!(second.header(name), None, "{name} stays there");
    }
    assert!(second.header("prefer").is_some());
}
