//! Where rules make documents.

use std::collections::BTreeMap;

use regent_core::engine::RuleDocument;
use regent_core::value::Path;

use crate::syntax::ast::{Module, Term};

/// The documents that rules make, each path once and with the first rule that makes it, in the order of the paths.
pub(crate) fn documents<'m>(modules: impl IntoIterator<Item = &'m Module>) -> Vec<RuleDocument> {
    let mut documents = BTreeMap::new();
    for module in modules {
        for rule in &module.rules {
            let package = module.package.path.iter().skip(1).map_while(Term::as_text);
            let (name, rest) =
                rule.head.reference.split_first().map_or((None, &[][..]), |(name, rest)| (Some(name), rest));
            let name = name.and_then(|name| name.as_var().map(|name| &**name).or_else(|| name.as_text()));
            let path = package.chain(name).chain(rest.iter().map_while(Term::as_text));
            documents.entry(Path::new(path)).or_insert_with(|| rule.span.location());
        }
    }
    documents.into_iter().map(|(path, location)| RuleDocument { path, location }).collect()
}
