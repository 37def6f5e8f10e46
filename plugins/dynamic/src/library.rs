//! A library that was loaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use regent_plugin_abi::{ENTRY, Entry};

use crate::entry::LibraryEntry;
use crate::error::{LoadError, Refusal};
use crate::exported::Exported;
use crate::file;
use crate::host::Grants;
use crate::kind::Kind;
use crate::table;

/// A library, and what it says that is in it.
pub struct PluginLibrary {
    path: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    sha256: String,
    name: &'static str,
    version: String,
    abi: (u32, u32),
    plugins: Vec<Arc<Exported>>,
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginInfo {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence; empty if it does not say.
    pub description: String,
}

impl PluginLibrary {
    /// Loads a library: what is in it runs from here on.
    ///
    /// # Errors
    /// When it cannot be loaded, or may not be.
    pub fn load(entry: &LibraryEntry) -> Result<Self, LoadError> {
        let refused = |refusal| LoadError::new(&entry.path, refusal);
        let sha256 = file::inspect(&entry.path, entry.sha256.as_deref()).map_err(refused)?;
        // Without a slash in it, a path would be searched for where the system keeps its libraries.
        let path = entry.path.canonicalize().map_err(|error| refused(Refusal::Unreadable(error)))?;
        let grants = entry.grants();
        let (deadline, mine) = (grants.deadline, path.clone());
        let opened = crate::aside::within(deadline, move || open(&mine, &grants));
        let (tables, plugins) = opened.unwrap_or(Err(Refusal::Late(deadline))).map_err(refused)?;
        let Said { name, version, abi } = tables;
        Ok(Self { path, sha256, name, version, abi, plugins })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Its version, as it says.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The version of the ABI that it was built for.
    pub fn abi(&self) -> (u32, u32) {
        self.abi
    }

    /// What is in it.
    pub fn plugins(&self) -> Vec<PluginInfo> {
        let info = |plugin: &Arc<Exported>| PluginInfo {
            kind: plugin.kind,
            name: plugin.name,
            description: plugin.description(),
        };
        self.plugins.iter().map(info).collect()
    }

    pub(crate) fn exported(&self) -> &[Arc<Exported>] {
        &self.plugins
    }
}

/// What a library says of itself.
struct Said {
    name: &'static str,
    version: String,
    abi: (u32, u32),
}

/// Opens a library, and asks it and its plugins what they are. May block.
fn open(path: &Path, grants: &Grants) -> Result<(Said, Vec<Arc<Exported>>), Refusal> {
    // SAFETY: the operator says that what is in it may run; that it lets Rust's rules hold is asked of it by the header.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(Refusal::NoLibrary)?;
    // SAFETY: what is exported under this name has this type.
    let entry: Symbol<Entry> = unsafe { library.get(ENTRY.as_bytes()) }.map_err(|_| Refusal::NoEntry)?;
    let entry: Entry = *entry;
    // Never closed: threads, and destructors of threads, may be in it for as long as the process lives.
    std::mem::forget(library);
    // SAFETY: as the header says.
    let tables = unsafe { table::read(entry()) }?;
    let described = tables.plugins.into_iter().map(|table| Exported::new(table, grants.clone()).map(Arc::new));
    let plugins = described.collect::<Result<_, _>>()?;
    Ok((Said { name: tables.name, version: tables.version, abi: tables.abi }, plugins))
}
