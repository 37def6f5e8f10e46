//! What an address says.

use std::path::PathBuf;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A host, empty for all interfaces, and a port.
    Tcp(String, u16),
    /// A socket file.
    Unix(PathBuf),
    /// A name in Linux's abstract namespace.
    Abstract(String),
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        match scheme {
            "http" => tcp(rest.trim_end_matches('/')),
            "unix" => match rest.strip_prefix('@') {
                Some("") => Err("the name of the socket is missing"),
                Some(name) => Ok(Self::Abstract(name.to_owned())),
                None if rest.is_empty() => Err("the path of the socket is missing"),
                None => Ok(Self::Unix(rest.into())),
            },
            "https" => Err("HTTPS needs a certificate and a private key"),
            _ => Err("the scheme must be http or unix"),
        }
    }
}

fn tcp(text: &str) -> Result<Address, &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("the port is missing")?;
    let port = port.parse().map_err(|_| "the port must be a number from 0 to 65535")?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok(Address::Tcp(host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        let tcp = |host: &str, port| Ok(Address::Tcp(host.to_owned(), port));
        assert_eq!(Address::parse("localhost:8181"), tcp("localhost", 8181));
        assert_eq!(Address::parse(":0"), tcp("", 0));
        assert_eq!(Address::parse("http://[::1]:80/"), tcp("::1", 80));
        assert_eq!(Address::parse("unix:///run/a.sock"), Ok(Address::Unix("/run/a.sock".into())));
        assert_eq!(Address::parse("unix://@regent"), Ok(Address::Abstract("regent".to_owned())));
        for wrong in ["localhost", "localhost:x", "unix://", "unix://@", "ftp://a:1", "https://a:1"] {
            Address::parse(wrong).expect_err(wrong);
        }
    }
}
