//! What is costly to make from a text, kept for the next time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Made things by the text that they were made from. When there are as many as may be kept, any one goes.
pub(super) struct Cache<T, const CAPACITY: usize = 100>(Mutex<HashMap<String, Arc<T>>>);

impl<T, const CAPACITY: usize> Default for Cache<T, CAPACITY> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T, const CAPACITY: usize> Cache<T, CAPACITY> {
    /// What was made under the key, or else is made now. Failures are not kept.
    pub(super) fn get<E>(&self, key: &str, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(known.clone());
        }
        let new = Arc::new(make()?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY
            && let Some(any) = known.keys().next().cloned()
        {
            known.remove(&any);
        }
        known.insert(key.to_owned(), new.clone());
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bound() {
        let cache = Cache::<usize, 10>::default();
        for number in 0..30 {
            assert_eq!(cache.get(&number.to_string(), || Ok::<_, ()>(number)).as_deref(), Ok(&number));
        }
        assert_eq!(cache.0.lock().map(|known| known.len()).ok(), Some(10));
        assert_eq!(cache.get("new", || Err::<usize, _>("broken")), Err("broken"));
    }
}
