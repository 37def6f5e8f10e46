//! Plugins in shared libraries, from the source to the answer: compiled as their authors do, loaded into the real binary, and
//! seen through its API.

mod build;
mod builtins;
mod hostile;
mod refusals;
mod sinks;
