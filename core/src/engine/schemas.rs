//! Schemas that types are checked against.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::value::{Path, Value};

/// JSON schemas by the names under which policies refer to them.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// The schemas by their path below `schema`; that at the empty path is the input's. Absent if none were given, and
    /// then annotations that name one do not count.
    pub by_path: Option<BTreeMap<Vec<Arc<str>>, Value>>,
}

impl Schemas {
    /// Only what annotations define themselves.
    pub fn of_annotations() -> Self {
        Self::default()
    }

    /// The one schema of the input.
    pub fn of_input(schema: Value) -> Self {
        Self { by_path: Some(BTreeMap::from([(Vec::new(), schema)])) }
    }

    /// The schema of the input, if there is one.
    pub fn input(&self) -> Option<&Value> {
        self.by_path.as_ref()?.get(&[][..])
    }
}

/// The schema of what one document is given as its input, such as that of the document which authorizes requests. An
/// engine that knows types checks the rules of that document against it, and those that they depend on in their packages
/// and below; rules elsewhere may serve other inputs, too.
#[derive(Debug, Clone)]
pub struct KnownInput {
    /// The document.
    pub document: Path,
    /// The schema.
    pub schema: Value,
}
