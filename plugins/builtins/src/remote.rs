//! Schemas on other hosts, which schemas refer to. OPA fetches them too, without bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use regent_core::Value;
use regent_core::engine::{Cancel, Linger};
use regent_core::fetch::{FetchError, Fetcher, Wanted, allows_host};
use regent_core::value::decode_prefix;
use url::Url;

/// Most documents that one schema may need, and most bytes of all of them.
const MOST_DOCUMENTS: usize = 100;
const MOST_BYTES: usize = 16 << 20;
/// Most redirects to one document, as Go's client has it.
const MOST_REDIRECTS: usize = 10;
/// How long it may take to get all documents that one schema needs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How policies reach other hosts.
#[derive(Clone, Default)]
pub struct Network {
    /// Gets documents; absent where nobody can.
    pub fetcher: Option<Arc<dyn Fetcher>>,
    /// Hosts that may be asked; all of them if absent.
    pub allow_net: Option<Arc<[Arc<str>]>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("allow_net", &self.allow_net).finish_non_exhaustive()
    }
}

/// Why there is no document, in the words of OPA's reader of schemas where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Nobody waits any more.
    #[error("caller cancelled query execution")]
    Cancelled,
    /// It is not to be had, or is no JSON.
    #[error("{0}")]
    Failed(String),
}

/// Gets the documents that one schema refers to.
pub struct Documents {
    network: Network,
    cancel: Cancel,
    linger: Linger,
    deadline: Instant,
    /// How many more documents, and bytes, may be fetched.
    left: AtomicUsize,
    left_bytes: AtomicUsize,
}

impl Documents {
    /// The time begins to run.
    pub fn new(network: Network, cancel: Cancel, linger: Linger) -> Self {
        Self {
            network,
            cancel,
            linger,
            deadline: Instant::now() + TIMEOUT,
            left: MOST_DOCUMENTS.into(),
            left_bytes: MOST_BYTES.into(),
        }
    }

    /// The document at an address without a fragment.
    ///
    /// # Errors
    /// When it may not be fetched, cannot be, is no JSON, or goes beyond the bounds.
    pub fn get(&self, address: &str) -> Result<Value, RemoteError> {
        let failed = |why: String| RemoteError::Failed(why);
        let shown = without_password(address);
        if address.starts_with("file:") {
            return Err(failed(format!("file reference loading disabled: {shown}")));
        }
        let url = Url::parse(address).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().trim_matches(['[', ']']);
        let allow_net = self.network.allow_net.as_deref();
        if !allows_host(allow_net, host) {
            return Err(failed(format!("remote reference loading disabled: {shown}")));
        }
        let Some(fetcher) = &self.network.fetcher else {
            return Err(failed(format!("remote reference loading is not supported: {shown}")));
        };
        let take_one = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one).is_err() {
            return Err(failed(format!("schema refers to more than {MOST_DOCUMENTS} documents on other hosts")));
        }
        let body = fetcher.fetch(&Wanted {
            url: address,
            most_bytes: self.left_bytes.load(Ordering::Relaxed),
            most_redirects: MOST_REDIRECTS,
            timeout: self.deadline.saturating_duration_since(Instant::now()),
            allow_net,
            cancel: &self.cancel,
            linger: self.linger,
        });
        let body = body.map_err(|error| match error {
            FetchError::Cancelled => RemoteError::Cancelled,
            FetchError::Status(status) => {
                failed(format!("Could not read schema from HTTP, response status is {status}"))
            }
            FetchError::Failed(why) => failed(why),
        })?;
        self.left_bytes.fetch_sub(body.len().min(self.left_bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
        // As in OPA, what follows the first value does not matter.
        decode_prefix(&body).map(|(document, _)| document).map_err(|error| failed(error.to_string()))
    }
}

/// The address as errors show it.
fn without_password(address: &str) -> String {
    let hidden = Url::parse(address).ok().filter(|url| url.password().is_some()).and_then(|mut url| {
        url.set_password(Some("***")).ok()?;
        Some(url.into())
    });
    hidden.unwrap_or_else(|| address.to_owned())
}
