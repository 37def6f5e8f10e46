//! Which names a certificate may be signed for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::super::hex;
use super::super::keys::der::{self, Der};
use super::super::keys::shape;
use super::names::{AlternativeNames, ascii, is_domain};

/// The constraints of a certificate on the names of those below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameConstraints {
    pub(crate) critical: bool,
    pub(crate) permitted: Subtrees,
    pub(crate) excluded: Subtrees,
    /// There are constraints on names of other kinds.
    pub(crate) unhandled: bool,
}

/// Names with all that is below them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subtrees {
    hosts: Vec<String>,
    networks: Vec<Network>,
    mailboxes: Vec<String>,
    uri_hosts: Vec<String>,
}

/// A range of addresses.
#[derive(Debug, Clone)]
struct Network {
    /// As many bytes as the mask has.
    address: Vec<u8>,
    mask: Vec<u8>,
}

fn fail(message: impl std::fmt::Display) -> BuiltinError {
    BuiltinError::failed(format!("x509: {message}"))
}

impl NameConstraints {
    /// Reads the extension.
    ///
    /// # Errors
    /// `x509: invalid NameConstraints extension` and the like.
    pub(crate) fn read(mut der: Der<'_>, critical: bool) -> Result<Self, BuiltinError> {
        let invalid = || fail("invalid NameConstraints extension");
        let mut both = der.read(der::SEQUENCE).filter(|_| der.is_empty()).ok_or_else(invalid)?;
        let permitted = both.optional(der::constructed(0)).ok_or_else(invalid)?;
        let excluded = both.optional(der::constructed(1)).ok_or_else(invalid)?;
        if !both.is_empty() {
            return Err(invalid());
        }
        if permitted.is_none() && excluded.is_none() {
            return Err(fail("empty name constraints extension"));
        }
        if [permitted, excluded].iter().flatten().any(Der::is_empty) {
            return Err(fail("empty name constraints subtree sequence"));
        }
        let mut constraints = Self { critical, ..Self::default() };
        constraints.permitted = Subtrees::read(permitted, &mut constraints.unhandled)?;
        constraints.excluded = Subtrees::read(excluded, &mut constraints.unhandled)?;
        Ok(constraints)
    }

    /// There is a constraint of a kind that is known.
    pub(crate) fn any(&self) -> bool {
        !self.permitted.is_empty() || !self.excluded.is_empty()
    }

    /// Whether all the names are allowed, in so many comparisons as are left in `budget`.
    pub(crate) fn allow(&self, names: &AlternativeNames, budget: &mut i64) -> bool {
        let (permitted, excluded) = (&self.permitted, &self.excluded);
        names.mailboxes.iter().all(|name| {
            let matches = |rule: &String| matches_mailbox(name, rule);
            split_mailbox(name).is_some() && passes(&permitted.mailboxes, &excluded.mailboxes, matches, budget)
        }) && names.hosts.iter().all(|name| {
            let matches = |rule: &String| matches_domain(name, rule);
            is_domain(name) && passes(&permitted.hosts, &excluded.hosts, matches, budget)
        }) && names.uris.iter().all(|uri| {
            let matches = |rule: &String| matches_domain(host_of(&uri.host)?, rule);
            passes(&permitted.uri_hosts, &excluded.uri_hosts, matches, budget)
        }) && names.addresses.iter().all(|address| {
            passes(&permitted.networks, &excluded.networks, |rule| Some(rule.contains(*address)), budget)
        })
    }

    /// The constraints as Go's JSON shows them.
    pub(crate) fn fields(&self) -> Vec<(&'static str, Value)> {
        let (permitted, excluded) = (&self.permitted, &self.excluded);
        vec![
            ("PermittedDNSDomainsCritical", self.critical.into()),
            ("PermittedDNSDomains", shape::list(&permitted.hosts)),
            ("ExcludedDNSDomains", shape::list(&excluded.hosts)),
            ("PermittedIPRanges", shape::list(permitted.networks.iter().map(Network::shape))),
            ("ExcludedIPRanges", shape::list(excluded.networks.iter().map(Network::shape))),
            ("PermittedEmailAddresses", shape::list(&permitted.mailboxes)),
            ("ExcludedEmailAddresses", shape::list(&excluded.mailboxes)),
            ("PermittedURIDomains", shape::list(&permitted.uri_hosts)),
            ("ExcludedURIDomains", shape::list(&excluded.uri_hosts)),
        ]
    }
}

