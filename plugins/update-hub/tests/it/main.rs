//! Hubs, and those who talk to them: raw websockets, publishers, agents.

#![expect(clippy::print_stdout, reason = "a test tells so what it could not try")]

mod backbones;
mod encrypted;
mod hostile;
mod peer;
mod peers;
mod policy;
mod publishing;
mod running;
mod tokens;

use std::time::Duration;

/// Time enough for anything that is waited for.
const LIMIT: Duration = Duration::from_mins(1);
