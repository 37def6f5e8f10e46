//! Responses that are kept across queries: the oldest ones make room for new ones.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant as Clock;

use lru::LruCache;
use regent_core::caching::ResultCache;
use regent_core::value::{Value, encode};

use crate::exchange::Response;
use crate::freshness::Instant;

/// What a response's value takes, in multiples of the body that it was read from.
const VALUE_FACTOR: usize = 8;

/// What an entry takes beside its texts.
const OVERHEAD: usize = 256;

/// A response that is kept.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) response: Arc<Response>,
    /// What the function gave for it, if it is kept too.
    pub(crate) value: Option<Value>,
    /// Until when it may be used unasked.
    pub(crate) expires: Instant,
}

/// The cache across queries.
#[derive(Default)]
pub(crate) struct Store(Mutex<Kept>);

struct Kept {
    /// In the order of arrival; looking one up does not move it.
    entries: LruCache<Value, (Entry, usize)>,
    bytes: usize,
    swept: Clock,
}

impl Default for Kept {
    fn default() -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, swept: Clock::now() }
    }
}

impl Store {
    /// The response to the request.
    pub(crate) fn get(&self, key: &Value) -> Option<Entry> {
        self.lock().entries.peek(key).map(|(entry, _)| entry.clone())
    }

    /// Forgets the response to the request.
    pub(crate) fn remove(&self, key: &Value) {
        self.lock().remove(key);
    }

    /// Keeps a response, unless it is larger than all that may be kept.
    pub(crate) fn put(&self, key: Value, entry: Entry, bounds: ResultCache, now: Instant) {
        let size = entry.size(&key);
        let most = bounds.most_bytes.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let mut kept = self.lock();
        if bounds.sweep_every.is_some_and(|period| kept.swept.elapsed() >= period) {
            kept.sweep(now);
        }
        kept.remove(&key);
        if size > most {
            return;
        }
        while kept.bytes > most - size {
            kept.remove_oldest();
        }
        kept.bytes += size;
        kept.entries.put(key, (entry, size));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&mut self, key: &Value) {
        let size = self.entries.pop(key).map_or(0, |(_, size)| size);
        self.bytes -= size;
    }

    fn remove_oldest(&mut self) {
        let size = self.entries.pop_lru().map_or(self.bytes, |(_, (_, size))| size);
        self.bytes -= size;
    }

    /// Drops what has expired.
    fn sweep(&mut self, now: Instant) {
        let expired = self.entries.iter().filter(|(_, (entry, _))| entry.expires < now);
        let expired: Vec<Value> = expired.map(|(key, _)| key.clone()).collect();
        for key in &expired {
            self.remove(key);
        }
        self.swept = Clock::now();
    }
}

impl Entry {
    fn size(&self, key: &Value) -> usize {
        let headers: usize = self.response.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let body = self.response.body.len();
        let value = if self.value.is_some() { body.saturating_mul(VALUE_FACTOR) } else { 0 };
        OVERHEAD + encode(key).len() + headers + body + value
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entry(bytes: usize, expires: Instant) -> Entry {
        let response = Response { body: vec![b'x'; bytes].into(), ..Response::default() };
        Entry { response: Arc::new(response), value: None, expires }
    }

    fn known(store: &Store, keys: &[&str]) -> Vec<bool> {
        keys.iter().map(|key| store.get(&(*key).into()).is_some()).collect()
    }

    #[test]
    fn the_oldest_make_room_whether_they_were_looked_up_or_not() {
        let store = Store::default();
        let bounds = ResultCache { most_bytes: Some(3000), sweep_every: None };
        for key in ["a", "b", "c"] {
            store.put(key.into(), entry(1000, 0), bounds, 0);
            store.get(&"a".into());
        }
        assert_eq!(known(&store, &["a", "b", "c"]), [false, true, true]);
        store.put("b".into(), entry(600, 0), bounds, 0);
        store.put("d".into(), entry(1000, 0), bounds, 0);
        assert_eq!(known(&store, &["b", "c", "d"]), [true, false, true], "a new response counts as new");
        store.put("e".into(), entry(4000, 0), bounds, 0);
        assert_eq!(known(&store, &["b", "d", "e"]), [true, true, false], "what cannot fit drives nobody out");
        let all: usize = store.lock().entries.iter().map(|(_, (_, size))| size).sum();
        assert_eq!(store.lock().bytes, all);
    }

    #[test]
    fn what_has_expired_goes_when_it_is_time() {
        let store = Store::default();
        let bounds = |sweep_every| ResultCache { most_bytes: None, sweep_every };
        store.put("old".into(), entry(1, 10), bounds(None), 20);
        store.put("new".into(), entry(1, 30), bounds(Some(Duration::from_secs(100))), 20);
        assert_eq!(known(&store, &["old", "new"]), [true, true]);
        store.put("newer".into(), entry(1, 40), bounds(Some(Duration::ZERO)), 20);
        assert_eq!(known(&store, &["old", "new", "newer"]), [false, true, true]);
    }

    #[test]
    fn values_count_for_more_than_bytes() {
        let plain = entry(100, 0);
        let value = Entry { value: Some(Value::NULL), ..plain.clone() };
        assert_eq!(value.size(&"k".into()) - plain.size(&"k".into()), 100 * VALUE_FACTOR);
    }
}
