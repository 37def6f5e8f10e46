//! A range of addresses under one prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses, of one version of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cidr {
    /// Addresses have 32 or 128 bits.
    bits: u32,
    first: u128,
    prefix: u32,
    /// The address that it is shown with.
    shown: u128,
}

impl Cidr {
    /// Reads `10.0.0.0/8`; bits behind the prefix do not count.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let (bits, address) = number(address, false)?;
        let is_number = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|prefix| is_number && *prefix <= bits)?;
        Some(Self::new(bits, address, prefix))
    }

    /// Reads an address as the range of it alone. An IPv4 address in IPv6 form is one of IPv4.
    pub(super) fn address(text: &str) -> Option<Self> {
        let (bits, address) = number(text, true)?;
        Some(Self::new(bits, address, bits))
    }

    fn new(bits: u32, address: u128, prefix: u32) -> Self {
        let cidr = Self { bits, first: address, prefix, shown: address };
        let first = address & !cidr.host_mask();
        Self { first, shown: first, ..cidr }
    }

    fn host_mask(&self) -> u128 {
        let hosts = self.bits - self.prefix;
        if hosts == 128 { u128::MAX } else { (1 << hosts) - 1 }
    }

    fn last(&self) -> u128 {
        self.first | self.host_mask()
    }

    /// Whether all addresses of the other are in this one.
    pub(super) fn contains(&self, other: &Self) -> bool {
        self.bits == other.bits && self.first <= other.first && other.last() <= self.last()
    }

    /// All addresses in order.
    pub(super) fn addresses(&self) -> impl Iterator<Item = String> {
        let bits = self.bits;
        (self.first..=self.last()).map(move |address| show(bits, address))
    }

    /// The network that an IPv4 address was part of when networks had classes. It is shown with that address.
    pub(super) fn of_class(&self) -> Option<Self> {
        let prefix = match (self.bits, self.first >> 24) {
            (32, 0..128) => 8,
            (32, 128..192) => 16,
            (32, _) => 24,
            _ => return None,
        };
        Some(Self { shown: self.first, ..Self::new(32, self.first, prefix) })
    }
}

/// The bits of an address and their number.
fn number(text: &str, unmapped: bool) -> Option<(u32, u128)> {
    match text.parse().ok()? {
        IpAddr::V4(address) => Some((32, address.to_bits().into())),
        IpAddr::V6(address) => match address.to_ipv4_mapped().filter(|_| unmapped) {
            Some(address) => Some((32, address.to_bits().into())),
            None => Some((128, address.to_bits())),
        },
    }
}

fn show(bits: u32, address: u128) -> String {
    match u32::try_from(address) {
        Ok(address) if bits == 32 => Ipv4Addr::from_bits(address).to_string(),
        _ => {
            let address = Ipv6Addr::from_bits(address);
            // To Go, an IPv4 address in IPv6 form is one of IPv4.
            address.to_ipv4_mapped().map_or_else(|| address.to_string(), |address| address.to_string())
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", show(self.bits, self.shown), self.prefix)
    }
}

/// As few ranges as possible with the same addresses. A range that joins no other stays as it is shown.
pub(super) fn merge(mut ranges: Vec<Cidr>) -> Vec<Cidr> {
    ranges.sort();
    let mut merged = Vec::new();
    let mut ranges = ranges.into_iter().peekable();
    while let Some(range) = ranges.next() {
        let mut last = range.last();
        let mut alone = true;
        let joins = |next: &Cidr, last: u128| {
            next.bits == range.bits && next.first.checked_sub(1).is_none_or(|before| before <= last)
        };
        while let Some(next) = ranges.next_if(|next| joins(next, last)) {
            last = last.max(next.last());
            alone = false;
        }
        if alone {
            merged.push(range);
        } else {
            cut(&mut merged, range.bits, range.first, last);
        }
    }
    merged
}

/// Cuts a span of addresses into ranges, each as large as can be.
fn cut(ranges: &mut Vec<Cidr>, bits: u32, first: u128, last: u128) {
    let mut next = Some(first);
    while let Some(first) = next.filter(|first| *first <= last) {
        let prefix = (0..=bits)
            .find(|prefix| {
                let range = Cidr::new(bits, first, *prefix);
                range.first == first && range.last() <= last
            })
            .expect("a range of one address always fits");
        let range = Cidr::new(bits, first, prefix);
        next = range.last().checked_add(1);
        ranges.push(range);
    }
}
