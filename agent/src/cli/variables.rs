//! Variables of the environment that stand for flags: `OPA_RUN_LOG_LEVEL` for `run --log-level`.
//!
//! A flag that is given goes before its variable, which is then not looked at. An empty variable is none.

use std::error::Error as _;
use std::ffi::OsString;
use std::fmt;

use clap::builder::OsStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Why there are no flags to go on with.
#[derive(Debug)]
pub(super) enum Refused {
    /// The arguments are wrong.
    Arguments(clap::Error),
    /// These variables are, each with what is wrong with it.
    Variables(Vec<String>),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments(error) => error.fmt(f),
            Self::Variables(faults) => {
                write!(f, "error mapping environment variables to command flags: {}", faults.join("; "))
            }
        }
    }
}

/// Reads the arguments, and the environment for what they leave open.
pub(super) fn parse(command: &Command, arguments: &[OsString]) -> Result<ArgMatches, Refused> {
    let with =
        |wanted: &dyn Fn(&str) -> bool| command.clone().mut_subcommands(|sub| with_variables(sub, "OPA", wanted));
    let error = match with(&|_| true).try_get_matches_from(arguments) {
        Ok(matches) => return Ok(matches),
        Err(error) => error,
    };
    let without = with(&|_| false).try_get_matches_from(arguments).err();
    if !is_about_value(&error) || without.as_ref().is_some_and(is_about_value) {
        return Err(Refused::Arguments(error));
    }
    // The parser stops at the first wrong value. Variables are tried one by one, so that all faults are told at once.
    let set = command.get_subcommands().flat_map(|sub| variables(sub, "OPA"));
    let faults = set.filter_map(|(variable, flag)| {
        let error = with(&|name| name == variable).try_get_matches_from(arguments).err()?;
        is_about_value(&error).then(|| format!("{variable}: {}", fault(&error, &flag)))
    });
    Err(Refused::Variables(faults.collect()))
}

/// The command with those variables that are wanted.
fn with_variables(command: Command, prefix: &str, wanted: &dyn Fn(&str) -> bool) -> Command {
    let prefix = below(prefix, &command);
    // Of a flag that is given twice the last one counts, so that a script may add to what another one began.
    let command = command.args_override_self(true).mut_args(|argument| match name(&prefix, &argument) {
        Some(name) if wanted(&name) && is_set(&name) => {
            let argument = if matches!(argument.get_action(), ArgAction::SetTrue) {
                argument.value_parser(truth)
            } else {
                argument
            };
            argument.env(OsStr::from(name)).hide_env(true)
        }
        _ => argument,
    });
    command.mut_subcommands(|sub| with_variables(sub, &prefix, wanted))
}

/// Every variable that is set, with its flag as messages name it: `-l, --log-level`.
fn variables(command: &Command, prefix: &str) -> Vec<(String, String)> {
    let prefix = below(prefix, command);
    let own = command.get_arguments().filter_map(|argument| Some((name(&prefix, argument)?, flag(argument))));
    let own = own.filter(|(name, _)| is_set(name));
    own.chain(command.get_subcommands().flat_map(|sub| variables(sub, &prefix))).collect()
}

fn below(prefix: &str, command: &Command) -> String {
    format!("{prefix}_{}", command.get_name().to_uppercase())
}

/// The variable of a flag.
fn name(prefix: &str, argument: &Arg) -> Option<String> {
    let long = argument.get_long().filter(|long| *long != "help")?;
    Some(format!("{prefix}_{}", long.to_uppercase().replace('-', "_")))
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn flag(argument: &Arg) -> String {
    let long = argument.get_long().unwrap_or_default();
    argument.get_short().map_or_else(|| format!("--{long}"), |short| format!("-{short}, --{long}"))
}

/// Truth as Go reads it.
fn truth(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("must be true or false"),
    }
}

fn is_about_value(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::InvalidUtf8)
}

fn fault(error: &clap::Error, flag: &str) -> String {
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidValue) else {
        return format!("invalid argument for {flag:?} flag: not UTF-8");
    };
    let cause = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(cause), _) => cause.to_string(),
        (None, Some(ContextValue::Strings(names))) => format!("must be one of {{{}}}", names.join(",")),
        (None, _) => "invalid".to_owned(),
    };
    format!("invalid argument {given:?} for {flag:?} flag: {cause}")
}
