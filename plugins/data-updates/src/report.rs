//! Tells callbacks what became of an update.

use std::sync::Arc;

use regent_core::data_fetcher::{DataFetcher, FetchLimits};
use regent_core::{Error, ErrorKind, backoff};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use crate::config::{Config, LIMITS_OF_REPORTS};
use crate::connection::token;
use crate::http::HttpFetcher;
use crate::model::{Callback, Entry};

/// Reports that are on their way at a time; more are dropped.
const MOST: usize = 256;

/// Attempts to send one.
const ATTEMPTS: u32 = 5;

/// Longest pause between two of them.
const LONGEST_PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

/// What became of an update, as receivers know it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) update_id: String,
    pub(crate) reports: Vec<EntryReport>,
    policy_hash: Option<String>,
    user_data: serde_json::Map<String, serde_json::Value>,
}

/// What became of an entry.
#[derive(Debug, Serialize)]
pub(crate) struct EntryReport {
    #[serde(serialize_with = "within")]
    pub(crate) entry: Arc<Entry>,
    pub(crate) fetched: bool,
    pub(crate) saved: bool,
    pub(crate) hash: Option<String>,
}

fn within<S: serde::Serializer>(entry: &Arc<Entry>, serializer: S) -> Result<S::Ok, S::Error> {
    entry.serialize(serializer)
}

impl Report {
    pub(crate) fn new(update_id: String, reports: Vec<EntryReport>) -> Self {
        Self { update_id, reports, policy_hash: None, user_data: serde_json::Map::new() }
    }
}

/// Sends reports, each to all who want it.
pub(crate) struct Reporter {
    config: Arc<Config>,
    client: Arc<HttpFetcher>,
    always: Vec<Callback>,
    sending: JoinSet<()>,
    /// Those on their way.
    room: Arc<Semaphore>,
    dropped: metrics::Counter,
}

impl Reporter {
    pub(crate) fn new(config: Arc<Config>, client: Arc<HttpFetcher>, dropped: metrics::Counter) -> Self {
        let always = config.reports.callbacks.iter().cloned().map(Callback::Url).collect();
        let room = Arc::new(Semaphore::new(MOST));
        Self { config, client, always, sending: JoinSet::new(), room, dropped }
    }

    /// Sends the report to those whom the configuration and the update name.
    pub(crate) fn send(&mut self, report: &Report, callbacks: &[Callback]) {
        while self.sending.try_join_next().is_some() {}
        if !self.config.reports.enabled {
            return;
        }
        let Ok(body) = serde_json::to_string(report) else { return };
        for callback in self.always.iter().chain(callbacks) {
            let Ok(place) = self.room.clone().try_acquire_owned() else {
                self.dropped.increment(1);
                continue;
            };
            let (client, body, callback) = (self.client.clone(), body.clone(), callback.clone());
            let (config, dropped) = (self.config.clone(), self.dropped.clone());
            self.sending.spawn(async move {
                let _place = place;
                if let Err(error) = deliver(&config, &client, &callback, body).await {
                    dropped.increment(1);
                    tracing::error!(error = %error.chain(), "A report of an update of data cannot be delivered.");
                }
            });
        }
    }
}

/// Whether an address is that of the server itself, which knows the agent by its token.
fn is_server(config: &Config, address: &str) -> bool {
    let origin = |address: &str| Url::parse(address).ok().map(|url| url.origin());
    origin(address).is_some_and(|other| other.is_tuple() && origin(&config.server_url) == Some(other))
}

async fn deliver(own: &Arc<Config>, client: &HttpFetcher, callback: &Callback, body: String) -> Result<(), Error> {
    let mut config = json!({"method": "post", "headers": {"content-type": "application/json"}});
    let url = match callback {
        Callback::Url(url) => url,
        Callback::Configured(url, theirs) => {
            let members = theirs.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            for (key, value) in members {
                config[key] = value.clone();
            }
            url
        }
    };
    if let Some(headers) = config["headers"].as_object_mut()
        && !headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"))
        && is_server(own, url)
        && let Some(token) = token(own).await?
    {
        headers.insert("authorization".to_owned(), json!(format!("Bearer {}", token.expose())));
    }
    // What is answered does not matter, nor whether it is JSON.
    config["is_json"] = json!(false);
    if config.get("data").is_none() {
        config["data"] = serde_json::Value::String(body);
    }
    let wrong = |error| Error::new(ErrorKind::Refused, "the configuration of the callback is wrong").caused_by(error);
    let limits: FetchLimits = LIMITS_OF_REPORTS;
    for failures in 1.. {
        let config = serde_json::from_value(config.clone()).map_err(wrong)?;
        match DataFetcher::fetch(client, url, config, limits).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() != ErrorKind::Unavailable || failures >= ATTEMPTS => return Err(error),
            Err(_) => tokio::time::sleep(backoff::after(failures + 1, LONGEST_PAUSE)).await,
        }
    }
    Ok(())
}
