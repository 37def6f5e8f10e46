//! Base data: the list of what an agent has to have, which the server gives or tells where to get.

use std::sync::Arc;
use std::time::Duration;

use regent_core::data_fetcher::{DataFetcher as _, FetchLimits};
use regent_core::{Error, ErrorKind, backoff};
use serde::Deserialize;
use serde_json::json;

use crate::config::Config;
use crate::connection::token;
use crate::http::HttpFetcher;
use crate::model::Entry;

/// What asking for the list may take.
const LIMITS: FetchLimits = FetchLimits { timeout: Duration::from_secs(10), max_bytes: 16 << 20 };

#[derive(Deserialize)]
struct List {
    entries: Vec<Entry>,
}

/// Asks for the list, after a pause if that has failed before.
///
/// # Errors
/// When the server has none, or one that cannot be read.
pub(crate) async fn list(config: Arc<Config>, client: Arc<HttpFetcher>, failures: u32) -> Result<Vec<Entry>, Error> {
    tokio::time::sleep(backoff::after(failures, config.longest_pause())).await;
    let mut headers = json!({"accept": "application/json", "regent-peer": "1"});
    if let Some(token) = token(&config).await? {
        headers["authorization"] = json!(format!("Bearer {}", token.expose()));
    }
    let asked = serde_json::from_value(json!({"headers": headers}));
    let asked = asked.map_err(|error| Error::new(ErrorKind::Internal, "the request").caused_by(error))?;
    let text = "the list of base data cannot be had";
    let body = client.fetch(&config.sources_url(), asked, LIMITS).await;
    let body = body.map_err(|error| Error::new(error.kind(), text).caused_by(error))?;
    let list = serde_json::from_slice::<List>(&body);
    let list =
        list.map_err(|error| Error::new(ErrorKind::Protocol, "the list of base data is broken").caused_by(error))?;
    Ok(list.entries)
}
