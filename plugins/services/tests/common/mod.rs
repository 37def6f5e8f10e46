//! What the tests share: services made from configuration text, as an agent makes them.

use std::sync::Arc;

use regent_core::builtin::Builtin;
use regent_core::config::{ConfigTree, Layers};
use regent_core::engine::{
    CompileOptions, Engine, Module, PolicyErrors, Program, Query, QueryError, RuleDocument, Source, Unsupported,
};
use regent_core::engine::{Linked, PreparedQuery};
use regent_core::service::{Service, ServiceRequest};
use regent_core::settings::{Identity, Settings};
use regent_core::telemetry::{REQUEST_BUCKETS, Telemetry};
use regent_core::value::Json;
use regent_core::{Error, Host, Registry, Store, Supervisor, Value};

/// The client of service `acme`.
pub(crate) async fn acme(config: &str) -> Arc<dyn Service> {
    try_acme(config).await.expect("a valid configuration")
}

/// The client of service `acme`, or what is wrong with the configuration.
pub(crate) async fn try_acme(config: &str) -> Result<Arc<dyn Service>, String> {
    try_acme_with(config, |_| {}).await
}

/// The same, for an agent to which something was added.
pub(crate) async fn try_acme_with(config: &str, add: impl FnOnce(&mut Registry)) -> Result<Arc<dyn Service>, String> {
    // What nothing uses is not looked at as closely.
    only_acme(&format!("{config}\nstatus: {{service: acme}}"), add).await
}

/// The same, for an agent that is configured with that and nothing else.
pub(crate) async fn only_acme(config: &str, add: impl FnOnce(&mut Registry)) -> Result<Arc<dyn Service>, String> {
    let tree = Layers::new().text("test", config).load().map_err(|errors| errors.to_string())?;
    let mut registry = Registry::default();
    regent_services::register(&mut registry);
    add(&mut registry);
    let host = host(&tree);
    let mut supervisor = Supervisor::new(Arc::new(registry), host.clone(), identity());
    supervisor.apply(&tree).await.map_err(|errors| errors.to_string())?;
    host.services.get("acme").map_err(|error| error.chain())
}

/// The status and the whole body of an answer to `GET`, or the whole text of the error.
pub(crate) async fn get(service: &dyn Service, path: &str) -> Result<(u16, String), String> {
    let request = ServiceRequest::new(http::Method::GET, path);
    let read = async {
        let answer = service.send(request).await?;
        let status = answer.status.as_u16();
        let body = answer.read(1 << 20).await?;
        Ok::<_, Error>((status, String::from_utf8_lossy(&body).into_owned()))
    };
    read.await.map_err(|error| error.chain())
}

fn host(tree: &ConfigTree) -> Host {
    let store = Store::new(Arc::new(NoEngine), CompileOptions::default(), Value::empty_object());
    let settings = Settings::from_tree(tree, identity()).expect("valid settings");
    let telemetry = Telemetry::new(REQUEST_BUCKETS).expect("there are buckets");
    Host::new(store.expect("the empty program compiles"), telemetry, settings)
}

fn identity() -> Identity {
    Identity { id: "test".to_owned(), version: "0".to_owned() }
}

/// Services need no engine.
struct NoEngine;
struct NoProgram;

impl Engine for NoEngine {
    fn name(&self) -> &'static str {
        "none"
    }

    fn parse(&self, _: Source) -> Result<Arc<dyn Module>, PolicyErrors> {
        Err(PolicyErrors::default())
    }

    fn with_builtins(&self, _: &[Arc<dyn Builtin>]) -> Result<Arc<dyn Engine>, Unsupported> {
        unreachable!("nothing adds functions")
    }

    fn compile(&self, _: &[Arc<dyn Module>], _: &CompileOptions) -> Result<Arc<dyn Program>, PolicyErrors> {
        Ok(Arc::new(NoProgram))
    }
}

impl Program for NoProgram {
    fn ast(&self, _: &str) -> Result<Json, Unsupported> {
        unreachable!("there are no modules")
    }

    fn documents(&self) -> Vec<RuleDocument> {
        Vec::new()
    }

    fn link(&self, _: &Value) -> Linked {
        Arc::new(())
    }

    fn prepare(&self, _: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError> {
        Err(QueryError::Invalid("no engine".to_owned()))
    }
}
