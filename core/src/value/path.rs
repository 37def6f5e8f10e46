//! Paths into documents.

use std::fmt;
use std::sync::Arc;

/// A path into a document: the keys from the root down. Shown with slashes, `/a/b`; the root is `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Arc<[Arc<str>]>);

impl Path {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path from its keys.
    pub fn new<S: Into<Arc<str>>>(segments: impl IntoIterator<Item = S>) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }

    /// A path from slash-separated text, as configuration and manifests write it. Slashes at either end do not count.
    pub fn from_slashes(text: &str) -> Self {
        Self::new(text.split('/').filter(|segment| !segment.is_empty()))
    }

    /// A path from dot-separated text, as a package is named.
    pub fn from_dots(text: &str) -> Self {
        Self::new(text.split('.').filter(|segment| !segment.is_empty()))
    }

    /// The keys from the root down.
    pub fn segments(&self) -> &[Arc<str>] {
        &self.0
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the root.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `self` lies at or below `ancestor`.
    pub fn is_within(&self, ancestor: &Path) -> bool {
        self.0.starts_with(&ancestor.0)
    }

    /// The path one key further down.
    #[must_use]
    pub fn child(&self, segment: &str) -> Self {
        Self(self.0.iter().cloned().chain([Arc::from(segment)]).collect())
    }

    /// The first `length` keys.
    #[must_use]
    pub fn prefix(&self, length: usize) -> Self {
        Self(self.0[..length].into())
    }

    /// The path as a reference below `data`, `data.a.b`, quoted where a key is no identifier: `data["a b"].c`.
    pub fn to_reference(&self) -> String {
        use std::fmt::Write as _;
        self.0.iter().fold(String::from("data"), |mut text, segment| {
            if is_identifier(segment) {
                let _ = write!(text, ".{segment}");
            } else {
                let mut quoted = Vec::new();
                super::write_json_string(&mut quoted, segment);
                let _ = write!(text, "[{}]", String::from_utf8_lossy(&quoted));
            }
            text
        })
    }
}

fn is_identifier(segment: &str) -> bool {
    let mut characters = segment.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || other == '_')
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_show_themselves() {
        assert_eq!(Path::from_slashes("/a/b/"), Path::new(["a", "b"]));
        assert_eq!(Path::from_slashes("").to_string(), "/");
        assert_eq!(Path::from_dots("a.b").to_string(), "/a/b");
        assert_eq!(Path::new(["a", "b c", "1"]).to_reference(), r#"data.a["b c"]["1"]"#);
    }

    #[test]
    fn a_path_is_within_itself_and_its_ancestors() {
        let path = Path::from_slashes("a/b");
        assert!(path.is_within(&Path::root()) && path.is_within(&path) && path.is_within(&Path::from_slashes("a")));
        assert!(!path.is_within(&Path::from_slashes("a/b/c")) && !path.is_within(&Path::from_slashes("ab")));
    }
}
