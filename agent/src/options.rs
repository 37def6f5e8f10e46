//! How an agent is to be run.

use std::time::Duration;

use regent_bundle::local::LocalTrust;
use regent_core::config::Layers;
use regent_core::engine::RegoVersion;
use regent_dynamic::PluginLibraries;
use regent_rest_api::Options as ListenOptions;

/// Policies and data that are loaded at start.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Files and directories: `path`, `prefix.path:path` or `file://path`.
    pub paths: Vec<String>,
    /// Whether `paths` are bundles.
    pub as_bundles: bool,
    /// Names and patterns of files and directories to leave out.
    pub ignore: Vec<String>,
    /// Whether they are loaded again when they change.
    pub watch: bool,
    /// What is asked of the signatures of bundles.
    pub trust: LocalTrust,
    /// The dialect of modules that do not say themselves.
    pub rego_version: RegoVersion,
}

/// When the configuration is read again. What cannot be read or does not check changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reload {
    /// When the process gets SIGHUP.
    pub at_hangup: bool,
    /// When one of its files changes.
    pub at_changes: bool,
}

/// How an agent is to be run.
pub struct RunOptions {
    /// Where it listens.
    pub listen: ListenOptions,
    /// The configuration, layer upon layer.
    pub config: Layers,
    /// When the configuration is read again.
    pub reload: Reload,
    /// What is loaded at start.
    pub files: Files,
    /// Libraries whose plugins are in the agent's registry.
    pub libraries: PluginLibraries,
    /// Errors after which the compiler gives up; 0 for no limit.
    pub max_errors: usize,
    /// Whether policies may `print`; else their calls of it are erased.
    pub print: bool,
    /// Whether the policy that authorizes requests may refer to what its input never has.
    pub skip_known_schema_check: bool,
    /// How long the start waits until all plugins are OK before it opens the doors; not at all if absent.
    pub ready_timeout: Option<Duration>,
    /// How long the agent keeps serving after it was told to stop.
    pub shutdown_wait: Duration,
    /// How long running requests, and after them the plugins, have to finish.
    pub shutdown_grace: Duration,
}

impl Default for RunOptions {
    /// `localhost:8181`, an empty configuration, and OPA's other defaults.
    fn default() -> Self {
        Self {
            listen: ListenOptions::default(),
            config: Layers::new(),
            reload: Reload::default(),
            files: Files::default(),
            libraries: PluginLibraries::default(),
            max_errors: 10,
            print: true,
            skip_known_schema_check: false,
            ready_timeout: None,
            shutdown_wait: Duration::ZERO,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
