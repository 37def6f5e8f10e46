//! One state of all files, and how two of them differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

/// The name of files that hold data.
const DATA: &str = "data.json";

/// One state of all files.
#[derive(Debug, Default)]
pub(super) struct Version {
    /// What it is known by: the hash of a commit, or one like it.
    pub(super) hash: String,
    /// Texts by path.
    pub(super) files: BTreeMap<String, Arc<str>>,
    /// All directories with files of any kind.
    pub(super) directories: BTreeSet<String>,
}

/// Which files count.
#[derive(Debug, Clone)]
pub(super) struct Kinds {
    pub(super) extensions: Vec<String>,
    pub(super) manifest: String,
}

impl Kinds {
    pub(super) fn is_module(&self, path: &str) -> bool {
        self.extensions.iter().any(|end| path.ends_with(end.as_str()))
    }

    /// Whether a file has to be known at all.
    pub(super) fn counts(&self, path: &str) -> bool {
        self.is_module(path) || is_data(path) || file_name(path) == file_name(&self.manifest)
    }
}

fn is_data(path: &str) -> bool {
    file_name(path) == DATA
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The directory that a path is in; `.` is that of all.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(directory, _)| directory)
}

/// A bundle as OPAL's clients ask for it.
#[derive(Debug, Serialize)]
pub(super) struct Bundle<'a> {
    manifest: Vec<&'a str>,
    hash: &'a str,
    old_hash: Option<&'a str>,
    data_modules: Vec<DataModule<'a>>,
    policy_modules: Vec<PolicyModule<'a>>,
    deleted_files: Option<Deleted<'a>>,
}

#[derive(Debug, Serialize)]
struct DataModule<'a> {
    path: &'a str,
    data: &'a str,
}

#[derive(Debug, Serialize)]
struct PolicyModule<'a> {
    path: &'a str,
    package_name: &'a str,
    rego: &'a str,
}

#[derive(Debug, Serialize)]
struct Deleted<'a> {
    data_modules: Vec<&'a str>,
    policy_modules: Vec<&'a str>,
}

impl Version {
    /// A state of those files; others than those that count may be named without text.
    pub(super) fn new(
        hash: String,
        files: BTreeMap<String, Arc<str>>,
        paths: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut directories = BTreeSet::from([".".to_owned()]);
        for path in paths {
            let mut directory = parent(&path);
            while directories.insert(directory.to_owned()) {
                directory = parent(directory);
            }
        }
        Self { hash, files, directories }
    }

    /// Everything in those directories, or what has changed in them since an older state.
    pub(super) fn bundle<'a>(&'a self, directories: &[&str], old: Option<&'a Self>, kinds: &Kinds) -> Bundle<'a> {
        let is_wanted = |path: &str| {
            let mut within = directories.iter().map(|directory| directory.trim_end_matches('/'));
            within.any(|directory| matches!(directory, "." | "") || is_within(path, directory))
        };
        let loaded = |path: &str| is_wanted(path) && (kinds.is_module(path) || is_data(path));
        let is_new = |path: &str, text: &Arc<str>| old.is_none_or(|old| old.files.get(path) != Some(text));
        let mut files: Vec<(&str, &str)> = self
            .files
            .iter()
            .filter(|(path, text)| loaded(path) && is_new(path, text))
            .map(|(path, text)| (path.as_str(), &**text))
            .collect();
        files.sort_by_key(|(path, _)| (path.matches('/').count(), *path));
        let gone = old.into_iter().flat_map(|old| old.files.keys()).map(String::as_str);
        let mut gone: Vec<&str> = gone.filter(|path| loaded(path) && !self.files.contains_key(*path)).collect();
        gone.sort_by_key(|path| (path.matches('/').count(), *path));
        gone.reverse();
        let modules = |path: &&str| kinds.is_module(path);
        let deleted = Deleted {
            data_modules: gone.iter().copied().filter(|path| is_data(path)).map(parent).collect(),
            policy_modules: gone.iter().copied().filter(modules).collect(),
        };
        Bundle {
            manifest: self.in_order(files.iter().map(|(path, _)| *path).collect(), kinds),
            hash: &self.hash,
            old_hash: old.map(|old| old.hash.as_str()),
            data_modules: files
                .iter()
                .filter(|(path, _)| is_data(path))
                .map(|(path, data)| DataModule { path: parent(path), data })
                .collect(),
            policy_modules: files
                .iter()
                .filter(|(path, _)| kinds.is_module(path))
                .map(|(path, rego)| PolicyModule { path, package_name: package(rego), rego })
                .collect(),
            deleted_files: (!gone.is_empty()).then_some(deleted),
        }
    }

    /// Those files in the order in which they are loaded: what manifests name comes first.
    fn in_order<'a>(&self, files: Vec<&'a str>, kinds: &Kinds) -> Vec<&'a str> {
        let mut named = Vec::new();
        self.named(&kinds.manifest, kinds, &mut named, &mut BTreeSet::new());
        let place = |path: &str| named.iter().position(|name| name == path).unwrap_or(usize::MAX);
        let mut files = files;
        files.sort_by_key(|path| place(path));
        files
    }

    /// What a manifest names: files, and directories whose own manifest counts then.
    fn named(&self, manifest: &str, kinds: &Kinds, named: &mut Vec<String>, seen: &mut BTreeSet<String>) {
        let Some(text) = self.files.get(manifest) else { return };
        if !seen.insert(manifest.to_owned()) {
            return;
        }
        let directory = manifest.rsplit_once('/').map(|(directory, _)| directory);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let relative = line.trim_end_matches('/').trim_start_matches("./");
            let path = directory.map_or_else(|| relative.to_owned(), |directory| format!("{directory}/{relative}"));
            if self.files.contains_key(&path) {
                named.push(path);
            } else {
                self.named(&format!("{path}/{}", file_name(&kinds.manifest)), kinds, named, seen);
            }
        }
    }

    /// The directories in which something has changed since another state, with all that they lie in. Nothing if none of the
    /// files that count has.
    pub(super) fn changed_since(&self, old: &Self) -> BTreeSet<String> {
        let paths = self.files.keys().chain(old.files.keys());
        let changed = paths.filter(|path| self.files.get(*path) != old.files.get(*path));
        let mut directories = BTreeSet::new();
        for path in changed {
            let mut directory = parent(path);
            while directories.insert(directory.to_owned()) {
                directory = parent(directory);
            }
        }
        directories
    }
}

