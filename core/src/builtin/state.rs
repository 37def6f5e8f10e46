//! State of built-in functions, found by its type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// State that lives as long as one query: one value of each type that asks for it.
#[derive(Default)]
pub struct QueryState(HashMap<TypeId, Box<dyn Any + Send>>);

impl QueryState {
    /// The value of that type, made at its first use.
    #[expect(clippy::missing_panics_doc, reason = "what is stored under a type is of that type")]
    pub fn get<T: Default + Send + 'static>(&mut self) -> &mut T {
        let slot = self.0.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(T::default()));
        slot.downcast_mut().expect("is stored under its own type")
    }
}

/// State that lives as long as the engine: one value of each type that asks for it, shared by all queries. Whoever
/// keeps something there sees to a bound.
#[derive(Default)]
pub struct SharedState(RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl SharedState {
    /// The value of that type, made at its first use.
    #[expect(clippy::missing_panics_doc, reason = "what is stored under a type is of that type")]
    pub fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<T>()).cloned();
        let state = known.unwrap_or_else(|| {
            let mut states = self.0.write().unwrap_or_else(PoisonError::into_inner);
            states.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone()
        });
        state.downcast().expect("is stored under its own type")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn each_type_has_one_state() {
        let mut query = QueryState::default();
        *query.get::<u32>() += 1;
        *query.get::<u64>() += 5;
        assert_eq!((*query.get::<u32>(), *query.get::<u64>()), (1, 5));

        let shared = SharedState::default();
        shared.get::<AtomicU32>().fetch_add(2, Ordering::Relaxed);
        assert_eq!(shared.get::<AtomicU32>().load(Ordering::Relaxed), 2);
    }
}
