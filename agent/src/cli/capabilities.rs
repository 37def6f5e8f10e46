//! `regent capabilities`

use std::process::ExitCode;

use regent_core::Registry;
use regent_core::engine::{Capabilities, RegoVersion};
use regent_engine_rego::capabilities::{of_release, releases};

use super::libraries::Directories;

/// Show what policies may use: functions, keywords, features of the language.
///
/// Without flags, lists the releases of OPA whose capabilities are known.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Show what this agent offers.
    #[arg(long)]
    current: bool,
    /// Show what a release of OPA offered, such as v0.40.0.
    #[arg(long, value_name = "RELEASE")]
    version: Option<String>,
    /// Show what FILE says.
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Name of the engine whose capabilities are shown.
    #[arg(long, value_name = "NAME", default_value = crate::assembly::DEFAULT_ENGINE)]
    engine: String,
    #[command(flatten)]
    directories: Directories,
    /// Show what policies in Rego v0 may use.
    #[arg(long)]
    v0_compatible: bool,
}

pub(super) fn main(mut registry: Registry, arguments: &Arguments) -> ExitCode {
    if let Err(why) = arguments.directories.load(&mut registry) {
        eprintln!("Error: {why}");
        return ExitCode::FAILURE;
    }
    let registry = &registry;
    let found = match arguments {
        Arguments { version: Some(name), .. } => {
            current(registry, arguments).and_then(|current| release(name, &current))
        }
        Arguments { file: Some(path), .. } => read(path),
        Arguments { current: true, .. } => current(registry, arguments),
        _ => {
            println!("{}", releases().join("\n"));
            return ExitCode::SUCCESS;
        }
    };
    match found {
        Ok(capabilities) => {
            print!("{}", String::from_utf8_lossy(&capabilities.to_json().encode(true)));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("Error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn current(registry: &Registry, arguments: &Arguments) -> Result<Capabilities, String> {
    let version = if arguments.v0_compatible { RegoVersion::V0 } else { RegoVersion::V1 };
    let engine = registry.find_engine(&arguments.engine)?;
    engine.capabilities(version).map_err(|error| error.to_string())
}

fn release(name: &str, current: &Capabilities) -> Result<Capabilities, String> {
    of_release(name, current).ok_or_else(|| format!("no capabilities version found {name}"))
}

fn read(path: &str) -> Result<Capabilities, String> {
    let text = std::fs::read(path).map_err(|error| crate::load_files::LoadError::read(path, &error).to_string())?;
    Capabilities::parse(&text).map_err(|error| format!("{path}: {error}"))
}

/// The capabilities that `--capabilities` names: a file, or a release of OPA.
///
/// # Errors
/// When there is neither, or the file is wrong.
pub(super) fn named(name: &str, current: &Capabilities) -> Result<Capabilities, String> {
    if std::path::Path::new(name).is_file() {
        return read(name);
    }
    release(name, current).map_err(|_| format!("no such file or capabilities version found: {name}"))
}
