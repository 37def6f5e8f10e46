//! Asks the policies that drop and mask, against the state that the decision saw.

use regent_core::engine::{Query, QueryError};
use regent_core::value::Path;
use regent_core::{Snapshot, Value};

/// A document that may or may not exist.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    path: Path,
    query: Query,
}

impl Policy {
    pub(crate) fn new(path: Path) -> Self {
        Self { query: Query::Document(path.clone()), path }
    }

    /// Whether anything could define the document. Most agents have no such policy, and asking costs far more than this.
    pub(crate) fn may_exist(&self, snapshot: &Snapshot) -> bool {
        let related = |package: &Path| self.path.is_within(package) || package.is_within(&self.path);
        snapshot.data().at(self.path.segments()).is_some()
            || snapshot.policies().values().any(|module| related(module.package()))
    }

    /// The document; nothing if it is undefined.
    pub(crate) fn ask(&self, snapshot: &Snapshot, input: &Value) -> Result<Option<Value>, QueryError> {
        Ok(snapshot.ask(&self.query, Some(input))?.into_document())
    }
}