/// Whether a name that matches such rules is allowed: no rule excludes it, and one permits it if there is any that
/// permits. A name that cannot be compared is not allowed.
fn passes<R>(permitted: &[R], excluded: &[R], matches: impl Fn(&R) -> Option<bool>, budget: &mut i64) -> bool {
    let mut pay = |rules: &[R]| {
        *budget = budget.saturating_sub(i64::try_from(rules.len()).unwrap_or(i64::MAX));
        *budget >= 0
    };
    let is_excluded = |rule: &R| matches(rule) != Some(false);
    if !pay(excluded) || excluded.iter().any(is_excluded) || !pay(permitted) {
        return false;
    }
    // A rule that cannot be compared ends the search.
    permitted.is_empty()
        || permitted.iter().find_map(|rule| matches(rule).map_or(Some(false), |is| is.then_some(true))) == Some(true)
}

impl Subtrees {
    fn read(der: Option<Der<'_>>, unhandled: &mut bool) -> Result<Self, BuiltinError> {
        let invalid = || fail("invalid NameConstraints extension");
        let mut read = Self::default();
        let Some(mut subtrees) = der else { return Ok(read) };
        while !subtrees.is_empty() {
            let mut subtree = subtrees.read(der::SEQUENCE).ok_or_else(invalid)?;
            let base = subtree.any().ok_or_else(invalid)?;
            let text = || ascii(base.contents).ok_or_else(|| fail("invalid constraint value: not an IA5String"));
            let checked = |kind: &str, is_valid: fn(&str) -> bool| {
                let text = text()?;
                let failure = || fail(format_args!("failed to parse {kind} constraint {text:?}"));
                if is_valid(&text) { Ok(text) } else { Err(failure()) }
            };
            match base.tag {
                0x81 => read.mailboxes.push(checked("rfc822Name", is_mailbox_rule)?),
                0x82 => read.hosts.push(checked("dnsName", is_rule)?),
                0x86 => read.uri_hosts.push(checked("URI", is_uri_rule)?),
                0x87 => read.networks.push(Network::read(base.contents)?),
                _ => *unhandled = true,
            }
        }
        Ok(read)
    }

    fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.networks.is_empty() && self.mailboxes.is_empty() && self.uri_hosts.is_empty()
    }
}

/// A domain, or all that is below one when a dot comes first.
fn is_rule(text: &str) -> bool {
    is_domain(text.strip_prefix('.').unwrap_or(text)) && text != "."
}

fn is_mailbox_rule(text: &str) -> bool {
    if text.contains('@') { split_mailbox(text).is_some() } else { is_rule(text) }
}

fn is_uri_rule(text: &str) -> bool {
    text.parse::<IpAddr>().is_err() && is_rule(text)
}

/// Whether the domain is the rule's or below it. Labels are compared from the end.
fn matches_domain(domain: &str, rule: &str) -> Option<bool> {
    if rule.is_empty() {
        return Some(true);
    }
    if !is_domain(domain) {
        return None;
    }
    let (rule, least) = rule.strip_prefix('.').map_or((rule, 0), |rule| (rule, 1));
    let (labels, wanted): (Vec<&str>, Vec<&str>) = (domain.split('.').collect(), rule.split('.').collect());
    let Some(above) = labels.len().checked_sub(wanted.len() + least) else { return Some(false) };
    let tail = &labels[above + least..];
    Some(tail.iter().zip(&wanted).all(|(a, b)| a.eq_ignore_ascii_case(b)))
}

fn matches_mailbox(name: &str, rule: &str) -> Option<bool> {
    let (local, domain) = split_mailbox(name)?;
    if !rule.contains('@') {
        return matches_domain(domain, rule);
    }
    let (rule_local, rule_domain) = split_mailbox(rule)?;
    Some(local == rule_local && domain.eq_ignore_ascii_case(rule_domain))
}

/// The parts of a mailbox before and after its `@`: RFC 2821's, with blanks in quotes and single escapes as RFC 3696 has.
fn split_mailbox(text: &str) -> Option<(String, &str)> {
    let (local, rest) = if let Some(quoted) = text.strip_prefix('"') { quoted_local(quoted)? } else { atoms(text)? };
    let domain = rest.strip_prefix('@')?;
    is_domain(domain).then_some((local, domain))
}

fn quoted_local(text: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((local, &text[at + 1..])),
            '\\' => local.push(characters.next().filter(|(_, c)| c.is_ascii() && !matches!(c, '\0' | '\n' | '\r'))?.1),
            '\0' | '\t' | '\n' | '\r' => return None,
            _ if character.is_ascii() => local.push(character),
            _ => return None,
        }
    }
    None
}

fn atoms(text: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => local.push(characters.next()?.1),
            _ if character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(character) => {
                local.push(character);
            }
            _ => {
                end = at;
                break;
            }
        }
    }
    let is_dotted_well = !local.is_empty() && !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    is_dotted_well.then_some((local, &text[end..]))
}

