//! From a [`Bundle`] to what the store activates: modules parsed, and checked against the roots.

use regent_core::Store;
use regent_core::engine::{Module, PolicyErrors, RegoVersion, Source};
use regent_core::store::{ActiveBundle, BundleContent, BundlePayload};

use crate::format::path::join;
use crate::format::{Bundle, FormatError, ModuleFile};

/// How a bundle and its files are called, and understood where they do not say.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'a> {
    /// The bundle's name, which begins the ids of its policies: `NAME/path/in/bundle.rego`.
    pub name: &'a str,
    /// What file names begin with: nothing for a downloaded bundle, the directory for one from the command line.
    pub base: &'a str,
    /// The dialect of files for which the bundle names none.
    pub version: RegoVersion,
}

/// Why a bundle cannot be activated, whatever else is active.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Modules do not parse. All errors of all modules.
    #[error("{0}")]
    Policy(PolicyErrors),
    /// A module lies outside the roots.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// Parses the modules of a bundle for a store, but for those that it has already. Blocks as long as the parser takes; keep
/// it off the request path.
///
/// # Errors
/// When modules do not parse or lie outside the bundle's roots.
pub fn prepare(
    bundle: &Bundle,
    naming: Naming<'_>,
    etag: Option<String>,
    store: &Store,
) -> Result<BundleContent, ContentError> {
    let manifest = &bundle.manifest;
    let payload = if bundle.is_delta() {
        BundlePayload::Delta(bundle.changes.clone())
    } else {
        let modules = store.parse_all(sources(bundle, naming)).map_err(ContentError::Policy)?;
        if let Some(module) = modules.iter().find(|module| !manifest.permits(module.package())) {
            return Err(outside(bundle, &**module).into());
        }
        BundlePayload::Snapshot { data: bundle.data.clone(), modules }
    };
    Ok(BundleContent {
        name: naming.name.into(),
        bundle: ActiveBundle { revision: Some(manifest.revision.clone()), roots: manifest.roots.clone(), etag },
        manifest: manifest.to_value(),
        payload,
    })
}

fn sources(bundle: &Bundle, naming: Naming<'_>) -> Vec<Source> {
    let dialects = bundle.manifest.dialects();
    let source = |file: &ModuleFile| source(naming, file, dialects.of(&file.path, naming.version));
    bundle.modules.iter().map(source).collect()
}

fn source(naming: Naming<'_>, file: &ModuleFile, version: RegoVersion) -> Source {
    let shown = if naming.base.is_empty() { file.path.clone() } else { join(naming.base, &file.path) };
    Source {
        id: join(naming.name, &shown).into(),
        file: shown.into(),
        text: file.text.clone(),
        version,
        broken: Vec::new(),
    }
}

fn outside(bundle: &Bundle, module: &dyn Module) -> FormatError {
    let package = module.package().to_reference();
    FormatError::ModuleOutsideRoots {
        roots: bundle.manifest.shown_roots(),
        package: package.strip_prefix("data.").unwrap_or(&package).to_owned(),
        file: module.source().file.to_string(),
    }
}
