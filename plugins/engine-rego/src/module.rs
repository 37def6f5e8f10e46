//! One module: its text, its syntax tree, and where its package lies.

use std::sync::Arc;

use regent_core::engine::{Capabilities, Module, PolicyErrors, Source};
use regent_core::value::Path;

use crate::syntax::ast::{self, SourceFile, Term};
use crate::syntax::{Language, ModuleOptions, parse_module_with};

/// A parsed module.
pub(crate) struct RegoModule {
    source: Source,
    package: Path,
    tree: ast::Module,
}

impl RegoModule {
    /// Parses a module, which may use no more than the capabilities, if there are any.
    ///
    /// # Errors
    /// Everything that is wrong with its syntax.
    pub(crate) fn parse(source: Source, capabilities: Option<&Capabilities>) -> Result<Self, PolicyErrors> {
        let file = SourceFile { name: Arc::clone(&source.file), text: Arc::clone(&source.text) };
        let language = Language::of(capabilities, source.version)?;
        let options = ModuleOptions { version: source.version, annotations: true, language };
        let tree = parse_module_with(Arc::new(file), &source.broken, options)?;
        let package = Path::new(tree.package.path.iter().skip(1).filter_map(Term::as_text));
        Ok(Self { source, package, tree })
    }

    /// The syntax tree.
    pub(crate) fn tree(&self) -> &ast::Module {
        &self.tree
    }
}

impl Module for RegoModule {
    fn source(&self) -> &Source {
        &self.source
    }

    fn package(&self) -> &Path {
        &self.package
    }
}
