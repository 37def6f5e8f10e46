//! Schemas that types are checked against.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::value::Value;

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
