//! `s3_signing`: requests signed with keys of AWS, for S3 or any other of its services.

use std::sync::Arc;

use http::header::ACCEPT_ENCODING;
use regent_core::Error;
use regent_core::config::{ConfigErrors, Section};
use regent_core::service::{BoxFuture, CredentialFactory, CredentialProvider, ServiceRequest};

use super::asker::address;
use super::aws::{self, Chain, Surroundings, WrittenSigning};
use super::{given, read_section, refused};
use crate::environment::Environment;

/// The service that is signed for, unless the configuration names one.
const S3: &str = "s3";

/// The keys, for whoever mistypes one.
const KEYS: &[&str] = &[
    "service",
    "signature_version",
    "environment_credentials",
    "assume_role_credentials",
    "web_identity_credentials",
    "profile_credentials",
    "metadata_credentials",
    "sso_credentials",
];

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

    fn build(&self, section: &Section, _service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        let mut written = read_section::<WrittenSigning>(section, KEYS)?;
        let service = given(written.service.take());
        let chain = written.build(section, &Surroundings::new(self.0.clone()))?;
        let service = service.map_or_else(|| S3.to_owned(), |service| service.to_lowercase());
        if service == "ecr" {
            return Err(refused(section, r#"aws service "ecr" must be used with service type "oci""#));
        }
        Ok(Arc::new(S3Signing { service, chain }))
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
