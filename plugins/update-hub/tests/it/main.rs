//! Hubs, and those who talk to them: raw websockets, publishers, agents.

mod backbones;
mod peer;
mod peers;
mod publishing;
mod running;
mod tokens;

use std::time::Duration;

/// Time enough for anything that is waited for.
const LIMIT: Duration = Duration::from_mins(1);
