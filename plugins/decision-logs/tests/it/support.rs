//! An agent with nothing but decision logs, and what stands around it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use regent_core::config::{ConfigErrors, ConfigTree, Layers, Section};
use regent_core::decision::{DecisionEvent, EncodedEvent, Gathering, RefusedEvents, Safekeeping};
use regent_core::engine::{CompileOptions, RegoVersion, Source};
use regent_core::plugin::{DecisionSink, PluginConfig};
use regent_core::service::{BoxFuture, CredentialKinds, Service, ServiceConnector, ServiceRequest, ServiceResponse};
use regent_core::settings::{Identity, Settings};
use regent_core::status::DecisionLogsStatus;
use regent_core::telemetry::Telemetry;
use regent_core::value::decode;
use regent_core::{Error, ErrorKind, Host, Registry, Store, Supervisor, Value};
use regent_engine_rego::RegoEngine;
use regent_kit::{Client, ControlPlane};
use tokio::time::Instant;

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// An agent with nothing but decision logs.
pub(crate) struct Agent {
    pub(crate) host: Host,
    supervisor: Supervisor,
}

impl Agent {
    /// Starts with a configuration below `decision_logs`, as JSON, and the control plane as the service `acme`.
    pub(crate) async fn start(acme: &ControlPlane, decision_logs: &str) -> Self {
        Self::start_whole(&whole(acme, decision_logs)).await
    }

    /// Starts with a whole configuration.
    pub(crate) async fn start_whole(config: &str) -> Self {
        let tree = tree(config);
        let identity = Identity { id: "agent-1".to_owned(), version: "1.9.0".to_owned() };
        let settings = Settings::from_tree(&tree, identity.clone()).expect("valid settings");
        let engine = Arc::new(RegoEngine::default());
        let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("an empty store");
        let telemetry = Telemetry::new(&[1.0]).expect("one bucket");
        let host = Host::new(store, telemetry, settings);
        let mut supervisor = Supervisor::new(Arc::new(registry()), host.clone(), identity);
        supervisor.apply(&tree).await.expect("a valid configuration");
        Self { host, supervisor }
    }

    pub(crate) async fn apply(&mut self, config: &str) {
        self.supervisor.apply(&tree(config)).await.expect("a valid configuration");
    }

    /// Puts a module in place.
    pub(crate) async fn policy(&self, text: &str) {
        let source = Source {
            id: text.into(),
            file: "p.rego".into(),
            text: text.into(),
            version: RegoVersion::V1,
            broken: Vec::new(),
        };
        let put = self.host.store.write(move |transaction| {
            let module = transaction.parse(source)?;
            transaction.put_policy(module);
            Ok(())
        });
        put.await.expect("a valid module");
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
    pub(crate) fn decide_safely(&self, id: &str) -> Safekeeping {
        self.host.record(Box::new(self.event(id))).expect("it never fails at once").expect("something to wait for")
    }

    /// Uploads now.
    pub(crate) async fn upload(&self) -> Result<(), Error> {
        self.supervisor.mailbox("decision_logs").expect("it runs").trigger().await
    }

    pub(crate) async fn stop(self) {
        self.supervisor.shutdown(Instant::now() + LIMIT).await.expect("it stops in time");
    }

    /// Stops; whether everything ended in time is up to the caller.
    pub(crate) async fn stop_within(self, grace: Duration) -> Result<(), Error> {
        self.supervisor.shutdown(Instant::now() + grace).await
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

pub(crate) fn tree(config: &str) -> ConfigTree {
    Layers::new().text("test", config).load().expect("valid YAML")
}

pub(crate) fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.service_connector(Arc::new(Wires));
    regent_decision_logs::register(&mut registry);
    registry.decision_sink::<Recording>();
    registry.decision_sink::<Stuck>();
    registry.decision_sink::<Gatherer>();
    registry
}

/// Services without credentials.
struct Wires;

impl ServiceConnector for Wires {
    fn kind(&self) -> &'static str {
        ""
    }

    fn connect(&self, section: &Section, _: &CredentialKinds) -> Result<Arc<dyn Service>, ConfigErrors> {
        let url = section.value().get("url").and_then(Value::as_str).expect("a URL").to_owned();
        Ok(Arc::new(Wire(url)))
    }
}

struct Wire(String);

impl Service for Wire {
    fn send(&self, request: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>> {
        Box::pin(async move {
            let mut wire = Request::new(request.body);
            *wire.method_mut() = request.method;
            *wire.headers_mut() = request.headers;
            *wire.uri_mut() = format!("{}{}", self.0, request.path).parse().expect("a URL");
            let failed = |error: regent_kit::Error| Error::new(ErrorKind::Unavailable, error.to_string());
            let answer = Client::plain().send(wire).await.map_err(failed)?;
            let body = Bytes::from(answer.text());
            let body = futures_util::stream::once(async { Ok(body) }).boxed();
            Ok(ServiceResponse { status: answer.status, headers: answer.headers, body })
        })
    }
}

/// A sink that keeps what it is given, under the name that its configuration gives.
pub(crate) struct Recording;

/// Ids of the events that sinks took, all tests together.
static TAKEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Errors that the sink answers with first, by the first event's id.
pub(crate) static REFUSALS: Mutex<VecDeque<(String, ErrorKind)>> = Mutex::new(VecDeque::new());

#[derive(Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Nothing {}

impl PluginConfig for Nothing {}

impl DecisionSink for Recording {
    const NAME: &'static str = "recording";
    type Config = Nothing;

    fn build(_: Nothing, _: Host) -> Result<Self, Error> {
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
    type Config = Nothing;

    fn build(_: Nothing, _: Host) -> Result<Self, Error> {
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
    type Config = Nothing;

    fn build(_: Nothing, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn gathering(&self) -> Gathering {
        Gathering { events: 3, bytes: 2000, wait: Duration::from_hours(1) }
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

/// A line's message and its field `json`.
type Line = (String, Option<String>);

/// Log lines of all tests together: message, and the text of the field `json`.
pub(crate) fn lines() -> &'static Mutex<Vec<Line>> {
    static LINES: OnceLock<Mutex<Vec<Line>>> = OnceLock::new();
    LINES.get_or_init(|| {
        use tracing_subscriber::layer::SubscriberExt as _;
        let capture = tracing_subscriber::registry().with(Capture);
        tracing::subscriber::set_global_default(capture).expect("the only one");
        Mutex::default()
    })
}

struct Capture;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if event.metadata().target().starts_with("regent") {
            lines().lock().expect("no one panics with it").push((fields.message, fields.json));
        }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    json: Option<String>,
}

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "json" => self.json = Some(format!("{value:?}")),
            _ => {}
        }
    }
}
