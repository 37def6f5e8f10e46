//! `regent run`

mod access;
mod descriptors;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use regent_core::engine::RegoVersion;
use regent_core::error::chain;
use regent_core::logging::{Format, Layout, Level, LogLayer};
use regent_core::{Registry, Value};
use tokio::signal::unix::{SignalKind, signal};

use super::layered::Layered;
use super::libraries::Directories;
use super::verifying::Verifying;
use crate::running::Running;
use crate::{Files, Reload, RunOptions};
use access::AccessFlags;

/// Start regent as a server.
///
/// Files are policies (.rego), data (.json, .yaml) and, with --bundle, bundles. A URL stands for a bundle that is
/// downloaded from there.
///
/// Example: regent run --server --config-file config.yaml policies/
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are booleans")]
pub(super) struct Arguments {
    /// Files, directories and URLs to load.
    paths: Vec<String>,
    /// Start as a server.
    #[arg(short, long)]
    server: bool,
    /// Listen on ADDRESS: `[ip]:port`, `http://[ip]:port`, `https://[ip]:port`, `unix://path`. May be repeated.
    #[arg(short, long = "addr", value_name = "ADDRESS", default_value = "localhost:8181", value_delimiter = ',')]
    addr: Vec<String>,
    /// Serve only /health and /metrics on ADDRESS. May be repeated.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    diagnostic_addr: Vec<String>,
    /// Permissions of unix sockets, in octal.
    #[arg(long, value_name = "OCTAL", default_value = "755", value_parser = octal)]
    unix_socket_perm: u32,
    /// Accept HTTP/2 without TLS.
    #[arg(long)]
    h2c: bool,
    #[command(flatten)]
    layered: Layered,
    #[command(flatten)]
    directories: Directories,
    /// Load the files as bundles.
    #[arg(short, long)]
    bundle: bool,
    /// Leave out files and directories that match PATTERN. May be repeated.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Load the files again when they change.
    #[arg(short, long)]
    watch: bool,
    /// Read the configuration again when one of its files changes, as SIGHUP makes it do.
    #[arg(long)]
    watch_config: bool,
    /// Errors after which the compiler gives up; 0 for no limit.
    #[arg(short, long, value_name = "COUNT", default_value_t = 10)]
    max_errors: usize,
    /// Seconds to wait for plugins to be ready before the server answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    ready_timeout: u64,
    /// Seconds that requests and plugins have to finish at the end.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    shutdown_grace_period: u64,
    /// Seconds to keep serving after a signal to stop.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    shutdown_wait_period: u64,
    /// The least urgent log lines that are written: debug, info, warn, error.
    #[arg(short, long, value_name = "LEVEL", default_value = "info")]
    log_level: Level,
    /// How log lines are written: text, json, json-pretty.
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    log_format: Format,
    /// How log lines show time, as the moment 2006-01-02T15:04:05Z07:00.
    #[arg(long, value_name = "LAYOUT")]
    log_timestamp_format: Option<Layout>,
    /// Take modules that do not say otherwise for Rego v0, and listen on all interfaces.
    #[arg(long)]
    v0_compatible: bool,
    /// Accepted for OPA's sake; it is what Regent does. --v0-compatible goes before it.
    #[arg(long, hide = true)]
    v1_compatible: bool,
    /// Accepted for OPA's sake; Regent reports to nobody.
    #[arg(long, alias = "skip-version-check", hide = true)]
    disable_telemetry: bool,
    /// Accepted for OPA's sake; reading is always fast.
    #[arg(long, hide = true)]
    optimize_store_for_read_speed: bool,
    /// Accepted for OPA's sake; what it serves are profiles of Go's runtime.
    #[arg(long, hide = true)]
    pprof: bool,
    #[command(flatten)]
    verifying: Verifying,
    #[command(flatten)]
    access: AccessFlags,
    #[command(flatten)]
    later: Later,
}

/// Flags of OPA's that Regent does not act upon yet.
#[derive(Debug, clap::Args)]
struct Later {
    #[arg(short = 'H', long, hide = true)]
    history: Option<String>,
    #[arg(short, long, hide = true)]
    format: Option<String>,
}

fn octal(text: &str) -> Result<u32, std::num::ParseIntError> {
    u32::from_str_radix(text, 8)
}

pub(super) use descriptors::raise as raise_descriptors;

