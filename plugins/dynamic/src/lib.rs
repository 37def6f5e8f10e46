//! Plugins in shared libraries, loaded when the agent starts.
//!
//! A library exports one function, which gives a table of what is in it (`include/regent_plugin.h`, which also says who owns
//! what and what may be called when). [`PluginLibraries::load`] reads and checks the tables, [`PluginLibraries::register`] puts
//! each plugin into the slot of its kind, where nothing tells it from one that was compiled in, and
//! [`PluginLibraries::attach`] gives all of them the agent, once there is one.
//!
//! A library is never unloaded, and what it may hold on to stays ([`kept`]). Its calls run on threads of their own, each with a
//! deadline ([`calls`]); nothing that it answers is believed before it was looked at ([`answer`], [`table`]). What cannot be
//! checked are its pointers: a library may do all that the agent may do.

#![expect(unsafe_code, reason = "what is in a shared library is called, and reads what it is given")]
#![expect(rustdoc::private_intra_doc_links, reason = "the overview is for who reads the code")]

mod answer;
mod aside;
mod attached;
mod calls;
mod entry;
mod error;
mod exported;
mod file;
mod host;
mod instance;
mod kept;
mod kind;
mod kinds;
mod library;
mod table;
mod threads;

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::registry::ExtensionPoint;
use regent_core::status::State;
use regent_core::{Host, Registry};

pub use entry::{LibraryEntry, entries};
pub use error::LoadError;
pub use kind::Kind;
pub use library::{PluginInfo, PluginLibrary};
pub use regent_plugin_abi::{ABI_MAJOR, ABI_MINOR};

use attached::Attached;
use error::Refusal;
use exported::Exported;
use instance::Instance;
use kinds::{DynamicBuiltin, DynamicCredential, DynamicFactory, DynamicSigner, DynamicVerifier, Fetchers, aliases};
use table::Functions;

/// The header that libraries are compiled against.
pub const HEADER: &str = include_str!("../include/regent_plugin.h");

/// Libraries that were loaded.
#[derive(Default)]
pub struct PluginLibraries {
    libraries: Vec<PluginLibrary>,
    /// Plugins that are not made by a supervisor, and so do not get the agent from there.
    waiting: Vec<Attached>,
}

impl PluginLibraries {
    /// Loads libraries: what is in them runs from here on.
    ///
    /// # Errors
    /// When one of them cannot be loaded, or may not be.
    pub fn load(entries: &[LibraryEntry]) -> Result<Self, LoadError> {
        let libraries = entries.iter().map(PluginLibrary::load).collect::<Result<_, _>>()?;
        Ok(Self { libraries, waiting: Vec::new() })
    }

    /// Puts all plugins where those of their kind are.
    ///
    /// # Errors
    /// When there is one of its kind and name already, or one cannot be made.
    pub fn register(&mut self, registry: &mut Registry) -> Result<(), LoadError> {
        let mut taken: BTreeMap<(ExtensionPoint, String), String> =
            registry.parts().into_iter().map(|part| (part, String::new())).collect();
        for library in &self.libraries {
            for exported in library.exported() {
                let (point, name) = (exported.kind.extension_point(), exported.name.to_owned());
                let refused = |refusal| LoadError::new(library.path(), refusal);
                let from = format!(", from {}", library.path().display());
                if let Some(from) = taken.insert((point, name.clone()), from) {
                    return Err(refused(Refusal::Taken { kind: point.label(), name, from }));
                }
                self.waiting.extend(register(registry, exported).map_err(refused)?);
            }
        }
        Ok(())
    }

    /// Gives the plugins the agent that they work for. To be called in its runtime.
    pub fn attach(&self, host: &Host) {
        for attached in &self.waiting {
            attached.attach(host);
            attached.report(State::Ok, "");
        }
    }

    /// The libraries.
    pub fn libraries(&self) -> &[PluginLibrary] {
        &self.libraries
    }
}

/// Puts a plugin into its slot; one that does not get the agent from a supervisor waits for it.
fn register(registry: &mut Registry, exported: &Arc<Exported>) -> Result<Option<Attached>, Refusal> {
    let attached = Attached::new(exported.name);
    let create = |threads| {
        let why =
            |failure: answer::Failure| Refusal::Create { plugin: exported.name.to_owned(), why: failure.to_string() };
        Instance::create(exported, attached.clone(), b"{}".to_vec(), threads).map_err(why)
    };
    match (exported.kind, exported.functions) {
        (Kind::Builtin, Functions::Ask(ask)) => {
            registry.builtin(Arc::new(DynamicBuiltin::new(create(kinds::CALLS)?, ask)?));
        }
        (Kind::Verifier, Functions::Ask(ask)) => {
            registry.verifier(Arc::new(DynamicVerifier::new(create(kinds::QUESTIONS)?, ask)));
        }
        (Kind::Signer, Functions::Ask(ask)) => {
            registry.signer(Arc::new(DynamicSigner::new(create(kinds::QUESTIONS)?, ask)));
        }
        (Kind::Fetcher, Functions::Ask(ask)) => {
            let names = aliases(exported)?;
            let fetchers = Fetchers { exported: exported.clone(), attached: attached.clone(), ask };
            registry.data_fetcher_factory(exported.name, names, Arc::new(move |settings| fetchers.build(&settings)));
        }
        (Kind::Credential, Functions::Credential(functions)) => {
            let (exported, attached) = (exported.clone(), attached.clone());
            registry.credential(Arc::new(DynamicCredential { exported, attached, functions }));
        }
        (Kind::Sink, _) => {
            registry.sink_factory(Arc::new(DynamicFactory(exported.clone())));
            return Ok(None);
        }
        (_, _) => {
            registry.factory(Arc::new(DynamicFactory(exported.clone())));
            return Ok(None);
        }
    }
    Ok(Some(attached))
}
