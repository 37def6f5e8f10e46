//! From the configuration to a store.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::config::{Cloud, Config};
use crate::error::{Said, StoreError};

/// Opens the store; asks nobody anything.
///
/// # Errors
/// When the configuration cannot be used.
pub(crate) fn open(config: &Config) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let store = match config.cloud() {
        Cloud::File => Ok(Arc::new(LocalFileSystem::new().with_fsync(true)) as _),
        #[cfg(feature = "aws")]
        Cloud::Aws => crate::clouds::aws(config),
        #[cfg(feature = "azure")]
        Cloud::Azure => crate::clouds::azure(config),
        #[cfg(feature = "gcp")]
        Cloud::Gcp => crate::clouds::gcp(config),
    };
    store.map_err(|error: object_store::Error| StoreError::Setup(said(config, &error)))
}

/// What is wrong, without what should be a key: that may be quoted where it is not of the right form.
fn said(config: &Config, error: &object_store::Error) -> Said {
    #[cfg(feature = "gcp")]
    if config.gcp.as_ref().is_some_and(|gcp| gcp.credentials.is_some()) {
        return Said::ours("`gcp.credentials` is no key of a service account in JSON");
    }
    let _ = config;
    Said::of(error)
}
