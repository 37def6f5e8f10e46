//! The store: one current [`Snapshot`], swapped whole.
//!
//! Readers take the current snapshot without waiting. One writer at a time prepares the next one off to the side in a
//! [`Transaction`], on a thread where blocking is allowed, and puts it in place with one pointer swap. A transaction
//! that fails leaves no trace.

mod bundles;
mod data;
mod error;
mod ownership;
mod reaper;
mod snapshot;
mod transaction;

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::{Mutex, watch};

pub use bundles::{BundleContent, BundlePayload};
pub use data::{Patch, PatchOp};
pub use error::StoreError;
pub use snapshot::{ActiveBundle, Snapshot};
pub use transaction::Transaction;

use crate::engine::{CompileOptions, Engine, Module, PolicyErrors, Source, parse_all};
use crate::metrics::Metrics;
use crate::value::Value;

/// Holds the current snapshot. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    current: ArcSwap<Snapshot>,
    engine: Arc<dyn Engine>,
    options: CompileOptions,
    /// Makes writers queue, and counts the transactions. Readers never touch it. A lock, because what it guards is the right
    /// to swap `current`.
    writer: Arc<Mutex<u64>>,
    generation: watch::Sender<u64>,
}

impl Store {
    /// A store without policies that holds the given base data.
    ///
    /// # Errors
    /// When the engine cannot compile the empty program.
    pub fn new(engine: Arc<dyn Engine>, options: CompileOptions, data: Value) -> Result<Self, StoreError> {
        let first = Snapshot::initial(&*engine, &options, data)?;
        let inner = Inner {
            current: ArcSwap::from_pointee(first),
            engine,
            options,
            writer: Arc::default(),
            generation: watch::channel(0).0,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// An empty store with the same engine and options, for policies that stand by themselves.
    ///
    /// # Errors
    /// As [`Store::new`].
    pub fn sibling(&self) -> Result<Self, StoreError> {
        Self::new(self.inner.engine.clone(), self.inner.options.clone(), Value::empty_object())
    }

    /// The current state. It stays as it is for as long as the caller holds it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.current.load_full()
    }

    /// As [`Store::snapshot`], for the time of one decision. Threads that only look share nothing that they would have to
    /// write to; whoever keeps the state clones it.
    pub fn current(&self) -> Guard<Arc<Snapshot>> {
        self.inner.current.load()
    }

    /// The engine whose programs the snapshots hold.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.inner.engine
    }

    /// Parses modules on all cores, but for those that are in the current state already. Blocks; to be called where that is
    /// allowed.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, in the order of the sources.
    pub fn parse_all(&self, sources: Vec<Source>) -> Result<Vec<Arc<dyn Module>>, PolicyErrors> {
        parse_all(&*self.inner.engine, sources, self.snapshot().policies())
    }

    /// Counts the commits; wakes whoever waits for a new state.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.generation.subscribe()
    }

    /// Runs one transaction and commits it if it succeeds. Waits for other writers, never for readers.
    ///
    /// # Errors
    /// What `work` fails with, or why the result does not hold together; the current state is then untouched.
    pub async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction) -> Result<T, StoreError> + Send + 'static,
    {
        self.write_measured(Metrics::default(), work).await.map(|(result, _)| result)
    }

    /// As [`Store::write`]; gives back the metrics with what parsing and compiling cost, if they are on.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_measured<T, W>(&self, metrics: Metrics, work: W) -> Result<(T, Metrics), StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction) -> Result<T, StoreError> + Send + 'static,
    {
        let mut turn = self.inner.writer.clone().lock_owned().await;
        let store = self.clone();
        let job = tokio::task::spawn_blocking(move || {
            *turn += 1;
            store.commit(*turn, metrics, work)
        });
        job.await.unwrap_or_else(|panic| Err(StoreError::Internal(panic.to_string())))
    }

    /// Caller holds the writer's turn.
    fn commit<T>(
        &self,
        number: u64,
        metrics: Metrics,
        work: impl FnOnce(&mut Transaction) -> Result<T, StoreError>,
    ) -> Result<(T, Metrics), StoreError> {
        let inner = &*self.inner;
        let base = inner.current.load_full();
        let mut transaction = Transaction::new(number, base, inner.engine.clone(), inner.options.clone(), metrics);
        let result = work(&mut transaction)?;
        let (next, metrics) = transaction.finish()?;
        if let Some(next) = next {
            let generation = next.generation();
            reaper::reap(inner.current.swap(Arc::new(next)));
            inner.generation.send_replace(generation);
        }
        Ok((result, metrics))
    }
}
