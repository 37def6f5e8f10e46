//! What discovery would find, for those who only want to know.

use regent_bundle::{Download, LoadError};
use regent_core::Host;
use regent_core::config::Section;
use regent_core::plugin::{Known, PluginConfig as _};

use crate::DiscoveryConfig;
use crate::evaluate::configuration;
use crate::plugin::downloader;

/// Asks once for the bundle of a section `discovery` and gives the configuration that it holds, as JSON; nothing if the
/// service has none at the moment. Proposes nothing, and leaves the copy on disk alone.
///
/// # Errors
/// Why there is no configuration.
pub async fn preview(section: &Section, known: &Known, host: &Host) -> Result<Option<String>, LoadError> {
    let refused = |why: String| LoadError::Refused(why);
    let mut config = section.parse::<DiscoveryConfig>().map_err(|error| refused(error.to_string()))?;
    config.validate(section, known).map_err(|errors| refused(errors.to_string()))?;
    let Some(checked) = config.checked() else { return Ok(None) };
    match (regent_bundle::Downloader { copy: None, ..downloader(host, &checked) }).once().await? {
        Download::Bundle(candidate, _) => configuration(host, candidate.content(), &checked.query).await.map(Some),
        Download::Nothing | Download::NotModified(_) => Ok(None),
    }
}
