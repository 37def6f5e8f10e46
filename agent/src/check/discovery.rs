//! What discovery would make of a configuration.

use std::time::Duration;

use regent_bundle::LoadError;
use regent_core::config::{BootConfig, ConfigError, ConfigTree, Differences, Section};
use regent_core::supervisor::Plan;

use super::bench::Bench;

/// What came of asking for the rest of the configuration.
#[derive(Debug, Default)]
pub(crate) enum Discovery {
    /// The configuration asks for none, or is too wrong to tell.
    #[default]
    None,
    /// Nobody was asked.
    Skipped,
    /// It was not to be had, which may be different at another time or place.
    Unreachable(String),
    /// It would change nothing, because of this.
    Refused(Vec<ConfigError>),
    /// It would be taken.
    Found(Box<Changes>),
}

/// What discovery would change.
#[derive(Debug)]
pub(crate) struct Changes {
    /// The whole configuration that would be in effect.
    pub(crate) tree: ConfigTree,
    pub(crate) differences: Differences,
    /// Keys that it has as well, but with values that do not count.
    pub(crate) overridden: Vec<String>,
}

/// Asks once for the bundle, and looks at the configuration that it gives.
pub(super) async fn ask(
    bench: &Bench,
    plan: &Plan,
    boot: &BootConfig,
    section: &Section,
    limit: Duration,
) -> Discovery {
    bench.host.services.replace(plan.services());
    let preview = regent_discovery::preview(section, plan.known(), &bench.host);
    let text = match tokio::time::timeout(limit, preview).await {
        Ok(Ok(Some(text))) => text,
        Ok(Ok(None)) => return Discovery::Unreachable("the service has no bundle at the moment".to_owned()),
        Ok(Err(error @ (LoadError::Request(_) | LoadError::Status(_) | LoadError::Body(_)))) => {
            return Discovery::Unreachable(error.to_string());
        }
        Ok(Err(error)) => return Discovery::Refused(vec![section.error("", error.to_string())]),
        Err(_) => return Discovery::Unreachable(format!("there was no answer within {limit:?}")),
    };
    let judged = boot.tree().and_then(|tree| {
        let found = boot.over(&text)?;
        bench.accepts(&found.tree)?;
        let differences = tree.differences(&found.tree);
        Ok(Changes { tree: found.tree, differences, overridden: found.overridden })
    });
    match judged {
        Ok(changes) => Discovery::Found(Box::new(changes)),
        Err(wrong) => Discovery::Refused(wrong.0),
    }
}
