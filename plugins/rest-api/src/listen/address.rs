//! What an address says.

use std::path::PathBuf;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A host, empty for all interfaces, and a port.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Whether clients have to speak TLS.
        tls: bool,
    },
    /// A socket file.
    Unix(PathBuf),
    /// A name in Linux's abstract namespace.
    Abstract(String),
}

impl Address {
    /// Reads an address. One without a scheme is for TLS if that is at hand.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, tls: bool) -> Result<Self, &'static str> {
        let default = if tls { "https" } else { "http" };
        let (scheme, rest) = text.split_once("://").unwrap_or((default, text));
        match scheme {
            "https" if !tls => Err("TLS certificate required but not supplied"),
            "http" | "https" => tcp(rest.trim_end_matches('/'), scheme == "https"),
            "unix" => match rest.strip_prefix('@') {
                Some("") => Err("the name of the socket is missing"),
                Some(name) => Ok(Self::Abstract(name.to_owned())),
                None if rest.is_empty() => Err("the path of the socket is missing"),
                None => Ok(Self::Unix(rest.into())),
            },
            _ => Err("the scheme must be http, https or unix"),
        }
    }
}

fn tcp(text: &str, tls: bool) -> Result<Address, &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("the port is missing")?;
    let port = port.parse().map_err(|_| "the port must be a number from 0 to 65535")?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok(Address::Tcp { host: host.to_owned(), port, tls })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        let tcp = |host: &str, port, tls| Ok(Address::Tcp { host: host.to_owned(), port, tls });
        let parse = |text| Address::parse(text, false);
        assert_eq!(parse("localhost:8181"), tcp("localhost", 8181, false));
        assert_eq!(parse(":0"), tcp("", 0, false));
        assert_eq!(parse("http://[::1]:80/"), tcp("::1", 80, false));
        assert_eq!(parse("unix:///run/a.sock"), Ok(Address::Unix("/run/a.sock".into())));
        assert_eq!(parse("unix://@regent"), Ok(Address::Abstract("regent".to_owned())));
        for wrong in ["localhost", "localhost:x", "unix://", "unix://@", "ftp://a:1", "https://a:1"] {
            parse(wrong).expect_err(wrong);
        }
        assert_eq!(Address::parse("a:1", true), tcp("a", 1, true));
        assert_eq!(Address::parse("https://a:1", true), tcp("a", 1, true));
        assert_eq!(Address::parse("http://a:1", true), tcp("a", 1, false));
    }
}
