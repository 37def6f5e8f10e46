//! URLs as Go's library reads them, which OPA's functions show through.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::spelling::quote;

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct GoUrl {
    /// In lower case, without `:`.
    pub(crate) scheme: String,
    /// Host and port, unescaped.
    pub(crate) host: String,
    /// The path, unescaped.
    path: Vec<u8>,
    /// The path as it was written, if it would not be escaped like this by itself.
    raw_path: String,
    /// What stands behind `?`, as it was written.
    pub(crate) query: String,
    /// What stands behind `#`, unescaped.
    pub(crate) fragment: String,
}

/// What a piece of a URL is, which is escaped each in its way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    UserInfo,
    Host,
    Zone,
    Path,
    Fragment,
}

impl GoUrl {
    /// Reads a URL or a reference.
    ///
    /// # Errors
    /// `parse "http://[": missing ']' in host`
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let error = |text: &str, problem: String| format!("parse {}: {problem}", quote(text));
        let mut url = Self::without_fragment(rest).map_err(|problem| error(rest, problem))?;
        let fragment = unescape(fragment, Part::Fragment).map_err(|problem| error(text, problem))?;
        url.fragment = String::from_utf8_lossy(&fragment).into_owned();
        Ok(url)
    }

    fn without_fragment(text: &str) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text == "*" {
            return Ok(Self { path: b"*".to_vec(), ..Self::default() });
        }
        let (scheme, rest) = scheme(text)?;
        let mut url = Self { scheme: scheme.to_lowercase(), ..Self::default() };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        query.clone_into(&mut url.query);
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                // What neither has an authority nor begins at a root is not looked into.
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        if let Some(rest) = rest.strip_prefix("//").filter(|rest| !url.scheme.is_empty() || !rest.starts_with('/')) {
            let (authority, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            url.host = host_of(authority)?;
            path = rest;
        }
        url.path = unescape(path, Part::Path)?;
        if escape(&url.path) != path {
            path.clone_into(&mut url.raw_path);
        }
        Ok(url)
    }

    /// The path, unescaped.
    pub(crate) fn path(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.path)
    }

    /// The path as it was written.
    pub(crate) fn raw_path(&self) -> Cow<'_, str> {
        if self.raw_path.is_empty() { self.path() } else { Cow::Borrowed(&self.raw_path) }
    }

    /// The path, escaped as it was written if it was written as it should be.
    pub(crate) fn escaped_path(&self) -> String {
        let valid = |byte: u8| matches!(byte, b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']' | b'%') || !escapes(byte);
        if !self.raw_path.is_empty() && self.raw_path.bytes().all(valid) {
            return self.raw_path.clone();
        }
        if self.path == b"*" { "*".to_owned() } else { escape(&self.path) }
    }

    /// The host without port and brackets.
    pub(crate) fn host_name(&self) -> &str {
        let host = self.host_and_port().0;
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port; empty if there is none.
    pub(crate) fn port(&self) -> &str {
        self.host_and_port().1
    }

    fn host_and_port(&self) -> (&str, &str) {
        match self.host.rfind(':') {
            Some(colon) if is_port(&self.host[colon..]) => (&self.host[..colon], &self.host[colon + 1..]),
            _ => (&self.host, ""),
        }
    }
}

/// The scheme, and what follows it.
fn scheme(text: &str) -> Result<(&str, &str), String> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

/// The host and port of an authority, the rest of which is only checked.
fn host_of(authority: &str) -> Result<String, String> {
    let Some((user, host)) = authority.rsplit_once('@') else { return parse_host(authority) };
    let host = parse_host(host)?;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    unescape(name, Part::UserInfo)?;
    unescape(password, Part::UserInfo)?;
    Ok(host)
}

fn parse_host(host: &str) -> Result<String, String> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let Some(open) = host.rfind('[') else {
        if let Some(colon) = host.rfind(':') {
            check_port(&host[colon..])?;
        }
        return unescape(host, Part::Host).map(text);
    };
    let close = host.rfind(']').ok_or("missing ']' in host")?;
    let port = &host[close + 1..];
    check_port(port)?;
    let literal = host.get(open + 1..close).unwrap_or_default();
    let (address, zone) = literal.split_at(literal.find("%25").unwrap_or(literal.len()));
    let address = text(unescape(address, Part::Host)?);
    let zone = text(unescape(zone, Part::Zone)?);
    if address.parse::<Ipv6Addr>().is_err() || zone == "%" {
        return Err(match address.parse::<Ipv4Addr>() {
            Ok(_) => "invalid IP-literal".to_owned(),
            Err(_) => format!("invalid host: ParseAddr({}): unable to parse IP", quote(&(address + &zone))),
        });
    }
    Ok(format!("[{address}{zone}]{port}"))
}

