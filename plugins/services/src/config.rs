//! The section of one service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use regent_core::config::{ConfigError, ConfigErrors, Section};
use serde::Deserialize;
use url::Url;

/// Seconds that a service has to send the response's headers, unless the configuration says otherwise.
const HEADER_TIMEOUT_SECONDS: i64 = 10;

/// The section as it is written.
#[derive(Deserialize)]
struct Written {
    #[serde(default, rename = "name")]
    _name: Option<String>,
    #[serde(default, rename = "type")]
    _kind: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    allow_insecure_tls: Option<bool>,
    #[serde(default)]
    response_header_timeout_seconds: Option<i64>,
    #[serde(default)]
    tls: Option<WrittenTls>,
    /// Read by the factory of the kind.
    #[serde(default, rename = "credentials")]
    _credentials: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct WrittenTls {
    #[serde(default)]
    ca_cert: Option<PathBuf>,
    #[serde(default)]
    system_ca_required: Option<bool>,
}

/// What a service is asked with.
#[derive(Debug)]
pub(crate) struct ServiceConfig {
    /// Without slashes at the end.
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    /// How long to wait for the headers of an answer; for ever if none.
    pub(crate) header_timeout: Option<Duration>,
    pub(crate) trust: Trust,
}

/// Whose word counts for who a server is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Trust {
    /// Anyone may say to be anyone.
    pub(crate) anyone: bool,
    /// PEM file of authorities.
    pub(crate) ca_cert: Option<PathBuf>,
    /// The system's authorities too, beside those of the file.
    pub(crate) system: bool,
}

impl ServiceConfig {
    /// Reads the section.
    pub(crate) fn read(section: &Section) -> Result<Self, ConfigErrors> {
        let written = section.parse::<Written>()?;
        let mut errors = Vec::new();
        let url = base_url(section, written.url.as_deref()).unwrap_or_else(|error| {
            errors.push(error);
            String::new()
        });
        let headers = headers(section, written.headers.unwrap_or_default(), &mut errors);
        ConfigErrors(errors).into_result()?;
        let tls = written.tls.unwrap_or_else(|| deprecated_tls(section));
        Ok(Self {
            url,
            headers,
            header_timeout: timeout(written.response_header_timeout_seconds.unwrap_or(HEADER_TIMEOUT_SECONDS)),
            trust: Trust {
                anyone: written.allow_insecure_tls.unwrap_or_default(),
                ca_cert: tls.ca_cert.filter(|path| !path.as_os_str().is_empty()),
                system: tls.system_ca_required.unwrap_or_default(),
            },
        })
    }

    /// The address of a resource of the service. Slashes at the ends of `path` do not count.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/{}", self.url, path.trim_matches('/'))
    }
}

/// Where older configurations have what belongs in `tls`. A wrong type is for the credentials to complain of.
fn deprecated_tls(section: &Section) -> WrittenTls {
    let place = section.child("credentials").and_then(|credentials| credentials.child("client_tls"));
    let key = |key: &str| place.as_ref().and_then(|place| place.value().get(key).cloned());
    WrittenTls {
        ca_cert: key("ca_cert").and_then(|path| path.as_str().map(PathBuf::from)),
        system_ca_required: key("system_ca_required").and_then(|on| on.as_bool()),
    }
}

fn timeout(seconds: i64) -> Option<Duration> {
    u64::try_from(seconds).ok().filter(|&seconds| seconds > 0).map(Duration::from_secs)
}

fn base_url(section: &Section, written: Option<&str>) -> Result<String, ConfigError> {
    let Some(text) = written.filter(|text| !text.is_empty()) else {
        return Err(section.error("url", "is missing"));
    };
    let url = Url::parse(text).map_err(|error| section.error("url", format!("is invalid: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(section.error("url", format!("scheme {:?} is neither http nor https", url.scheme())));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn headers(section: &Section, written: BTreeMap<String, String>, errors: &mut Vec<ConfigError>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let key = format!("headers.{name}");
        match (HeaderName::try_from(&name), HeaderValue::try_from(&value)) {
            (Ok(name), Ok(mut value)) => {
                // People put keys and passwords here, so no log shows it.
                value.set_sensitive(true);
                headers.insert(name, value);
            }
            (Err(_), _) => errors.push(section.error(&key, "is no name of a header")),
            (_, Err(_)) => errors.push(section.error(&key, "value is not fit for a header")),
        }
    }
    headers
}
