//! Getting documents that policies refer to by their address, such as schemas. Engines have no HTTP client of their own;
//! a plugin that has one fills [`Registry::fetcher`](crate::Registry::fetcher).

use std::sync::Arc;
use std::time::Duration;

use crate::engine::cancel::{Cancel, Linger};

/// Gets documents over the network.
pub trait Fetcher: Send + Sync + 'static {
    /// The body of the document. Waits for it within [`Wanted::linger`].
    ///
    /// # Errors
    /// Why there is none; also when it keeps to no bound of what is wanted.
    fn fetch(&self, wanted: &Wanted<'_>) -> Result<Vec<u8>, FetchError>;
}

/// What is to be fetched, and how much that may take.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The address, `https://example.com/a.json`.
    pub url: &'a str,
    /// Most bytes of the body.
    pub most_bytes: usize,
    /// Most redirects that are followed.
    pub most_redirects: usize,
    /// How long it may take, redirects included.
    pub timeout: Duration,
    /// Hosts that may be asked, after redirects too; all of them if absent.
    pub allow_net: Option<&'a [Arc<str>]>,
    /// Set when nobody waits for the document any more.
    pub cancel: &'a Cancel,
    /// Waits in a way that spares the caller's thread.
    pub linger: Linger,
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The server answers, but not with the document. The status in its words, `404 Not Found`.
    #[error("response status is {0}")]
    Status(String),
    /// It cannot be fetched; in words that may be shown, without passwords.
    #[error("{0}")]
    Failed(String),
    /// Nobody waits any more.
    #[error("caller cancelled query execution")]
    Cancelled,
}

/// Whether a host, an address of IPv6 without its brackets, is one of those that may be asked. All may be if there is no
/// list.
pub fn allows_host(allow_net: Option<&[Arc<str>]>, host: &str) -> bool {
    let same = |allowed: &Arc<str>| allowed.trim_matches(['[', ']']).eq_ignore_ascii_case(host);
    allow_net.is_none_or(|hosts| hosts.iter().any(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_allowed_by_name_whatever_the_case() {
        let hosts: [Arc<str>; 2] = ["example.com".into(), "[::1]".into()];
        assert!(allows_host(None, "anything"));
        assert!(!allows_host(Some(&[]), "example.com"));
        assert!(allows_host(Some(&hosts), "Example.com") && allows_host(Some(&hosts), "::1"));
        assert!(!allows_host(Some(&hosts), "www.example.com") && !allows_host(Some(&hosts), ""));
    }
}
