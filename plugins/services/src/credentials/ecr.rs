//! Tokens for AWS's registries, ECR: asked for with a signed request, good for hours, sent as user and password.

use std::time::Duration;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use regent_core::Error;
use regent_core::config::Secret;
use regent_core::service::{BoxFuture, CredentialProvider, ServiceRequest};
use serde::Deserialize;
use url::{Origin, Url};

use super::asker::{Question, address};
use super::authorization;
use super::aws::{self, Chain, Surroundings};
use super::failure::Failure;
use super::fresh::{Fresh, Lasting};

/// A token counts as expired this long before its end, as in OPA.
const MARGIN: Duration = Duration::from_mins(5);

/// A token for the registry of a service, and where to get the next one.
pub(super) struct EcrToken {
    /// Who may see it. None if the address is none, which is told elsewhere.
    registry: Option<Origin>,
    chain: Chain,
    surroundings: Surroundings,
    token: Fresh<Secret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    authorization_data: Vec<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    authorization_token: Secret,
    /// Seconds since 1970.
    expires_at: f64,
}

impl EcrToken {
    /// Tokens for the registry at the address, for keys of the chain.
    pub(super) fn new(url: &str, chain: Chain, surroundings: Surroundings) -> Self {
        let registry = Url::parse(url).ok().map(|url| url.origin());
        Self { registry, chain, surroundings, token: Fresh::new(MARGIN) }
    }

    async fn fetch(&self) -> Result<Lasting<Secret>, Failure> {
        let keys = self.chain.keys().await?;
        let region = &keys.region;
        let endpoint = self.surroundings.variable("AWS_ENDPOINT_URL_ECR");
        let url = address(&endpoint.unwrap_or_else(|| format!("https://ecr.{region}.amazonaws.com/")))?;
        let mut question = Question { method: Method::POST, body: b"{}".to_vec(), ..Question::get(url) };
        let headers = &mut question.headers;
        let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
        headers.insert(HeaderName::from_static("x-amz-target"), HeaderValue::from_static(target));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        aws::sign(&question.method, &question.url, headers, &question.body, ("ecr", self.chain.version), &keys)?;
        let body = self.surroundings.ask(question, "ecr get authorization token").await;
        let failed = |failure: Failure| failure.within("ecr: failed to get authorization token");
        read(&body.map_err(failed)?).map_err(failed)
    }
}

/// The token in an answer, which is a list for the sake of older clients.
fn read(body: &[u8]) -> Result<Lasting<Secret>, Failure> {
    // The parser's words would quote what it found.
    let answer: Option<Answer> = serde_json::from_slice(body).ok();
    let answer = answer.ok_or_else(|| Failure::protocol("failed to unmarshal response"))?;
    let given = answer.authorization_data.into_iter().next();
    let Data { authorization_token, expires_at } =
        given.ok_or_else(|| Failure::protocol("empty authorization data"))?;
    let left = expires_at - Timestamp::now().as_duration().as_secs_f64();
    Ok(Lasting::over(authorization_token, Duration::try_from_secs_f64(left.max(0.0)).unwrap_or_default()))
}

