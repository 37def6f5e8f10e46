//! Chores of the repository, run as `cargo xtask CHORE`.

#![expect(clippy::print_stdout, reason = "a chore answers there")]

mod build;
mod crates;
mod measure;
mod source;

use std::path::Path;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Chores of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Measures the code: lengths, documentation, locks, dependencies. A thermometer: nothing fails on it.
    Measure {
        /// Also builds, which takes long: the whole workspace with its tests from nothing, again after a change of core,
        /// and the agent as it is released.
        #[arg(long)]
        build: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above this crate")?;
    match Cli::parse().chore {
        Chore::Measure { build } => {
            measure::print(root)?;
            crates::print(root)?;
            if build {
                build::print(root)?;
            }
            Ok(())
        }
    }
}
