//! Regent as a library: the stock agent, and the builder with which a program makes its own.
//!
//! The whole of an agent with one more plugin:
//!
//! ```no_run
//! # mod my_sink { pub fn register(_: &mut regent::core::Registry) {} }
//! fn main() -> std::process::ExitCode {
//!     regent::Agent::stock().with(my_sink::register).main()
//! }
//! ```
//!
//! [`stock`] is the one list of what the stock agent is made of. `docs/architecture.md` shows how a request, a bundle
//! and a configuration travel through it.

mod assembly;
mod build;
mod builder;
pub mod cli;
mod dry_run;
mod file_watcher;
mod libraries;
mod load_files;
mod options;
mod reconfigure;
mod reload_triggers;
mod running;
pub mod stock;

pub use builder::Agent;
pub use options::{Files, Reload, RunOptions};
pub use regent_core as core;
pub use regent_dynamic as dynamic;
pub use running::{Running, StartError, StopError};

/// The manual's examples are compiled with the documentation tests.
#[cfg(doctest)]
mod manual {
    #[doc = include_str!("../../docs/plugins/crate.md")]
    struct Plugins;
}
