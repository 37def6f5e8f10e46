//! Discovery: the configuration itself comes from a bundle, as data or computed by its policies.
//!
//! The bundle is loaded as any other one (`regent-bundle` does that) but never becomes active: it is evaluated on its own,
//! with `opa.runtime()` telling it whom it configures, and the result is proposed to whoever runs the agent. That is all or
//! nothing: a proposal that any plugin refuses changes nothing, stands in the status, and is tried again at the next poll.
//!
//! With a `discovery` section, the other plugins only start with the first configuration that is found.

mod config;
mod evaluate;
mod plugin;
mod preview;
mod progress;

use regent_core::Registry;

pub use config::DiscoveryConfig;
pub use plugin::DiscoveryPlugin;
pub use preview::preview;

/// Adds the discovery plugin. It has to come first, so that it stops last.
pub fn register(registry: &mut Registry) {
    registry.plugin::<DiscoveryPlugin>();
}
