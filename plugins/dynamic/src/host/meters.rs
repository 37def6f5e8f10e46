//! Counters and gauges of one instance.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use regent_core::telemetry::Telemetry;

/// Most of them: names come from the plugin, and stay.
const MOST: usize = 64;

/// Most characters of a name.
const NAME: usize = 64;

/// A counter or a gauge.
#[derive(Clone, Copy)]
pub(super) enum Change {
    Add(u64),
    Set(f64),
}

/// Names that an instance has used, with those that the agent shows.
#[derive(Default)]
pub(super) struct Meters(Mutex<BTreeMap<String, &'static str>>);

impl Meters {
    /// Adds to a counter, or sets a gauge; whether that can be done.
    pub(super) fn change(&self, telemetry: &Telemetry, plugin: &str, name: &str, change: Change) -> bool {
        let Some(shown) = self.shown(name) else { return false };
        let labels = [("plugin", plugin.to_owned())];
        match change {
            Change::Add(add) => telemetry.counter(shown, &labels).increment(add),
            Change::Set(value) => telemetry.gauge(shown, &labels).set(value),
        }
        true
    }

    fn shown(&self, name: &str) -> Option<&'static str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = known.get(name) {
            return Some(shown);
        }
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if known.len() >= MOST || name.is_empty() || name.len() > NAME || !name.bytes().all(fits) {
            return None;
        }
        let shown = crate::kept::name(&format!("regent_plugin_{name}"));
        known.insert(name.to_owned(), shown);
        Some(shown)
    }
}

#[cfg(test)]
mod tests {
    use regent_core::telemetry::REQUEST_BUCKETS;

    use super::*;

    #[test]
    fn names_are_few_and_plain() {
        let telemetry = Telemetry::new(REQUEST_BUCKETS).expect("telemetry");
        let meters = Meters::default();
        assert!(meters.change(&telemetry, "p", "asked_total", Change::Add(2)));
        assert!(meters.change(&telemetry, "p", "asked_total", Change::Add(3)));
        assert!(meters.change(&telemetry, "p", "fill", Change::Set(0.5)));
        for wrong in ["", "Total", "a b", "a{", &"x".repeat(65)] {
            assert!(!meters.change(&telemetry, "p", wrong, Change::Add(1)), "{wrong}");
        }
        let shown = telemetry.render();
        assert!(shown.contains("regent_plugin_asked_total{plugin=\"p\"} 5"), "{shown}");
        assert!(shown.contains("regent_plugin_fill{plugin=\"p\"} 0.5"), "{shown}");
        let taken = (0..100).filter(|n| meters.change(&telemetry, "p", &format!("n{n}"), Change::Add(1))).count();
        assert_eq!(taken, MOST - 2);
    }
}
