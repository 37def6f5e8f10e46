//! `oauth2`: a token from a token endpoint, by the client credentials grant (RFC 6749) or for an assertion (RFC 7523).

mod assertion;
mod endpoint;
mod keyvault;
mod kms;
mod written;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use regent_core::Error;
use regent_core::config::{ConfigErrors, Secret, Section};
use regent_core::service::{BoxFuture, CredentialFactory, CredentialProvider, ServiceRequest};

use super::authorization;
use super::aws::Surroundings;
use super::fresh::Fresh;
use crate::environment::Environment;
use endpoint::TokenEndpoint;
use written::Written;

/// A token counts as expired this long before its end, as in OPA.
const MARGIN: Duration = Duration::from_secs(10);

/// Makes [`OAuth2`] credentials.
pub(crate) struct OAuth2Factory(pub(crate) Environment);

/// A token, and where to get the next one.
struct OAuth2 {
    endpoint: TokenEndpoint,
    token: Fresh<Secret>,
}

impl CredentialFactory for OAuth2Factory {
    fn kind(&self) -> &'static str {
        "oauth2"
    }

    fn build(&self, section: &Section, service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        let written = section.parse::<Written>()?;
        let endpoint = written.endpoint(section, service, &Surroundings::new(self.0.clone()))?;
        Ok(Arc::new(OAuth2 { endpoint, token: Fresh::new(MARGIN) }))
    }
}

impl CredentialProvider for OAuth2 {
    fn prepare<'a>(&'a self, _url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let token = self.token.get(self.endpoint.token()).await?;
            request.headers.insert(AUTHORIZATION, authorization("Bearer", &token)?);
            Ok(())
        })
    }

    /// OPA goes on with a token that is refused until it expires; one that was revoked would lock the agent out so long.
    fn refused(&self, sent: &HeaderMap) {
        self.token.forget(|token| {
            authorization("Bearer", token).is_ok_and(|header| sent.get(AUTHORIZATION) == Some(&header))
        });
    }
}
