//! `plugins.object_store_sink`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use object_store::path::Path;
use regent_core::Value;
use regent_core::config::{ConfigError, ConfigErrors, Secret, Section};
use regent_core::decision::BatchSettings;
use regent_core::plugin::{Known, PluginConfig};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::name::Layout;

/// The folders of objects, as tools that read them by the hour expect it.
pub(crate) const DEFAULT_PARTITION: &str = "year=%Y/month=%m/day=%d/hour=%H";

const DEFAULT_BYTES: usize = 16 << 20;
const DEFAULT_EVENTS: usize = 100_000;
const DEFAULT_AGE: u64 = 60;
const DEFAULT_TIMEOUT: u64 = 60;

/// Where decisions are stored, and in which pieces.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Config {
    /// The store, and the folder in it: `s3://BUCKET/FOLDER`, `gs://BUCKET/FOLDER`, `az://CONTAINER/FOLDER` or
    /// `file:///FOLDER`.
    pub url: String,
    /// Folders below that, with fields of the first decision's time in UTC; `year=%Y/month=%m/day=%d/hour=%H` if absent.
    pub partition: Option<String>,
    /// Bytes of events that make an object, before compression; 16 MiB if absent.
    pub max_object_bytes: Option<NonZeroUsize>,
    /// Events that make an object; 100000 if absent.
    pub max_object_events: Option<NonZeroUsize>,
    /// Seconds that an event waits for others; 60 if absent.
    pub max_age_seconds: Option<NonZeroU64>,
    /// Seconds that a request to the store may take; 60 if absent.
    pub timeout_seconds: Option<NonZeroU64>,
    /// For `s3://`. What is absent comes from the environment (`AWS_…`).
    pub aws: Option<AwsConfig>,
    /// For `gs://`. What is absent comes from the environment (`GOOGLE_…`).
    pub gcp: Option<GcpConfig>,
    /// For `az://`. What is absent comes from the environment (`AZURE_…`).
    pub azure: Option<AzureConfig>,
}

/// How S3 is asked, or what speaks its protocol.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AwsConfig {
    /// The region; `us-east-1` if neither this nor the environment says.
    pub region: Option<String>,
    /// The URL of a server that is not Amazon's.
    pub endpoint: Option<String>,
    /// The id of the key. Without key, the environment, tokens of web identities, containers or the instance give one.
    pub access_key_id: Option<String>,
    /// The key.
    pub secret_access_key: Option<Secret>,
    /// What comes with a key that is valid for some time.
    pub session_token: Option<Secret>,
    /// Whether the bucket is part of the host's name.
    pub virtual_hosted_style: Option<bool>,
    /// The key of AWS KMS that objects are encrypted with.
    pub kms_key_id: Option<String>,
}

/// How Google Cloud Storage is asked.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GcpConfig {
    /// The file of a service account's key. Without key, application default credentials or the instance give one.
    pub credentials_file: Option<String>,
    /// The content of such a file.
    pub credentials: Option<Secret>,
    /// The URL of a server that is not Google's.
    pub endpoint: Option<String>,
}

/// How Azure Blob Storage is asked.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AzureConfig {
    /// The storage account.
    pub account: Option<String>,
    /// A key of the account. Without any credentials, the environment or the managed identity gives them.
    pub access_key: Option<Secret>,
    /// A shared access signature.
    pub sas_token: Option<Secret>,
    /// The application that writes.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// The directory that knows the application.
    pub tenant_id: Option<String>,
    /// The URL of the account, if it is not the usual one.
    pub endpoint: Option<String>,
}

impl AzureConfig {
    /// The kinds of credentials that are configured.
    pub(crate) fn credentials(&self) -> Vec<&'static str> {
        let all = [
            ("access_key", self.access_key.is_some()),
            ("sas_token", self.sas_token.is_some()),
            ("client_secret", self.client_secret.is_some()),
        ];
        all.into_iter().filter(|(_, is_set)| *is_set).map(|(kind, _)| kind).collect()
    }
}

