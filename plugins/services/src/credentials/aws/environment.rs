//! Keys in variables of the environment.

use regent_core::config::Secret;
use regent_core::service::BoxFuture;

use super::{Keys, Provider, required};
use crate::credentials::failure::Failure;
use crate::environment::Environment;

pub(super) struct FromEnvironment(pub(super) Environment);

impl FromEnvironment {
    fn read(&self) -> Result<Keys, Failure> {
        let token = self.0.get("AWS_SESSION_TOKEN").or_else(|| self.0.get("AWS_SECURITY_TOKEN"));
        Ok(Keys {
            access_key: required(&self.0, "AWS_ACCESS_KEY_ID")?,
            secret_key: Secret::new(required(&self.0, "AWS_SECRET_ACCESS_KEY")?),
            region: required(&self.0, "AWS_REGION")?,
            session_token: Secret::new(token.unwrap_or_default()),
        })
    }
}

impl Provider for FromEnvironment {
    fn keys(&self) -> BoxFuture<'_, Result<Keys, Failure>> {
        Box::pin(std::future::ready(self.read()))
    }
}
