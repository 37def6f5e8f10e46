//! An agent with nothing but decision logs, and what stands around it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use regent_agent_kit::NoConfig;
pub(crate) use regent_agent_kit::log_lines as lines;
use regent_core::decision::{Ack, BatchSettings, DecisionEvent, EncodedEvent, RefusedEvents};
use regent_core::plugin::DecisionSink;
use regent_core::status::DecisionLogsStatus;
use regent_core::value::decode;
use regent_core::{Error, ErrorKind, Host, Registry, Value};
use regent_kit::ControlPlane;

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// An agent with nothing but decision logs.
pub(crate) struct Agent {
    pub(crate) host: Host,
    agent: regent_agent_kit::Agent,
}

impl Agent {
    /// Starts with a configuration below `decision_logs`, as JSON, and the control plane as the service `acme`.
    pub(crate) async fn start(acme: &ControlPlane, decision_logs: &str) -> Self {
        Self::start_whole(&whole(acme, decision_logs)).await
    }

    /// Starts with a whole configuration.
    pub(crate) async fn start_whole(config: &str) -> Self {
        let agent = regent_agent_kit::Agent::start(register, config).await;
        Self { host: agent.host.clone(), agent }
    }

    pub(crate) async fn apply(&mut self, config: &str) {
        self.agent.apply(config).await;
    }

    /// Puts a module in place.
    pub(crate) async fn policy(&self, text: &str) {
        self.agent.policy(text).await;
    }

    /// An event about the present state.
    pub(crate) fn event(&self, id: &str) -> DecisionEvent {
        let timestamp = "2026-01-02T03:04:05.678901234Z".parse().expect("a time");
        let mut event = DecisionEvent::new(id.into(), self.host.store.snapshot(), timestamp);
        "p/allow".clone_into(&mut event.path);
        event.input = Some(json(r#"{"user": "bob", "password": "secret", "list": [1, {"k": "v"}, 3]}"#));
        event.result = Some(true.into());
        event
    }

    /// Records one bare event.
    pub(crate) fn decide(&self, id: &str) {
        self.record(self.event(id));
    }

    /// Records several bare events.
    pub(crate) fn decide_all<S: AsRef<str>>(&self, ids: impl IntoIterator<Item = S>) {
        for id in ids {
            self.decide(id.as_ref());
        }
    }

    pub(crate) fn record(&self, event: DecisionEvent) {
        let safe = self.host.record(Box::new(event)).expect("it never fails");
        assert!(safe.is_none(), "an answer that waits");
    }

    /// Records a bare event, for which the answer has to wait.
    pub(crate) fn decide_safely(&self, id: &str) -> Ack {
        self.host.record(Box::new(self.event(id))).expect("it never fails at once").expect("something to wait for")
    }

    /// Uploads now.
    pub(crate) async fn upload(&self) -> Result<(), Error> {
        self.agent.trigger("decision_logs").await
    }

    pub(crate) async fn stop(self) {
        self.stop_within(LIMIT).await.expect("it stops in time");
    }

    /// Stops; whether everything ended in time is up to the caller.
    pub(crate) async fn stop_within(self, grace: Duration) -> Result<(), Error> {
        self.agent.stop_within(grace).await
    }

    /// Waits until decision logs have reported something that fits.
    pub(crate) async fn status(&self, fits: impl Fn(&DecisionLogsStatus) -> bool) -> DecisionLogsStatus {
        let mut watch = self.host.status.watch();
        let seen = watch.wait_for(|report| report.decision_logs.as_ref().is_some_and(&fits));
        let seen = tokio::time::timeout(LIMIT, seen).await.expect("a fitting status in time");
        seen.expect("the board lives").decision_logs.clone().expect("it fits")
    }

    /// A counter as `/metrics` shows it.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        let text = self.host.telemetry.render();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).expect("the counter is shown");
        line.parse().expect("a number")
    }
}

/// A configuration with the control plane as the service `acme`.
pub(crate) fn whole(acme: &ControlPlane, decision_logs: &str) -> String {
    let url = acme.url();
    format!(
        r#"{{"services": {{"acme": {{"url": "{url}"}}}}, "labels": {{"app": "demo"}}, "plugins": {{"recording": {{}}, "stuck": {{}}, "gatherer": {{}}}},
            "decision_logs": {decision_logs}}}"#
    )
}

pub(crate) fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

pub(crate) fn register(registry: &mut Registry) {
    regent_decision_logs::register(registry);
    registry.decision_sink::<Recording>();
    registry.decision_sink::<Stuck>();
    registry.decision_sink::<Gatherer>();
}

/// A sink that keeps what it is given, under the name that its configuration gives.
pub(crate) struct Recording;

/// Ids of the events that sinks took, all tests together.
static TAKEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Errors that the sink answers with first, by the first event's id.
pub(crate) static REFUSALS: Mutex<VecDeque<(String, ErrorKind)>> = Mutex::new(VecDeque::new());

impl DecisionSink for Recording {
    const NAME: &'static str = "recording";
    type Config = NoConfig;

    fn build(_: NoConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        let mut refusals = REFUSALS.lock().expect("no one panics with it");
        let due = refusals.iter().position(|(id, _)| *id == events[0].decision_id());
        if let Some((_, kind)) = due.and_then(|due| refusals.remove(due)) {
            return Err(Error::new(kind, "not now"));
        }
        let (refused, events): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.decision_id().contains("bad"));
        let mut taken = TAKEN.lock().expect("no one panics with it");
        taken.extend(events.iter().map(|event| event.decision_id().to_owned()));
        if refused.is_empty() {
            return Ok(());
        }
        let refused = RefusedEvents { count: refused.len(), why: "they are bad".to_owned() };
        Err(Error::new(ErrorKind::Refused, "not all").caused_by(refused))
    }
}

/// A sink that takes its first batch for ever.
pub(crate) struct Stuck;

impl DecisionSink for Stuck {
    const NAME: &'static str = "stuck";
    type Config = NoConfig;

    fn build(_: NoConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    async fn write(&mut self, _: &[EncodedEvent]) -> Result<(), Error> {
        std::future::pending().await
    }
}

/// A sink that would like to have three events at once, or 2000 bytes, and waits an hour for them.
pub(crate) struct Gatherer;

/// Ids of the events of each batch that it took, all tests together.
pub(crate) static BATCHES: Mutex<Vec<Vec<String>>> = Mutex::new(Vec::new());

impl DecisionSink for Gatherer {
    const NAME: &'static str = "gatherer";
    type Config = NoConfig;

    fn build(_: NoConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn batch_settings(&self) -> BatchSettings {
        BatchSettings { events: 3, bytes: 2000, wait: Duration::from_hours(1) }
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        let ids = events.iter().map(|event| event.decision_id().to_owned()).collect();
        BATCHES.lock().expect("no one panics with it").push(ids);
        Ok(())
    }
}

/// Whether a sink has taken the event.
pub(crate) async fn taken(id: &str) {
    let look = async || TAKEN.lock().expect("no one panics with it").iter().any(|taken| taken == id).then_some(());
    regent_kit::wait::until(LIMIT, "the event in the sink", look).await.expect("it comes");
}

/// How often sinks have taken the event.
pub(crate) fn times_taken(id: &str) -> usize {
    TAKEN.lock().expect("no one panics with it").iter().filter(|taken| *taken == id).count()
}
