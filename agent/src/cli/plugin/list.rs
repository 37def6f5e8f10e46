//! `regent plugin list`

use regent_core::Registry;
use regent_core::registry::ExtensionPoint;
use regent_dynamic::PluginLibraries;

use super::super::layered::Layered;
use super::super::libraries::Directories;

/// List what this agent is made of: what was compiled in, and what libraries bring along.
///
/// The libraries are loaded, so what is in them runs.
///
/// Example: regent plugin list --plugin-dir plugins/
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    layered: Layered,
    #[command(flatten)]
    directories: Directories,
}

/// What is listed: kind, name, and where it comes from.
type Row = (&'static str, String, String);

pub(super) fn main(mut registry: Registry, arguments: &Arguments) -> Result<(), String> {
    let stock = registry.parts();
    let libraries = arguments.directories.load_beside(&mut registry, &arguments.layered.layers(None))?;
    let rows = rows(stock, &libraries);
    let width = |column: fn(&Row) -> usize| rows.iter().map(column).max().unwrap_or_default();
    let (kinds, names) = (width(|row| row.0.len()), width(|row| row.1.len()));
    for (kind, name, from) in &rows {
        println!("{kind:kinds$}  {name:names$}  {from}");
    }
    Ok(())
}

fn rows(stock: Vec<(ExtensionPoint, String)>, libraries: &PluginLibraries) -> Vec<Row> {
    let stock = stock.into_iter().map(|(point, name)| (point.label(), name, "stock".to_owned()));
    let loaded = libraries.libraries().iter().flat_map(|library| {
        let from = library.path().display().to_string();
        library
            .plugins()
            .into_iter()
            .map(move |plugin| (plugin.kind.extension_point().label(), plugin.name.to_owned(), from.clone()))
    });
    stock.chain(loaded).collect()
}
