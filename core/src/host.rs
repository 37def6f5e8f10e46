//! What a plugin is given: a handful of handles, and nothing of any other plugin.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::data_fetcher::DataFetchers;
use crate::decision::{Ack, DecisionEvent, SinkHandle};
use crate::error::Error;
use crate::roles::{RoleDirectory, Roles};
use crate::service::Services;
use crate::settings::Settings;
use crate::signing::Verifiers;
use crate::status::{State, StatusBoard, StatusSink};
use crate::steering::Steering;
use crate::store::Store;
use crate::telemetry::Telemetry;
use crate::trace::Tracing;
use crate::trigger::{Fetched, PATIENCE, Subject, TriggerError};

/// A plugin's view of the agent. Clones share everything.
#[derive(Clone)]
pub struct Host {
    plugin: Arc<str>,
    /// Data and policy.
    pub store: Store,
    /// Control-plane services.
    pub services: Services,
    /// How everything fares.
    pub status: StatusBoard,
    /// The agent's own measurements.
    pub telemetry: Telemetry,
    /// Where another configuration can be proposed.
    pub steering: Steering,
    /// Spans of distributed traces.
    pub tracing: Tracing,
    /// Who can tell whether a bundle may be believed.
    pub verifiers: Arc<Verifiers>,
    /// Who can get data that updates speak of.
    pub data_fetchers: Arc<DataFetchers>,
    roles: RoleDirectory,
    settings: Arc<ArcSwap<Settings>>,
}

impl Host {
    /// The host of an agent.
    pub fn new(store: Store, telemetry: Telemetry, settings: Settings) -> Self {
        let (tracing, status) = (Tracing::default(), StatusBoard::default());
        let board = status.clone();
        telemetry.make_families("ages", move || board.ages());
        Self {
            plugin: "agent".into(),
            store,
            services: Services::new(tracing.clone()),
            status,
            telemetry,
            steering: Steering::default(),
            roles: RoleDirectory::new(tracing.clone()),
            tracing,
            verifiers: Arc::default(),
            data_fetchers: Arc::default(),
            settings: Arc::new(ArcSwap::from_pointee(settings)),
        }
    }

    /// The same host, where another configuration can be proposed.
    #[must_use]
    pub fn steered_by(self, steering: Steering) -> Self {
        Self { steering, ..self }
    }

    /// The same host under a plugin's name.
    #[must_use]
    pub fn for_plugin(&self, name: &str) -> Self {
        Self { plugin: name.into(), ..self.clone() }
    }

    /// Reports the plugin's own state.
    pub fn report(&self, state: State, message: Option<String>) {
        self.status.set_plugin(&self.plugin, state, message);
    }

    /// What the whole agent goes by: labels, default paths.
    pub fn settings(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// Records a decision, if anyone keeps records. What comes back is to be waited for before the answer goes out.
    ///
    /// # Errors
    /// When the decision must not be answered because it cannot be recorded.
    pub fn record(&self, event: Box<DecisionEvent>) -> Result<Option<Ack>, Error> {
        self.roles.load().recorder.as_ref().map_or(Ok(None), |recorder| recorder.record(event))
    }

    /// Names, in lower case, of the request headers that a record should bring along, if there are any.
    pub fn recorded_headers(&self) -> Option<Arc<Vec<String>>> {
        self.roles.load().recorder.as_ref().and_then(|recorder| recorder.headers())
    }

    /// Whether anyone keeps records of decisions.
    pub fn keeps_records(&self) -> bool {
        self.roles.keeps_records()
    }

    /// The sink that a running plugin offers.
    pub fn sink(&self, plugin: &str) -> Option<Arc<dyn SinkHandle>> {
        self.roles.load().of(plugin)?.decision_sink.clone()
    }

    /// The receiver of status reports that a running plugin offers.
    pub fn status_sink(&self, plugin: &str) -> Option<Arc<dyn StatusSink>> {
        self.roles.load().of(plugin)?.status_sink.clone()
    }

    /// Has something fetched now that is otherwise fetched from time to time, or never (`trigger: manual`), and waits for
    /// what becomes of it, at most [`PATIENCE`]. Who asks while a fetch runs gets the outcome of the next one.
    ///
    /// # Errors
    /// When nobody fetches that, the fetch failed, or it takes too long; it then goes on.
    pub async fn trigger(&self, subject: &Subject) -> Result<Fetched, TriggerError> {
        let fetch = self.roles.fetch(subject).ok_or_else(|| TriggerError::Unknown(subject.clone()))?;
        let ended = tokio::time::timeout(PATIENCE, fetch).await;
        ended.unwrap_or_else(|_| Err(TriggerError::Slow(subject.clone(), PATIENCE)))
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    pub(crate) fn publish(&self, plugin: &str, roles: &Roles) {
        self.roles.publish(plugin, roles);
    }

    pub(crate) fn withdraw(&self, plugin: &str) {
        self.roles.withdraw(plugin);
    }
}
