//! `gcp_metadata`: a token from the metadata service of Google's cloud, asked for at each request, as in OPA: the
//! service keeps tokens itself.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::AUTHORIZATION;
use regent_core::Error;
use regent_core::config::{ConfigErrors, Secret, Section};
use regent_core::service::{BoxFuture, CredentialFactory, CredentialProvider, ServiceRequest};
use serde::Deserialize;
use url::Url;

use super::asker::{Asker, Question, Way};
use super::failure::Failure;
use super::{authorization, given, refused};

const ENDPOINT: &str = "http://metadata.google.internal";
const ACCESS_TOKEN_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
const IDENTITY_TOKEN_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

/// How long a token may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Makes [`GcpMetadata`] credentials.
pub(crate) struct GcpMetadataFactory;

#[derive(Deserialize)]
struct Written {
    audience: Option<String>,
    scopes: Option<Vec<String>>,
    endpoint: Option<String>,
    access_token_path: Option<String>,
    identity_token_path: Option<String>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// For an audience: the answer is the token.
    Identity,
    /// For scopes: the answer is JSON.
    Access,
}

/// Where a token is to be had.
struct GcpMetadata {
    kind: Kind,
    url: Url,
    asker: Asker,
}

#[derive(Deserialize)]
struct AccessToken {
    access_token: Option<Secret>,
}

impl CredentialFactory for GcpMetadataFactory {
    fn kind(&self) -> &'static str {
        "gcp_metadata"
    }

    fn build(&self, section: &Section, _service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        let written = section.parse::<Written>()?;
        let scopes = written.scopes.filter(|scopes| !scopes.is_empty());
        let (kind, parameter, value) = match (given(written.audience), scopes) {
            (Some(audience), None) => (Kind::Identity, "audience", audience),
            (None, Some(scopes)) => (Kind::Access, "scopes", scopes.join(",")),
            (None, None) => {
                return Err(refused(section, "audience or scopes is required when gcp metadata is enabled"));
            }
            (Some(_), Some(_)) => {
                let text = "either audience or scopes can be set, not both, when gcp metadata is enabled";
                return Err(refused(section, text));
            }
        };
        let endpoint = given(written.endpoint).unwrap_or_else(|| ENDPOINT.to_owned());
        let path = match kind {
            Kind::Identity => given(written.identity_token_path).unwrap_or_else(|| IDENTITY_TOKEN_PATH.to_owned()),
            Kind::Access => given(written.access_token_path).unwrap_or_else(|| ACCESS_TOKEN_PATH.to_owned()),
        };
        let mut url = Url::parse(&format!("{endpoint}{path}"))
            .map_err(|error| section.error("endpoint", format!("is invalid: {error}")))?;
        url.query_pairs_mut().append_pair(parameter, &value);
        Ok(Arc::new(GcpMetadata { kind, url, asker: Asker::new(Way::Near, LIMIT) }))
    }
}

impl GcpMetadata {
    async fn token(&self) -> Result<Secret, Failure> {
        let question = Question::get(self.url.clone()).with("metadata-flavor", "Google")?;
        let answer = self.asker.ask(question).await?;
        let wrong = match answer.status {
            StatusCode::OK => None,
            StatusCode::BAD_REQUEST => Some("invalid request"),
            StatusCode::NOT_FOUND => Some("not found"),
            _ => Some("unexpected error"),
        };
        if let Some(wrong) = wrong {
            let status = answer.status.as_u16();
            return Err(Failure::unavailable(format!(
                "error retrieving gcp ID token from {} {status}: {wrong}",
                self.url
            )));
        }
        let token = match self.kind {
            Kind::Identity => String::from_utf8_lossy(&answer.body).trim().to_owned(),
            Kind::Access => {
                // serde's own words would quote what it found.
                let read = serde_json::from_slice::<AccessToken>(&answer.body);
                let read = read.map_err(|_| Failure::protocol("answer is no JSON object with a token"))?;
                read.access_token.unwrap_or_default().expose().to_owned()
            }
        };
        if token.is_empty() { Err(Failure::protocol("answer holds no token")) } else { Ok(Secret::new(token)) }
    }
}