fn is_within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

/// The package of a module, as opal-server sees it: what it does not understand is none.
fn package(rego: &str) -> &str {
    let letters = |name: &&str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || r#"."[]"#.contains(letter));
    let name = |line: &'_ str| line.strip_prefix("package")?.strip_prefix([' ', '\t']).filter(letters).map(str::len);
    rego.lines().find_map(|line| name(line).map(|length| &line[line.len() - length..])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn kinds() -> Kinds {
        Kinds { extensions: vec![".rego".to_owned()], manifest: ".manifest".to_owned() }
    }

    fn version(hash: &str, files: &[(&str, &str)]) -> Version {
        let files: BTreeMap<String, Arc<str>> =
            files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect();
        let paths: Vec<String> = files.keys().cloned().collect();
        Version::new(hash.to_owned(), files, paths)
    }

    fn bundle(version: &Version, directories: &[&str], old: Option<&Version>) -> Json {
        serde_json::to_value(version.bundle(directories, old, &kinds())).expect("JSON")
    }

    const FILES: [(&str, &str); 6] = [
        (".manifest", "utils.rego\nrbac.rego\nbilling\n"),
        ("billing/.manifest", "billing.rego\n"),
        ("billing/billing.rego", "package billing\n"),
        ("billing/data.json", "{}"),
        ("rbac.rego", "package app.rbac\n"),
        ("utils.rego", "package utils\n"),
    ];

    #[test]
    fn a_whole_bundle_has_everything_in_order() {
        let whole = bundle(&version("h", &FILES), &["."], None);
        assert_eq!(whole["manifest"], json!(["utils.rego", "rbac.rego", "billing/billing.rego", "billing/data.json"]));
        assert_eq!(whole["data_modules"], json!([{"path": "billing", "data": "{}"}]));
        let modules = whole["policy_modules"].as_array().expect("modules");
        let modules: Vec<_> = modules.iter().map(|module| (&module["path"], &module["package_name"])).collect();
        let named = |path: &str, package: &str| (json!(path), json!(package));
        let expected =
            [named("rbac.rego", "app.rbac"), named("utils.rego", "utils"), named("billing/billing.rego", "billing")];
        assert!(modules.into_iter().eq(expected.iter().map(|(path, package)| (path, package))));
        assert_eq!(
            (&whole["hash"], &whole["old_hash"], &whole["deleted_files"]),
            (&json!("h"), &Json::Null, &Json::Null)
        );
        let part = bundle(&version("h", &FILES), &["billing"], None);
        assert_eq!(part["manifest"], json!(["billing/billing.rego", "billing/data.json"]));
        assert_eq!(bundle(&version("h", &FILES), &["rbac.rego"], None)["manifest"], json!([]));
    }

    #[test]
    fn a_difference_has_what_is_new_and_what_is_gone() {
        let old = version("old", &FILES);
        let new =
            version("new", &[FILES[0], ("billing/renamed.rego", FILES[2].1), ("rbac.rego", "package x\n"), FILES[5]]);
        let difference = bundle(&new, &["."], Some(&old));
        assert_eq!(difference["manifest"], json!(["rbac.rego", "billing/renamed.rego"]));
        assert_eq!(difference["old_hash"], "old");
        let deleted = json!({"data_modules": ["billing"], "policy_modules": ["billing/billing.rego"]});
        assert_eq!(difference["deleted_files"], deleted);
        let changed: Vec<_> = new.changed_since(&old).into_iter().collect();
        assert_eq!(changed, [".", "billing"]);
        assert!(new.changed_since(&new).is_empty());
    }

    #[test]
    fn directories_are_told_with_all_that_they_lie_in() {
        let of = |files: &[&str]| {
            let files: Vec<_> = files.iter().map(|path| (*path, "x")).collect();
            version("n", &files).changed_since(&version("o", &[])).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of(&["rbac.rego"]), ["."]);
        assert_eq!(of(&["billing/rules/a.rego"]), [".", "billing", "billing/rules"]);
        assert_eq!(
            of(&["billing/rules/a.rego", "common/b.rego", "data.json"]),
            [".", "billing", "billing/rules", "common"]
        );
    }

    #[test]
    fn packages_are_seen_as_by_opal() {
        for (text, name) in [
            ("package a.b\n", "a.b"),
            ("# c\npackage x\n", "x"),
            ("package a_b.c\n", ""),
            ("package a.b # comment\n", ""),
            ("package a[\"b-c\"]\n", ""),
            ("package a.b  \n", ""),
            ("  package a\n", ""),
            ("package\ta\n", "a"),
        ] {
            assert_eq!(package(text), name, "{text:?}");
        }
    }
}