impl CredentialProvider for EcrToken {
    fn prepare<'a>(&'a self, url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let asked = Url::parse(url).ok().map(|url| url.origin());
            if asked != self.registry {
                return Ok(());
            }
            let token = self.token.get(self.fetch()).await?;
            request.headers.insert(AUTHORIZATION, authorization("Basic", &token)?);
            Ok(())
        })
    }

    fn refused(&self, sent: &HeaderMap) {
        self.token
            .forget(|token| authorization("Basic", token).is_ok_and(|header| sent.get(AUTHORIZATION) == Some(&header)));
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan as _};
    use regent_core::service::{Service, ServiceRequest};
    use regent_kit::{ControlPlane, Fault, Registry};
    use serde_json::json;

    use super::super::testing::connect;

    fn config(url: &str, more: &str) -> String {
        format!(
            "services: {{acme: {{url: '{url}', type: oci, \
             credentials: {{s3_signing: {{{more} environment_credentials: {{}}}}}}}}}}"
        )
    }

    fn given(token: &str, minutes: i64) -> Fault {
        let end = (Timestamp::now() + minutes.minutes()).as_duration().as_secs_f64();
        let data = json!([{"authorizationToken": token, "expiresAt": end, "proxyEndpoint": "https://x"}]);
        Fault::Body(json!({ "authorizationData": data }).to_string().into())
    }

    async fn pull(service: &dyn Service) -> Result<Vec<u8>, String> {
        let request = ServiceRequest::new(http::Method::GET, "x/org/repo:v1");
        let answer = service.send(request).await.map_err(|error| error.chain())?;
        answer.read(100).await.map_err(|error| error.chain())
    }

    #[tokio::test]
    async fn a_token_is_asked_for_once_and_again_when_it_ends_or_is_refused() {
        let (aws, registry) = (ControlPlane::start().await, Registry::start().await);
        registry.push("org/repo", "v1", "bundle");
        let endpoint = aws.url();
        let variables = [
            ("AWS_ACCESS_KEY_ID", "AK"),
            ("AWS_SECRET_ACCESS_KEY", "s3cret"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL_ECR", &*endpoint),
        ];
        let service = connect(&config(&registry.url(), ""), variables).expect("a valid configuration");
        for (fault, expected) in [
            (
                Fault::Status(400),
                "ecr get authorization token HTTP request returned unexpected status: 400 Bad Request",
            ),
            (Fault::Body("<".into()), "failed to unmarshal response"),
            (Fault::Body(r#"{"authorizationData": []}"#.into()), "empty authorization data"),
        ] {
            aws.fail_next("/", fault);
            let error = pull(&*service).await.expect_err("no token");
            assert!(error.ends_with(&format!("ecr: failed to get authorization token: {expected}")), "{error}");
        }
        assert!(registry.requests().is_empty(), "nothing is sent without a token");

        // Within the margin each request asks anew: a pull is three of them.
        aws.fail_always("/", Some(given("b2xk", 4)));
        registry.require("Basic b2xk", "Basic");
        let before = aws.requests().len();
        assert_eq!(pull(&*service).await.as_deref(), Ok(&b"bundle"[..]));
        assert_eq!(aws.requests().len() - before, 3);
        aws.fail_always("/", Some(given("bmV3", 60)));
        registry.require("Basic bmV3", "Basic");
        for _ in 0..2 {
            assert_eq!(pull(&*service).await.as_deref(), Ok(&b"bundle"[..]));
        }
        assert_eq!(aws.requests().len() - before, 4);

        aws.fail_always("/", Some(given("bmV4dA==", 60)));
        registry.require("Basic bmV4dA==", "Basic");
        assert!(pull(&*service).await.is_err_and(|error| error.contains("401 Unauthorized")));
        assert_eq!(pull(&*service).await.as_deref(), Ok(&b"bundle"[..]));
        assert_eq!(aws.requests().len() - before, 5);

        // Nobody else sees it, whoever the registry sends to.
        let other = Registry::start().await;
        registry.require("Bearer t", &format!(r#"Bearer realm="{}/token""#, other.url()));
        other.issue("t", None);
        assert_eq!(pull(&*service).await.as_deref(), Ok(&b"bundle"[..]));
        assert_eq!(other.requests()[0].header("authorization"), None);

        let asked = aws.requests().pop().expect("a question");
        let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
        assert_eq!((asked.header("x-amz-target"), &asked.body[..]), (Some(target), &b"{}"[..]));
        let signed = asked.header("authorization").unwrap_or_default();
        assert!(signed.contains("/eu-west-1/ecr/aws4_request,"), "{signed}");
    }

    #[test]
    fn registries_are_given_tokens_and_nothing_else() {
        let refusal = |more: &str| connect(&config("http://x", more), []).err();
        assert_eq!((refusal(""), refusal("service: ECR,")), (None, None));
        let text = r#"cannot use aws service "s3" with service type "oci""#;
        assert!(refusal("service: S3,").is_some_and(|error| error.starts_with(text)));
    }
}
