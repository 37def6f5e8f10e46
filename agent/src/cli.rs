//! The command line, one file for each sub-command.

mod capabilities;
mod config;
mod eval;
mod layered;
mod run;
mod schemas;
mod sign;
mod verifying;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use regent_core::Registry;

/// Stack of the threads that evaluate: values may be nested 1,000 deep, and are walked on the stack.
const STACK_BYTES: usize = 16 << 20;

/// A policy agent that stands in for Open Policy Agent.
#[derive(Debug, Parser)]
#[command(name = "regent", disable_version_flag = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Arguments>),
    Eval(Box<eval::Arguments>),
    Sign(Box<sign::Arguments>),
    Config(Box<config::Arguments>),
    Capabilities(capabilities::Arguments),
    Version(version::Arguments),
}

/// Runs the command that the arguments ask for, with the registry's parts.
pub fn main(registry: Registry, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    match cli.command {
        Command::Run(arguments) => run::main(registry, &arguments),
        Command::Eval(arguments) => eval::main(&registry, &arguments),
        Command::Sign(arguments) => sign::main(&registry, &arguments),
        Command::Config(arguments) => config::main(registry, &arguments),
        Command::Capabilities(arguments) => capabilities::main(&registry, &arguments),
        Command::Version(_) => version::main(),
    }
}

/// The command with a variable of the environment for every flag: `OPA_RUN_LOG_LEVEL` for `run --log-level`.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(|sub| with_variables(sub, "OPA"))
}

fn with_variables(command: clap::Command, prefix: &str) -> clap::Command {
    let prefix = format!("{prefix}_{}", command.get_name().to_uppercase());
    // Of a flag that is given twice the last one counts, so that a script may add to what another one began.
    let command = command.args_override_self(true).mut_args(|argument| match argument.get_long() {
        Some(long) if long != "help" => {
            let variable = format!("{prefix}_{}", long.to_uppercase().replace('-', "_"));
            argument.env(variable).hide_env(true)
        }
        _ => argument,
    });
    command.mut_subcommands(|sub| with_variables(sub, &prefix))
}

/// Says what is wrong with the arguments, in the words that scripts may look for.
fn explain(error: &clap::Error) -> ExitCode {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print!("{error}");
            return ExitCode::SUCCESS;
        }
        ErrorKind::UnknownArgument => {
            let flag = text(ContextKind::InvalidArg);
            if flag.starts_with("--") {
                eprintln!("Error: unknown flag: {flag}");
            } else {
                eprintln!("Error: unknown shorthand flag: {flag}");
            }
        }
        ErrorKind::InvalidSubcommand => {
            eprintln!("Error: unknown command {:?} for \"regent\"", text(ContextKind::InvalidSubcommand));
        }
        _ => eprint!("{error}"),
    }
    ExitCode::FAILURE
}
