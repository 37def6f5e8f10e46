//! What a library may hold on to, and so has to stay for as long as the process lives.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What threads of a library may ask whenever they like.
static VALUES: Mutex<Vec<&'static (dyn Any + Send + Sync)>> = Mutex::new(Vec::new());

/// Names of plugins and of their metrics.
static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Keeps a value.
pub(crate) fn value<T: Send + Sync + 'static>(value: T) -> &'static T {
    let value: &'static T = Box::leak(Box::new(value));
    VALUES.lock().unwrap_or_else(PoisonError::into_inner).push(value);
    value
}

/// Keeps a name, once.
pub(crate) fn name(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(Box::from(name));
    names.insert(name);
    name
}