fn check_port(port: &str) -> Result<(), String> {
    if port.is_empty() || is_port(port) { Ok(()) } else { Err(format!("invalid port {} after host", quote(port))) }
}

/// Whether it is a colon with digits, or without.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte < 0x80 && escapes_in_host(byte) {
                return Err(format!("invalid character {} in host name", quote(&char::from(byte).to_string())));
            }
            out.push(byte);
            at += 1;
            continue;
        }
        let escaped = &bytes[at..bytes.len().min(at + 3)];
        let invalid = || Err(format!("invalid URL escape {}", quote(&String::from_utf8_lossy(escaped))));
        let digit = |index: usize| char::from(*escaped.get(index)?).to_digit(16);
        let Some(code) = digit(1).zip(digit(2)).and_then(|(high, low)| u8::try_from(high << 4 | low).ok()) else {
            return invalid();
        };
        let wrong = match part {
            Part::Host => code < 0x80 && code != b'%',
            Part::Zone => code != b'%' && code != b' ' && escapes_in_host(code),
            _ => false,
        };
        if wrong {
            return invalid();
        }
        out.push(code);
        at += 3;
    }
    Ok(out)
}

/// The path with all escaped that must be.
fn escape(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        if escapes(byte) {
            write!(out, "%{byte:02X}").expect("a string takes all that is written to it");
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// Whether the byte is escaped in a path.
fn escapes(byte: u8) -> bool {
    !(byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte))
}

/// Whether the byte is escaped in a host.
fn escapes_in_host(byte: u8) -> bool {
    !(byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_signed_as_they_were_written_if_that_is_how_they_should_be() {
        for (url, escaped) in [
            ("http://h/a b", "/a%20b"),
            ("http://h/a%2fb", "/a%2fb"),
            ("http://h/a!(b)", "/a!(b)"),
            ("http://h/ö\"%41", "/%C3%B6%22A"),
            ("http://h", ""),
            ("*", "*"),
        ] {
            assert_eq!(GoUrl::parse(url).map(|url| url.escaped_path()).as_deref(), Ok(escaped), "{url}");
        }
    }

    #[test]
    fn hosts_are_told_from_ports() {
        for (url, host, name, port) in [
            ("http://u:p@h:1/x", "h:1", "h", "1"),
            ("http://h:80:90", "h:80:90", "h:80", "90"),
            ("http://[fe80::1%25en0]:8", "[fe80::1%en0]:8", "fe80::1%en0", "8"),
            ("http://:8080", ":8080", "", "8080"),
            ("mailto:a@b", "", "", ""),
        ] {
            let url = GoUrl::parse(url).expect("a URL");
            assert_eq!((&*url.host, url.host_name(), url.port()), (host, name, port));
        }
    }

    #[test]
    fn errors_are_those_of_go() {
        for (url, error) in [
            ("http://[::1", r#"parse "http://[::1": missing ']' in host"#),
            ("http://[1.2.3.4]", r#"parse "http://[1.2.3.4]": invalid IP-literal"#),
            (
                "http://[fe80::1%25]",
                r#"parse "http://[fe80::1%25]": invalid host: ParseAddr("fe80::1%"): unable to parse IP"#,
            ),
            ("http://h:a", r#"parse "http://h:a": invalid port ":a" after host"#),
            ("http://a b", r#"parse "http://a b": invalid character " " in host name"#),
            ("http://%41/", r#"parse "http://%41/": invalid URL escape "%41""#),
            ("http://h/%zz1#f", r#"parse "http://h/%zz1": invalid URL escape "%zz""#),
            ("http://h/#%", r#"parse "http://h/#%": invalid URL escape "%""#),
            ("http://a|b@h", r#"parse "http://a|b@h": net/url: invalid userinfo"#),
            ("1a:b", r#"parse "1a:b": first path segment in URL cannot contain colon"#),
            (":b", r#"parse ":b": missing protocol scheme"#),
            ("a\nb", r#"parse "a\nb": net/url: invalid control character in URL"#),
        ] {
            assert_eq!(GoUrl::parse(url), Err(error.to_owned()));
        }
    }
}
