//! An agent with nothing but status, and what stands around it.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use regent_core::config::{ConfigErrors, ConfigTree, Layers, Section};
use regent_core::engine::CompileOptions;
use regent_core::plugin::{Inbox, Plugin, PluginConfig, Roles, Signal};
use regent_core::service::{BoxFuture, CredentialKinds, Service, ServiceConnector, ServiceRequest, ServiceResponse};
use regent_core::settings::{Identity, Settings};
use regent_core::status::{State, StatusSink};
use regent_core::telemetry::Telemetry;
use regent_core::{Error, ErrorKind, Host, Registry, Store, Supervisor, Value};
use regent_engine_rego::RegoEngine;
use regent_kit::{Client, ControlPlane};
use tokio::time::Instant;

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// An agent with nothing but status.
pub(crate) struct Agent {
    pub(crate) host: Host,
    supervisor: Supervisor,
}

impl Agent {
    /// Starts with a configuration below `status`, as JSON, and the control plane as the service `acme`.
    pub(crate) async fn start(acme: &ControlPlane, status: &str) -> Self {
        Self::start_whole(&whole(acme, status)).await
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

    /// Sends a report now.
    pub(crate) async fn trigger(&self) -> Result<(), Error> {
        self.supervisor.mailbox("status").expect("it runs").trigger().await
    }

    /// Waits until the plugin runs.
    pub(crate) async fn ready(&self) {
        let mut watch = self.host.status.watch();
        let ready =
            watch.wait_for(|report| report.plugins.get("status").is_some_and(|plugin| plugin.state == State::Ok));
        tokio::time::timeout(LIMIT, ready).await.expect("in time").expect("the board lives");
    }

    pub(crate) async fn stop(self) {
        self.supervisor.shutdown(Instant::now() + LIMIT).await.expect("it stops in time");
    }

    pub(crate) async fn stop_within(self, grace: Duration) {
        self.supervisor.shutdown(Instant::now() + grace).await.expect("it stops in time");
    }
}

/// A configuration with the control plane as the service `acme`.
pub(crate) fn whole(acme: &ControlPlane, status: &str) -> String {
    let url = acme.url();
    format!(
        r#"{{"services": {{"acme": {{"url": "{url}"}}}}, "labels": {{"app": "demo"}}, "plugins": {{"recording": {{}}}},
            "status": {status}}}"#
    )
}

pub(crate) fn tree(config: &str) -> ConfigTree {
    Layers::new().text("test", config).load().expect("valid YAML")
}

pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.service_connector(Arc::new(Wires));
    regent_status::register(&mut registry);
    registry.plugin::<Recording>();
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

/// A plugin that keeps the reports it is given.
pub(crate) struct Recording;

/// Reports that the plugin took.
pub(crate) static TAKEN: Mutex<Vec<Value>> = Mutex::new(Vec::new());

#[derive(Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Nothing {}

impl PluginConfig for Nothing {}

impl Plugin for Recording {
    const NAME: &'static str = "recording";
    type Config = Nothing;

    fn build(_: Nothing, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn roles(&self) -> Roles {
        Roles { status_sink: Some(Arc::new(Self)), ..Roles::default() }
    }

    async fn run(self, mut inbox: Inbox<Nothing>) -> Result<(), Error> {
        while !matches!(inbox.recv().await, Signal::Stop(_)) {}
        Ok(())
    }
}

impl StatusSink for Recording {
    fn write(&self, body: Value) -> BoxFuture<'_, Result<(), Error>> {
        TAKEN.lock().expect("no one panics with it").push(body);
        Box::pin(async { Ok(()) })
    }
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
