//! Bundles: policy and data in one archive, fetched from services and activated all at once.
//!
//! | To                                                   | Take                            |
//! |------------------------------------------------------|---------------------------------|
//! | read a bundle from bytes or a directory              | [`mod@format`]                  |
//! | turn one into what the store activates               | [`content`]                     |
//! | load the files and bundles that a command line names | [`files`], [`local`]            |
//! | sign a bundle                                        | [`format::sign`]                |
//! | keep configured bundles up to date                   | [`BundlePlugin`]                |
//! | keep another kind of bundle up to date               | [`Loader`]                      |
//!
//! Promises: what does not download, read, parse or compile leaves the active policy as it is and is reported in the
//! bundle's status; bundles that only hold together become active together; reading never panics and never takes more
//! than [`format::Limits`] allow.
//!
//! Signatures are verified wherever bundles are read, copies on disk and changes to bundles included; who may be believed
//! is told by a [`regent_core::signing::Verifier`].
//!
//! Not here: the clients of services, registries among them; they are `regent-services`.

mod activation;
mod asking;
mod candidate;
mod config;
pub mod content;
mod disk;
mod download;
mod error;
pub mod files;
pub mod format;
mod loader;
pub mod local;
mod plugin;
mod reading;
mod tracked;

use regent_core::Registry;

pub use asking::{Asker, Askers, Verdict};
pub use candidate::Candidate;
pub use config::{BundleConfig, BundlesConfig, Polling, Signing, SourceConfig};
pub use disk::DiskCopy;
pub use download::{Download, Downloader};
pub use error::LoadError;
pub use loader::{Arrival, Loader, Origin, trigger_all};
pub use plugin::BundlePlugin;

/// Adds the bundle plugin.
pub fn register(registry: &mut Registry) {
    registry.plugin::<BundlePlugin>();
}
