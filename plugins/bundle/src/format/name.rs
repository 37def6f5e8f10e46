//! Names of entries: from what an archive says to a path within the bundle.

use super::{FormatError, MOST_DEPTH};

/// The path within the bundle: without leading `/` or `./`, without empty parts. Empty for the root itself.
pub(super) fn normalize(name: &[u8]) -> Result<String, FormatError> {
    let text = std::str::from_utf8(name)
        .map_err(|_| FormatError::archive(format!("entry name {:?} is not UTF-8", String::from_utf8_lossy(name))))?;
    if text.contains('\0') {
        return Err(FormatError::archive(format!("entry name {text:?} holds a NUL")));
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(FormatError::archive(format!("entry {text:?} leaves the bundle")));
    }
    if parts.len() > MOST_DEPTH {
        return Err(FormatError::archive(format!("entry name of more than {MOST_DEPTH} parts")));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalized_and_kept_inside() {
        for name in ["a/b.rego", "/a/b.rego", "./a/b.rego", "a//./b.rego"] {
            assert_eq!(normalize(name.as_bytes()).expect("a name"), "a/b.rego");
        }
        assert_eq!(normalize(b"./").expect("the root"), "");
        assert_eq!(normalize(b"a..b/...").expect("a name"), "a..b/...");
        for name in ["../a", "a/../../b", "/..", "a/.."] {
            let error = normalize(name.as_bytes()).expect_err("outside").to_string();
            assert_eq!(error, format!("archive read failed: entry {name:?} leaves the bundle"));
        }
        assert!(normalize(b"\xff").is_err() && normalize(b"a\0b").is_err());
    }
}
