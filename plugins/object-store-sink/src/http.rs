//! The HTTP client of stores: the one that the rest of the agent uses, with its TLS.

use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector};
use regent_services::tls::{Authorities, ClientSetup};
use reqwest::redirect::Policy;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes clients that trust the system's authorities.
#[derive(Debug)]
pub(crate) struct Connector {
    /// How long a request may take, answer and all.
    pub(crate) timeout: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let failed = |source| object_store::Error::Generic { store: "HTTP", source };
        let setup = ClientSetup { authorities: &Authorities::System, identity: None, server_name: None };
        let tls = setup.config().map_err(|error| failed(Box::new(error)))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(self.timeout)
            .redirect(Policy::none())
            .build();
        Ok(HttpClient::new(client.map_err(|error| failed(Box::new(error)))?))
    }
}
