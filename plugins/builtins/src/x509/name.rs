//! Distinguished names.

use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::super::keys::der::{self, Der, Element, Oid};
use super::super::keys::shape;
use super::time;

/// An attribute, such as the common name.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    kind: Oid,
    /// As Go's JSON shows it.
    value: Value,
}

/// A distinguished name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name(Vec<Attribute>);

impl Name {
    /// Reads a whole name.
    ///
    /// # Errors
    /// `x509: invalid RDNSequence` and what follows that.
    pub(crate) fn read(der: &[u8]) -> Result<Self, BuiltinError> {
        let invalid = |detail: &str| BuiltinError::failed(format!("x509: invalid RDNSequence{detail}"));
        let mut sequence = Der::new(der).read(der::SEQUENCE).ok_or_else(|| invalid(""))?;
        let mut attributes = Vec::new();
        while !sequence.is_empty() {
            let mut set = sequence.read(der::SET).ok_or_else(|| invalid(""))?;
            while !set.is_empty() {
                let mut pair = set.read(der::SEQUENCE).ok_or_else(|| invalid(": invalid attribute"))?;
                let kind = pair.oid().ok_or_else(|| invalid(": invalid attribute type"))?;
                let value = pair.any().and_then(value).ok_or_else(|| invalid(": invalid attribute value"))?;
                attributes.push(Attribute { kind, value });
            }
        }
        Ok(Self(attributes))
    }

    /// The name as Go's JSON shows it.
    pub(crate) fn shape(&self) -> Value {
        let all = |arc| shape::list(self.texts(arc).cloned());
        let last = |arc| self.texts(arc).last().cloned().unwrap_or_else(|| "".into());
        Value::object([
            ("CommonName", last(3)),
            ("SerialNumber", last(5)),
            ("Country", all(6)),
            ("Locality", all(7)),
            ("Province", all(8)),
            ("StreetAddress", all(9)),
            ("Organization", all(10)),
            ("OrganizationalUnit", all(11)),
            ("PostalCode", all(17)),
            ("Names", shape::list(self.0.iter().map(Attribute::shape))),
            ("ExtraNames", Value::NULL),
        ])
    }

    /// The texts of one of the attributes that have names of their own.
    fn texts(&self, arc: u32) -> impl Iterator<Item = &Value> {
        let wanted = [2, 5, 4, arc];
        self.0.iter().filter(move |a| a.kind.arcs() == wanted && a.value.as_str().is_some()).map(|a| &a.value)
    }
}

impl Attribute {
    /// Reads what the sequence of an attribute holds.
    pub(crate) fn read(mut der: Der<'_>) -> Option<Self> {
        Some(Self { kind: der.oid()?, value: value(der.any()?)? })
    }

    /// The attribute as Go's JSON shows it.
    pub(crate) fn shape(&self) -> Value {
        Value::object([("Type", shape::oid(&self.kind)), ("Value", self.value.clone())])
    }
}

/// An attribute's value as Go's JSON shows it.
fn value(element: Element<'_>) -> Option<Value> {
    let mut der = Der::new(element.whole);
    Some(match element.tag {
        der::INTEGER => der.small()?.into(),
        der::BOOLEAN => der.boolean()?.into(),
        der::NULL => Value::NULL,
        der::OCTET_STRING => shape::bytes(element.contents),
        der::OBJECT_IDENTIFIER => shape::oid(&der.oid()?),
        der::UTC_TIME | der::GENERALIZED_TIME => time::shape(time::read(&mut der)?),
        der::BIT_STRING => {
            let bits = der.bits()?;
            Value::object([("Bytes", shape::bytes(bits.bytes)), ("BitLength", bits.count().into())])
        }
        tag if is_text(tag) => text(tag, element.contents)?.into(),
        tag => Value::object([
            ("Class", Value::from(u32::from(tag >> 6))),
            ("Tag", u32::from(tag & 0x1f).into()),
            ("IsCompound", (tag & 0x20 != 0).into()),
            ("Bytes", shape::bytes(element.contents)),
            ("FullBytes", shape::bytes(element.whole)),
        ]),
    })
}

fn is_text(tag: u8) -> bool {
    matches!(
        tag,
        der::UTF8_STRING
            | der::NUMERIC_STRING
            | der::PRINTABLE_STRING
            | der::T61_STRING
            | der::IA5_STRING
            | der::BMP_STRING
    )
}

/// A text in one of the many encodings. T.61 is read as Latin-1, as all the world does.
fn text(tag: u8, bytes: &[u8]) -> Option<String> {
    match tag {
        der::T61_STRING => Some(bytes.iter().copied().map(char::from).collect()),
        der::BMP_STRING => two_byte_text(bytes),
        der::UTF8_STRING => String::from_utf8(bytes.to_vec()).ok(),
        _ => {
            let allowed = |byte: &u8| match tag {
                der::PRINTABLE_STRING => is_printable(*byte),
                der::NUMERIC_STRING => byte.is_ascii_digit() || *byte == b' ',
                _ => byte.is_ascii(),
            };
            bytes.iter().all(allowed).then(|| String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// `*` and `&` are not in the standard, but in certificates.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+,-./ :=?*&".contains(&byte)
}

fn two_byte_text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_suffix(&[0, 0]).unwrap_or(bytes);
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let units = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let is_character = |unit: &u32| !matches!(unit, 0xfdd0..=0xfdef | 0xfffe | 0xffff);
    units.map(|unit| char::from_u32(unit).filter(|_| is_character(&unit))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_in_many_encodings() {
        assert_eq!(text(der::T61_STRING, &[0xe9]).as_deref(), Some("é"));
        assert_eq!(text(der::BMP_STRING, &[0x20, 0xac, 0, 0]).as_deref(), Some("€"));
        assert_eq!(text(der::BMP_STRING, &[0xd8, 0]), None);
        assert_eq!(text(der::BMP_STRING, &[0xff, 0xfe]), None);
        assert_eq!(text(der::BMP_STRING, &[0x20]), None);
        assert_eq!(text(der::UTF8_STRING, &[0xff]), None);
        assert_eq!(text(der::PRINTABLE_STRING, b"*.a & b").as_deref(), Some("*.a & b"));
        assert_eq!(text(der::PRINTABLE_STRING, b"a_b"), None);
        assert_eq!(text(der::NUMERIC_STRING, b"1 2").as_deref(), Some("1 2"));
        assert_eq!(text(der::NUMERIC_STRING, b"1a"), None);
        assert_eq!(text(der::IA5_STRING, "é".as_bytes()), None);
    }
}