/// The host without its port; nothing for none, and for an address.
fn host_of(host: &str) -> Option<&str> {
    if host.is_empty() || host.starts_with('[') {
        return None;
    }
    let name = host.split(':').next().unwrap_or(host);
    (host.matches(':').count() < 2 && name.parse::<IpAddr>().is_err()).then_some(name)
}

impl Network {
    fn read(bytes: &[u8]) -> Result<Self, BuiltinError> {
        if !matches!(bytes.len(), 8 | 32) {
            return Err(fail(format_args!("IP constraint contained value of length {}", bytes.len())));
        }
        let (address, mask) = bytes.split_at(bytes.len() / 2);
        let bits = mask.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte)) << (128 - mask.len() * 8);
        if bits.leading_ones() != bits.count_ones() {
            let shown = hex::spell(mask);
            return Err(fail(format_args!("IP constraint contained invalid mask {shown}")));
        }
        let network = Self { address: address.to_vec(), mask: mask.to_vec() };
        if matches!(network.ip(), IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
            return Err(fail("IP constraint contained IPv4-mapped IPv6 address"));
        }
        Ok(network)
    }

    fn ip(&self) -> IpAddr {
        if let Ok(bytes) = <[u8; 4]>::try_from(&*self.address) {
            Ipv4Addr::from(bytes).into()
        } else {
            let bytes = <[u8; 16]>::try_from(&*self.address).expect("an address has 4 bytes or 16");
            Ipv6Addr::from(bytes).into()
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        let bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let masked = |(index, mask): (usize, &u8)| bytes[index] & mask == self.address[index] & mask;
        bytes.len() == self.address.len() && self.mask.iter().enumerate().all(masked)
    }

    fn shape(&self) -> Value {
        Value::object([("IP", Value::from(self.ip().to_string())), ("Mask", shape::bytes(&self.mask))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_compared_from_the_end() {
        for (domain, rule, expected) in [
            ("a.example.com", "example.com", Some(true)),
            ("EXAMPLE.com", "example.com", Some(true)),
            ("example.com", ".example.com", Some(false)),
            ("a.example.com", ".example.com", Some(true)),
            ("badexample.com", "example.com", Some(false)),
            ("com", "example.com", Some(false)),
            ("anything", "", Some(true)),
            ("a..b", "b", None),
        ] {
            assert_eq!(matches_domain(domain, rule), expected, "{domain} {rule}");
        }
    }

    #[test]
    fn mailboxes_are_split_at_their_sign() {
        assert_eq!(split_mailbox("a.b@c.d"), Some(("a.b".to_owned(), "c.d")));
        assert_eq!(split_mailbox(r#""a b\"@"@c"#), Some((r#"a b"@"#.to_owned(), "c")));
        assert_eq!(split_mailbox(r"a\@b@c"), Some(("a@b".to_owned(), "c")));
        for text in ["", "@c", ".a@c", "a..b@c", "a@b..c", "a", "\"a", "a b@c", "\"\n\"@c"] {
            assert_eq!(split_mailbox(text), None, "{text}");
        }
        assert_eq!(matches_mailbox("a@X.y", "a@x.y"), Some(true));
        assert_eq!(matches_mailbox("A@x.y", "a@x.y"), Some(false));
        assert_eq!(matches_mailbox("a@b.x.y", ".x.y"), Some(true));
    }

    #[test]
    fn networks_contain_addresses_of_their_kind() {
        let network = Network::read(&[10, 0, 0, 0, 255, 0, 0, 0]).expect("a network");
        let contains = |text: &str| network.contains(text.parse().expect("an address"));
        assert!(contains("10.1.2.3") && !contains("11.1.2.3") && !contains("::1"));
        assert!(Network::read(&[10, 0, 0, 0, 255, 0, 255, 0]).is_err());
        assert!(Network::read(&[10, 0, 0, 0]).is_err());
    }

    #[test]
    fn hosts_of_uris_are_no_addresses() {
        assert_eq!(host_of("a.b:80"), Some("a.b"));
        assert_eq!([host_of(""), host_of("[::1]:80"), host_of("1.2.3.4"), host_of("a:b:c")], [None; 4]);
    }

    #[test]
    fn comparisons_are_counted() {
        let rules = ["a".to_owned(), "b".to_owned()];
        let matches = |rule: &String| Some(rule == "b");
        let mut budget = 2;
        assert!(passes(&rules, &[], matches, &mut budget) && budget == 0);
        assert!(!passes(&rules, &[], matches, &mut budget), "none are left");
        assert!(!passes(&[], &rules, matches, &mut 9), "excluded");
        assert!(passes::<String>(&[], &[], matches, &mut 0), "no rules, no limits");
    }
}
