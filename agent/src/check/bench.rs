//! What it takes to look at a configuration as a start does.

use std::sync::Arc;

use regent_core::config::{ConfigError, ConfigErrors, ConfigTree};
use regent_core::engine::CompileOptions;
use regent_core::settings::{Identity, Settings};
use regent_core::supervisor::Plan;
use regent_core::telemetry::{REQUEST_BUCKETS, Telemetry};
use regent_core::{Error, ErrorKind, Host, Registry, Store, Supervisor};
use regent_rest_api::ServerConfig;

use crate::build;
use crate::running::choose_engine;

/// An agent's parts, none of which runs.
pub(super) struct Bench {
    pub(super) host: Host,
    supervisor: Supervisor,
}

impl Bench {
    /// Makes the parts, and notes what is wrong with what is looked at before plugins are.
    ///
    /// # Errors
    /// When plugins cannot be looked at.
    pub(super) fn new(registry: Registry, tree: &ConfigTree, errors: &mut Vec<ConfigError>) -> Result<Self, Error> {
        let failed = |why: String| Error::new(ErrorKind::Config, why);
        let telemetry = telemetry(tree, errors)?;
        let engine = choose_engine(&registry, tree).or_else(|wrong| {
            errors.extend(wrong.0);
            choose_engine(&registry, &ConfigTree::default()).map_err(|none| failed(none.to_string()))
        })?;
        let compile =
            CompileOptions { runtime: build::runtime(&tree.redacted(), false, false), ..CompileOptions::default() };
        let store = Store::new(engine, compile, build::system_document()).map_err(|error| failed(error.to_string()))?;
        let identity = Identity { id: "none".to_owned(), version: build::info().version };
        // What is wrong with these is told with everything else of the plan.
        let settings = Settings::from_tree(tree, identity.clone())
            .or_else(|_| Settings::from_tree(&ConfigTree::default(), identity.clone()))
            .map_err(|none| failed(none.to_string()))?;
        let mut host = Host::new(store, telemetry, settings);
        host.verifiers = Arc::new(registry.verifiers().clone());
        let supervisor = Supervisor::new(Arc::new(registry), host.clone(), identity);
        Ok(Self { host, supervisor })
    }

    /// What would be started; nothing if something is wrong, which is noted.
    pub(super) fn plan(&self, tree: &ConfigTree, errors: &mut Vec<ConfigError>) -> Option<Plan> {
        self.supervisor.check(tree).map_err(|wrong| note(wrong, errors)).ok()
    }

    /// Whether the configuration would be taken.
    pub(super) fn accepts(&self, tree: &ConfigTree) -> Result<(), ConfigErrors> {
        self.supervisor.check(tree).map(drop)
    }
}

/// Notes what is not noted yet.
fn note(wrong: ConfigErrors, errors: &mut Vec<ConfigError>) {
    for error in wrong.0 {
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
}

fn telemetry(tree: &ConfigTree, errors: &mut Vec<ConfigError>) -> Result<Telemetry, Error> {
    let server = ServerConfig::from_section(tree.section(&["server"]).as_ref()).unwrap_or_else(|wrong| {
        errors.extend(wrong.0);
        ServerConfig::default()
    });
    Telemetry::new(server.request_buckets()).or_else(|error| {
        errors.push(ConfigError::new(
            "server.metrics.prom",
            error.chain(),
            tree.origin(&["server", "metrics", "prom"]),
        ));
        Telemetry::new(REQUEST_BUCKETS)
    })
}
