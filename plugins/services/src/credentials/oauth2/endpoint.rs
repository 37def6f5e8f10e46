//! The exchange with the token endpoint.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use regent_core::config::Secret;
use regent_signing::base64;
use serde::Deserialize;
use url::Url;

use super::assertion::{Assertion, Signer};
use crate::credentials::asker::{Answer, Asker, Question, Way};
use crate::credentials::failure::Failure;
use crate::credentials::fresh::Lasting;

/// How long the whole exchange may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What a token is given for.
pub(super) enum Grant {
    /// Name and password.
    Secret { client_id: String, secret: Secret },
    /// A client that proves itself by an assertion.
    Client { client_id: Option<String>, kind: String, assertion: Assertion },
    /// The assertion itself.
    Assertion(Box<Signer>),
}

/// Whom to ask for a token, and what for.
pub(super) struct TokenEndpoint {
    url: Url,
    grant: Grant,
    /// In the form of each question.
    fields: Vec<(String, Secret)>,
    headers: HeaderMap,
    asker: Asker,
}

/// The answer of a token endpoint; the rest of it is of no interest.
#[derive(Deserialize)]
struct Given {
    access_token: Option<Secret>,
    token_type: Option<String>,
    expires_in: Option<i64>,
}

impl TokenEndpoint {
    /// `anyone` if the endpoint need not prove who it is.
    pub(super) fn new(url: Url, grant: Grant, anyone: bool) -> Self {
        let asker = Asker::new(Way::Out, LIMIT).trusting_anyone(anyone);
        Self { url, grant, fields: Vec::new(), headers: HeaderMap::new(), asker }
    }

    /// The same, asked for a scope, with further fields, which win over it.
    pub(super) fn with_fields(mut self, scope: Option<String>, fields: Vec<(String, Secret)>) -> Self {
        let scope = scope.filter(|_| !fields.iter().any(|(name, _)| name == "scope"));
        self.fields = scope.map(|scope| ("scope".to_owned(), Secret::new(scope))).into_iter().chain(fields).collect();
        self
    }

    /// The same, asked with further headers.
    ///
    /// # Errors
    /// The name of one that HTTP does not allow.
    pub(super) fn with_headers(mut self, headers: Vec<(String, Secret)>) -> Result<Self, String> {
        for (name, value) in headers {
            let (Ok(key), Ok(mut value)) = (HeaderName::try_from(&name), HeaderValue::try_from(value.expose())) else {
                return Err(name);
            };
            value.set_sensitive(true);
            self.headers.append(key, value);
        }
        Ok(self)
    }

    /// Asks for a token.
    pub(super) async fn token(&self) -> Result<Lasting<Secret>, Failure> {
        tracing::debug!(token_url = %self.url.host_str().unwrap_or_default(), "Requesting token from token_url.");
        let (question, secret) = self.question().await?;
        let answer = self.asker.ask(question).await;
        let answer = answer.map_err(|failure| failure.within("error in request to OAuth2 token endpoint"))?;
        if answer.status != StatusCode::OK {
            // An endpoint that quotes what it was sent must not bring it into a log.
            let shown = answer.excerpt().replace(secret.expose(), "***");
            return Err(Failure::unavailable(format!("error in response from OAuth2 token endpoint: {shown}")));
        }
        read(&answer)
    }

    /// The question, and the secret in it.
    async fn question(&self) -> Result<(Question, Secret), Failure> {
        let mut fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        let secret = match &self.grant {
            Grant::Secret { secret, .. } => secret.clone(),
            Grant::Client { assertion, .. } => assertion.text().await?,
            Grant::Assertion(signer) => signer.sign().await?,
        };
        match &self.grant {
            Grant::Secret { .. } => fields.push(("grant_type", "client_credentials")),
            Grant::Client { client_id, kind, .. } => {
                fields.push(("grant_type", "client_credentials"));
                fields.push(("client_assertion_type", kind));
                fields.push(("client_assertion", secret.expose()));
                fields.extend(client_id.as_deref().map(|id| ("client_id", id)));
            }
            Grant::Assertion(_) => {
                fields.push(("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"));
                fields.push(("assertion", secret.expose()));
            }
        }
        let mut question = Question::form(self.url.clone(), &fields);
        if let Grant::Secret { client_id, secret } = &self.grant {
            let pair = base64::spell(format!("{client_id}:{}", secret.expose()).as_bytes());
            question = question.with(header::AUTHORIZATION.as_str(), &format!("Basic {pair}"))?;
        }
        for (name, value) in &self.headers {
            question.headers.append(name, value.clone());
        }
        Ok((question, secret))
    }
}

/// The token in an answer. Without a time it is good for the requests that wait for it, and no other.
fn read(answer: &Answer) -> Result<Lasting<Secret>, Failure> {
    let given: Given = serde_json::from_slice(&answer.body).map_err(|error| {
        // Its own words would quote what it found, which may be a token.
        let place = format!("line {} column {}", error.line(), error.column());
        Failure::protocol(format!("answer of OAuth2 token endpoint is no JSON object with a token: {place}"))
    })?;
    if !given.token_type.unwrap_or_default().eq_ignore_ascii_case("bearer") {
        return Err(Failure::protocol("unknown token type returned from token endpoint"));
    }
    let token = Secret::new(given.access_token.unwrap_or_default().expose().trim());
    if token.expose().is_empty() {
        return Err(Failure::protocol("no access_token returned from token endpoint"));
    }
    let seconds = u64::try_from(given.expires_in.unwrap_or_default()).unwrap_or_default();
    Ok(Lasting::over(token, Duration::from_secs(seconds)))
}
