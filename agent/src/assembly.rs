//! The parts of an agent, and the one check of a configuration: at the start, when it is read again, when it is discovered,
//! and when someone only wants to know.

use std::sync::Arc;

use regent_core::config::{ConfigError, ConfigErrors, ConfigTree};
use regent_core::engine::{CompileOptions, Engine, KnownInput};
use regent_core::settings::{Identity, Settings};
use regent_core::steering::Steering;
use regent_core::supervisor::Plan;
use regent_core::telemetry::Telemetry;
use regent_core::{Error, Host, Registry, Store, Supervisor};
use regent_rest_api::{Authorization, ServerConfig, authorization_schema};

use crate::{RunOptions, StartError, build};

/// The engine that is used when the configuration names none.
pub(crate) const DEFAULT_ENGINE: &str = "rego";

/// The parts of an agent.
pub(crate) struct Assembly {
    registry: Arc<Registry>,
    pub(crate) supervisor: Supervisor,
    /// What requests have to keep to.
    pub(crate) server: ServerConfig,
}

impl Assembly {
    /// Makes the parts for a configuration. What is wrong with it has its default; [`Assembly::check`] tells what that is.
    ///
    /// # Errors
    /// When there is no engine that the rest can be looked at with.
    pub(crate) fn new(
        registry: Registry,
        tree: &ConfigTree,
        options: &RunOptions,
        steering: Steering,
    ) -> Result<Self, StartError> {
        let identity = Identity { id: uuid::Uuid::new_v4().to_string(), version: build::info().version };
        let settings = or_default(tree, |tree| Settings::from_tree(tree, identity.clone()))?;
        let engine = or_default(tree, |tree| engine(&registry, tree))?;
        let (server, telemetry) = or_default(tree, server)?;
        let store = Store::new(engine, compile_options(options, tree, &settings), build::system_document())?;
        let host = Host::new(store, telemetry, settings).steered_by(steering);
        let registry = Arc::new(registry);
        Ok(Self { supervisor: Supervisor::new(registry.clone(), host, identity), registry, server })
    }

    /// The handles that plugins are given.
    pub(crate) fn host(&self) -> &Host {
        self.supervisor.host()
    }

    /// Checks a configuration and builds what it asks for; nothing changes before the plan is committed.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn check(&self, tree: &ConfigTree) -> Result<Plan, ConfigErrors> {
        // The plan goes last: it tells which keys nobody knew of those who have read their section.
        let first = [server(tree).err(), engine(&self.registry, tree).err()];
        let mut errors: Vec<_> = first.into_iter().flatten().flat_map(|wrong| wrong.0).collect();
        let plan = self.supervisor.check(tree).map_err(|wrong| errors.extend(wrong.0));
        plan.ok().filter(|_| errors.is_empty()).ok_or(ConfigErrors(errors))
    }

    /// Puts a configuration into effect as a whole.
    ///
    /// # Errors
    /// Everything that is wrong; nothing has changed then.
    pub(crate) async fn apply(&mut self, tree: &ConfigTree) -> Result<(), ConfigErrors> {
        let plan = self.check(tree)?;
        self.supervisor.commit(plan).await;
        Ok(())
    }
}

/// What a configuration gives or, if it is wrong, an empty one.
fn or_default<T>(tree: &ConfigTree, read: impl Fn(&ConfigTree) -> Result<T, ConfigErrors>) -> Result<T, ConfigErrors> {
    read(tree).or_else(|_| read(&ConfigTree::default()))
}

fn engine(registry: &Registry, tree: &ConfigTree) -> Result<Arc<dyn Engine>, ConfigErrors> {
    let wrong = |message: String| ConfigErrors::from(ConfigError::new("engine", message, tree.origin(&["engine"])));
    let name = match tree.get(&["engine"]).filter(|name| !name.is_null()) {
        None => DEFAULT_ENGINE,
        Some(name) => name.as_str().ok_or_else(|| wrong(format!("must be the name of an engine, got {name}")))?,
    };
    registry.find_engine(name).map_err(wrong)
}

fn server(tree: &ConfigTree) -> Result<(ServerConfig, Telemetry), ConfigErrors> {
    let server = ServerConfig::from_section(tree.section(&["server"]).as_ref())?;
    let origin = || tree.origin(&["server", "metrics", "prom"]);
    let wrong = |error: Error| ConfigError::new("server.metrics.prom", error.chain(), origin());
    let telemetry = Telemetry::new(server.request_buckets()).map_err(wrong)?;
    Ok((server, telemetry))
}

fn compile_options(options: &RunOptions, tree: &ConfigTree, settings: &Settings) -> CompileOptions {
    let authorizes = options.listen.authorization == Authorization::Basic;
    let skips = options.skip_known_schema_check;
    let document = &settings.default_authorization_decision;
    let known_input = || KnownInput { document: document.clone(), schema: authorization_schema() };
    CompileOptions {
        max_errors: options.max_errors,
        print: options.print,
        runtime: build::runtime(&tree.redacted(), authorizes, skips),
        known_input: (authorizes && !skips).then(|| Arc::new(known_input())),
        ..CompileOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use regent_core::config::Layers;

    use super::*;
    use crate::stock;

    #[test]
    fn everyone_who_is_given_the_host_finds_the_verifiers() {
        let mut registry = Registry::default();
        stock::register(&mut registry);
        let tree = Layers::new().load().expect("an empty configuration");
        let assembly = Assembly::new(registry, &tree, &RunOptions::default(), Steering::default()).expect("parts");
        assembly.host().verifiers.find("").expect("the default one");
    }
}
