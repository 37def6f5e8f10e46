//! Tokens for which a registry sends to an endpoint: `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`.

use http::{HeaderMap, Method, StatusCode, header};
use http_auth::parse_challenges;
use regent_core::config::Secret;
use regent_core::service::ServiceResponse;
use serde::Deserialize;
use url::Url;

use super::failure::Failure;

/// Most bytes of an endpoint's answer.
const MOST_BYTES: usize = 1 << 20;

/// Where a token is to be had, and what for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    token: Option<Secret>,
    access_token: Option<Secret>,
}

impl Challenge {
    /// The first one in an answer that asks for a token.
    pub(super) fn find(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        // One that is no challenge asks for nothing.
        let challenges = values.filter_map(|value| parse_challenges(value).ok()).flatten();
        challenges.filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer")).find_map(|challenge| {
            let parameter = |wanted: &str| {
                let found = challenge.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                found.map(|(_, value)| value.to_unescaped())
            };
            Some(Self { realm: parameter("realm")?, service: parameter("service"), scope: parameter("scope") })
        })
    }

    /// The address of the endpoint. `registry` is who sends there, and `repository` what is wanted if it does not say.
    pub(super) fn address(&self, registry: &Url, repository: &str) -> Result<Url, Failure> {
        let wrong = |text: &str| self.failure(text.to_owned(), None);
        let mut url = Url::parse(&self.realm).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("is no address of a web server"));
        }
        if registry.scheme() == "https" && url.scheme() != "https" {
            return Err(wrong("credentials for a registry with TLS are not sent to an endpoint without"));
        }
        let scope = self.scope.clone().filter(|scope| !scope.is_empty());
        let scope = scope.unwrap_or_else(|| format!("repository:{repository}:pull"));
        if let Some(service) = &self.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        for scope in scope.split_whitespace() {
            url.query_pairs_mut().append_pair("scope", scope);
        }
        Ok(url)
    }

    /// The token in an answer of the endpoint.
    pub(super) async fn token(&self, answer: ServiceResponse) -> Result<Secret, Failure> {
        if answer.status != StatusCode::OK {
            let status = answer.status;
            let text = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
            return Err(self.failure(text, Some(status)));
        }
        let body = answer.read(MOST_BYTES).await.map_err(|error| self.failure(error.chain(), None))?;
        // The parser's words would quote what it found.
        let given: Option<Given> = serde_json::from_slice(&body).ok();
        let token = given.and_then(|given| given.token.or(given.access_token));
        let token = token.filter(|token| !token.expose().is_empty());
        token.ok_or_else(|| self.failure("answer is no JSON object with a token".to_owned(), None))
    }

    pub(super) fn failure(&self, text: String, status: Option<StatusCode>) -> Failure {
        let endpoint = self.realm.split(['?', '#']).next().unwrap_or_default();
        Failure::Token { endpoint: format!("{} {endpoint}", Method::GET), text, status }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn challenge(values: &[&'static str]) -> Option<Challenge> {
        let header = |value: &&'static str| (header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
        Challenge::find(&values.iter().map(header).collect())
    }

    #[test]
    fn challenges_are_found_among_others_and_without_what_they_need_not_say() {
        let full = r#"Basic realm="x", bearer Realm="https://a/t?x=1", service="s \"q\"", scope="r:a:pull r:b:pull""#;
        let found = challenge(&["Digest", full]).expect("a challenge");
        let url = found.address(&Url::parse("https://r").expect("an address"), "a").expect("an address");
        let query = "x=1&service=s+%22q%22&scope=r%3Aa%3Apull&scope=r%3Ab%3Apull";
        assert_eq!(url.as_str(), format!("https://a/t?{query}"));
        let least = challenge(&[r#"Bearer realm="http://a/t""#]).expect("a challenge");
        let url = least.address(&Url::parse("http://r").expect("an address"), "org/repo").expect("an address");
        assert_eq!(url.as_str(), "http://a/t?scope=repository%3Aorg%2Frepo%3Apull");
        for none in [&[][..], &["Basic realm=\"x\""], &["Bearer service=\"x\""], &["Bearer =,"], &["Bearer realm=\"x"]]
        {
            assert_eq!(challenge(none), None, "{none:?}");
        }
    }

    #[test]
    fn credentials_go_to_no_endpoint_that_is_less_safe_than_the_registry() {
        let refused = |realm: &'static str| {
            let registry = Url::parse("https://r").expect("an address");
            let challenge = Challenge { realm: realm.to_owned(), service: None, scope: None };
            challenge.address(&registry, "a").expect_err("a refusal").to_string()
        };
        let text = "credentials for a registry with TLS are not sent to an endpoint without";
        assert_eq!(refused("http://a/t?x"), format!("token endpoint GET http://a/t: {text}"));
        assert_eq!(refused("file:///x"), "token endpoint GET file:///x: is no address of a web server");
        assert!(refused("/token").starts_with("token endpoint GET /token: relative URL"));
    }
}
