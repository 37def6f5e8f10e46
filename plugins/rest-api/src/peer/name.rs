//! Distinguished names in the spelling of Go, which is that of RFC 2253 with an order of its own.
//!
//! Attributes that Go has no name for are left out, those of one kind come together, and kinds come in a fixed order
//! whatever their order in the certificate.

use der::asn1::AnyRef;
use der::{Decode as _, ErrorKind, Reader as _, SliceReader, Tag, Tagged as _};

/// A kind of attribute.
struct Kind {
    /// The last part of its identifier, `2.5.4.…`.
    arc: u8,
    name: &'static str,
    /// Whether only the last one of a name counts, and none that is empty.
    single: bool,
}

const fn kind(arc: u8, name: &'static str, single: bool) -> Kind {
    Kind { arc, name, single }
}

/// In the order of the text.
const KINDS: [Kind; 9] = [
    kind(5, "SERIALNUMBER", true),
    kind(3, "CN", true),
    kind(17, "POSTALCODE", false),
    kind(9, "STREET", false),
    kind(8, "ST", false),
    kind(7, "L", false),
    kind(11, "OU", false),
    kind(10, "O", false),
    kind(6, "C", false),
];

/// The text of a name, given as what its outer sequence holds.
///
/// # Errors
/// When it is not encoded as a name has to be.
pub(super) fn shown(name: &[u8]) -> der::Result<String> {
    let attributes = attributes(name)?;
    let mut parts = Vec::new();
    for Kind { arc, name, single } in &KINDS {
        let mut texts: Vec<_> = attributes.iter().filter(|(kind, _)| kind == arc).map(|(_, text)| text).collect();
        if *single {
            texts = texts.pop().filter(|text| !text.is_empty()).into_iter().collect();
        }
        let texts: Vec<_> = texts.into_iter().map(|text| format!("{name}={}", escaped(text))).collect();
        if !texts.is_empty() {
            parts.push(texts.join("+"));
        }
    }
    Ok(parts.join(","))
}

/// The attributes of a name whose values are texts, by the last part of their identifiers.
fn attributes(name: &[u8]) -> der::Result<Vec<(u8, String)>> {
    let mut found = Vec::new();
    for set in elements(name)? {
        for pair in elements(set.value())? {
            let [kind, value] = elements(pair.value())?[..] else { return Err(ErrorKind::Failed.into()) };
            if let (&[0x55, 0x04, arc], Some(text)) = (kind.value(), text(value)?) {
                found.push((arc, text));
            }
        }
    }
    Ok(found)
}

fn elements(contents: &[u8]) -> der::Result<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(contents)?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(AnyRef::decode(&mut reader)?);
    }
    Ok(found)
}

/// The text of a value, if it is one.
fn text(value: AnyRef<'_>) -> der::Result<Option<String>> {
    let bytes = value.value();
    let invalid = || der::Error::from(ErrorKind::Failed);
    let text = match value.tag() {
        Tag::Utf8String => String::from_utf8(bytes.to_vec()).map_err(|_| invalid())?,
        Tag::PrintableString | Tag::NumericString | Tag::Ia5String if bytes.is_ascii() => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        // Go takes it for Latin-1.
        Tag::TeletexString => bytes.iter().copied().map(char::from).collect(),
        Tag::BmpString if bytes.len().is_multiple_of(2) => {
            let units: Vec<_> = bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(units.strip_suffix(&[0]).unwrap_or(&units)).map_err(|_| invalid())?
        }
        Tag::PrintableString | Tag::NumericString | Tag::Ia5String | Tag::BmpString => return Err(invalid()),
        _ => return Ok(None),
    };
    Ok(Some(text))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let escape = match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            ' ' => at == 0 || at == text.len() - 1,
            '#' => at == 0,
            _ => false,
        };
        if escape {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name whose attributes, each alone in its set, have the given kinds, tags and values.
    fn name(attributes: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let wrap = |tag: u8, inner: &[u8]| {
            let mut outer = vec![tag, u8::try_from(inner.len()).expect("short")];
            outer.extend_from_slice(inner);
            outer
        };
        let one = |(arc, tag, value): &(u8, u8, &[u8])| {
            let pair = [vec![6, 3, 0x55, 4, *arc], wrap(*tag, value)].concat();
            wrap(0x31, &wrap(0x30, &pair))
        };
        attributes.iter().flat_map(one).collect()
    }

    #[test]
    fn kinds_have_an_order_of_their_own() {
        let given = name(&[
            (3, 12, b"early"),
            (6, 19, b"DE"),
            (10, 12, b"Acme"),
            (11, 12, b"Eng"),
            (11, 12, b"Ops"),
            (3, 12, b"alice"),
            (42, 12, b"given name"),
        ]);
        assert_eq!(shown(&given).as_deref(), Ok("CN=alice,OU=Eng+OU=Ops,O=Acme,C=DE"));
        assert_eq!(shown(&[]).as_deref(), Ok(""));
    }

    #[test]
    fn what_could_be_mistaken_for_structure_is_escaped() {
        let given = name(&[(3, 12, b"#a, b+\"c\" "), (10, 12, b" a#b c")]);
        assert_eq!(shown(&given).as_deref(), Ok(r#"CN=\#a\, b\+\"c\"\ ,O=\ a#b c"#));
    }

    #[test]
    fn texts_are_read_in_every_alphabet() {
        let given = name(&[(3, 30, &[0, 0x41, 0x20, 0xac]), (10, 20, &[0xe9]), (6, 4, b"no text")]);
        assert_eq!(shown(&given).as_deref(), Ok("CN=A€,O=é"));
        for broken in [name(&[(3, 12, &[0xff])]), name(&[(3, 30, &[0])]), name(&[(3, 19, &[0xe9])]), vec![0x31]] {
            shown(&broken).expect_err("no name");
        }
    }
}
