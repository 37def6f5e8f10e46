//! Prepared queries by the URLs that ask for them.
//!
//! Spares a repeated request the decoding of its path. The compiled form itself is kept by the program, so emptying this
//! cache at every commit, which is what clients see in `counter_server_query_cache_hit`, costs next to nothing.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashMap};
use regent_core::engine::{PreparedQuery, Query};
use regent_core::metrics::Metrics;
use regent_core::store::Snapshot;
use regent_core::value::Path;

use super::aside::Placement;
use crate::error::ApiError;
use crate::reference;

/// Most queries that are kept.
const MOST: usize = 100;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Get,
    Post,
    V0,
    Index,
    Batch,
}

impl Endpoint {
    /// Whether the answer is the document alone, so that an undefined one is an error.
    pub(super) fn is_bare(self) -> bool {
        matches!(self, Self::V0 | Self::Index)
    }
}

/// How to evaluate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Options {
    /// Whether errors of built-in functions end the evaluation.
    pub(crate) strict: bool,
    /// Whether the evaluation itself is measured.
    pub(crate) instrument: bool,
}

/// A query that has been prepared before.
pub(crate) struct KnownQuery {
    /// The document's path.
    pub(crate) path: Path,
    /// The query for it.
    pub(crate) prepared: Arc<dyn PreparedQuery>,
    /// Whether it may run inline.
    pub(super) placement: Placement,
}

/// A question with its path as it was asked, by which it is known again; looked for without a copy of the path.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<P> {
    endpoint: Endpoint,
    options: Options,
    path: P,
}

impl Equivalent<Key<String>> for Key<&str> {
    fn equivalent(&self, known: &Key<String>) -> bool {
        (self.endpoint, self.options, self.path) == (known.endpoint, known.options, known.path.as_str())
    }
}

#[derive(Clone, Default)]
struct Known {
    generation: u64,
    /// Where among `queries`.
    places: HashMap<Key<String>, usize, RandomState>,
    queries: Vec<Arc<KnownQuery>>,
}

/// A question that has been found. It holds on to all that were known with it, as one reference more to it alone would
/// be written to by every thread that asks the same.
pub(crate) struct CachedQuery {
    known: Guard<Arc<Known>>,
    place: usize,
}

impl Deref for CachedQuery {
    type Target = KnownQuery;

    fn deref(&self) -> &KnownQuery {
        &self.known.queries[self.place]
    }
}

/// The questions asked of the current snapshot.
#[derive(Default)]
pub(crate) struct Queries(ArcSwap<Known>);

impl Queries {
    /// The query for an escaped path, prepared now if it is new.
    pub(crate) fn find(
        &self,
        snapshot: &Snapshot,
        endpoint: Endpoint,
        options: Options,
        path: &str,
        metrics: &mut Metrics,
    ) -> Result<CachedQuery, ApiError> {
        let key = Key { endpoint, options, path };
        let known = self.0.load();
        let place = known.places.get(&key).filter(|_| known.generation == snapshot.generation()).copied();
        metrics.add("counter_server_query_cache_hit", u64::from(place.is_some()));
        if let Some(place) = place {
            return Ok(CachedQuery { known, place });
        }
        let path = reference::document(path)?;
        let query = Query::Document(path.clone());
        let prepared = metrics.time("timer_rego_query_compile_ns", |_| snapshot.prepare(&query));
        if key.options.instrument {
            snapshot.time_stages(&query, metrics);
        }
        let asked = Arc::new(KnownQuery {
            path,
            prepared: prepared.map_err(ApiError::of_document)?,
            placement: Placement::default(),
        });
        self.keep(snapshot.generation(), key, &asked);
        let alone = Known { queries: vec![asked], ..Known::default() };
        Ok(CachedQuery { known: Guard::from_inner(Arc::new(alone)), place: 0 })
    }

    fn keep(&self, generation: u64, key: Key<&str>, asked: &Arc<KnownQuery>) {
        self.0.rcu(|known| {
            let newer = known.generation > generation;
            let full = known.generation == generation && known.queries.len() >= MOST;
            let mut next = if known.generation < generation || full { Known::default() } else { Known::clone(known) };
            if !newer {
                next.generation = generation;
                let key = Key { endpoint: key.endpoint, options: key.options, path: key.path.to_owned() };
                next.places.insert(key, next.queries.len());
                next.queries.push(asked.clone());
            }
            next
        });
    }
}
