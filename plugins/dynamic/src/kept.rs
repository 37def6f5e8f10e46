//! What a library may hold on to, and so has to stay for as long as the process lives.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::host::HostSide;

/// Hosts of instances, which threads of a library may ask whenever they like.
static HOSTS: Mutex<Vec<&'static HostSide>> = Mutex::new(Vec::new());

/// Names of plugins and of their metrics.
static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Keeps the host of an instance.
pub(crate) fn host(host: HostSide) -> &'static HostSide {
    let host: &'static HostSide = Box::leak(Box::new(host));
    HOSTS.lock().unwrap_or_else(PoisonError::into_inner).push(host);
    host
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
