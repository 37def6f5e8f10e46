//! The same tests of the real binary with the other engine.

mod faults;
mod journey;
mod requests;
mod support;
mod under_load;

/// The engine that is asked for.
const ENGINE: Option<&str> = Some("regorus");
