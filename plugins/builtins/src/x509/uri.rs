//! URIs taken apart as Go's `net/url` takes them apart.

use regent_core::value::Value;

/// A URI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Uri {
    scheme: String,
    /// What follows the scheme when it does not begin with `/`.
    opaque: String,
    user: Option<String>,
    /// With its port.
    pub(crate) host: String,
    path: Part,
    /// The authority is missing though the path begins with `/`.
    without_host: bool,
    /// There is a `?` with nothing after it.
    empty_query: bool,
    query: String,
    fragment: Part,
}

/// A part that may be spelled in several ways.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    text: String,
    /// The spelling, if it is not the usual one.
    raw: String,
}

impl Uri {
    /// Takes a URI apart.
    ///
    /// # Errors
    /// What Go says of it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut uri = Self::default();
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = split_scheme(text)?;
        uri.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        uri.empty_query = query.is_empty() && text.ends_with('?');
        query.clone_into(&mut uri.query);
        if rest.starts_with('/') {
            uri.take_hierarchy(rest)?;
        } else if !uri.scheme.is_empty() {
            rest.clone_into(&mut uri.opaque);
        } else if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        } else {
            uri.path = Part::read(rest, is_path_byte)?;
        }
        uri.fragment = Part::read(fragment, is_fragment_byte)?;
        Ok(uri)
    }

    /// Takes what begins with `/`: a host after two of them, and a path.
    fn take_hierarchy(&mut self, rest: &str) -> Result<(), String> {
        let has_host = !self.scheme.is_empty() || !rest.starts_with("///");
        let path = if let Some(authority) = rest.strip_prefix("//").filter(|_| has_host) {
            let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
            self.take_authority(authority)?;
            path
        } else {
            self.without_host = !self.scheme.is_empty();
            rest
        };
        self.path = Part::read(path, is_path_byte)?;
        Ok(())
    }

    fn take_authority(&mut self, authority: &str) -> Result<(), String> {
        let host = match authority.rsplit_once('@') {
            Some((user, host)) => {
                let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
                if !user.chars().all(is_allowed) {
                    return Err("net/url: invalid userinfo".to_owned());
                }
                self.user = Some(user.to_owned());
                host
            }
            None => authority,
        };
        let after_name = match host.strip_prefix('[') {
            Some(address) => address.rsplit_once(']').ok_or("missing ']' in host")?.1,
            None => host.rfind(':').map_or("", |at| &host[at..]),
        };
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        if !after_name.is_empty() && !after_name.strip_prefix(':').is_some_and(is_port) {
            return Err(format!("invalid port \"{after_name}\" after host"));
        }
        self.host = host_text(host)?;
        Ok(())
    }

    /// The URI as Go's JSON shows it.
    pub(crate) fn shape(&self) -> Value {
        let user = self.user.as_ref().map_or(Value::NULL, |_| Value::empty_object());
        Value::object([
            ("Scheme", Value::from(&self.scheme)),
            ("Opaque", (&self.opaque).into()),
            ("User", user),
            ("Host", (&self.host).into()),
            ("Path", (&self.path.text).into()),
            ("RawPath", (&self.path.raw).into()),
            ("OmitHost", self.without_host.into()),
            ("ForceQuery", self.empty_query.into()),
            ("RawQuery", (&self.query).into()),
            ("Fragment", (&self.fragment.text).into()),
            ("RawFragment", (&self.fragment.raw).into()),
        ])
    }
}

impl std::fmt::Display for Uri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            let path = self.path.spell(is_path_byte);
            let has_authority = !self.host.is_empty() || self.user.is_some();
            if has_authority || !self.scheme.is_empty() && !self.without_host && !path.is_empty() {
                f.write_str("//")?;
            }
            if let Some(user) = &self.user {
                write!(f, "{user}@")?;
            }
            write!(f, "{}", escape(&self.host, is_host_byte))?;
            f.write_str(&path)?;
        } else {
            f.write_str(&self.opaque)?;
        }
        if self.empty_query || !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        if !self.fragment.text.is_empty() {
            write!(f, "#{}", self.fragment.spell(is_fragment_byte))?;
        }
        Ok(())
    }
}

impl Part {
    fn read(raw: &str, is_plain: fn(u8) -> bool) -> Result<Self, String> {
        let text = unescape(raw)?;
        let usual = escape(&text, is_plain) == raw;
        Ok(Self { text, raw: if usual { String::new() } else { raw.to_owned() } })
    }

