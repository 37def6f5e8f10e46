//! Documents in bodies: JSON, or YAML where the client says so; bounded in depth before they are decoded.

use regent_core::Value;
use regent_core::value::{DecodeError, Parted, decode_fields, decode_prefix};

/// Deepest nesting of a document. The decoder would go deeper than the stack of a request thread allows.
const MAX_NESTING: usize = 1_000;

/// Why a body is no document, in words that the client sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error(transparent)]
    Json(#[from] DecodeError),
    #[error("{0}")]
    Yaml(String),
}

/// Reads the first document of a body and ignores what follows it. Nothing but white space is no document.
///
/// # Errors
/// When it is neither JSON nor, where the client says so, YAML.
pub(crate) fn document(body: &[u8], yaml: bool) -> Result<Option<Value>, DocumentError> {
    if yaml {
        return from_yaml(body);
    }
    match first_value(body) {
        Ok((value, _)) => Ok(Some(value)),
        Err(DecodeError::Empty) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// As [`document`], for whoever wants the fields of an object. YAML is not taken apart.
///
/// # Errors
/// As [`document`].
pub(crate) fn parted(body: &[u8], yaml: bool) -> Result<Option<Parted>, DocumentError> {
    if yaml {
        return Ok(from_yaml(body)?.map(Parted::Whole));
    }
    match check_nesting(body).and_then(|()| decode_fields(body)) {
        Ok(parted) => Ok(Some(parted)),
        Err(DecodeError::Empty) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads a body that must be one document and nothing else, as OPA does where a policy is to judge it.
///
/// # Errors
/// When it is neither JSON nor, where the client says so, YAML; in words that the client sees.
pub(crate) fn whole_document(body: &[u8], yaml: bool) -> Result<Value, String> {
    if yaml {
        return from_yaml(body).map(Option::unwrap_or_default).map_err(|error| error.to_string());
    }
    let (value, end) = first_value(body).map_err(|error| error.to_string())?;
    match (first_value(&body[end..]), body[end..].trim_ascii_start().first()) {
        (Err(DecodeError::Empty), _) | (_, None) => Ok(value),
        (Ok(_), Some(next)) => Err(format!("error: invalid character '{}' after top-level value", char::from(*next))),
        (Err(error), _) => Err(error.to_string()),
    }
}

/// Reads the first JSON value; gives it and the position behind it. Nesting is checked before anything recurses.
pub(crate) fn first_value(json: &[u8]) -> Result<(Value, usize), DecodeError> {
    check_nesting(json)?;
    decode_prefix(json)
}

fn check_nesting(json: &[u8]) -> Result<(), DecodeError> {
    if json.len() > MAX_NESTING && nests_deeper(json, MAX_NESTING) { Err(DecodeError::Depth) } else { Ok(()) }
}

fn nests_deeper(json: &[u8], limit: usize) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return,
            _ => {}
        }
    }
}

fn from_yaml(body: &[u8]) -> Result<Option<Value>, DocumentError> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(body);
    let (value, _) = regent_core::yaml::parse(&text).map_err(|error| DocumentError::Yaml(error.to_string()))?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_document_has_nothing_after_it() {
        let read = |text: &str| whole_document(text.as_bytes(), false).map(|value| value.to_string());
        assert_eq!(read(" [1] \n"), Ok("[1]".to_owned()));
        assert_eq!(read("{"), Err("unexpected EOF".to_owned()));
        assert_eq!(read(" "), Err("EOF".to_owned()));
        assert_eq!(read("{} x"), Err("invalid character 'x' looking for beginning of value".to_owned()));
        assert_eq!(read("{} 5"), Err("error: invalid character '5' after top-level value".to_owned()));
    }

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        assert!(nests_deeper(b"[[[]]]", 2) && nests_deeper(br#"{"a":[{"\"":1}]}"#, 2));
        assert!(!nests_deeper(b"[[],[],[]]", 2) && !nests_deeper(br#"["[[[\"[[["]"#, 2));
    }
}
