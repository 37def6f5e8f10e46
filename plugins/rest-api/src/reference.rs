//! From a URL path to the document it names.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use regent_core::value::Path;

/// Most segments of a path. Documents are walked recursively, on the stack of a request thread.
const MAX_SEGMENTS: usize = 1_000;

/// Why a URL path names no document, in OPA's words where it has any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("invalid path: invalid ref term '{0}'")]
    Term(String),
    #[error("invalid path: failed to parse query")]
    Text,
    #[error("the path has more than {MAX_SEGMENTS} segments")]
    Depth,
}

/// The segments of an escaped path as they are, for writing. An escaped slash belongs to its segment.
pub(crate) fn written(escaped: &str) -> Result<Path, PathError> {
    let plain = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    bounded(split(escaped).map(plain).collect())
}

/// A path of that many segments, if they are not too many.
pub(crate) fn bounded(segments: Vec<String>) -> Result<Path, PathError> {
    if segments.len() > MAX_SEGMENTS { Err(PathError::Depth) } else { Ok(Path::new(segments)) }
}

/// The segments of an escaped path, still escaped. Slashes at either end do not count.
pub(crate) fn split(escaped: &str) -> impl Iterator<Item = &str> {
    let trimmed = escaped.trim_matches('/');
    trimmed.split('/').filter(|_| !trimmed.is_empty())
}

/// The document that an escaped path names, for reading. What reads as an integer is one, so `01` is `1`.
pub(crate) fn document(escaped: &str) -> Result<Path, PathError> {
    let mut path = Vec::new();
    for segment in split(escaped) {
        let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| PathError::Text)?;
        if decoded.contains('\0') {
            return Err(PathError::Text);
        }
        if decoded.contains('"') {
            return Err(PathError::Term(decoded.into_owned()));
        }
        path.push(integer(&decoded).map_or_else(|| decoded.into_owned(), |number| number.to_string()));
    }
    bounded(path)
}

/// The path as OPA's messages show it: `data.a[1]["b c"]`.
pub(crate) fn shown(path: &Path) -> String {
    let mut text = String::from("data");
    for segment in path.segments() {
        if integer(segment).is_some() {
            let _ = write!(text, "[{segment}]");
        } else {
            let below = Path::new([segment.clone()]).to_reference();
            text.push_str(&below["data".len()..]);
        }
    }
    text
}

fn integer(segment: &str) -> Option<i64> {
    segment.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_belong_to_their_segment() {
        assert_eq!(written("/a%2Fb/c%20d/e%25f"), Ok(Path::new(["a/b", "c d", "e%f"])));
        assert_eq!(written("/"), Ok(Path::root()));
        assert_eq!(written("l/01"), Ok(Path::new(["l", "01"])));
        assert_eq!(written(&"a/".repeat(1_001)), Err(PathError::Depth));
    }

    #[test]
    fn documents_are_found_by_number_where_a_segment_is_one() {
        assert_eq!(document("l/01/+1/-1/1.0"), Ok(Path::new(["l", "1", "1", "-1", "1.0"])));
        assert_eq!(shown(&Path::new(["l", "1", "a b"])), r#"data.l[1]["a b"]"#);
    }

    #[test]
    fn some_characters_name_nothing() {
        let error = |path: &str| document(path).expect_err("refused").to_string();
        assert_eq!(error("a/%22"), "invalid path: invalid ref term '\"'");
        assert_eq!(error("a%00b"), "invalid path: failed to parse query");
        assert_eq!(error("%ff"), "invalid path: failed to parse query");
    }
}
