//! One module: its text, its syntax tree, and where its package lies.

use std::num::{NonZeroU32, NonZeroUsize};

use regent_core::Value;
use regent_core::engine::{ErrorCode, Location, Module, PolicyError, PolicyErrors, RegoVersion, Source};
use regent_core::value::Path;
use regorus::PolicyLengthConfig;
use regorus::unstable::{self as ast, NodeRef};

use crate::{errors, syntax};

/// A module that regorus has parsed.
pub(crate) struct RegorusModule {
    source: Source,
    package: Path,
    tree: NodeRef<ast::Module>,
}

impl RegorusModule {
    pub(crate) fn parse(source: Source) -> Result<Self, PolicyErrors> {
        if is_blank(&source.text) {
            return Err(empty_module(&source).into());
        }
        if let Some(&at) = source.broken.first() {
            return Err(illegal_character(&source, at).into());
        }
        let mut engine = new_engine();
        errors::guarded(|| add(&mut engine, &source)).map_err(|text| errors::parse_error(&text, &source.text))?;
        let tree = engine.get_modules()[0].clone();
        Ok(Self { package: Path::new(syntax::constant_prefix(&tree.package.refr).0), source, tree })
    }

    pub(crate) fn tree(&self) -> &ast::Module {
        &self.tree
    }

    /// Gives the module to a regorus engine. regorus cannot take over a syntax tree, so it parses the text again.
    pub(crate) fn add_to(&self, engine: &mut regorus::Engine) -> Result<(), PolicyErrors> {
        let added = errors::guarded(|| add(engine, &self.source));
        added.map_err(|text| errors::parse_error(&text, &self.source.text).into())
    }
}

impl Module for RegorusModule {
    fn source(&self) -> &Source {
        &self.source
    }

    fn package(&self) -> &Path {
        &self.package
    }
}

/// A regorus engine without policies. It keeps what `print` says, where regorus would write it to stderr, and takes
/// modules of any length, since those who bring them limit their size.
pub(crate) fn new_engine() -> regorus::Engine {
    let mut engine = regorus::Engine::new();
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::MAX,
        max_file_bytes: NonZeroUsize::MAX,
        max_lines: NonZeroUsize::MAX,
    });
    engine
}

fn add(engine: &mut regorus::Engine, source: &Source) -> Result<(), String> {
    engine.set_rego_v0(source.version == RegoVersion::V0);
    let added = engine.add_policy(source.file.to_string(), source.text.to_string());
    engine.set_rego_v0(false);
    added.map(drop).map_err(|error| error.to_string())
}

/// Whether there is nothing but white space and comments.
pub(crate) fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim_start).all(|line| line.is_empty() || line.starts_with('#'))
}

/// The error about the replacement character at an offset, which stands for a byte that is no UTF-8.
fn illegal_character(source: &Source, at: usize) -> PolicyError {
    let before = &source.text[..at];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = source.text[start..].lines().next().unwrap_or_default();
    let place = Location { file: source.file.clone(), row: before.matches('\n').count() + 1, col: at - start + 1 };
    let index = Value::from(u64::try_from(at - start).unwrap_or(u64::MAX));
    let details = Value::object([("line", Value::from(line)), ("idx", index)]);
    PolicyError { details: Some(details), ..PolicyError::new(ErrorCode::Parse, "illegal utf-8 character", place) }
}

/// OPA knows no place in a module that is empty, and shows row 0.
fn empty_module(source: &Source) -> PolicyError {
    let nowhere = Location { file: source.file.clone(), row: 0, col: 0 };
    PolicyError::new(ErrorCode::Parse, "empty module", nowhere)
}