impl CredentialProvider for GcpMetadata {
    fn prepare<'a>(&'a self, _url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let token = self.token().await.map_err(|failure| {
                failure.within(match self.kind {
                    Kind::Identity => "error retrieving identity token from gcp metadata service",
                    Kind::Access => "error retrieving access token from gcp metadata service",
                })
            })?;
            request.headers.insert(AUTHORIZATION, authorization("Bearer", &token)?);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use regent_kit::{ControlPlane, Fault};

    use super::super::testing::{Guarded, refusal};

    #[tokio::test]
    async fn an_audience_gets_an_identity_token_for_each_request() {
        let metadata = ControlPlane::start().await;
        let path = "/computeMetadata/v1/instance/service-accounts/default/identity";
        let config = format!("gcp_metadata: {{audience: 'https://acme/x y', endpoint: '{}'}}", metadata.url());
        let guarded = Guarded::by(&config, []).await;
        for token in ["t1", "t2"] {
            metadata.fail_next(path, Fault::Body(format!("{token}\n").into()));
            assert_eq!(guarded.authorization().await, Ok(format!("Bearer {token}")));
        }
        let asked = &metadata.requests()[0];
        assert_eq!((asked.method.as_str(), asked.header("metadata-flavor")), ("GET", Some("Google")));
        assert_eq!(asked.path, format!("{path}?audience=https%3A%2F%2Facme%2Fx+y"));
    }

    #[tokio::test]
    async fn scopes_get_an_access_token() {
        let metadata = ControlPlane::start().await;
        let more = "scopes: [a, b], access_token_path: /token";
        let guarded = Guarded::by(&format!("gcp_metadata: {{{more}, endpoint: '{}'}}", metadata.url()), []).await;
        let answer = r#"{"access_token": "t1", "token_type": "Bearer", "expires_in": 3600}"#;
        metadata.fail_next("/token", Fault::Body(answer.into()));
        assert_eq!(guarded.authorization().await, Ok("Bearer t1".to_owned()));
        assert_eq!(metadata.requests()[0].path, "/token?scopes=a%2Cb");
    }

    #[tokio::test]
    async fn what_the_metadata_service_does_wrong_fails_the_request_and_passes() {
        let metadata = ControlPlane::start().await;
        let url = metadata.url();
        let more = format!("scopes: [a], access_token_path: /token, endpoint: '{url}'");
        let guarded = Guarded::by(&format!("gcp_metadata: {{{more}}}"), []).await;
        let refused = |status: u16, why: &str| {
            let text = format!("error retrieving gcp ID token from {url}/token?scopes=a {status}: {why}");
            (Fault::Status(status), text)
        };
        let faults = [
            refused(400, "invalid request"),
            refused(404, "not found"),
            refused(500, "unexpected error"),
            (Fault::Body(r#"{"access_token": 271828}"#.into()), "answer is no JSON object with a token".to_owned()),
            (Fault::Body("{}".into()), "answer holds no token".to_owned()),
            (Fault::Reset, "no answer: ".to_owned()),
        ];
        for (fault, expected) in faults {
            metadata.fail_next("/token", fault);
            let error = guarded.authorization().await.expect_err("no token");
            let expected = format!("error retrieving access token from gcp metadata service: {expected}");
            assert!(error.starts_with(&expected), "{error}");
        }
        assert!(guarded.server.requests().is_empty(), "nothing is sent without a token");
        metadata.fail_next("/token", Fault::Body(r#"{"access_token": "t"}"#.into()));
        assert_eq!(guarded.authorization().await, Ok("Bearer t".to_owned()));

        let more = format!("audience: a, endpoint: '{url}'");
        let error = Guarded::by(&format!("gcp_metadata: {{{more}}}"), []).await.authorization().await;
        let expected = "error retrieving identity token from gcp metadata service: ";
        assert!(error.as_ref().is_err_and(|error| error.starts_with(expected)), "{error:?}");
    }

    #[test]
    fn what_cannot_be_is_refused_in_opas_words() {
        let error = refusal("gcp_metadata: {}");
        assert!(error.starts_with("audience or scopes is required when gcp metadata is enabled"), "{error}");
        let error = refusal("gcp_metadata: {audience: a, scopes: [b]}");
        let text = "either audience or scopes can be set, not both, when gcp metadata is enabled";
        assert!(error.starts_with(text), "{error}");
        let error = refusal("gcp_metadata: {audience: a, endpoint: nowhere}");
        assert!(error.contains("gcp_metadata.endpoint: is invalid"), "{error}");
    }
}
