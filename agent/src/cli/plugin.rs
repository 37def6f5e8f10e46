//! `regent plugin`

mod inspect;
mod list;
mod new;

use std::process::ExitCode;

use regent_core::Registry;

/// Look at plugins, and begin one of one's own.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    New(new::Arguments),
    List(list::Arguments),
    Inspect(inspect::Arguments),
    /// Print `regent_plugin.h`, against which libraries are compiled.
    Header,
}

pub(super) fn main(registry: Registry, arguments: &Arguments) -> ExitCode {
    let done = match &arguments.command {
        Command::New(arguments) => new::main(arguments),
        Command::List(arguments) => list::main(registry, arguments),
        Command::Inspect(arguments) => inspect::main(arguments),
        Command::Header => {
            print!("{}", regent_dynamic::HEADER);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("Error: {why}");
            ExitCode::FAILURE
        }
    }
}
