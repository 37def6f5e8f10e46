//! `regent config`

mod check;
mod report;

use std::process::ExitCode;

use regent_core::Registry;

/// Look at configurations.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Arguments),
}

pub(super) fn main(registry: Registry, arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Check(arguments) => check::main(registry, arguments),
    }
}
