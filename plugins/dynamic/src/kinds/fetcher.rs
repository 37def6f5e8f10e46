//! Sources of data that updates speak of.

use std::sync::Arc;

use bytes::Bytes as Body;
use regent_core::data_fetcher::{FetchLimits, FetcherHandle};
use regent_core::service::BoxFuture;
use regent_core::{Error, ErrorKind};
use regent_plugin_abi::{Ask, Bytes};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::attached::Attached;
use crate::error::Refusal;
use crate::exported::Exported;
use crate::instance::Instance;

/// Fetches of one plugin that may run at the same time.
const THREADS: usize = 16;

/// Makes instances of a fetcher.
pub(crate) struct Fetchers {
    pub(crate) exported: Arc<Exported>,
    pub(crate) attached: Attached,
    pub(crate) ask: Ask,
}

/// What a fetcher says of itself.
#[derive(Default, Deserialize)]
struct About {
    #[serde(default)]
    aliases: Vec<String>,
}

/// Other names that a fetcher has.
pub(crate) fn aliases(exported: &Exported) -> Result<Vec<&'static str>, Refusal> {
    let about: About = exported.about()?;
    Ok(about.aliases.iter().map(|alias| crate::kept::name(alias)).collect())
}

impl Fetchers {
    /// Makes an instance for the settings below `data_updates.fetchers`.
    pub(crate) fn build(&self, settings: &Json) -> Result<Arc<dyn FetcherHandle>, Error> {
        let name = self.exported.name;
        let wrong = |why: String| Error::new(ErrorKind::Config, format!("data_updates.fetchers.{name}")).caused_by(why);
        let config = settings.to_string().into_bytes();
        let complaints =
            super::config::complaints(&self.exported, &config).map_err(|failure| wrong(failure.to_string()))?;
        if let Some(first) = complaints.first() {
            return Err(wrong(first.to_string()));
        }
        let instance = Instance::create(&self.exported, self.attached.clone(), config, THREADS);
        let instance = instance.map_err(|failure| wrong(failure.to_string()))?;
        Ok(Arc::new(Fetcher { instance, ask: self.ask }))
    }
}

struct Fetcher {
    instance: Arc<Instance>,
    ask: Ask,
}

impl FetcherHandle for Fetcher {
    fn fetch<'a>(&'a self, url: &'a str, config: Json, limits: FetchLimits) -> BoxFuture<'a, Result<Body, Error>> {
        Box::pin(async move {
            let FetchLimits { timeout, max_bytes } = limits;
            let request = json!({
                "url": url,
                "config": config,
                "timeout_ms": u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
                "max_bytes": max_bytes,
            });
            let (request, ask) = (request.to_string(), self.ask);
            let question = move |itself, writer: &_| {
                // SAFETY: the request and the writer are there until it returns.
                unsafe { ask(itself, Bytes::of(request.as_bytes()), writer) }
            };
            let answer = self.instance.ask_within(timeout, max_bytes, question).await;
            answer.map(Body::from).map_err(|failure| failure.into_error(self.instance.exported().name))
        })
    }
}
