//! The named factories for each extension point: what an agent is made of.

mod factory;
mod listing;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use factory::{AnyConfig, Factory, Instance, Prepared, Running};
pub use listing::ExtensionPoint;

use crate::builtin::Builtin;
use crate::data_fetcher::{DataFetcher, DataFetchers, FetcherFactory};
use crate::engine::Engine;
use crate::fetch::Fetcher;
use crate::plugin::{DecisionSink, Plugin, SinkPlugin};
use crate::service::{CredentialFactory, CredentialKinds, ServiceConnector};
use crate::signing::{Signer, Signers, Verifier, Verifiers};

/// Everything that can be configured. Each plugin crate has one `pub fn register(&mut Registry)` that fills its slots.
#[derive(Default, Clone)]
pub struct Registry {
    pub(crate) plugins: Vec<Arc<dyn Factory>>,
    /// How many of `plugins`, from the first one on, are decision sinks.
    sinks: usize,
    engines: BTreeMap<&'static str, Arc<dyn Engine>>,
    builtins: Vec<Arc<dyn Builtin>>,
    fetcher: Option<Arc<dyn Fetcher>>,
    pub(crate) connectors: BTreeMap<&'static str, Arc<dyn ServiceConnector>>,
    pub(crate) credentials: CredentialKinds,
    verifiers: Verifiers,
    signers: Signers,
    data_fetchers: DataFetchers,
}

impl Registry {
    /// Adds a plugin. Plugins start in the order of registration and stop in the reverse order.
    pub fn plugin<P: Plugin>(&mut self) {
        self.factory(factory::typed::<P>());
    }

    /// Adds a decision sink. Sinks start before all other plugins and stop after them, so that the last decision still
    /// has somewhere to go.
    pub fn decision_sink<S: DecisionSink>(&mut self) {
        self.sink_factory(factory::typed::<SinkPlugin<S>>());
    }

    /// Adds a decision sink in its object-safe form.
    pub fn sink_factory(&mut self, factory: Arc<dyn Factory>) {
        self.plugins.insert(self.sinks, factory);
        self.sinks += 1;
    }

    /// Adds a plugin in its object-safe form.
    pub fn factory(&mut self, factory: Arc<dyn Factory>) {
        self.plugins.push(factory);
    }

    /// Adds an engine, to be chosen by `engine: NAME`.
    pub fn engine(&mut self, engine: Arc<dyn Engine>) {
        self.engines.insert(engine.name(), engine);
    }

    /// Adds a function that policies may call. Of those of one name the last one counts, also before an engine's own.
    pub fn builtin(&mut self, builtin: Arc<dyn Builtin>) {
        self.builtins.push(builtin);
    }

    /// Sets who gets documents that policies refer to on other hosts. The last one counts.
    pub fn fetcher(&mut self, fetcher: Arc<dyn Fetcher>) {
        self.fetcher = Some(fetcher);
    }

    /// Adds a kind of service, to be chosen by `services.*.type`.
    pub fn service_connector(&mut self, connector: Arc<dyn ServiceConnector>) {
        self.connectors.insert(connector.kind(), connector);
    }

    /// Adds a kind of credentials, to be chosen by `services.*.credentials.KIND`.
    pub fn credential(&mut self, factory: Arc<dyn CredentialFactory>) {
        self.credentials.insert(factory.kind(), factory);
    }

    /// Adds what tells whether bundles may be believed that name it. Of those of one name the last one counts.
    pub fn verifier(&mut self, verifier: Arc<dyn Verifier>) {
        self.verifiers.add(verifier);
    }

    /// Adds what signs bundles. Of those of one name the last one counts.
    pub fn signer(&mut self, signer: Arc<dyn Signer>) {
        self.signers.add(signer);
    }

    /// Adds a kind of source that updates of data may name. Of those of one name the last one counts.
    pub fn data_fetcher<F: DataFetcher>(&mut self) {
        self.data_fetchers.add::<F>();
    }

    /// Adds a kind of source in its object-safe form, with other names that it has.
    pub fn data_fetcher_factory(&mut self, name: &'static str, aliases: Vec<&'static str>, build: FetcherFactory) {
        self.data_fetchers.insert(name, aliases, build);
    }

    /// All kinds of sources that were added.
    pub fn data_fetchers(&self) -> &DataFetchers {
        &self.data_fetchers
    }

    /// All verifiers that were added.
    pub fn verifiers(&self) -> &Verifiers {
        &self.verifiers
    }

    /// All signers that were added.
    pub fn signers(&self) -> &Signers {
        &self.signers
    }

    /// The engine of that name, with the functions and the fetcher that were added.
    ///
    /// # Errors
    /// What is wrong with the name, or that the engine takes no functions.
    pub fn find_engine(&self, name: &str) -> Result<Arc<dyn Engine>, String> {
        let engine = self.engines.get(name).ok_or_else(|| {
            let known: Vec<_> = self.engines.keys().copied().collect();
            format!("there is no engine {name:?}; there is: {}", known.join(", "))
        })?;
        let engine = if self.builtins.is_empty() {
            engine.clone()
        } else {
            engine.with_builtins(&self.builtins).map_err(|error| error.to_string())?
        };
        let fetching = self.fetcher.as_ref().and_then(|fetcher| engine.with_fetcher(fetcher.clone()));
        Ok(fetching.unwrap_or(engine))
    }
}
