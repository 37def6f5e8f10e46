//! Whether a certificate is for a host.

use std::net::IpAddr;

use super::certificate::Certificate;

/// Whether the certificate has the host among its alternative names: an address, perhaps in brackets, or a name, which
/// may match one that begins with `*.`. The common name does not count.
pub(crate) fn matches(host: &str, certificate: &Certificate<'_>) -> bool {
    let names = &certificate.extensions.names;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).filter(|bare| !bare.is_empty());
    if let Ok(address) = bare.unwrap_or(host).parse::<IpAddr>() {
        return names.addresses.iter().any(|candidate| candidate.to_canonical() == address.to_canonical());
    }
    names.hosts.iter().any(|pattern| matches_name(host, pattern))
}

fn matches_name(host: &str, pattern: &str) -> bool {
    if !is_name(host.strip_suffix('.').unwrap_or(host), false) || !is_name(pattern, true) {
        // What is no host name has to be equal.
        return !matches!(host, "" | ".") && !matches!(pattern, "" | ".") && host.eq_ignore_ascii_case(pattern);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(rest), Some((_, parent))) => rest.eq_ignore_ascii_case(parent),
        (Some(_), None) => false,
        // A star on its own is a label like any other that matches one.
        (None, parent) => pattern.eq_ignore_ascii_case(host) || pattern == "*" && parent.is_none(),
    }
}

fn is_name(text: &str, may_have_star: bool) -> bool {
    text.split('.').enumerate().all(|(index, label)| {
        let is_label_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_label = !label.is_empty() && !label.starts_with('-') && label.bytes().all(is_label_byte);
        is_label || may_have_star && index == 0 && label == "*"
    })
}

#[cfg(test)]
mod tests {
    use super::matches_name;

    #[test]
    fn stars_stand_for_one_label() {
        for (host, pattern, expected) in [
            ("a.example.com", "*.example.com", true),
            ("A.Example.com.", "a.example.COM", true),
            ("example.com", "*.example.com", false),
            ("a.b.example.com", "*.example.com", false),
            ("a.example.com", "a.*.com", false),
            ("ab.example.com", "a*.example.com", false),
            ("-a.example.com", "*.example.com", false),
            ("a_b.example.com", "*.example.com", true),
            ("x y", "X Y", true),
            ("", "", false),
            ("com", "*", true),
        ] {
            assert_eq!(matches_name(host, pattern), expected, "{host} {pattern}");
        }
    }
}
