//! DER, with the leniencies and limits of Go's `cryptobyte`: they decide which certificates and keys OPA takes.

use der::{Decode, Header, Reader, SliceReader};
use num_bigint::BigInt;

/// The tag of a truth.
pub const BOOLEAN: u8 = 0x01;
/// The tag of a whole number.
pub const INTEGER: u8 = 0x02;
/// The tag of bits.
pub const BIT_STRING: u8 = 0x03;
/// The tag of bytes.
pub const OCTET_STRING: u8 = 0x04;
/// The tag of nothing.
pub const NULL: u8 = 0x05;
/// The tag of an object identifier.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// The tag of text in UTF-8.
pub const UTF8_STRING: u8 = 0x0c;
/// The tag of elements in order.
pub const SEQUENCE: u8 = 0x30;
/// The tag of elements in no order.
pub const SET: u8 = 0x31;
/// The tag of text of digits and blanks.
pub const NUMERIC_STRING: u8 = 0x12;
/// The tag of text of letters, digits and some signs.
pub const PRINTABLE_STRING: u8 = 0x13;
/// The tag of text in T.61.
pub const T61_STRING: u8 = 0x14;
/// The tag of text in ASCII.
pub const IA5_STRING: u8 = 0x16;
/// The tag of a time with two digits of the year.
pub const UTC_TIME: u8 = 0x17;
/// The tag of a time with four digits of the year.
pub const GENERALIZED_TIME: u8 = 0x18;
/// The tag of text in UTF-16.
pub const BMP_STRING: u8 = 0x1e;

/// The tag of a field with a number of its own.
pub const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag of a field with a number of its own that holds further elements.
pub const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Elements yet to be read. What cannot be read gives nothing, and nothing can be read after it.
#[derive(Debug, Clone, Copy)]
pub struct Der<'a>(&'a [u8]);

/// One element.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// What kind it is of.
    pub tag: u8,
    /// What it holds.
    pub contents: &'a [u8],
    /// All of it, with tag and length.
    pub whole: &'a [u8],
}

impl<'a> Der<'a> {
    /// The elements in the bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether the next element has the tag.
    pub fn peek(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The next element, whatever it is.
    pub fn any(&mut self) -> Option<Element<'a>> {
        let bytes = std::mem::take(&mut self.0);
        let tag = *bytes.first()?;
        if tag & 0x1f == 0x1f {
            return None; // tags of several bytes are in no certificate and no key
        }
        let mut reader = SliceReader::new(bytes).ok()?;
        let header = Header::decode(&mut reader).ok()?;
        let start = usize::try_from(reader.position()).ok()?;
        let end = start.checked_add(usize::try_from(header.length()).ok()?)?;
        let (whole, rest) = bytes.split_at_checked(end)?;
        self.0 = rest;
        Some(Element { tag, contents: &whole[start..], whole })
    }

    /// The next element, which has the tag.
    pub fn element(&mut self, tag: u8) -> Option<Element<'a>> {
        if !self.peek(tag) {
            self.0 = &[];
            return None;
        }
        self.any()
    }

    /// What the next element holds, which has the tag.
    pub fn bytes(&mut self, tag: u8) -> Option<&'a [u8]> {
        Some(self.element(tag)?.contents)
    }

    /// The elements within the next element, which has the tag.
    pub fn read(&mut self, tag: u8) -> Option<Self> {
        self.bytes(tag).map(Self)
    }

    /// The same, if the next element has the tag; the outer nothing is for one that cannot be read.
    pub fn optional(&mut self, tag: u8) -> Option<Option<Self>> {
        if self.peek(tag) { self.read(tag).map(Some) } else { Some(None) }
    }

    /// A whole number.
    pub fn integer(&mut self) -> Option<BigInt> {
        integer(self.bytes(INTEGER)?)
    }

    /// A whole number that fits.
    pub fn small(&mut self) -> Option<i64> {
        i64::try_from(self.integer()?).ok()
    }

    /// A truth.
    pub fn boolean(&mut self) -> Option<bool> {
        match self.bytes(BOOLEAN)? {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    /// The numbers of an object identifier.
    pub fn oid(&mut self) -> Option<Oid> {
        Oid::read(self.bytes(OBJECT_IDENTIFIER)?)
    }

    /// Bits.
    pub fn bits(&mut self) -> Option<Bits<'a>> {
        let (&unused, bytes) = self.bytes(BIT_STRING)?.split_first()?;
        let spare = match bytes.last() {
            Some(last) if unused < 8 => last & ((1 << unused) - 1),
            None if unused == 0 => 0,
            _ => return None,
        };
        (spare == 0).then_some(Bits { bytes, unused })
    }
}

/// The longest number that is read, in bytes: far more than any key has, and little enough to be written in decimal.
pub const LONGEST_NUMBER: usize = 2048;

