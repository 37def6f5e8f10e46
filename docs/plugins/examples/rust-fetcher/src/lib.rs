//! Data of updates from Redis: `{"url": "redis://127.0.0.1/0", "config": {"fetcher": "redis", "key": "users"}, ...}` is the
//! document that the key holds.
//!
//! ```yaml
//! data_updates:
//!   fetchers: {redis: {allowed_prefix: "policy:"}}
//! ```

use regent_plugin::{DataFetcher, Error, Fetch, Host, PluginConfig};

regent_plugin::export!(DataFetcher: RedisFetcher);

/// `data_updates.fetchers.redis` in the configuration.
#[derive(serde::Deserialize)]
struct RedisSettings {
    /// What keys have to begin with, so that who publishes updates cannot have all of the database read.
    #[serde(default)]
    allowed_prefix: String,
}

impl PluginConfig for RedisSettings {}

/// `config` of an update's entry.
#[derive(serde::Deserialize)]
struct Entry {
    /// The key that holds the document, a JSON text.
    key: String,
}

struct RedisFetcher(RedisSettings);

impl DataFetcher for RedisFetcher {
    const NAME: &'static str = "redis";
    const ALIASES: &'static [&'static str] = &["RedisFetchProvider"];
    const DESCRIPTION: &'static str = "Gets documents from Redis.";
    type Settings = RedisSettings;
    type Config = Entry;

    fn build(settings: RedisSettings, _: Host) -> Result<Self, Error> {
        Ok(Self(settings))
    }

    fn fetch(&self, fetch: Fetch<Entry>) -> Result<Vec<u8>, Error> {
        let key = &fetch.config.key;
        if !key.starts_with(&self.0.allowed_prefix) {
            return Err(Error::refused(format!("the key {key:?} may not be read: it has another prefix")));
        }
        // Errors of the client may show the address, which may have a password in it.
        let unavailable = |_| Error::unavailable("Redis cannot be asked");
        let client = redis::Client::open(fetch.url.as_str()).map_err(|_| Error::refused("the url is none of Redis"))?;
        let mut connection = client.get_connection_with_timeout(fetch.timeout).map_err(unavailable)?;
        connection.set_read_timeout(Some(fetch.timeout)).map_err(unavailable)?;
        let document: Option<Vec<u8>> = redis::cmd("GET").arg(key).query(&mut connection).map_err(unavailable)?;
        document.ok_or_else(|| Error::unavailable(format!("there is no key {key:?}")))
    }
}
