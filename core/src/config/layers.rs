//! Collects the layers.

use std::path::PathBuf;
use std::sync::Arc;

use super::boot::BootConfig;
use super::environment::{self, Lookup};
use super::error::ConfigErrors;
use super::layer_reader::{LayerReader, Source};
use super::merge::Layer;
use super::tree::ConfigTree;
use crate::value::Value;

/// The layers of a configuration. Files, texts and values rank in the order they are given, later ones above earlier
/// ones; every [`Layers::set`] ranks above them, and every [`Layers::set_file`] above those.
///
/// ```no_run
/// use regent_core::config::Layers;
///
/// let tree = Layers::new().file("base.yaml").file("site.yaml").set("status.console=true").load()?;
/// # Ok::<(), regent_core::config::ConfigErrors>(())
/// ```
pub struct Layers {
    sources: Vec<Source>,
    sets: Vec<String>,
    set_files: Vec<String>,
    lookup: Arc<Lookup>,
    strict: bool,
}

impl Default for Layers {
    fn default() -> Self {
        Self { sources: vec![], sets: vec![], set_files: vec![], lookup: Arc::new(environment::process), strict: false }
    }
}

impl Layers {
    /// No layer at all, and the environment of this process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another environment for `${NAME}`, for tests and for embedding.
    #[must_use]
    pub fn with_environment(self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { lookup: Arc::new(lookup), ..self }
    }

    /// Whether an undefined variable is an error instead of a warning.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// A file of YAML or JSON.
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.source(Source::File(path.into()))
    }

    /// YAML or JSON text that is treated as a file of that name would be.
    #[must_use]
    pub fn text(self, name: &str, text: &str) -> Self {
        self.source(Source::Text { name: name.to_owned(), text: text.to_owned() })
    }

    /// A layer that has been read already; variables in it are left alone.
    #[must_use]
    pub fn value(self, name: &str, value: Value) -> Self {
        self.source(Source::Value { name: name.to_owned(), value })
    }

    fn source(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// The argument of one `--set`.
    #[must_use]
    pub fn set(mut self, argument: &str) -> Self {
        self.sets.push(argument.to_owned());
        self
    }

    /// The argument of one `--set-file`.
    #[must_use]
    pub fn set_file(mut self, argument: &str) -> Self {
        self.set_files.push(argument.to_owned());
        self
    }

    /// Reads and merges everything.
    ///
    /// # Errors
    /// Whatever was wrong in any layer, in OPA's words where it has them.
    pub fn load(self) -> Result<ConfigTree, ConfigErrors> {
        self.read()?.tree()
    }

    /// The files that are layers, and those that `--set-file` names.
    pub fn files(&self) -> Vec<PathBuf> {
        let layers = self.sources.iter().filter_map(|source| match source {
            Source::File(path) => Some(path.clone()),
            Source::Text { .. } | Source::Value { .. } => None,
        });
        let values = self.set_files.iter().filter_map(|argument| argument.split_once('=').map(|(_, path)| path.into()));
        layers.chain(values).collect()
    }

    /// Reads everything without merging it, for an agent whose configuration is discovered later. Files are read anew
    /// each time.
    ///
    /// # Errors
    /// Whatever was wrong in any layer, in OPA's words where it has them.
    pub fn read(&self) -> Result<BootConfig, ConfigErrors> {
        let mut reader = LayerReader::new(&*self.lookup, self.strict);
        let mut layers: Vec<Layer> = self.sources.iter().filter_map(|source| reader.layer(source)).collect();
        let set = reader.set(&self.sets);
        let set_file = reader.set_file(&self.set_files, &set.value);
        layers.extend((!self.sets.is_empty()).then_some(set));
        layers.extend((!self.set_files.is_empty()).then_some(set_file));
        let LayerReader { warnings, errors, .. } = reader;
        ConfigErrors(errors).into_result()?;
        Ok(BootConfig { layers, warnings, lookup: self.lookup.clone(), strict: self.strict })
    }
}
