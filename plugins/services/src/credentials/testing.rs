//! What the tests of credentials share: a service in an environment of the test's own.

use std::sync::Arc;

use regent_core::config::Layers;
use regent_core::service::{CredentialKinds, Service, ServiceConnector, ServiceRequest};
use regent_kit::{ControlPlane, Received};

use super::factories;
use crate::connector::{HttpConnector, RegistryConnector};
use crate::environment::Environment;

/// A guarded service with credentials of its own, as the configuration has them.
pub(crate) struct Guarded {
    pub(crate) server: ControlPlane,
    service: Arc<dyn Service>,
}

impl Guarded {
    /// A service with these credentials.
    pub(crate) async fn by(credentials: &str, environment: impl Into<Environment>) -> Self {
        let server = ControlPlane::start().await;
        let url = server.url();
        let config =
            format!("services: {{acme: {{url: '{url}', allow_insecure_tls: true, credentials: {{{credentials}}}}}}}");
        let service = connect(&config, environment).expect("a valid configuration");
        Self { server, service }
    }

    /// Sends a request; what it was sent with, or why it was not.
    pub(crate) async fn ask(&self) -> Result<Received, String> {
        let mut request = ServiceRequest::new(http::Method::POST, "logs/a%20b?x=1&a=2");
        request.headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        request.headers.insert("accept-encoding", http::HeaderValue::from_static("gzip"));
        request.headers.insert("x-own", http::HeaderValue::from_static("1"));
        request.body = "[]".into();
        self.service.send(request).await.map_err(|error| error.chain())?;
        Ok(self.server.requests().pop().expect("the request came"))
    }

    /// The value of `Authorization` that a request is sent with, or why it is not.
    pub(crate) async fn authorization(&self) -> Result<String, String> {
        Ok(self.ask().await?.header("authorization").unwrap_or_default().to_owned())
    }
}

/// The service `acme` of a configuration.
pub(crate) fn connect(config: &str, environment: impl Into<Environment>) -> Result<Arc<dyn Service>, String> {
    let tree = Layers::new().text("test", config).load().map_err(|errors| errors.to_string())?;
    let section = tree.section(&["services", "acme"]).expect("the service is there");
    let factories = factories(&environment.into()).into_iter();
    let kinds: CredentialKinds = factories.map(|factory| (factory.kind(), factory)).collect();
    let connector: &dyn ServiceConnector =
        if super::is_registry(&section) { &RegistryConnector } else { &HttpConnector };
    connector.connect(&section, &kinds).map_err(|errors| errors.to_string())
}

/// What is wrong with credentials.
pub(crate) fn refusal(credentials: &str) -> String {
    let config = format!("services: {{acme: {{url: 'http://x', credentials: {{{credentials}}}}}}}");
    connect(&config, []).err().expect("a refusal")
}
