//! What is costly to make from a text, kept for the next time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use regent_core::builtin::Call;

/// Made things by the text that they were made from. When there are as many as may be kept, any one goes.
pub(super) struct Cache<T>(Mutex<HashMap<String, Arc<T>>>);

/// How many things a cache keeps if the configuration does not say.
const USUAL: usize = 100;

/// How many things a cache without a name may keep.
pub(super) fn most(call: &Call<'_>) -> usize {
    call.caching.values.most(None, USUAL)
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Cache<T> {
    /// What was made under the key, or else is made now. Failures are not kept, and no more than `most` things.
    pub(super) fn get<E>(&self, most: usize, key: &str, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(known.clone());
        }
        let new = Arc::new(make()?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.len() >= most.max(1)
            && let Some(any) = known.keys().next().cloned()
        {
            known.remove(&any);
        }
        if most > 0 {
            known.insert(key.to_owned(), new.clone());
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bound() {
        let cache = Cache::<usize>::default();
        for number in 0..30 {
            assert_eq!(cache.get(10, &number.to_string(), || Ok::<_, ()>(number)).as_deref(), Ok(&number));
        }
        assert_eq!(cache.0.lock().map(|known| known.len()).ok(), Some(10));
        assert_eq!(cache.get(3, "30", || Ok::<_, ()>(30)).as_deref(), Ok(&30));
        assert_eq!(cache.0.lock().map(|known| known.len()).ok(), Some(3));
        assert_eq!(cache.get(0, "31", || Ok::<_, ()>(31)).as_deref(), Ok(&31));
        assert_eq!(cache.0.lock().map(|known| known.len()).ok(), Some(0));
        assert_eq!(cache.get(10, "new", || Err::<usize, _>("broken")), Err("broken"));
    }
}
