//! An engine that compiles when a test lets it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use regent_core::builtin::Builtin;
use regent_core::engine::{CompileOptions, Engine, Module, PolicyErrors, Program, Source, Unsupported};
use regent_engine_rego::RegoEngine;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::agent::LIMIT;

/// The Rego engine; a transaction that compiles waits until the test drops what it was given for it.
struct HeldEngine {
    inner: RegoEngine,
    entered: mpsc::Sender<oneshot::Sender<()>>,
}

impl Engine for HeldEngine {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn with_builtins(&self, builtins: &[Arc<dyn Builtin>]) -> Result<Arc<dyn Engine>, Unsupported> {
        self.inner.with_builtins(builtins)
    }

    fn parse(&self, source: Source) -> Result<Arc<dyn Module>, PolicyErrors> {
        self.inner.parse(source)
    }

    fn compile(&self, modules: &[Arc<dyn Module>], options: &CompileOptions) -> Result<Arc<dyn Program>, PolicyErrors> {
        self.inner.compile(modules, options)
    }

    fn recompile(
        &self,
        modules: &[Arc<dyn Module>],
        options: &CompileOptions,
        former: &dyn Program,
    ) -> Result<Arc<dyn Program>, PolicyErrors> {
        let (held, end) = oneshot::channel();
        // Without a gate nothing is held any more.
        if self.entered.blocking_send(held).is_ok() {
            let _dropped = end.blocking_recv();
        }
        self.inner.recompile(modules, options, former)
    }
}

/// Where transactions are held. Dropping it lets all of them pass.
pub(crate) struct Gate(mpsc::Receiver<oneshot::Sender<()>>);

pub(crate) fn held() -> (Arc<dyn Engine>, Gate) {
    let (entered, gate) = mpsc::channel(1);
    (Arc::new(HeldEngine { inner: RegoEngine::default(), entered }), Gate(gate))
}

impl Gate {
    /// Waits for the next transaction that compiles; it goes on when that is dropped.
    pub(crate) async fn next(&mut self) -> oneshot::Sender<()> {
        timeout(LIMIT, self.0.recv()).await.expect("a transaction").expect("the engine lives")
    }

    /// Lets transactions pass for as long as something takes.
    pub(crate) async fn passing<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(timeout(LIMIT, work));
        loop {
            tokio::select! {
                done = &mut work => return done.expect("in time"),
                Some(held) = self.0.recv() => drop(held),
            }
        }
    }
}
