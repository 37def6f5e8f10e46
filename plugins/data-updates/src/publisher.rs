//! The publisher's side: tells an OPAL server, or a hub, what has changed.

use std::time::Duration;

use http::StatusCode;
use regent_core::config::Secret;
use regent_services::tls::TlsFiles;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value as Json, json};
use url::Url;

use crate::model::DataUpdate;

/// How long a server may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

/// How much of a refusal is shown.
const MOST_SHOWN: usize = 1_000;

/// Publishes updates of data.
///
/// ```no_run
/// use regent_core::config::Secret;
/// use regent_data_updates::model::{DataUpdate, Entry};
/// use regent_data_updates::publisher::Publisher;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let publisher = Publisher::new("http://localhost:7002", Some(Secret::new("a token of type datasource")))?;
/// let paid = Entry::fetched("https://billing.example.com/users/ann", "/billing/ann");
/// publisher.publish(&DataUpdate { reason: Some("ann has paid".to_owned()), ..DataUpdate::of([paid]) }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Publisher {
    client: Client,
    server: Url,
    route: String,
    token: Option<Secret>,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The address of the server is none.
    #[error("{0:?} is not the address of a server, such as http://localhost:7002")]
    Address(String),
    /// There can be no client.
    #[error("no HTTP client can be made")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server cannot be asked, or does not answer in time.
    #[error("the server at {address} cannot be asked")]
    Unreachable {
        /// Which server.
        address: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// The server refuses.
    #[error("the server answers {status}: {text}")]
    Refused {
        /// How.
        status: StatusCode,
        /// In its own words, without tokens.
        text: String,
    },
    /// The server's answer cannot be read.
    #[error("the server's answer is not what was expected")]
    Answer,
}

/// Who a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PeerType {
    /// An agent.
    #[default]
    Client,
    /// Who publishes.
    Datasource,
    /// Who asks an agent of OPAL how it fares.
    Listener,
}

impl PeerType {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Datasource => "datasource",
            Self::Listener => "listener",
        }
    }
}

/// What a token should be like.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Who it is for.
    pub peer_type: PeerType,
    /// How long it is good for.
    pub ttl: Duration,
    /// What it says beside that, such as `permitted_topics`.
    pub claims: serde_json::Map<String, Json>,
}

impl Publisher {
    /// A publisher that has that token, if the server wants one. Connects to nothing.
    ///
    /// # Errors
    /// When the address is broken.
    pub fn new(server_url: &str, token: Option<Secret>) -> Result<Self, PublishError> {
        let server =
            Url::parse(server_url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let server = server.ok_or_else(|| PublishError::Address(server_url.to_owned()))?;
        let tls = TlsFiles::default().client_config().map_err(|error| PublishError::Client(error.into()))?;
        let client = Client::builder().tls_backend_preconfigured(tls).redirect(Policy::none()).timeout(LIMIT).build();
        let client = client.map_err(|error| PublishError::Client(error.into()))?;
        Ok(Self { client, server, route: "/data/config".to_owned(), token })
    }

    /// The same, for a server that takes updates elsewhere than at `/data/config`.
    #[must_use]
    pub fn at_route(self, route: &str) -> Self {
        Self { route: format!("/{}", route.trim_start_matches('/')), ..self }
    }

    /// Publishes an update. That the server has taken it does not say that any agent has applied it yet; reports do.
    ///
    /// # Errors
    /// When the server cannot be asked or refuses.
    pub async fn publish(&self, update: &DataUpdate) -> Result<(), PublishError> {
        let request = self.client.post(self.address(&self.route)).json_body(&json_of(update));
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        self.send(request).await.map(drop)
    }

    /// Has the server make a token; needs its master token. Gives the server's whole answer, with the token in `token`.
    ///
    /// # Errors
    /// When the server cannot be asked or refuses.
    pub async fn obtain_token(&self, master: &Secret, wanted: &TokenRequest) -> Result<Json, PublishError> {
        let body = json!({
            "id": uuid::Uuid::new_v4().to_string(),
            "type": wanted.peer_type.as_str(),
            "ttl": wanted.ttl.as_secs_f64(),
            "claims": wanted.claims,
        });
        let request =
            self.client.post(self.address("/token")).bearer_auth(master.expose()).json_body(&body.to_string());
        let answer = self.send(request).await?;
        if answer["token"].is_string() { Ok(answer) } else { Err(PublishError::Answer) }
    }

    fn address(&self, route: &str) -> String {
        format!("{}{route}", self.server.as_str().trim_end_matches('/'))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Json, PublishError> {
        let address = || self.server.host_str().unwrap_or_default().to_owned();
        let unreachable =
            |cause: reqwest::Error| PublishError::Unreachable { address: address(), cause: cause.without_url() };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(PublishError::Refused { status, text: refusal(&body) });
        }
        serde_json::from_slice(&body).map_err(|_| PublishError::Answer)
    }
}

/// A request with a body of JSON that is a text already.
trait JsonBody {
    fn json_body(self, json: &str) -> Self;
}

impl JsonBody for RequestBuilder {
    fn json_body(self, json: &str) -> Self {
        self.header(http::header::CONTENT_TYPE, "application/json").body(json.to_owned())
    }
}

fn json_of(update: &DataUpdate) -> String {
    crate::rpc::raw(update).get().to_owned()
}

/// What a server says of its refusal. OPAL's repeats the token beside it, which nobody should see.
fn refusal(body: &[u8]) -> String {
    let told = serde_json::from_slice::<Json>(body).ok().map(|answer| {
        let detail = answer.get("detail").cloned().unwrap_or(answer);
        match &detail {
            Json::String(text) => text.clone(),
            Json::Array(errors) => errors.iter().map(invalid).collect::<Vec<_>>().join("; "),
            detail => detail.get("error").and_then(Json::as_str).map_or_else(String::new, str::to_owned),
        }
    });
    let mut text = told.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    if text.len() > MOST_SHOWN {
        text.truncate(text.floor_char_boundary(MOST_SHOWN));
    }
    text
}

/// One of the errors that are found in a body: where, and what.
fn invalid(error: &Json) -> String {
    let place = error["loc"].as_array().into_iter().flatten();
    let place = place.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect::<Vec<_>>();
    format!("{}: {}", place.join("."), error["msg"].as_str().unwrap_or("is wrong"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_without_the_token() {
        let cases = [
            (r#"{"detail":{"error":"Access token is expired","token":"a.b.c"}}"#, "Access token is expired"),
            (r#"{"detail":"opal server was not configured"}"#, "opal server was not configured"),
            (
                r#"{"detail":[{"loc":["body","entries",0,"url"],"msg":"field required","type":"x"}]}"#,
                "body.entries.0.url: field required",
            ),
            ("no JSON", "no JSON"),
            (r#"{"token":"a.b.c"}"#, ""),
        ];
        for (body, told) in cases {
            assert_eq!(refusal(body.as_bytes()), told);
        }
        assert_eq!(refusal("ä".repeat(MOST_SHOWN).as_bytes()).len(), MOST_SHOWN);
    }

    #[test]
    fn addresses_are_those_of_servers() {
        for wrong in ["", "localhost:7002", "ws://x", "unix:/x"] {
            Publisher::new(wrong, None).expect_err(wrong);
        }
        let publisher = Publisher::new("http://localhost:7002/", None).expect("an address");
        assert_eq!(publisher.address("/data/config"), "http://localhost:7002/data/config");
    }
}
