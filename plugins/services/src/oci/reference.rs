//! References to artifacts, and the digests by which content is called.

use super::failure::Failure;

/// `registry/repository:tag` or `registry/repository@digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) repository: String,
    pub(super) version: Version,
}

/// Which version of what a repository has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Version {
    Tag(String),
    Digest(Digest),
}

/// The SHA-256 of some content, as it is written: `sha256:` and hexadecimal digits. Bundles know no other algorithm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digest(String);

impl Reference {
    /// Reads a reference. A tag beside a digest does not count.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::reference(text, why);
        let rest = text.split_once('/').map(|(_registry, rest)| rest).unwrap_or_default();
        if rest.is_empty() {
            return Err(wrong("missing registry or repository"));
        }
        let (name, version) = match rest.split_once('@') {
            Some((name, digest)) => {
                let digest = Digest::read(digest).ok_or_else(|| wrong(&format!("invalid digest {digest:?}")))?;
                (name.split_once(':').map_or(name, |(name, _tag)| name), Version::Digest(digest))
            }
            None => match rest.split_once(':') {
                Some((name, tag)) if is_tag(tag) => (name, Version::Tag(tag.to_owned())),
                Some((_, tag)) => return Err(wrong(&format!("invalid tag {tag:?}"))),
                None => return Err(wrong("missing tag or digest")),
            },
        };
        if !name.split('/').all(is_part_of_name) {
            return Err(wrong(&format!("invalid repository {name:?}")));
        }
        Ok(Self { repository: name.to_owned(), version })
    }
}

impl Version {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag,
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

impl Digest {
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?;
        let is_hex = digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone.
    pub(super) fn hex(&self) -> &str {
        self.0.trim_start_matches("sha256:")
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Small letters, digits, and between them `.`, `_` and `-`.
fn is_part_of_name(part: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = part.as_bytes();
    is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|byte| is_end(Some(byte)) || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= 128 && bytes.next().is_some_and(is_word) && bytes.all(|byte| is_word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_a_registry_a_repository_and_a_version() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let read = |text: &str| {
            let reference = Reference::read(text).map_err(|failure| failure.to_string())?;
            Ok::<_, String>((reference.repository, reference.version.as_str().to_owned()))
        };
        let found = |repository: &str, version: &str| Ok((repository.to_owned(), version.to_owned()));
        assert_eq!(read("ghcr.io/org/repo:latest"), found("org/repo", "latest"));
        assert_eq!(read("localhost:5000/a/b-c_d.e/f:v1.2-3_4"), found("a/b-c_d.e/f", "v1.2-3_4"));
        assert_eq!(read(&format!("ghcr.io/org/repo@{digest}")), found("org/repo", &digest));
        assert_eq!(read(&format!("ghcr.io/org/repo:v1@{digest}")), found("org/repo", &digest));
        for (text, why) in [
            ("bundles", "missing registry or repository"),
            ("ghcr.io/", "missing registry or repository"),
            ("ghcr.io/org/repo", "missing tag or digest"),
            ("ghcr.io/org/repo:", r#"invalid tag """#),
            ("ghcr.io/org/repo:a/b", r#"invalid tag "a/b""#),
            ("ghcr.io/org/../x:v1", r#"invalid repository "org/../x""#),
            ("ghcr.io/Org/repo:v1", r#"invalid repository "Org/repo""#),
            ("ghcr.io//repo:v1", r#"invalid repository "/repo""#),
            ("ghcr.io/org/repo@sha256:abc", r#"invalid digest "sha256:abc""#),
            ("ghcr.io/org/repo@sha512:abc", r#"invalid digest "sha512:abc""#),
        ] {
            assert_eq!(read(text), Err(format!("invalid reference {text:?}: {why}")));
        }
    }
}
