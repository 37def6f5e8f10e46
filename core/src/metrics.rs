//! Measurements of one request, as `?metrics` shows them, and of one bundle load, as status shows them.

use std::time::Instant;

use smallvec::SmallVec;

use crate::value::Value;

/// Entries that a request mostly has room enough in.
const USUAL: usize = 8;

/// Timers and counters of one request. Nothing is measured while it is off, which is the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    on: bool,
    entries: Vec<(&'static str, u64)>,
}

impl Metrics {
    /// Measurements that are taken.
    pub fn on() -> Self {
        Self { on: true, entries: Vec::with_capacity(USUAL) }
    }

    /// Measurements that are taken if asked for.
    pub fn when(on: bool) -> Self {
        if on { Self::on() } else { Self::default() }
    }

    /// Whether measurements are taken.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Runs the work and adds its time in nanoseconds to the timer. The name is the whole one,
    /// `timer_rego_query_eval_ns`.
    pub fn time<T>(&mut self, timer: &'static str, work: impl FnOnce(&mut Self) -> T) -> T {
        if !self.on {
            return work(self);
        }
        let start = Instant::now();
        let result = work(self);
        self.add(timer, u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        result
    }

    /// Adds to a timer or counter.
    pub fn add(&mut self, name: &'static str, amount: u64) {
        if !self.on {
            return;
        }
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total = total.saturating_add(amount),
            None => self.entries.push((name, amount)),
        }
    }

    /// Takes over what another request part measured.
    pub fn absorb(&mut self, other: Metrics) {
        for (name, amount) in other.entries {
            self.add(name, amount);
        }
    }

    /// The measurements as an object of numbers.
    pub fn to_value(&self) -> Value {
        Value::object(self.entries.iter().map(|&(name, amount)| (name, amount)))
    }
}

impl Metrics {
    /// Appends [`Metrics::to_value`] as JSON, without making it.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        let mut entries = SmallVec::<[_; 8]>::from_slice(&self.entries);
        entries.sort_unstable();
        let mut before = b'{';
        for (name, amount) in &entries {
            out.push(before);
            before = b',';
            // Names are of this program, and need no escapes.
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(itoa::Buffer::new().format(*amount).as_bytes());
        }
        out.extend_from_slice(if entries.is_empty() { b"{}" } else { b"}" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_measured_while_off() {
        let mut metrics = Metrics::default();
        metrics.time("timer_x_ns", |m| m.add("counter_y", 1));
        assert_eq!(metrics.to_value(), Value::empty_object());
    }

    #[test]
    fn amounts_add_up() {
        let mut metrics = Metrics::on();
        metrics.add("counter_y", 1);
        metrics.add("counter_y", 2);
        metrics.time("timer_x_ns", |_| ());
        assert_eq!(metrics.to_value().get("counter_y"), Some(&3_i64.into()));
        assert!(metrics.to_value().get("timer_x_ns").is_some());
    }
}