pub(super) fn main(mut registry: Registry, arguments: &Arguments) -> ExitCode {
    if !arguments.server {
        let hint = if std::io::stdin().is_terminal() { " (there is no interactive shell yet)" } else { "" };
        eprintln!("error: add --server to run as a server{hint}");
        return ExitCode::FAILURE;
    }
    start_log(arguments);
    descriptors::raise();
    let options = match arguments.options(&mut registry) {
        Ok(options) => options,
        Err(error) => return fail(&error),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(super::STACK_BYTES).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start threads: {error}")),
    };
    runtime.block_on(serve(registry, options))
}

async fn serve(registry: Registry, options: RunOptions) -> ExitCode {
    // Taken before anything starts: a signal ends the start too, which may wait long for plugins.
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return fail("cannot listen for signals");
    };
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let mut stop = std::pin::pin!(stop);
    let started = tokio::select! {
        started = Running::start(registry, options) => started,
        () = &mut stop => return fail("told to stop before the start was over"),
    };
    let running = match started {
        Ok(running) => running,
        Err(error) => return fail(&chain(&error)),
    };
    match running.serve(stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&chain(&error)),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

fn start_log(arguments: &Arguments) {
    let layout = arguments.log_timestamp_format.clone();
    let from_environment = || std::env::var("OPA_LOG_TIMESTAMP_FORMAT").ok()?.parse().ok();
    let layout = layout.or_else(from_environment).unwrap_or_default();
    let layer = LogLayer::new(arguments.log_format, arguments.log_level, layout, std::io::stderr);
    // Fails only if the embedding program has set up a log of its own, which then stays.
    let _ = tracing::subscriber::set_global_default(layer.into_subscriber());
}

impl Arguments {
    fn options(&self, registry: &mut Registry) -> Result<RunOptions, String> {
        let (urls, paths): (Vec<_>, Vec<_>) = self.paths.iter().cloned().partition(|path| is_url(path));
        let mut listen = regent_rest_api::Options {
            addresses: self.addr.clone(),
            diagnostic_addresses: self.diagnostic_addr.clone(),
            unix_socket_permissions: self.unix_socket_perm,
            h2c: self.h2c,
            tls: self.access.tls()?,
            authentication: self.access.authentication(),
            authorization: self.access.authorization(),
        };
        if self.v0_compatible && self.addr == ["localhost:8181"] {
            listen.addresses = vec![":8181".to_owned()];
        }
        let config = self.layered.layers((!urls.is_empty()).then(|| url_bundles(&urls)));
        let libraries = self.directories.load_beside(registry, &config)?;
        Ok(RunOptions {
            listen,
            config,
            reload: Reload { at_hangup: true, at_changes: self.watch_config },
            files: Files {
                paths,
                as_bundles: self.bundle,
                ignore: self.ignore.clone(),
                watch: self.watch,
                trust: self.verifying.trust(registry)?,
                rego_version: if self.v0_compatible { RegoVersion::V0 } else { RegoVersion::V1 },
            },
            libraries,
            max_errors: self.max_errors,
            // As in OPA, which spares policies the work of texts that no log would show.
            print: matches!(self.log_level, Level::Debug | Level::Info),
            skip_known_schema_check: self.access.skip_known_schema_check,
            ready_timeout: (self.ready_timeout > 0).then(|| Duration::from_secs(self.ready_timeout)),
            shutdown_wait: Duration::from_secs(self.shutdown_wait_period),
            shutdown_grace: Duration::from_secs(self.shutdown_grace_period),
        })
    }
}

fn is_url(path: &str) -> bool {
    path.starts_with("http://") || path.starts_with("https://")
}

/// The configuration that URL arguments stand for: a service and a bundle for each.
fn url_bundles(urls: &[String]) -> Value {
    let mut tree = Value::empty_object();
    for (index, url) in urls.iter().enumerate() {
        let name = format!("cli{}", index + 1);
        let scheme = url.find("://").map_or(0, |at| at + 3);
        let host = url[scheme..].find('/').map_or(url.len(), |at| scheme + at);
        let bundle = [("service", Value::from(&name)), ("resource", url[host..].into()), ("persist", true.into())];
        tree =
            tree.with(&["services", &name, "url"], url[..host].into()).with(&["bundles", &name], Value::object(bundle));
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use regent_core::value::encode;

    #[test]
    fn a_url_stands_for_a_service_and_a_bundle() {
        let tree = url_bundles(&["https://example.com:1/a/b?c=d".to_owned()]);
        let expected = concat!(
            r#"{"bundles":{"cli1":{"persist":true,"resource":"/a/b?c=d","service":"cli1"}},"#,
            r#""services":{"cli1":{"url":"https://example.com:1"}}}"#
        );
        assert_eq!(encode(&tree), expected);
    }
}