    fn spell(&self, is_plain: fn(u8) -> bool) -> String {
        // `!'()*[]` may stand for themselves, though Go would not write some of them so.
        let is_valid = |byte: u8| is_plain(byte) || b"!'()*[]%".contains(&byte);
        if !self.raw.is_empty() && self.raw.bytes().all(is_valid) {
            self.raw.clone()
        } else {
            escape(&self.text, is_plain)
        }
    }
}

/// The scheme and what follows its colon; no scheme when the text does not begin with one.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(text.len());
    match (&text[..end], text[end..].strip_prefix(':')) {
        ("", Some(_)) => Err("missing protocol scheme".to_owned()),
        (scheme, Some(rest)) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => Ok((scheme, rest)),
        _ => Ok(("", text)),
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte) || b"$&+,/:;=@".contains(&byte)
}

fn is_fragment_byte(byte: u8) -> bool {
    is_unreserved(byte) || b"$&+,/:;=?@!()*".contains(&byte)
}

fn is_host_byte(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:[]<>\"".contains(&byte)
}

/// In a host only bytes beyond ASCII may be escaped, but for the zone of an address.
fn host_text(host: &str) -> Result<String, String> {
    if let Some(byte) = host.bytes().find(|byte| byte.is_ascii() && *byte != b'%' && !is_host_byte(*byte)) {
        return Err(format!("invalid character \"{}\" in host name", char::from(byte)));
    }
    let escaped: Vec<&str> =
        host.match_indices('%').map(|(at, _)| host.get(at..at + 3).unwrap_or(&host[at..])).collect();
    if let Some(wrong) = escaped.iter().find(|escape| escape[1..].starts_with(|c: char| c < '8') && **escape != "%25") {
        return Err(format!("invalid URL escape \"{wrong}\""));
    }
    unescape(host)
}

fn unescape(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match tail {
            [high, low, after @ ..] if digit(high).is_some() && digit(low).is_some() => {
                bytes.push(digit(high).unwrap_or(0) << 4 | digit(low).unwrap_or(0));
                rest = after;
            }
            _ => {
                let shown = String::from_utf8_lossy(&tail[..tail.len().min(2)]);
                return Err(format!("invalid URL escape \"%{shown}\""));
            }
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn escape(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let spell = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use regent_core::value::encode;

    use super::*;

    #[test]
    fn uris_are_taken_apart_and_put_together_again() {
        for text in [
            "spiffe://example.com/opa",
            "https://user:pw@example.com:8080/a/b%2Fc?x=1#top",
            "urn:uuid:1234",
            "file:///etc/hosts",
            "file:/etc/hosts",
            "mailto:a@b.c",
            "//example.com/x",
            "/a/b",
            "a/b",
            "",
            "http://[::1]:80/",
            "https://example.com?",
            "https://example.com",
            "https://example.com/(a)'b*",
        ] {
            assert_eq!(Uri::parse(text).map(|uri| uri.to_string()), Ok(text.to_owned()));
        }
        let shown = |text| Uri::parse(text).map(|uri| uri.to_string());
        assert_eq!(shown("HTTPS://example.com/a b"), Ok("https://example.com/a%20b".to_owned()));
    }

    #[test]
    fn parts_are_named_as_in_go() {
        let uri = Uri::parse("https://u@example.com/a%2Fb?q#f").expect("a URI");
        let expected = concat!(
            r#"{"ForceQuery":false,"Fragment":"f","Host":"example.com","OmitHost":false,"Opaque":"","Path":"/a/b","#,
            r#""RawFragment":"","RawPath":"/a%2Fb","RawQuery":"q","Scheme":"https","User":{}}"#,
        );
        assert_eq!(encode(&uri.shape()), expected);
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for (text, error) in [
            (":x", "missing protocol scheme"),
            ("a\u{7f}", "net/url: invalid control character in URL"),
            ("1a:b", "first path segment in URL cannot contain colon"),
            ("http://[::1", "missing ']' in host"),
            ("http://a:b/", "invalid port \":b\" after host"),
            ("http://a/%zz", "invalid URL escape \"%zz\""),
            ("http://a/%", "invalid URL escape \"%\""),
            ("http://a%41/", "invalid URL escape \"%41\""),
            ("http://a b/", "invalid character \" \" in host name"),
            ("http://a{@b/", "net/url: invalid userinfo"),
        ] {
            assert_eq!(Uri::parse(text).map(|uri| uri.to_string()), Err(error.to_owned()), "{text}");
        }
    }
}
