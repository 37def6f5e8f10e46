//! The fetchers, as the plugin uses them, against real servers.

mod http;
#[cfg(feature = "postgres")]
mod postgres;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use regent_core::Registry;
use regent_core::data_fetcher::{FetchLimits, FetcherHandle};
use serde_json::Value as Json;

/// What a fetch may take: more time than anything needs, and few bytes.
const LIMITS: FetchLimits = FetchLimits { timeout: Duration::from_mins(1), max_bytes: 1_000 };

/// The fetcher of that name, with these settings.
fn fetcher(name: &str, settings: Json) -> Arc<dyn FetcherHandle> {
    let mut registry = Registry::default();
    regent_data_updates::register(&mut registry);
    let settings = BTreeMap::from([(name.to_owned(), settings)]);
    let built = registry.data_fetchers().build(settings).expect("the settings are good");
    built[name].clone()
}

/// What is fetched, or why nothing is.
async fn fetched(fetcher: &dyn FetcherHandle, url: &str, config: Json, limits: FetchLimits) -> Result<String, String> {
    let found = fetcher.fetch(url, config, limits).await;
    found.map(|json| String::from_utf8(json.to_vec()).expect("a text")).map_err(|error| error.chain())
}
