//! Getting the data that an update speaks of. A plugin adds a kind of source by a [`DataFetcher`]; the plugin that
//! receives updates chooses it by the `fetcher` in the `config` of an entry.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::error::{Error, ErrorKind};
use crate::service::BoxFuture;

/// What a fetch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Most bytes of the data as JSON.
    pub max_bytes: usize,
}

/// Gets data from one kind of source. One instance serves all updates of an agent, many at once.
pub trait DataFetcher: Sized + Send + Sync + 'static {
    /// Its name: `config.fetcher` of an entry, and the key of its settings below `data_updates.fetchers`.
    const NAME: &'static str;

    /// Other names that entries may have for it.
    const ALIASES: &'static [&'static str] = &[];

    /// What the agent's configuration says about it, for all entries.
    type Settings: DeserializeOwned;

    /// What the `config` of an entry says, beside `fetcher`. Members that it does not know are ignored.
    type Config: DeserializeOwned + Send;

    /// Makes the instance. Connects to nothing.
    ///
    /// # Errors
    /// What is wrong with the settings.
    fn build(settings: Self::Settings) -> Result<Self, Error>;

    /// The data as a JSON text. Dropping the future ends the fetch.
    ///
    /// # Errors
    /// Why there is none; of kind [`ErrorKind::Unavailable`] if it may be there later. Without secrets: it is shown in status
    /// and sent in reports.
    fn fetch(
        &self,
        url: &str,
        config: Self::Config,
        limits: FetchLimits,
    ) -> impl Future<Output = Result<Bytes, Error>> + Send;
}

/// A [`DataFetcher`] of any type.
pub trait FetcherHandle: Send + Sync {
    /// As [`DataFetcher::fetch`], with the whole `config` of the entry.
    fn fetch<'a>(&'a self, url: &'a str, config: Json, limits: FetchLimits) -> BoxFuture<'a, Result<Bytes, Error>>;
}

impl<F: DataFetcher> FetcherHandle for F {
    fn fetch<'a>(&'a self, url: &'a str, config: Json, limits: FetchLimits) -> BoxFuture<'a, Result<Bytes, Error>> {
        Box::pin(async move {
            let wrong = |error| Error::new(ErrorKind::Refused, "the `config` of the entry is wrong").caused_by(error);
            let config = serde_path_to_error::deserialize(config).map_err(wrong)?;
            DataFetcher::fetch(self, url, config, limits).await
        })
    }
}

/// Makes an instance for what is below `data_updates.fetchers.NAME`, which is an empty object if nothing is.
pub type FetcherFactory = Arc<dyn Fn(Json) -> Result<Arc<dyn FetcherHandle>, Error> + Send + Sync>;

/// All kinds of sources by their names.
#[derive(Clone, Default)]
pub struct DataFetchers(BTreeMap<&'static str, (Vec<&'static str>, FetcherFactory)>);

impl DataFetchers {
    /// Adds one, in place of another one of its name.
    pub fn add<F: DataFetcher>(&mut self) {
        let build = |settings| {
            let settings = serde_path_to_error::deserialize(settings).map_err(|error| {
                let place = format!("data_updates.fetchers.{}", F::NAME);
                Error::new(ErrorKind::Config, place).caused_by(error)
            })?;
            Ok(Arc::new(F::build(settings)?) as Arc<dyn FetcherHandle>)
        };
        self.insert(F::NAME, F::ALIASES.to_vec(), Arc::new(build));
    }

    /// The same in its object-safe form, with other names that it has.
    pub fn insert(&mut self, name: &'static str, aliases: Vec<&'static str>, build: FetcherFactory) {
        self.0.insert(name, (aliases, build));
    }

    /// Their names, without the other ones.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Makes an instance of each, by name and by other names. `settings` are those below `data_updates.fetchers`; a
    /// fetcher without any gets an empty object.
    ///
    /// # Errors
    /// What is wrong with the settings, or that they are for a fetcher that there is not.
    pub fn build(
        &self,
        mut settings: BTreeMap<String, Json>,
    ) -> Result<BTreeMap<&'static str, Arc<dyn FetcherHandle>>, Error> {
        let mut built = BTreeMap::new();
        for (name, (aliases, build)) in &self.0 {
            let settings = settings.remove(*name).unwrap_or_else(|| Json::Object(serde_json::Map::new()));
            let fetcher = build(settings)?;
            built.extend(aliases.iter().map(|alias| (*alias, fetcher.clone())));
            built.insert(*name, fetcher);
        }
        match settings.into_keys().next() {
            None => Ok(built),
            Some(unknown) => {
                let known = self.0.keys().copied().collect::<Vec<_>>().join(", ");
                let text = format!("data_updates.fetchers.{unknown}: there is no such fetcher; there is: {known}");
                Err(Error::new(ErrorKind::Config, text))
            }
        }
    }
}
