//! Keys of AWS, from wherever they are to be had, and signatures made with them.
//!
//! Each provider is a file. Endpoints of AWS are those of OPA, unless the variables say otherwise by which AWS's own
//! tools are told (`AWS_ENDPOINT_URL_STS` and its kin).

mod chain;
mod environment;
mod metadata;
mod profile;
mod signature;
mod sso;
mod sts;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use regent_core::config::Secret;
use regent_core::service::BoxFuture;

use super::asker::{Asker, Question, Way};
use super::failure::Failure;
use super::fresh::Lasting;
use crate::environment::Environment;
pub(crate) use chain::{Chain, WrittenSigning};
pub(crate) use signature::{Version, sign};

/// Keys that do not last are renewed this long before their end, as in OPA.
const MARGIN: Duration = Duration::from_mins(5);

/// How long a question may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What requests to AWS are signed with.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) access_key: String,
    pub(crate) secret_key: Secret,
    /// Of keys that do not last; else empty.
    pub(crate) session_token: Secret,
    pub(crate) region: String,
}

/// Somewhere to get keys.
pub(crate) trait Provider: Send + Sync {
    /// Keys that hold now.
    fn keys(&self) -> BoxFuture<'_, Result<Keys, Failure>>;
}

/// What all providers need. Clones share it.
#[derive(Clone)]
pub(crate) struct Surroundings {
    environment: Environment,
    near: Arc<Asker>,
    out: Arc<Asker>,
}

impl Surroundings {
    pub(crate) fn new(environment: Environment) -> Self {
        let asker = |way| Arc::new(Asker::new(way, LIMIT));
        Self { environment, near: asker(Way::Near), out: asker(Way::Out) }
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name)
    }

    /// Asks AWS, and takes nothing but success for an answer.
    pub(crate) async fn ask(&self, question: Question, what: &str) -> Result<Vec<u8>, Failure> {
        ask(&self.out, question, what).await
    }

    /// A file in the user's home.
    fn home(&self, below: &str) -> Result<std::path::PathBuf, Failure> {
        let home = self.environment.get("HOME").or_else(|| self.environment.get("USERPROFILE"));
        let home = home.ok_or_else(|| Failure::config("user home directory not found: $HOME is not defined"))?;
        Ok(std::path::Path::new(&home).join(".aws").join(below))
    }

    /// The configured region, or that of the environment.
    fn region(&self, configured: Option<&str>) -> Result<String, Failure> {
        self.configured_or("AWS_REGION", configured)
    }

    fn configured_or(&self, variable: &str, configured: Option<&str>) -> Result<String, Failure> {
        let configured = configured.filter(|text| !text.is_empty()).map(str::to_owned);
        let missing = || Failure::config(format!("no {variable} set in environment or configuration"));
        configured.or_else(|| self.environment.get(variable)).ok_or_else(missing)
    }
}

/// Asks, and takes nothing but success for an answer. `what` names the other side, as OPA does.
async fn ask(asker: &Asker, question: Question, what: &str) -> Result<Vec<u8>, Failure> {
    let answer = asker.ask(question).await;
    let answer = answer.map_err(|failure| failure.within(&format!("{what} HTTP request failed")))?;
    if answer.status != StatusCode::OK {
        let text = format!("{what} HTTP request returned unexpected status: {}", answer.status);
        return Err(Failure::unavailable(text));
    }
    Ok(answer.body)
}

/// Keys that hold until then.
fn until(keys: Keys, end: Timestamp) -> Lasting<Keys> {
    Lasting::over(keys, Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default())
}

/// The variable that is set, or why there is none.
fn required(environment: &Environment, name: &str) -> Result<String, Failure> {
    environment.get(name).ok_or_else(|| Failure::config(format!("no {name} set in environment")))
}