/// The number that the contents of an element spell, in as few bytes as can be.
pub fn integer(contents: &[u8]) -> Option<BigInt> {
    match contents {
        _ if contents.len() > LONGEST_NUMBER => None,
        [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => None,
        _ => Some(BigInt::from_signed_bytes_be(contents)),
    }
}

/// A bit string: its bytes and how many bits at the end do not count.
#[derive(Debug, Clone, Copy)]
pub struct Bits<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// How many bits of the last byte do not count.
    pub unused: u8,
}

impl Bits<'_> {
    /// How many bits there are.
    pub fn count(&self) -> u64 {
        self.bytes.len() as u64 * 8 - u64::from(self.unused)
    }

    /// The bits shifted so that those that do not count are in front.
    pub fn aligned(&self) -> Vec<u8> {
        let mut carried = 0;
        let shifted = |byte: &u8| {
            let out = if self.unused == 0 { *byte } else { byte >> self.unused | carried };
            carried = byte.checked_shl(8 - u32::from(self.unused)).unwrap_or(0);
            out
        };
        self.bytes.iter().map(shifted).collect()
    }
}

/// An object identifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Oid(Vec<u32>);

impl Oid {
    /// Its numbers.
    pub fn arcs(&self) -> &[u32] {
        &self.0
    }

    fn read(contents: &[u8]) -> Option<Self> {
        let arcs = arcs(contents)?;
        let small = |arc: u128| u32::try_from(arc).ok().filter(|arc| *arc < 1 << 31);
        // The first two numbers are one in writing, which is what has to fit.
        small(base128(contents)?.0)?;
        arcs.into_iter().map(small).collect::<Option<_>>().map(Self)
    }
}

impl std::fmt::Display for Oid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&dotted(&self.0))
    }
}

/// The numbers of an object identifier in dots, though some be larger than [`Oid`] takes.
pub fn dotted_oid(contents: &[u8]) -> Option<String> {
    arcs(contents).map(|arcs| dotted(&arcs))
}

fn dotted<T: ToString>(arcs: &[T]) -> String {
    arcs.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

fn arcs(contents: &[u8]) -> Option<Vec<u128>> {
    let (first, mut rest) = base128(contents)?;
    let mut arcs = if first < 80 { vec![first / 40, first % 40] } else { vec![2, first - 80] };
    while !rest.is_empty() {
        let (arc, after) = base128(rest)?;
        arcs.push(arc);
        rest = after;
    }
    Some(arcs)
}

fn base128(bytes: &[u8]) -> Option<(u128, &[u8])> {
    let mut value = 0_u128;
    for (index, byte) in bytes.iter().enumerate() {
        if index == 0 && *byte == 0x80 || value >> 121 != 0 {
            return None;
        }
        value = value << 7 | u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_in_turn() {
        let mut der = Der::new(&[0x30, 6, 2, 1, 5, 1, 1, 0xff, 4, 0]);
        let mut inner = der.read(SEQUENCE).expect("a sequence");
        assert_eq!((inner.small(), inner.boolean(), inner.is_empty()), (Some(5), Some(true), true));
        assert_eq!(der.bytes(OCTET_STRING), Some(&[][..]));
        assert!(der.is_empty() && der.any().is_none());
    }

    #[test]
    fn what_is_not_der_is_not_read() {
        for bytes in [
            &[2, 0][..],                        // no digits
            &[2, 2, 0, 1],                      // too many digits
            &[2, 0x81, 1, 5],                   // too long a length
            &[2, 2, 5],                         // cut off
            &[2, 0x80, 5, 0, 0],                // no length
            &[2, 0x84, 0xff, 0xff, 0xff, 0xff], // far too long
        ] {
            assert_eq!(Der::new(bytes).integer(), None, "{bytes:?}");
        }
        assert_eq!(Der::new(&[1, 1, 1]).boolean(), None);
        assert!(Der::new(&[3, 2, 3, 0xff]).bits().is_none(), "spare bits are zero");
        assert!(Der::new(&[3, 1, 1]).bits().is_none() && Der::new(&[3, 0]).bits().is_none());
        assert!(Der::new(&[0x1f, 1, 1]).any().is_none());
    }

    #[test]
    fn bits_are_aligned_to_the_right() {
        let bits = Der::new(&[3, 3, 4, 0xab, 0xc0]).bits().expect("bits");
        assert_eq!((bits.count(), bits.aligned()), (12, vec![0x0a, 0xbc]));
        let bits = Der::new(&[3, 2, 0, 0xab]).bits().expect("bits");
        assert_eq!((bits.count(), bits.aligned()), (8, vec![0xab]));
    }

    #[test]
    fn object_identifiers_are_numbers() {
        let rsa = Der::new(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]).oid().expect("an identifier");
        assert_eq!(rsa.to_string(), "1.2.840.113549.1.1.1");
        assert_eq!(Der::new(&[6, 0]).oid(), None);
        assert_eq!(Der::new(&[6, 2, 0x2a, 0x80]).oid(), None);
        let large = [0x69, 0x90, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(dotted_oid(&large).as_deref(), Some("2.25.4294967296"));
        assert_eq!(Oid::read(&large), None);
    }
}