/// What kind of store a URL leads to, as far as the agent was built for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    File,
    #[cfg(feature = "aws")]
    Aws,
    #[cfg(feature = "azure")]
    Azure,
    #[cfg(feature = "gcp")]
    Gcp,
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        let mut errors: Vec<ConfigError> = Vec::new();
        match self.read_url() {
            Ok(url) => errors.extend(self.misplaced(url.scheme()).map(|(key, scheme)| {
                section.error(key, format!("is for `{scheme}://`, which `url` does not begin with"))
            })),
            Err(why) => errors.push(section.error("url", why)),
        }
        errors.extend(self.layout_at(Path::default()).problem().map(|why| section.error("partition", why)));
        let has = |part: Option<bool>| part.unwrap_or(false);
        let aws = self.aws.as_ref();
        let (id, key) = (aws.map(|aws| aws.access_key_id.is_some()), aws.map(|aws| aws.secret_access_key.is_some()));
        if has(id) != has(key) {
            errors.push(section.error("aws", "needs both of `access_key_id` and `secret_access_key`, or neither"));
        }
        if has(self.gcp.as_ref().map(|gcp| gcp.credentials.is_some() && gcp.credentials_file.is_some())) {
            errors.push(section.error("gcp", "takes one of `credentials` and `credentials_file`"));
        }
        if self.azure.as_ref().is_some_and(|azure| azure.credentials().len() > 1) {
            errors.push(section.error("azure", "takes one of `access_key`, `sas_token` and `client_secret`"));
        }
        ConfigErrors(errors).into_result()
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        let all: [(&str, Value); 5] = [
            ("partition", DEFAULT_PARTITION.into()),
            ("max_object_bytes", (DEFAULT_BYTES as u64).into()),
            ("max_object_events", (DEFAULT_EVENTS as u64).into()),
            ("max_age_seconds", DEFAULT_AGE.into()),
            ("timeout_seconds", DEFAULT_TIMEOUT.into()),
        ];
        all.map(|(key, value)| (vec![key.to_owned()], value)).into()
    }
}

impl Config {
    fn read_url(&self) -> Result<Url, String> {
        let url = Url::parse(&self.url).map_err(|error| format!("cannot be read: {error}"))?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("must hold nothing but store and folder; credentials have keys of their own".to_owned());
        }
        let Some(cloud) = Cloud::of(url.scheme()) else {
            let known = ["s3", "gs", "az", "file"];
            return Err(if known.contains(&url.scheme()) {
                format!("leads to a store that this agent was built without: `{}://`", url.scheme())
            } else {
                "must begin with `s3://`, `gs://`, `az://` or `file:///`".to_owned()
            });
        };
        if cloud == Cloud::File {
            let has_folder = || url.to_file_path().is_ok_and(|path| path.parent().is_some());
            let is_sound = url.host_str().is_none() && has_folder();
            return if is_sound {
                Ok(url)
            } else {
                Err("must have three slashes and a folder: `file:///var/log/regent`".to_owned())
            };
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(format!("must name a bucket or container: `{}://NAME`", url.scheme()));
        }
        match Path::from_url_path(url.path()) {
            Ok(_) => Ok(url),
            Err(error) => Err(format!("does not hold a folder: {error}")),
        }
    }

    /// Options that are for another store.
    fn misplaced(&self, scheme: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = [
            ("aws", "s3", self.aws.is_some()),
            ("gcp", "gs", self.gcp.is_some()),
            ("azure", "az", self.azure.is_some()),
        ];
        all.into_iter().filter(move |(_, own, is_set)| *is_set && *own != scheme).map(|(key, own, _)| (key, own))
    }

    fn url(&self) -> Url {
        self.read_url().expect("it has been validated")
    }

    pub(crate) fn cloud(&self) -> Cloud {
        Cloud::of(self.url().scheme()).expect("it has been validated")
    }

    /// The bucket or container.
    #[cfg(feature = "cloud")]
    pub(crate) fn bucket(&self) -> String {
        self.url().host_str().unwrap_or_default().to_owned()
    }

    /// Where objects lie.
    pub(crate) fn layout(&self) -> Layout {
        self.layout_at(Path::from_url_path(self.url().path()).expect("it has been validated"))
    }

    fn layout_at(&self, prefix: Path) -> Layout {
        let partition = self.partition.as_deref().unwrap_or(DEFAULT_PARTITION).to_owned();
        Layout { prefix, partition }
    }

    /// What makes an object.
    pub(crate) fn batch_settings(&self) -> BatchSettings {
        BatchSettings {
            events: self.max_object_events.map_or(DEFAULT_EVENTS, NonZeroUsize::get),
            bytes: self.max_object_bytes.map_or(DEFAULT_BYTES, NonZeroUsize::get),
            wait: Duration::from_secs(self.max_age_seconds.map_or(DEFAULT_AGE, NonZeroU64::get)),
        }
    }

    /// How long a request may take.
    #[cfg(feature = "cloud")]
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.map_or(DEFAULT_TIMEOUT, NonZeroU64::get))
    }
}

impl Cloud {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "file" => Some(Self::File),
            #[cfg(feature = "aws")]
            "s3" => Some(Self::Aws),
            #[cfg(feature = "azure")]
            "az" => Some(Self::Azure),
            #[cfg(feature = "gcp")]
            "gs" => Some(Self::Gcp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
