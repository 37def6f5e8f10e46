//! Where nodes stand.

use regent_core::Value;
use regent_core::value::Json;

use super::Field;
use crate::syntax::ast::Span;

/// `{file, row, col}`, with the text as base64 where locations are asked for.
pub(super) fn show(span: &Span, text: bool) -> Json {
    let mut fields = vec![
        ("file", Json::from(&*span.source.name)),
        ("row", Json::from(u64::from(span.row))),
        ("col", Json::from(u64::from(span.col))),
    ];
    if text {
        fields.push(("text", Json::from(base64(span.text().as_bytes()))));
    }
    Json::Object(fields)
}

/// As [`show`], as a value.
pub(super) fn value(span: &Span, text: bool) -> Value {
    let mut fields = vec![
        ("file", Value::from(&*span.source.name)),
        ("row", Value::from(u64::from(span.row))),
        ("col", Value::from(u64::from(span.col))),
    ];
    if text {
        fields.push(("text", Value::from(base64(span.text().as_bytes()))));
    }
    Value::object(fields)
}

/// The sorted fields with the location among them; nodes that the parser made have none.
pub(super) fn with_location(mut fields: Vec<Field>, span: &Span) -> Vec<Field> {
    if span.row > 0 {
        let at = fields.iter().position(|(name, _)| *name > "location").unwrap_or(fields.len());
        fields.insert(at, ("location", show(span, true)));
    }
    fields
}

/// Standard base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let sextet = (bits >> (18 - 6 * index)) & 63;
            text.push(if index <= chunk.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text
}
