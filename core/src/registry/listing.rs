//! What a registry holds, by name.

use super::Registry;

/// What a part of an agent can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExtensionPoint {
    /// Something with a life of its own.
    Plugin,
    /// Takes the records of decisions.
    DecisionSink,
    /// A policy engine.
    Engine,
    /// A function that policies call.
    Builtin,
    /// Gets data that updates speak of.
    DataFetcher,
    /// Tells whether a signed bundle may be believed.
    Verifier,
    /// Signs bundles.
    Signer,
    /// Proves to services who the agent is.
    Credential,
    /// Reaches services.
    ServiceConnector,
}

impl ExtensionPoint {
    /// A word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::DecisionSink => "sink",
            Self::Engine => "engine",
            Self::Builtin => "builtin",
            Self::DataFetcher => "fetcher",
            Self::Verifier => "verifier",
            Self::Signer => "signer",
            Self::Credential => "credential",
            Self::ServiceConnector => "connector",
        }
    }
}

impl Registry {
    /// Everything that was added, but for functions that engines bring along themselves; in the order of the kinds.
    pub fn parts(&self) -> Vec<(ExtensionPoint, String)> {
        let (sinks, plugins) = self.plugins.split_at(self.sinks);
        let mut parts = Vec::new();
        let mut add = |point, names: Vec<&str>| parts.extend(names.into_iter().map(|name| (point, name.to_owned())));
        add(ExtensionPoint::Plugin, plugins.iter().map(|factory| factory.name()).collect());
        add(ExtensionPoint::DecisionSink, sinks.iter().map(|factory| factory.name()).collect());
        add(ExtensionPoint::Engine, self.engines.keys().copied().collect());
        add(ExtensionPoint::Builtin, self.builtins.iter().map(|builtin| &*builtin.declaration().name).collect());
        add(ExtensionPoint::DataFetcher, self.data_fetchers.names().collect());
        add(ExtensionPoint::Verifier, self.verifiers.names().collect());
        add(ExtensionPoint::Signer, self.signers.names().collect());
        add(ExtensionPoint::Credential, self.credentials.keys().copied().collect());
        add(
            ExtensionPoint::ServiceConnector,
            self.connectors.keys().copied().filter(|kind| !kind.is_empty()).collect(),
        );
        parts
    }
}
