//! `s3_signing`: requests signed with keys of AWS, for S3 or any other of its services. Registries are not sent
//! signatures but a token that is had for one ([`super::ecr`]).

use std::sync::Arc;

use http::header::ACCEPT_ENCODING;
use regent_core::Error;
use regent_core::config::{ConfigErrors, Section};
use regent_core::service::{BoxFuture, CredentialFactory, CredentialProvider, ServiceRequest};

use super::asker::address;
use super::aws::{self, Chain, Surroundings, WrittenSigning};
use super::ecr::EcrToken;
use super::{given, is_registry, refused};
use crate::environment::Environment;

/// The service that is signed for, unless the configuration names one.
const S3: &str = "s3";

/// The service that gives tokens for registries.
const ECR: &str = "ecr";

/// Makes [`S3Signing`] credentials.
pub(crate) struct S3SigningFactory(pub(crate) Environment);

/// Signs for one of AWS's services.
struct S3Signing {
    service: String,
    chain: Chain,
}

impl CredentialFactory for S3SigningFactory {
    fn kind(&self) -> &'static str {
        "s3_signing"
    }

    fn build(&self, section: &Section, service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        let mut written = section.parse::<WrittenSigning>()?;
        let name = given(written.service.take()).map(|name| name.to_lowercase());
        let surroundings = Surroundings::new(self.0.clone());
        let chain = written.build(section, &surroundings)?;
        match (is_registry(service), name.as_deref()) {
            (true, None | Some(ECR)) => {
                let url = service.value().get("url").and_then(regent_core::Value::as_str).unwrap_or_default();
                Ok(Arc::new(EcrToken::new(url, chain, surroundings)))
            }
            (true, Some(name)) => {
                Err(refused(section, format!("cannot use aws service {name:?} with service type \"oci\"")))
            }
            (false, Some(ECR)) => Err(refused(section, r#"aws service "ecr" must be used with service type "oci""#)),
            (false, name) => Ok(Arc::new(S3Signing { service: name.unwrap_or(S3).to_owned(), chain })),
        }
    }
}

impl CredentialProvider for S3Signing {
    fn prepare<'a>(&'a self, url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let keys = self.chain.keys().await?;
            let url = address(url)?;
            // In OPA it is added later, by Go's client, and so not signed. Proxies and stores like S3 change it on the way.
            let encoding = request.headers.remove(ACCEPT_ENCODING);
            let target = (&*self.service, self.chain.version);
            aws::sign(&request.method, &url, &mut request.headers, &request.body, target, &keys)?;
            request.headers.extend(encoding.map(|encoding| (ACCEPT_ENCODING, encoding)));
            Ok(())
        })
    }
}
