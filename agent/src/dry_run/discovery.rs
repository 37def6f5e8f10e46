//! What discovery would make of a configuration.

use std::time::Duration;

use regent_bundle::LoadError;
use regent_core::config::{BootConfig, ConfigError, ConfigErrors, ConfigTree, Differences, Section};
use regent_core::supervisor::Plan;

use crate::assembly::Assembly;

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
    Found(Changes),
}

/// What discovery would change.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(crate) differences: Differences,
    /// Keys that it has as well, but with values that do not count.
    pub(crate) overridden: Vec<String>,
}

/// A configuration that discovery would put into effect.
pub(super) struct Found {
    pub(super) tree: ConfigTree,
    pub(super) plan: Plan,
    pub(super) changes: Changes,
}

/// Asks once for the bundle, and looks at the configuration that it gives.
///
/// # Errors
/// Why nothing would change.
pub(super) async fn ask(
    assembly: &Assembly,
    plan: &Plan,
    boot: &BootConfig,
    section: &Section,
    limit: Duration,
) -> Result<Found, Discovery> {
    let host = assembly.host();
    host.services.replace(plan.services());
    let preview = regent_discovery::preview(section, plan.known(), host);
    let text = match tokio::time::timeout(limit, preview).await {
        Ok(Ok(Some(text))) => text,
        Ok(Ok(None)) => return Err(Discovery::Unreachable("the service has no bundle at the moment".to_owned())),
        Ok(Err(error @ (LoadError::Request(_) | LoadError::Status(_) | LoadError::Body(_)))) => {
            return Err(Discovery::Unreachable(error.to_string()));
        }
        Ok(Err(error)) => return Err(Discovery::Refused(vec![section.error("", error.to_string())])),
        Err(_) => return Err(Discovery::Unreachable(format!("there was no answer within {limit:?}"))),
    };
    judge(assembly, boot, &text).map_err(|wrong| Discovery::Refused(wrong.0))
}

fn judge(assembly: &Assembly, boot: &BootConfig, text: &str) -> Result<Found, ConfigErrors> {
    let found = boot.over(text)?;
    let plan = assembly.check(&found.tree)?;
    let changes = Changes { differences: boot.tree()?.differences(&found.tree), overridden: found.overridden };
    Ok(Found { tree: found.tree, plan, changes })
}
