//! What every plugin promises of its life.

#[cfg(doc)]
use regent_core::Plugin;
use regent_core::Registry;

use crate::Agent;

/// Holds a plugin to what every plugin promises that does not stay without a configuration ([`Plugin::STAYS`]), with a configuration that it takes and that makes it run:
///
/// - to be checked and built has no effect, and what was built can be dropped;
/// - it starts and reports that it works;
/// - it takes a configuration again that it has taken before, and goes on;
/// - it stops in time when its configuration leaves, and nothing of it is left in status;
/// - it can be started again after that, and stops with the agent.
///
/// # Panics
/// When it breaks one of these promises.
pub async fn lifecycle(register: impl FnOnce(&mut Registry), plugin: &str, config: &str) {
    let mut agent = Agent::idle(register);
    for _ in 0..2 {
        drop(agent.check(config).expect("the configuration is taken, again and again"));
    }
    assert!(!is_known(&agent, plugin), "a check leaves something behind");
    for _ in 0..2 {
        agent.apply(config).await;
        agent.ready(plugin).await;
        agent.apply(config).await;
        agent.ready(plugin).await;
        agent.apply("{}").await;
        assert!(!is_known(&agent, plugin), "it is not configured any more");
    }
    agent.apply(config).await;
    agent.stop().await;
}

fn is_known(agent: &Agent, plugin: &str) -> bool {
    agent.host.status.report().plugins.contains_key(plugin)
}
