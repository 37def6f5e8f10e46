//! Plugins in shared libraries, from the source to the answer: compiled as their authors do, loaded into the real binary, and
//! seen through its API.

#![expect(clippy::print_stdout, reason = "a test tells so what it could not try")]

mod build;
mod builtins;
mod credentials;
mod fetchers;
mod hostile;
mod leaks;
mod managed;
mod new;
mod panics;
mod refusals;
mod signing;
mod sinks;
mod tutorials;
mod versions;
