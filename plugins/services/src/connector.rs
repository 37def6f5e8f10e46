//! From a section of the configuration to a client.

use std::sync::Arc;

use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::service::{CredentialKinds, CredentialProvider, Service, ServiceConnector};

use crate::config::ServiceConfig;
use crate::rest::RestService;

/// Makes clients of services that speak plain HTTP.
pub(crate) struct HttpConnector;

impl ServiceConnector for HttpConnector {
    fn kind(&self) -> &'static str {
        ""
    }

    fn connect(&self, section: &Section, kinds: &CredentialKinds) -> Result<Arc<dyn Service>, ConfigErrors> {
        let config = ServiceConfig::read(section);
        let credentials = credentials(section, kinds);
        match (config, credentials) {
            (Ok(config), Ok(credentials)) => Ok(Arc::new(RestService::new(config, credentials))),
            (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => Err(wrong),
            (Err(mut wrong), Err(more)) => {
                wrong.0.extend(more.0);
                Err(wrong)
            }
        }
    }
}

/// The service's credentials, if it has any.
fn credentials(
    service: &Section,
    kinds: &CredentialKinds,
) -> Result<Option<Arc<dyn CredentialProvider>>, ConfigErrors> {
    let Some(section) = service.child("credentials") else {
        return Ok(None);
    };
    let mut methods = section.children();
    let Some((kind, method)) = methods.next() else {
        return Ok(None);
    };
    if methods.next().is_some() {
        let text = "a maximum one credential method must be specified";
        return Err(ConfigError::opa(text).from_layer(section.origin("")).into());
    }
    let Some(factory) = kinds.get(kind.as_str()) else {
        let known = kinds.keys().copied().collect::<Vec<_>>().join(", ");
        return Err(section.error(&kind, format!("is no kind of credentials; there are: {known}")).into());
    };
    factory.build(&method, service).map(Some)
}
