//! What this build is.

use regent_core::Value;
use regent_rest_api::BuildInfo;

/// The build, as `regent version`, provenance and `data.system.version` show it.
pub(crate) fn info() -> BuildInfo {
    let known = |variable: Option<&str>| variable.unwrap_or_default().to_owned();
    BuildInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: known(option_env!("REGENT_BUILD_COMMIT")),
        timestamp: known(option_env!("REGENT_BUILD_TIMESTAMP")),
        hostname: known(option_env!("REGENT_BUILD_HOSTNAME")),
    }
}

/// What `opa.runtime` tells policies: the configuration (without its secrets), the environment, the build, and whether
/// and how requests are authorized.
pub(crate) fn runtime(config: &Value, authorizes: bool, skips_schema_check: bool) -> Value {
    let build = info();
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    Value::object([
        ("config", config.clone()),
        ("env", Value::object(environment)),
        ("version", build.version.into()),
        ("commit", build.commit.into()),
        ("authorization_enabled", authorizes.into()),
        ("skip_known_schema_check", skips_schema_check.into()),
    ])
}

/// What the agent keeps about itself below `data.system`.
pub(crate) fn system_document() -> Value {
    let build = info();
    let version = [
        ("version", build.version),
        ("build_commit", build.commit),
        ("build_timestamp", build.timestamp),
        ("build_hostname", build.hostname),
    ];
    Value::object([("system", Value::object([("version", Value::object(version))]))])
}
