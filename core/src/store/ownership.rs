//! Which bundle owns which part of the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{ActiveBundle, StoreError};
use crate::value::Path;

/// Refuses a path that lies in, or above, a root of an active bundle.
pub(super) fn require_unowned(bundles: &BTreeMap<Arc<str>, ActiveBundle>, path: &Path) -> Result<(), StoreError> {
    for (name, bundle) in bundles {
        for root in &bundle.roots {
            if path.is_empty() {
                return Err(StoreError::Owned("can't write to document root with bundle roots configured".to_owned()));
            }
            if root.is_empty() {
                return Err(StoreError::Owned(format!("all paths owned by bundle {name:?}")));
            }
            if path.is_within(root) || root.is_within(path) {
                let path = slashes(path);
                return Err(StoreError::Owned(format!("path {path} is owned by bundle {name:?}")));
            }
        }
    }
    Ok(())
}

/// Refuses bundles whose roots overlap.
pub(super) fn require_disjoint(bundles: &BTreeMap<Arc<str>, ActiveBundle>) -> Result<(), StoreError> {
    let roots: Vec<_> =
        bundles.iter().flat_map(|(name, bundle)| bundle.roots.iter().map(move |root| (&**name, root))).collect();
    let mut names = BTreeSet::new();
    let mut whole = BTreeSet::new();
    let mut conflicts = BTreeSet::new();
    for (at, (name, root)) in roots.iter().enumerate() {
        for (other, other_root) in &roots[at + 1..] {
            if name == other || !(root.is_within(other_root) || other_root.is_within(root)) {
                continue;
            }
            names.extend([*name, *other]);
            whole.extend(root.is_empty().then_some(*name));
            whole.extend(other_root.is_empty().then_some(*other));
            conflicts.insert(if root == other_root {
                format!("root {} is in multiple bundles", slashes(root))
            } else {
                let (outer, inner) = if other_root.is_within(root) { (root, other_root) } else { (other_root, root) };
                format!("{} overlaps {}", slashes(outer), slashes(inner))
            });
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let list = |items: BTreeSet<&str>| items.into_iter().collect::<Vec<_>>().join(", ");
    Err(StoreError::Bundle(if whole.is_empty() {
        let conflicts = conflicts.into_iter().collect::<Vec<_>>().join(", ");
        format!("detected overlapping roots in manifests for these bundles: [{}] ({conflicts})", list(names))
    } else {
        format!(
            "bundles [{}] have overlapping roots and cannot be activated simultaneously because bundle(s) [{}] \
             specify empty root paths ('') which overlap with any other bundle root",
            list(names),
            list(whole)
        )
    }))
}

pub(super) fn slashes(path: &Path) -> String {
    path.segments().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundles(named: &[(&str, &[&str])]) -> BTreeMap<Arc<str>, ActiveBundle> {
        let bundle = |roots: &[&str]| ActiveBundle {
            roots: roots.iter().map(|root| Path::from_slashes(root)).collect(),
            ..ActiveBundle::default()
        };
        named.iter().map(|(name, roots)| ((*name).into(), bundle(roots))).collect()
    }

    #[test]
    fn writes_in_and_above_roots_are_refused() {
        let active = bundles(&[("authz", &["roles", "deep/er"])]);
        let text = |path: &str| require_unowned(&active, &Path::from_slashes(path)).map_err(|e| e.to_string());
        assert_eq!(text("other"), Ok(()));
        assert_eq!(text("roles/x"), Err(r#"path roles/x is owned by bundle "authz""#.to_owned()));
        assert_eq!(text("deep"), Err(r#"path deep is owned by bundle "authz""#.to_owned()));
        assert_eq!(text(""), Err("can't write to document root with bundle roots configured".to_owned()));
        let everything = bundles(&[("all", &[""])]);
        let error = require_unowned(&everything, &Path::from_slashes("x")).expect_err("owned");
        assert_eq!(error.to_string(), r#"all paths owned by bundle "all""#);
    }

    #[test]
    fn overlapping_roots_are_named() {
        let text = |named| require_disjoint(&bundles(named)).map_err(|e| e.to_string());
        assert_eq!(text(&[("a", &["x", "y"]), ("b", &["z"])]), Ok(()));
        assert_eq!(
            text(&[("a", &["x"]), ("b", &["x/y"]), ("c", &["x"])]).expect_err("overlap"),
            "detected overlapping roots in manifests for these bundles: [a, b, c] \
             (root x is in multiple bundles, x overlaps x/y)"
        );
        assert_eq!(
            text(&[("a", &["x"]), ("b", &[""])]).expect_err("overlap"),
            "bundles [a, b] have overlapping roots and cannot be activated simultaneously because bundle(s) [b] \
             specify empty root paths ('') which overlap with any other bundle root"
        );
    }
}
