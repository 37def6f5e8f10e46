//! What this engine offers to policies, and what the releases of OPA did.

use std::collections::BTreeSet;
use std::sync::Arc;

use regent_core::builtin::{Declaration, Parameter};
use regent_core::engine::{Capabilities, RegoVersion};

use regent_builtins::Builtins;

/// The releases of OPA: `RELEASE NAME…`, oldest first.
const RELEASES: &str = include_str!("capabilities/releases.txt");

/// Features that policies in v0 may rely on beside those of v1.
const V0_FEATURES: [&str; 3] = ["rego_v1_import", "rule_head_ref_string_prefixes", "rule_head_refs"];
/// Features of the language.
const FEATURES: [&str; 3] = ["keywords_in_refs", "rego_v1", "template_strings"];

/// What policies of a dialect may use.
pub(crate) fn current(builtins: &Builtins, version: RegoVersion) -> Capabilities {
    let mut features: Vec<Arc<str>> = FEATURES.into_iter().map(Arc::from).collect();
    let mut future_keywords = Vec::new();
    if version == RegoVersion::V0 {
        features.extend(V0_FEATURES.into_iter().map(Arc::from));
        features.sort();
        future_keywords.extend(crate::syntax::FUTURE_KEYWORDS.into_iter().map(Arc::from));
    }
    Capabilities {
        builtins: builtins.iter().map(|builtin| builtin.declaration().clone()).collect(),
        future_keywords,
        wasm_abi_versions: vec![(1, 1), (1, 2)],
        features,
        allow_net: None,
    }
}

/// The names of the releases of OPA whose capabilities are known, sorted as OPA lists them.
pub fn releases() -> Vec<&'static str> {
    let mut names: Vec<_> = lines().map(|(name, _)| name).collect();
    // OPA sorts the names of files.
    names.sort_by_key(|name| format!("{name}.json"));
    names
}

/// What a release of OPA offered of all that there is now; nothing for an unknown release.
///
/// Functions are declared as they are now, without names of parameters and without descriptions.
pub fn of_release(name: &str, current: &Capabilities) -> Option<Capabilities> {
    let known = lines().position(|(release, _)| release == name)?;
    let mut offered = BTreeSet::new();
    for (_, names) in lines().take(known + 1) {
        for name in names.split_whitespace() {
            match name.strip_prefix('-') {
                Some(gone) => offered.remove(gone),
                None => offered.insert(name),
            };
        }
    }
    let marked = |mark: &str| -> Vec<Arc<str>> {
        offered.iter().filter_map(|name| name.strip_prefix(mark)).map(Arc::from).collect()
    };
    let is_known = |keyword: &str| crate::syntax::FUTURE_KEYWORDS.contains(&keyword);
    let wasm = offered.iter().filter_map(|name| name.strip_prefix("wasm:")?.split_once('.'));
    Some(Capabilities {
        builtins: current.builtins.iter().filter(|function| offered.contains(&*function.name)).map(bare).collect(),
        future_keywords: marked("keyword:").into_iter().filter(|name| is_known(name)).collect(),
        wasm_abi_versions: wasm.filter_map(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?))).collect(),
        features: marked("feature:"),
        allow_net: None,
    })
}

/// The releases with what came with each.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = RELEASES.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, "")))
}

/// The declaration without anything that only explains it.
fn bare(declaration: &Declaration) -> Declaration {
    let bare =
        |parameter: &Parameter| Parameter { kind: parameter.kind.clone(), name: "".into(), description: "".into() };
    Declaration {
        description: "".into(),
        categories: Vec::new(),
        parameters: declaration.parameters.iter().map(bare).collect(),
        result: declaration.result.as_ref().map(bare),
        ..declaration.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stock;

    fn names(capabilities: &Capabilities) -> BTreeSet<&str> {
        capabilities.builtins.iter().map(|function| &*function.name).collect()
    }

    #[test]
    fn releases_offer_what_had_come_by_then() {
        let current = current(&stock(), RegoVersion::V1);
        let of = |name| of_release(name, &current).expect("a known release");
        let (old, new) = (of("v0.40.0"), of("v1.19.0"));
        assert!(names(&old).contains("rego.metadata.rule") && !names(&old).contains("units.parse"));
        assert_eq!(old.future_keywords, ["every", "in"].map(Arc::from));
        assert_eq!(old.wasm_abi_versions, [(1, 1), (1, 2)]);
        assert!(old.features.is_empty());
        assert_eq!(new.features, current.features);
        assert!(new.future_keywords.is_empty());
        assert_eq!(of("v0.17.0").wasm_abi_versions, []);
        assert_eq!(of_release("v9.9.9", &current), None);
    }

    #[test]
    fn the_last_release_has_every_function_of_ours() {
        let builtins = stock();
        let current = current(&builtins, RegoVersion::V1);
        let last = lines().last().map(|(name, _)| name).expect("releases");
        assert_eq!(names(&of_release(last, &current).expect("a known release")), names(&current));
    }

    #[test]
    fn releases_are_sorted_as_files_are() {
        let releases = releases();
        let at = |name| releases.iter().position(|release| *release == name).expect("a known release");
        assert!(at("v0.19.0-rc1") < at("v0.19.0") && at("v1.10.0") < at("v1.2.0"));
        // There were such releases, but OPA knows no capabilities of theirs.
        assert!(!releases.contains(&"v1.7.1") && !releases.contains(&"v1.10.1"));
        assert_eq!(releases.len(), 145);
    }

    #[test]
    fn what_any_release_offered_can_be_parsed_with() {
        use crate::syntax::Language;
        let current = current(&stock(), RegoVersion::V1);
        for name in releases() {
            let version = if name.starts_with("v0.") { RegoVersion::V0 } else { RegoVersion::V1 };
            let capabilities = of_release(name, &current).expect("a known release");
            assert!(Language::of(Some(&capabilities), version).is_ok(), "{name}");
        }
    }

    #[test]
    fn keywords_that_only_opa_has_may_be_offered() {
        use crate::syntax::Language;
        let offering = |keyword: &str| {
            let text = format!(r#"{{"features": ["rego_v1"], "future_keywords": ["{keyword}"]}}"#);
            let capabilities = Capabilities::parse(text.as_bytes()).expect("capabilities");
            Language::of(Some(&capabilities), RegoVersion::V1).map(|_| ()).map_err(|error| error.0[0].message.clone())
        };
        assert_eq!(offering("not"), Ok(()));
        assert_eq!(offering("nor"), Err("illegal capabilities: unknown keyword: nor".to_owned()));
    }
}
