//! From a section of the configuration to a client.

use std::sync::Arc;

use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::service::{CredentialKinds, CredentialProvider, Service, ServiceConnector};

use crate::config::ServiceConfig;
use crate::credentials;
use crate::oci::Registry;
use crate::rest::RestService;

/// Makes clients of services that speak plain HTTP.
pub(crate) struct HttpConnector;

impl ServiceConnector for HttpConnector {
    fn kind(&self) -> &'static str {
        ""
    }

    fn connect(&self, section: &Section, kinds: &CredentialKinds) -> Result<Arc<dyn Service>, ConfigErrors> {
        Ok(Arc::new(rest(section, kinds)?))
    }
}

/// Makes clients of OCI registries.
pub(crate) struct RegistryConnector;

impl ServiceConnector for RegistryConnector {
    fn kind(&self) -> &'static str {
        "oci"
    }

    fn connect(&self, section: &Section, kinds: &CredentialKinds) -> Result<Arc<dyn Service>, ConfigErrors> {
        Ok(Arc::new(Registry::new(rest(section, kinds)?)))
    }
}

fn rest(section: &Section, kinds: &CredentialKinds) -> Result<RestService, ConfigErrors> {
    match (ServiceConfig::read(section), configured(section, kinds)) {
        (Ok(config), Ok(credentials)) => Ok(RestService::new(config, credentials)),
        (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => Err(wrong),
        (Err(mut wrong), Err(more)) => {
            wrong.0.extend(more.0);
            Err(wrong)
        }
    }
}

/// The service's credentials, if it has any.
fn configured(service: &Section, kinds: &CredentialKinds) -> Result<Option<Arc<dyn CredentialProvider>>, ConfigErrors> {
    let Some(section) = service.child("credentials") else {
        return Ok(None);
    };
    if let Some(name) = section.child("plugin") {
        return plugin(&name, service, kinds).map(Some);
    }
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

/// Credentials of a plugin, which has its section among those of plugins. As in OPA, no other kind counts beside it.
fn plugin(
    name: &Section,
    service: &Section,
    kinds: &CredentialKinds,
) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
    let Some(kind) = name.value().as_str() else {
        return Err(name.error("", "invalid type, expected the name of a plugin").into());
    };
    let factory = kinds.get(kind).filter(|_| !credentials::is_stock(kind));
    let missing = || ConfigError::opa(format!("auth plugin {kind:?} not found")).from_layer(name.origin(""));
    factory.ok_or_else(missing)?.build(&service.elsewhere_or_empty(&["plugins", kind]), service)
}
