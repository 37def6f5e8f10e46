//! The extension points that running plugins fill, and who fills them now.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::decision::{DecisionRecorder, SinkHandle};
use crate::service::BoxFuture;
use crate::status::StatusSink;
use crate::trace::{Tracer, Tracing};
use crate::trigger::{Fetched, Subject, TriggerError, Triggers};

/// Extension points that a running plugin fills. They are withdrawn when it stops.
#[derive(Clone, Default)]
pub struct Roles {
    /// Takes the events of all decisions.
    pub decision_recorder: Option<Arc<dyn DecisionRecorder>>,
    /// Takes events that `decision_logs.plugin` sends to it.
    pub decision_sink: Option<Arc<dyn SinkHandle>>,
    /// Takes the status reports that `status.plugin` sends to it.
    pub status_sink: Option<Arc<dyn StatusSink>>,
    /// Makes the spans of distributed traces.
    pub tracer: Option<Arc<dyn Tracer>>,
    /// Fetches when asked to.
    pub triggers: Option<Arc<dyn Triggers>>,
}

/// The roles of running plugins. Read at every decision, so reading takes no lock.
#[derive(Clone)]
pub(crate) struct RoleDirectory {
    entries: Arc<ArcSwap<Entries>>,
    /// Whether there is a recorder: asked several times by every decision, and a look at the entries costs more.
    keeps_records: Arc<AtomicBool>,
    tracing: Tracing,
    /// Held by whoever changes the rest: the supervisor, and the task of each plugin that ends by itself. What follows
    /// from the entries must not come from older ones.
    changing: Arc<Mutex<()>>,
}

/// Who fills which role.
#[derive(Clone, Default)]
pub(crate) struct Entries {
    /// By the plugin's name.
    by_plugin: BTreeMap<String, Roles>,
    /// The recorder among them.
    pub(crate) recorder: Option<Arc<dyn DecisionRecorder>>,
}

impl RoleDirectory {
    /// Nobody fills anything yet. `tracing` learns who makes spans.
    pub(crate) fn new(tracing: Tracing) -> Self {
        Self { entries: Arc::default(), keeps_records: Arc::default(), tracing, changing: Arc::default() }
    }

    /// Notes what a plugin fills from now on.
    pub(crate) fn publish(&self, plugin: &str, roles: &Roles) {
        self.change(|all| drop(all.insert(plugin.to_owned(), roles.clone())));
    }

    /// Takes out what a plugin has filled.
    pub(crate) fn withdraw(&self, plugin: &str) {
        self.change(|all| drop(all.remove(plugin)));
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Roles>)) {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut by_plugin = self.load().by_plugin.clone();
        change(&mut by_plugin);
        let recorder = by_plugin.values().find_map(|roles| roles.decision_recorder.clone());
        let tracer = by_plugin.values().find_map(|roles| roles.tracer.clone());
        let is_kept = recorder.is_some();
        self.entries.store(Arc::new(Entries { by_plugin, recorder }));
        self.keeps_records.store(is_kept, Ordering::Relaxed);
        self.tracing.replace(tracer);
    }

    /// Who fills which role now.
    pub(crate) fn load(&self) -> Guard<Arc<Entries>> {
        self.entries.load()
    }

    /// Whether there is a recorder.
    pub(crate) fn keeps_records(&self) -> bool {
        self.keeps_records.load(Ordering::Relaxed)
    }

    /// The fetch that a plugin begins when it is asked for; none if nobody fetches that.
    pub(crate) fn fetch(&self, subject: &Subject) -> Option<BoxFuture<'static, Result<Fetched, TriggerError>>> {
        self.load().by_plugin.values().find_map(|roles| roles.triggers.as_ref()?.fetch(subject))
    }
}

impl Entries {
    /// The roles of a running plugin.
    pub(crate) fn of(&self, plugin: &str) -> Option<&Roles> {
        self.by_plugin.get(plugin)
    }
}
