//! What the tests share: services made from configuration text, as an agent makes them.

use std::sync::Arc;

use regent_agent_kit::Agent;
use regent_core::service::{Service, ServiceRequest};
use regent_core::{Error, Registry};

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
    let mut agent = Agent::idle(|registry| {
        regent_services::register(registry);
        add(registry);
    });
    agent.try_apply(config).await.map_err(|errors| errors.to_string())?;
    agent.host.services.get("acme").map_err(|error| error.chain())
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
