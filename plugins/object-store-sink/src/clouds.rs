//! The stores of the clouds: what is configured, over what the environment says.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
#[cfg(any(feature = "aws", feature = "azure"))]
use regent_core::config::Secret;

use crate::config::Config;

/// Tries that a request has at once if the answer is one of those that pass. The lane goes on after that.
const RETRIES: usize = 2;

#[cfg(any(feature = "aws", feature = "azure"))]
fn exposed(secret: Option<&Secret>) -> Option<String> {
    secret.map(|secret| secret.expose().to_owned())
}

fn retry(timeout: Duration) -> object_store::RetryConfig {
    object_store::RetryConfig { max_retries: RETRIES, retry_timeout: timeout, ..Default::default() }
}

#[cfg(feature = "aws")]
pub(crate) fn aws(config: &Config) -> object_store::Result<Arc<dyn ObjectStore>> {
    use object_store::StaticCredentialProvider;
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key, AwsCredential};
    let options = config.aws.clone().unwrap_or_default();
    let timeout = config.timeout();
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(config.bucket())
        .with_http_connector(crate::http::Connector { timeout })
        .with_retry(retry(timeout));
    let given = [
        (Key::Region, options.region.clone()),
        (Key::Endpoint, options.endpoint.clone()),
        (Key::VirtualHostedStyleRequest, options.virtual_hosted_style.map(|on| on.to_string())),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            builder = builder.with_config(key, value);
        }
    }
    // As a whole, so that no token of the environment goes with a key that is configured.
    if let (Some(key_id), Some(secret)) = (options.access_key_id, options.secret_access_key) {
        let token = exposed(options.session_token.as_ref());
        let key = AwsCredential { key_id, secret_key: secret.expose().to_owned(), token };
        builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(key)));
    }
    if let Some(key) = options.kms_key_id {
        builder = builder.with_sse_kms_encryption(key);
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(feature = "azure")]
pub(crate) fn azure(config: &Config) -> object_store::Result<Arc<dyn ObjectStore>> {
    use object_store::azure::{AzureConfigKey as Key, MicrosoftAzureBuilder};
    let options = config.azure.clone().unwrap_or_default();
    let timeout = config.timeout();
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_container_name(config.bucket())
        .with_http_connector(crate::http::Connector { timeout })
        .with_retry(retry(timeout));
    let given = [
        (Key::AccountName, options.account.clone()),
        (Key::AccessKey, exposed(options.access_key.as_ref())),
        (Key::SasKey, exposed(options.sas_token.as_ref())),
        (Key::ClientId, options.client_id.clone()),
        (Key::ClientSecret, exposed(options.client_secret.as_ref())),
        (Key::AuthorityId, options.tenant_id.clone()),
        (Key::Endpoint, options.endpoint.clone()),
        // Else credentials of another kind in the environment might count.
        (Key::CredentialType, options.credentials().first().map(|kind| (*kind).to_owned())),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            builder = builder.with_config(key, value);
        }
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(feature = "gcp")]
pub(crate) fn gcp(config: &Config) -> object_store::Result<Arc<dyn ObjectStore>> {
    use object_store::gcp::GoogleCloudStorageBuilder;
    let options = config.gcp.clone().unwrap_or_default();
    let timeout = config.timeout();
    let is_given = options.credentials.is_some() || options.credentials_file.is_some();
    // What the environment says would contradict it.
    let builder = if is_given { GoogleCloudStorageBuilder::new() } else { GoogleCloudStorageBuilder::from_env() };
    let mut builder = builder
        .with_bucket_name(config.bucket())
        .with_http_connector(crate::http::Connector { timeout })
        .with_retry(retry(timeout));
    if let Some(path) = options.credentials_file {
        builder = builder.with_service_account_path(path);
    }
    if let Some(key) = options.credentials {
        builder = builder.with_service_account_key(key.expose());
    }
    if let Some(endpoint) = options.endpoint {
        builder = builder.with_base_url(&endpoint);
    }
    Ok(Arc::new(builder.build()?))
}
