//! Alternative names: hosts, addresses, mailboxes and URIs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::super::keys::der::{self, Der};
use super::super::keys::shape;
use super::uri::Uri;

/// The names that a certificate has beside its subject.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlternativeNames {
    pub(crate) hosts: Vec<String>,
    pub(crate) mailboxes: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) uris: Vec<Uri>,
}

impl AlternativeNames {
    /// Reads the extension.
    ///
    /// # Errors
    /// `x509: SAN dNSName is malformed` and the like.
    pub(crate) fn read(mut der: Der<'_>) -> Result<Self, BuiltinError> {
        let fail = |message: &str| BuiltinError::failed(format!("x509: {message}"));
        let mut names = der.read(der::SEQUENCE).ok_or_else(|| fail("invalid subject alternative names"))?;
        let mut read = Self::default();
        while !names.is_empty() {
            let name = names.any().ok_or_else(|| fail("invalid subject alternative name"))?;
            let text = |kind: &str| ascii(name.contents).ok_or_else(|| fail(&format!("SAN {kind} is malformed")));
            match name.tag ^ 0x80 {
                1 => read.mailboxes.push(text("rfc822Name")?),
                2 => read.hosts.push(text("dNSName")?),
                6 => read.uris.push(uri(&text("uniformResourceIdentifier")?)?),
                7 => read.addresses.push(address(name.contents).map_err(|error| fail(&error))?),
                _ => {}
            }
        }
        Ok(read)
    }

    /// There is none of a kind that is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.mailboxes.is_empty() && self.addresses.is_empty() && self.uris.is_empty()
    }

    /// The names as Go's JSON shows them.
    pub(crate) fn fields(&self) -> [(&'static str, Value); 4] {
        [
            ("DNSNames", shape::list(&self.hosts)),
            ("EmailAddresses", shape::list(&self.mailboxes)),
            ("IPAddresses", shape::list(self.addresses.iter().map(ToString::to_string))),
            ("URIs", shape::list(self.uris.iter().map(Uri::shape))),
        ]
    }
}

/// The text, if it is ASCII.
pub(crate) fn ascii(bytes: &[u8]) -> Option<String> {
    bytes.is_ascii().then(|| String::from_utf8_lossy(bytes).into_owned())
}

fn uri(text: &str) -> Result<Uri, BuiltinError> {
    let fail = |error: &str| BuiltinError::failed(format!("x509: cannot parse URI {text:?}: {error}"));
    let uri = Uri::parse(text).map_err(|error| fail(&format!("parse {text:?}: {error}")))?;
    if is_domain(&uri.host) { Ok(uri) } else { Err(fail("invalid domain")) }
}

fn address(bytes: &[u8]) -> Result<IpAddr, String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(bytes).into());
    }
    let wrong = |_| format!("cannot parse IP address of length {}", bytes.len());
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).map_err(wrong)?);
    if address.to_ipv4_mapped().is_some() {
        return Err("SAN iPAddress contains IPv4-mapped IPv6 address".to_owned());
    }
    Ok(address.into())
}

/// Whether the text has the form of a domain: labels of visible characters. Nothing at all is one as well.
pub(crate) fn is_domain(text: &str) -> bool {
    text.is_empty()
        || text.split('.').all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_graphic()))
}
