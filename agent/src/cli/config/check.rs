//! `regent config check`

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use regent_core::Registry;
use regent_core::logging::{Format, Layout, Level, LogLayer};

use super::super::layered::Layered;
use super::super::libraries::Directories;
use super::report::Report;
use crate::dry_run::{Discovery, check};

/// Show the configuration that would be in effect, where each value comes from, and what is wrong, without starting
/// anything.
///
/// Ends with 1 if `regent run` would refuse the configuration, or what is discovered.
///
/// Example: regent config check --config-file config.yaml --set labels.region=north
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    layered: Layered,
    #[command(flatten)]
    directories: Directories,
    /// With a section `discovery`: try to ask for the rest of the configuration, require that it is there, or skip it.
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Mode::Try)]
    discovery: Mode,
    /// Seconds that discovery may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    discovery_timeout: u64,
    /// How findings are shown: text, json.
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t = Shape::Text)]
    format: Shape,
}

/// Whether discovery is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// It is; that it is not to be had is told, but no error.
    Try,
    /// It is; that it is not to be had is an error.
    Require,
    /// It is not.
    Skip,
}

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

pub(super) fn main(registry: Registry, arguments: &Arguments) -> ExitCode {
    // What plugins have to say beside their errors. Fails only if the embedding program has a log of its own.
    let log = LogLayer::new(Format::Text, Level::Warn, Layout::default(), std::io::stderr);
    let _ = tracing::subscriber::set_global_default(log.into_subscriber());
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(1)
        .thread_stack_size(super::super::STACK_BYTES)
        .build();
    let runtime = match threads {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let limit = Duration::from_secs(arguments.discovery_timeout);
    let discovery = (arguments.discovery != Mode::Skip).then_some(limit);
    let findings = runtime.block_on(check(
        registry,
        &arguments.layered.layers(None),
        &arguments.directories.plugin_dir,
        discovery,
    ));
    // A policy that computes the configuration may take longer than anyone waits.
    runtime.shutdown_background();
    let missed = arguments.discovery == Mode::Require && matches!(findings.discovery, Discovery::Unreachable(_));
    let report = Report { refused: findings.is_refused() || missed, findings };
    match arguments.format {
        Shape::Text => print!("{}", report.to_text()),
        Shape::Json => print!("{}", report.to_json()),
    }
    if report.refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
