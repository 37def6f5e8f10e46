//! The record of all that arrived.

use std::fmt::{self, Write};

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

/// How much of a document an error shows.
const EXCERPT: usize = 600;

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Path and query, as in `/bundles/authz?v=1`.
    pub path: String,
    /// As sent, credentials included.
    pub headers: HeaderMap,
    /// As sent, not decompressed.
    pub body: Bytes,
}

impl Received {
    /// A header as text; `None` when it is missing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path without its query: what faults go by.
    pub fn bare_path(&self) -> &str {
        self.path.split_once('?').map_or(self.path.as_str(), |(path, _)| path)
    }
}

/// One accepted upload of decision logs.
#[derive(Debug, Clone)]
pub struct Upload {
    /// `/logs` or `/logs/<partition>`.
    pub path: String,
    /// As sent.
    pub headers: HeaderMap,
    /// Bytes on the wire: what `upload_size_limit_bytes` is about.
    pub compressed_size: usize,
    /// What was inside, in order.
    pub events: Vec<Value>,
}

/// Grows only, so that whoever waits can look at the whole each time, until it is told to forget.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) requests: Vec<Received>,
    pub(super) uploads: Vec<Upload>,
    pub(super) statuses: Vec<Value>,
    /// What the server refused or could not make out, and why.
    pub(super) complaints: Vec<String>,
}

impl Journal {
    pub(super) fn events(&self) -> impl Iterator<Item = &Value> {
        self.uploads.iter().flat_map(|upload| &upload.events)
    }
}

/// What had arrived, for a wait that ran out of time.
impl fmt::Display for Journal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = self
            .requests
            .iter()
            .map(|request| format!("{} {} ({} bytes)", request.method, request.path, request.body.len()));
        list(formatter, "requests", requests)?;
        list(formatter, "events", self.events().map(excerpt))?;
        list(formatter, "status reports", self.statuses.iter().map(excerpt))?;
        list(formatter, "complaints", self.complaints.iter().cloned())
    }
}

/// The number of items and the last few of them; those before are seldom why a wait failed.
fn list(formatter: &mut fmt::Formatter<'_>, what: &str, items: impl Iterator<Item = String>) -> fmt::Result {
    const SHOWN: usize = 20;
    let items: Vec<String> = items.collect();
    let shown = &items[items.len().saturating_sub(SHOWN)..];
    write!(formatter, "\n{what}: {}", items.len())?;
    if shown.len() < items.len() {
        write!(formatter, ", the last {SHOWN} of them:")?;
    }
    shown.iter().try_for_each(|item| write!(formatter, "\n  {item}"))
}

/// A document on one line, without its lengthy metrics, cut where it gets long.
fn excerpt(document: &Value) -> String {
    let mut document = document.clone();
    if let Some(metrics) = document.get_mut("metrics") {
        *metrics = Value::from("…");
    }
    let text = document.to_string();
    let mut excerpt: String = text.chars().take(EXCERPT).collect();
    if excerpt.len() < text.len() {
        let _infallible = write!(excerpt, "… ({} bytes)", text.len());
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_description_shows_counts_and_ends_and_hides_metrics() {
        let journal = Journal {
            statuses: (0..30).map(|n| json!({"n": n, "metrics": {"prometheus": n}})).collect(),
            complaints: vec!["POST /logs: not gzip".to_owned()],
            ..Journal::default()
        };
        let text = journal.to_string();
        assert!(text.contains("requests: 0\n"), "{text}");
        assert!(text.contains("status reports: 30, the last 20 of them:\n  {\"metrics\":\"…\",\"n\":10}"), "{text}");
        assert!(text.ends_with("complaints: 1\n  POST /logs: not gzip"), "{text}");
    }
}
