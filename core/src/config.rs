//! The configuration: layers in, one tree out, cut into sections that know where each key came from.
//!
//! [`Layers`] collects files, texts, `--set` and `--set-file`; [`Layers::load`] reads them as OPA does and merges them,
//! objects key by key, anything else as a whole. The result, a [`ConfigTree`], is immutable. Whoever owns a part of
//! it takes that [`Section`] and reads it into a type of its own with [`Section::parse`].
//!
//! Promises: every error is reported, not the first; an error names the key and the layer; secrets appear neither in
//! [`ConfigTree::redacted`] nor in any `Debug` output.
//!
//! Not here: what the keys mean. The deprecated `bundle:` stays as it is for the bundle plugin to understand.

mod boot;
mod discovered;
mod environment;
mod error;
mod fields;
mod keys;
mod layer_reader;
mod layers;
mod listing;
mod merge;
mod overrides;
mod redact;
mod secret;
mod section;
mod services;
mod tree;
mod unknown;
mod variables;

pub use boot::BootConfig;
pub use discovered::Discovered;
pub use error::{ConfigError, ConfigErrors};
pub use keys::{Key, KeyAlgorithm, Keys};
pub use layers::Layers;
pub use listing::{Differences, Leaf, dotted};
pub use secret::Secret;
pub use section::Section;
pub use tree::ConfigTree;
pub use unknown::UnknownKey;

/// The name of the layer that was not there at the start.
const DISCOVERED: &str = "discovery";

/// How deep a configuration may nest.
const MAX_DEPTH: usize = 200;

#[cfg(test)]
mod tests;
