//! Signs requests as they are sent.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use jiff::Timestamp;
use regent_signing::{sigv4, sigv4a};
use url::{Position, Url};

use super::Keys;
use crate::credentials::failure::Failure;

/// Which of AWS's signatures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Version {
    /// For one region, with a shared secret.
    #[default]
    V4,
    /// For all regions, with a key pair that is derived from the secret.
    V4a,
}

impl Version {
    /// The version that a configuration names. As in OPA, one that is not known is the usual one.
    pub(super) fn named(text: Option<&str>) -> Self {
        if text == Some("4a") { Self::V4a } else { Self::V4 }
    }
}

/// Signs a request to a service with all its headers, and adds the headers that say so.
pub(crate) fn sign(
    method: &Method,
    url: &Url,
    headers: &mut HeaderMap,
    body: &[u8],
    (service, version): (&str, Version),
    keys: &Keys,
) -> Result<(), Failure> {
    let unfit = |name: &str| Failure::config(format!("header `{name}` cannot be signed: it is no ASCII text"));
    let text =
        |(name, value)| Ok((HeaderName::as_str(name), HeaderValue::to_str(value).map_err(|_| unfit(name.as_str()))?));
    let signed = headers.iter().map(text).collect::<Result<Vec<_>, Failure>>()?;
    let request = sigv4::Request {
        method: method.as_str(),
        host: &url[Position::BeforeHost..Position::AfterPort],
        path: url.path(),
        query: url.query().unwrap_or_default(),
        headers: &signed,
        payload: Some(body),
    };
    let credentials = sigv4::Credentials {
        access_key: &keys.access_key,
        secret_key: keys.secret_key.expose(),
        session_token: keys.session_token.expose(),
        region: &keys.region,
        service,
    };
    let signature = match version {
        Version::V4 => sigv4::sign(&request, &credentials, Timestamp::now()),
        Version::V4a => sigv4a::sign(&request, &credentials, Timestamp::now())
            .ok_or_else(|| Failure::config("failed to derive asymmetric key from credentials"))?,
    };
    // The client sets the host itself.
    let added = signature.headers.into_iter().filter(|(name, _)| *name != "host");
    let added = added.chain([(header::AUTHORIZATION.as_str(), signature.authorization)]);
    for (name, value) in added.collect::<Vec<_>>() {
        let mut value =
            HeaderValue::try_from(value).map_err(|_| Failure::config("AWS keys are not fit for a header"))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(())
}
