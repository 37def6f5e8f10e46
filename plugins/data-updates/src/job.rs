//! One entry on its way: its turn, its data, one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use regent_core::data_fetcher::{FetchLimits, FetcherHandle};
use regent_core::{Error, ErrorKind, Store, backoff};
use tokio::sync::Semaphore;

use crate::apply::{Change, destination};
use crate::config::Config;
use crate::digest;
use crate::model::Entry;
use crate::order::{Order, Turn};

/// Longest pause between two attempts to fetch.
const LONGEST_PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

/// What all jobs share.
pub(crate) struct Tools {
    pub(crate) fetchers: BTreeMap<&'static str, Arc<dyn FetcherHandle>>,
    pub(crate) store: Store,
    slots: Semaphore,
    limits: FetchLimits,
    attempts: u32,
    drop_nulls: bool,
}

/// What became of an entry.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The digest of what was fetched.
    pub(crate) hash: Option<String>,
    /// Why nothing was written.
    pub(crate) error: Option<String>,
}

impl Tools {
    pub(crate) fn new(config: &Config, fetchers: BTreeMap<&'static str, Arc<dyn FetcherHandle>>, store: Store) -> Self {
        Self {
            fetchers,
            store,
            slots: Semaphore::new(config.fetch.workers()),
            limits: config.fetch.limits(),
            attempts: config.fetch.attempts(),
            drop_nulls: config.drop_nulls,
        }
    }

    /// Fetches and writes an entry when its turn has come. The order is that of the calls.
    pub(crate) fn start(
        self: &Arc<Self>,
        order: &mut Order,
        entry: Arc<Entry>,
    ) -> impl Future<Output = Outcome> + Send + use<> {
        let turn = order.enter(&destination(&entry.dst_path));
        let tools = self.clone();
        async move { tools.run(turn, &entry).await }
    }

    async fn run(&self, mut turn: Turn, entry: &Entry) -> Outcome {
        turn.comes().await;
        let failed = |hash, error| Outcome { hash, error: Some(error) };
        let json = match self.json(entry).await {
            Ok(json) => json,
            Err(error) => return failed(None, error.chain()),
        };
        let (method, path, drop_nulls) = (entry.save_method.clone(), destination(&entry.dst_path), self.drop_nulls);
        let reading = tokio::task::spawn_blocking(move || {
            let hash = std::str::from_utf8(&json).ok().map(digest::of_json);
            (hash, Change::read(&method, path, &json, drop_nulls))
        });
        match reading.await {
            Ok((hash, Ok(change))) => {
                let error = change.write(&self.store).await.err().map(|error| error.to_string());
                Outcome { hash, error }
            }
            // What cannot be read counts as not fetched.
            Ok((_, Err(why))) => failed(None, why),
            Err(panic) => failed(None, panic.to_string()),
        }
    }

    async fn json(&self, entry: &Entry) -> Result<Bytes, Error> {
        match &entry.data {
            Some(data) => Ok(Bytes::copy_from_slice(data.get().as_bytes())),
            None => self.fetch(entry).await,
        }
    }

    async fn fetch(&self, entry: &Entry) -> Result<Bytes, Error> {
        let config =
            entry.config.as_ref().map_or("{}", |config| if config.get() == "[]" { "{}" } else { config.get() });
        let wrong = |error| Error::new(ErrorKind::Refused, "the `config` of the entry is wrong").caused_by(error);
        let config: serde_json::Value = serde_json::from_str(config).map_err(wrong)?;
        let name = config.get("fetcher").and_then(serde_json::Value::as_str).unwrap_or_else(|| kind_of(&entry.url));
        let fetcher = self.fetchers.get(name).ok_or_else(|| {
            let known = self.fetchers.keys().copied().collect::<Vec<_>>().join(", ");
            Error::new(ErrorKind::Refused, format!("there is no fetcher {name:?}; there is: {known}"))
        })?;
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await.ok();
        let mut failures = 0;
        loop {
            match fetcher.fetch(&entry.url, config.clone(), self.limits).await {
                Ok(data) => return Ok(data),
                Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error),
                Err(error) => {
                    failures += 1;
                    if failures >= self.attempts {
                        return Err(error);
                    }
                    tracing::debug!(error = %error.chain(), "Data cannot be fetched; another attempt follows.");
                    tokio::time::sleep(backoff::after(failures + 1, LONGEST_PAUSE)).await;
                }
            }
        }
    }
}

/// The fetcher for an address whose entry names none.
fn kind_of(url: &str) -> &'static str {
    match url.split_once(':') {
        Some(("file", _)) => "file",
        Some(("postgres" | "postgresql", _)) => "postgres",
        _ => "http",
    }
}
