//! Paths within bundles.

/// Two paths as one, without `.`, doubled slashes and the `..` that can be resolved.
pub(crate) fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let start = if base.starts_with('/') { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_as_go_joins_them() {
        assert_eq!(join("bundle", "bundle/authz.rego"), "bundle/bundle/authz.rego");
        assert_eq!(join("./b/", "/x.rego"), "b/x.rego");
        assert_eq!(join("/tmp/b", "/tmp/b/x.rego"), "/tmp/b/tmp/b/x.rego");
        assert_eq!(join("../b", "../b/x.rego"), "../b/x.rego");
    }
}
