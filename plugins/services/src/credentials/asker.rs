//! Asks for credentials: token endpoints, metadata services, AWS.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::redirect::{Attempt, Policy};
use tokio::sync::OnceCell;
use url::Url;

use super::failure::Failure;
use crate::config::Trust;
use crate::error::ServiceError;
use crate::tls::Material;
use crate::user_agent::user_agent;

/// Most bytes of an answer. Tokens have a few thousand at most.
const MOST_BYTES: usize = 1 << 20;

/// Most redirects that are followed; only those that stay with who was asked count as such.
const MOST_REDIRECTS: usize = 10;

/// Which way the questions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As all other requests, through a proxy if one is set.
    Out,
    /// Never through a proxy: to what is next to the agent, and tells secrets to whoever asks.
    Near,
}

/// A client for questions of one kind. Answers, and what goes wrong, come without any secret of the question.
pub(crate) struct Asker {
    limit: Duration,
    way: Way,
    /// Whether servers may say to be anyone.
    anyone: bool,
    /// Made at the first question, for the system's authorities are files.
    client: OnceCell<reqwest::Client>,
}

/// What is asked.
pub(crate) struct Question {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Question {
    pub(crate) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// A form, as browsers send it.
    pub(crate) fn form(url: Url, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut question = Self { method: Method::POST, body: body.into_bytes(), ..Self::get(url) };
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        question.headers.insert(header::CONTENT_TYPE, form);
        question
    }

    /// The same question with one more header, which no log shows.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Result<Self, Failure> {
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| Failure::config(format!("value for header `{name}` is not fit for a header")))?;
        value.set_sensitive(true);
        self.headers.append(HeaderName::from_static(name), value);
        Ok(self)
    }
}

impl Answer {
    /// The beginning of the body, for people.
    pub(crate) fn excerpt(&self) -> String {
        const SHOWN: usize = 1024;
        String::from_utf8_lossy(&self.body[..self.body.len().min(SHOWN)]).into_owned()
    }
}

impl Asker {
    pub(crate) fn new(way: Way, limit: Duration) -> Self {
        Self { limit, way, anyone: false, client: OnceCell::new() }
    }

    /// The same, but servers may say to be anyone.
    pub(crate) fn trusting_anyone(self, anyone: bool) -> Self {
        Self { anyone, ..self }
    }

    /// Asks, and reads the whole answer, all within the limit.
    pub(crate) async fn ask(&self, question: Question) -> Result<Answer, Failure> {
        let exchange = async {
            let client = self.client.get_or_try_init(|| self.make_client()).await?;
            self.exchange(client, question).await
        };
        match tokio::time::timeout(self.limit, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::unavailable(format!("no answer within {:?}", self.limit))),
        }
    }

    async fn exchange(&self, client: &reqwest::Client, question: Question) -> Result<Answer, Failure> {
        let mut request = reqwest::Request::new(question.method, question.url);
        *request.headers_mut() = question.headers;
        let agent = HeaderValue::try_from(user_agent()).expect("names and numbers are fit for a header");
        request.headers_mut().entry(header::USER_AGENT).or_insert(agent);
        if !question.body.is_empty() {
            *request.body_mut() = Some(question.body.into());
        }
        let mut answer = client.execute(request).await.map_err(ServiceError::Transport)?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(ServiceError::Body)? {
            if body.len() + piece.len() > MOST_BYTES {
                return Err(Failure::protocol(format!("answer exceeds {MOST_BYTES} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status: answer.status(), body })
    }

    async fn make_client(&self) -> Result<reqwest::Client, Failure> {
        let (way, anyone) = (self.way, self.anyone);
        let made = tokio::task::spawn_blocking(move || build(way, anyone));
        Ok(made.await.map_err(ServiceError::Interrupted)??)
    }
}

/// Makes a client. Blocks.
fn build(way: Way, anyone: bool) -> Result<reqwest::Client, ServiceError> {
    let trust = Trust { anyone, ..Trust::default() };
    let builder = reqwest::Client::builder();
    let builder = if way == Way::Near { builder.no_proxy() } else { builder };
    builder
        .tls_backend_preconfigured(Material::default().client_config(&trust)?)
        .redirect(Policy::custom(follow))
        .build()
        .map_err(ServiceError::Client)
}

/// Follows only what stays with who was asked, for the question holds secrets. Other redirects are the answer.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// An address that only the request can tell to be wrong.
pub(crate) fn address(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|error| Failure::config(format!("url {text:?} is invalid: {error}")))
}

#[cfg(test)]
mod tests {
    use regent_kit::{ControlPlane, Fault};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn asker(limit: Duration) -> Asker {
        Asker::new(Way::Near, limit)
    }

    fn question(url: &str) -> Question {
        Question::form(Url::parse(url).expect("an address"), &[("secret", "s")])
    }

    #[tokio::test]
    async fn a_slow_answer_is_not_waited_for() {
        let server = ControlPlane::start().await;
        server.fail_next("/x", Fault::Hang(Duration::from_hours(1)));
        let asker = asker(Duration::from_millis(200));
        let outcome = asker.ask(question(&format!("{}/x", server.url()))).await;
        assert_eq!(outcome.err().map(|failure| failure.to_string()).as_deref(), Some("no answer within 200ms"));
    }

    #[tokio::test]
    async fn an_endless_answer_is_not_read() {
        let server = ControlPlane::start().await;
        server.fail_next("/x", Fault::Body(vec![b' '; MOST_BYTES + 1].into()));
        let outcome = asker(Duration::from_mins(1)).ask(question(&format!("{}/x", server.url()))).await;
        let failure = outcome.err().map(|failure| failure.to_string());
        assert_eq!(failure.as_deref(), Some("answer exceeds 1048576 bytes"));
    }

    #[tokio::test]
    async fn secrets_are_not_carried_to_others() {
        let other = ControlPlane::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let front = format!("http://{}", listener.local_addr().expect("an address"));
        let target = other.url();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.1 307 Moved\r\nLocation: {target}/x\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("the client reads");
        });
        let answer = asker(Duration::from_mins(1)).ask(question(&front)).await.expect("the redirect itself");
        serving.await.expect("no panic");
        assert_eq!((answer.status.as_u16(), other.requests().len()), (307, 0));
    }
}
