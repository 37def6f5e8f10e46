//! The command line, one file for each sub-command.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command answers there")]

mod capabilities;
mod config;
mod eval;
mod generate_secret;
mod hub;
mod layered;
mod libraries;
mod obtain_token;
mod plugin;
mod publish_data_update;
mod run;
mod schemas;
mod sign;
mod variables;
mod verifying;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use regent_core::Registry;

use variables::Refused;

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
    ObtainToken(obtain_token::Arguments),
    PublishDataUpdate(Box<publish_data_update::Arguments>),
    GenerateSecret(generate_secret::Arguments),
    Hub(Box<hub::Arguments>),
    Plugin(Box<plugin::Arguments>),
    Version(version::Arguments),
}

/// Runs the command that the arguments ask for, with the registry's parts.
pub fn main(registry: Registry, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let cli = match variables::parse(&Cli::command(), &arguments) {
        Ok(matches) => Cli::from_arg_matches(&matches),
        Err(Refused::Arguments(error)) => Err(error),
        Err(refused @ Refused::Variables(_)) => {
            eprintln!("Error: {refused}");
            return ExitCode::FAILURE;
        }
    };
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    match cli.command {
        Command::Run(arguments) => run::main(registry, &arguments),
        Command::Eval(arguments) => eval::main(registry, &arguments),
        Command::Sign(arguments) => sign::main(registry, &arguments),
        Command::Config(arguments) => config::main(registry, &arguments),
        Command::Capabilities(arguments) => capabilities::main(registry, &arguments),
        Command::ObtainToken(arguments) => obtain_token::main(&arguments),
        Command::PublishDataUpdate(arguments) => publish_data_update::main(&arguments),
        Command::GenerateSecret(arguments) => generate_secret::main(&arguments),
        Command::Hub(arguments) => hub::main(&arguments),
        Command::Plugin(arguments) => plugin::main(registry, &arguments),
        Command::Version(_) => version::main(),
    }
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
