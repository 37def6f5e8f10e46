//! The client of one service.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use regent_core::Error;
use regent_core::service::{BoxFuture, CredentialProvider, Service, ServiceRequest, ServiceResponse};
use url::Url;

use crate::config::ServiceConfig;
use crate::error::ServiceError;
use crate::log;
use crate::user_agent::user_agent;
use crate::wire::{Arrived, Message, Wire};

/// A service that speaks plain HTTP.
pub(crate) struct RestService {
    config: ServiceConfig,
    credentials: Option<Arc<dyn CredentialProvider>>,
    wire: Wire,
}

/// What proves to whoever is asked who the agent is.
#[derive(Clone)]
pub(crate) enum Proof {
    /// The service's credentials.
    Credentials,
    /// A token that they were exchanged for: the value of `Authorization`.
    Token(HeaderValue),
}

impl RestService {
    pub(crate) fn new(config: ServiceConfig, credentials: Option<Arc<dyn CredentialProvider>>) -> Self {
        let wire = Wire::new(&config.url, config.trust.clone(), credentials.clone());
        Self { config, credentials, wire }
    }

    pub(crate) fn config(&self) -> &ServiceConfig {
        &self.config
    }

    async fn exchange(&self, mut request: ServiceRequest) -> Result<ServiceResponse, Error> {
        let address = self.config.address(&request.path);
        let url = Url::parse(&address).map_err(|error| ServiceError::Url(request.path.clone(), error))?;
        self.add_own_headers(&mut request.headers);
        let open_headers = log::without_secrets(&request.headers);
        let (arrived, sent) = self.send_to(url, request, open_headers, Proof::Credentials).await?;
        if arrived.is_of_asked && arrived.response.status == StatusCode::UNAUTHORIZED {
            self.refused(&sent);
        }
        Ok(arrived.response)
    }

    /// Sends a request to an address, whatever its path is, with what proves who the agent is. Returns the headers that
    /// were sent beside the answer.
    pub(crate) async fn send_to(
        &self,
        url: Url,
        mut request: ServiceRequest,
        open_headers: HeaderMap,
        proof: Proof,
    ) -> Result<(Arrived, HeaderMap), Error> {
        match (proof, &self.credentials) {
            (Proof::Token(token), _) => drop(request.headers.insert(header::AUTHORIZATION, token)),
            (Proof::Credentials, Some(credentials)) => credentials.prepare(url.as_str(), &mut request).await?,
            (Proof::Credentials, None) => {}
        }
        log::request(&request, url.as_str());
        let (method, address, limit) = (request.method.clone(), url.to_string(), self.limit(&request));
        let ServiceRequest { headers, body, .. } = request;
        let sent = headers.clone();
        let message = Message { method: method.clone(), url, headers, open_headers, body, limit };
        let Arrived { response, is_of_asked } = self.wire.send(message).await?;
        let response = log::response(&method, &address, response).await;
        Ok((Arrived { response, is_of_asked }, sent))
    }

    /// Tells the credentials that what they sent was refused, so that they get something new for the next request.
    pub(crate) fn refused(&self, sent: &HeaderMap) {
        if let Some(credentials) = &self.credentials {
            credentials.refused(sent);
        }
    }

    /// Adds the service's own headers, which win over those of the request.
    pub(crate) fn add_own_headers(&self, headers: &mut HeaderMap) {
        headers.entry(header::USER_AGENT).or_insert_with(agent_header);
        for (name, value) in &self.config.headers {
            headers.insert(name, value.clone());
        }
    }

    /// How long the headers of an answer may take.
    fn limit(&self, request: &ServiceRequest) -> Option<Duration> {
        match request.header_timeout {
            Some(limit) => Some(limit).filter(|limit| !limit.is_zero()),
            None => self.config.header_timeout,
        }
    }
}

impl Service for RestService {
    fn send(&self, request: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>> {
        Box::pin(self.exchange(request))
    }

    fn address(&self, path: &str) -> String {
        self.config.address(path)
    }
}

/// Who the agent says it is.
pub(crate) fn agent_header() -> HeaderValue {
    HeaderValue::try_from(user_agent()).expect("names and numbers are fit for a header")
}
