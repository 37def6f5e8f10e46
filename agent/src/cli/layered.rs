//! The flags that say what the configuration is, the same for every command that reads one.

use std::path::PathBuf;

use regent_core::Value;
use regent_core::config::Layers;

#[derive(Debug, clap::Args)]
pub(super) struct Layered {
    /// Read the configuration from FILE. May be repeated; later files win.
    #[arg(short, long = "config-file", value_name = "FILE")]
    config_file: Vec<PathBuf>,
    /// Override configuration keys: a.b=value. May be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Override configuration keys with the content of files: a.b=path. May be repeated.
    #[arg(long, value_name = "KEY=FILE")]
    set_file: Vec<String>,
    /// Refuse a configuration that names an undefined environment variable.
    #[arg(long)]
    strict_config: bool,
}

impl Layered {
    /// The layers, with what the URL arguments stand for above the files.
    pub(super) fn layers(&self, urls: Option<Value>) -> Layers {
        self.above(Layers::new(), urls)
    }

    /// The same above other layers.
    pub(super) fn above(&self, layers: Layers, urls: Option<Value>) -> Layers {
        let layers = layers.strict(self.strict_config);
        let mut layers = self.config_file.iter().fold(layers, Layers::file);
        if let Some(urls) = urls {
            layers = layers.value("URL arguments", urls);
        }
        let layers = self.set.iter().fold(layers, |layers, set| layers.set(set));
        self.set_file.iter().fold(layers, |layers, set| layers.set_file(set))
    }
}
