//! `regent plugin inspect`

use std::path::PathBuf;

use regent_dynamic::{LibraryEntry, PluginLibrary};

/// Show what is in a plugin library, and whether this agent would load it.
///
/// The library is loaded, so what is in it runs.
///
/// Example: regent plugin inspect plugins/libacme.so
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shared library.
    file: PathBuf,
}

pub(super) fn main(arguments: &Arguments) -> Result<(), String> {
    let library = PluginLibrary::load(&LibraryEntry::new(&arguments.file)).map_err(|error| error.to_string())?;
    let (major, minor) = library.abi();
    println!("library  {} {}", library.name(), library.version());
    println!("path     {}", library.path().display());
    println!("sha256   {}", library.sha256());
    println!("abi      {major}.{minor}");
    for plugin in library.plugins() {
        let kind = plugin.kind.extension_point().label();
        println!("{kind:8} {}", [plugin.name, &plugin.description].join("  ").trim_end());
    }
    Ok(())
}
