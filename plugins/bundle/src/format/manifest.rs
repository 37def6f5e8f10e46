//! `.manifest`: what a bundle says of itself.

use std::cmp::Reverse;

use globset::{GlobBuilder, GlobMatcher};
use regent_core::Value;
use regent_core::engine::RegoVersion;
use regent_core::value::{Path, decode_shallow};

use super::{FormatError, MOST_DEPTH};

/// What a bundle says of itself. Without a `.manifest` file: no revision, and everything is its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its version, whatever its author calls so; empty if nothing.
    pub revision: String,
    /// The paths that it owns. One empty path is everything, no path is nothing.
    pub roots: Vec<Path>,
    /// The dialect of its policies, if it says.
    pub rego_version: Option<RegoVersion>,
    /// Dialects of single files: a pattern of their paths, and the dialect.
    pub file_rego_versions: Vec<(String, RegoVersion)>,
    /// Whatever else its author wants known, an object if anything.
    pub metadata: Option<Value>,
    /// The list of compiled policies, which are ignored.
    pub wasm: Option<Value>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            revision: String::new(),
            roots: vec![Path::root()],
            rego_version: None,
            file_rego_versions: Vec::new(),
            metadata: None,
            wasm: None,
        }
    }
}

impl Manifest {
    /// Reads the text of a manifest. Unknown keys are fine.
    ///
    /// # Errors
    /// When it is no JSON, a key has another type than it should, or roots overlap.
    pub fn decode(text: &[u8]) -> Result<Self, FormatError> {
        let wrong = |error: &dyn std::fmt::Display| FormatError::ManifestDecode(error.to_string());
        let value = decode_shallow(text).map_err(|error| wrong(&error))?;
        let manifest = Self::from_value(&value).map_err(|error| wrong(&error))?;
        manifest.require_disjoint_roots()?;
        Ok(manifest)
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        if value.as_object().is_none() {
            return Err(format!("cannot use {} as manifest, want object", value.type_name()));
        }
        let key = |key: &str| value.get(key).filter(|value| !value.is_null());
        Ok(Self {
            revision: key("revision").map(|v| text("revision", v)).transpose()?.unwrap_or_default(),
            roots: key("roots").map(roots).transpose()?.unwrap_or_else(|| vec![Path::root()]),
            rego_version: key("rego_version").map(|v| version("rego_version", v)).transpose()?,
            file_rego_versions: key("file_rego_versions").map(file_versions).transpose()?.unwrap_or_default(),
            metadata: key("metadata").map(|v| object("metadata", v)).transpose()?,
            wasm: key("wasm").map(|v| array("wasm", v)).transpose()?,
        })
    }

    fn require_disjoint_roots(&self) -> Result<(), FormatError> {
        for (at, one) in self.roots.iter().enumerate() {
            for other in &self.roots[at + 1..] {
                if one.is_within(other) || other.is_within(one) {
                    return Err(FormatError::OverlappedRoots(slashes(one), slashes(other)));
                }
            }
        }
        Ok(())
    }

    /// Whether the bundle owns the path.
    pub fn permits(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.is_within(root))
    }

    /// Refuses data outside the roots.
    pub(super) fn require_permitted(&self, data: &Value) -> Result<(), FormatError> {
        if self.roots.iter().any(Path::is_empty) {
            return Ok(());
        }
        self.descend(&Path::root(), data)
    }

    fn descend(&self, path: &Path, value: &Value) -> Result<(), FormatError> {
        if self.permits(path) {
            return Ok(());
        }
        match value.as_object() {
            Some(entries) if path.len() < MOST_DEPTH && self.leads_to_root(path) => entries
                .iter()
                .filter_map(|(key, below)| Some((key.as_str()?, below)))
                .try_for_each(|(key, below)| self.descend(&path.child(key), below)),
            _ => Err(FormatError::DataOutsideRoots { roots: self.shown_roots(), path: slashes(path) }),
        }
    }

    /// Whether objects at the path may be on the way to a root. As lenient as OPA, which looks at single keys, so that
    /// the error names what lies at the end of a wrong path and not its beginning.
    fn leads_to_root(&self, path: &Path) -> bool {
        path.is_empty()
            || self.roots.iter().filter_map(|root| root.segments().first()).any(|first| path.segments().contains(first))
    }

    /// The roots as Go prints a list.
    pub(crate) fn shown_roots(&self) -> String {
        let roots: Vec<_> = self.roots.iter().map(slashes).collect();
        format!("[{}]", roots.join(" "))
    }

    /// Which files are written in which dialect, ready to be asked for many files.
    pub fn dialects(&self) -> Dialects {
        let matcher = |(pattern, version): &(String, RegoVersion)| {
            let glob = GlobBuilder::new(pattern.trim_start_matches('/')).literal_separator(false).build();
            glob.ok().map(|glob| (glob.compile_matcher(), *version))
        };
        let mut patterns: Vec<_> = self.file_rego_versions.iter().collect();
        patterns.sort_by_key(|(pattern, _)| Reverse(pattern.len()));
        Dialects { patterns: patterns.into_iter().filter_map(matcher).collect(), others: self.rego_version }
    }

    /// The manifest as policies may read it below `data.system.bundles`.
    pub fn to_value(&self) -> Value {
        let number = |version: RegoVersion| Value::from(i64::from(version == RegoVersion::V1));
        let mut fields = vec![
            ("revision", Value::from(self.revision.as_str())),
            ("roots", Value::array(self.roots.iter().map(slashes))),
        ];
        fields.extend(self.rego_version.map(|version| ("rego_version", number(version))));
        if !self.file_rego_versions.is_empty() {
            let versions = self.file_rego_versions.iter().map(|(path, version)| (path.as_str(), number(*version)));
            fields.push(("file_rego_versions", Value::object(versions)));
        }
        fields.extend(self.metadata.clone().map(|metadata| ("metadata", metadata)));
        fields.extend(self.wasm.clone().map(|wasm| ("wasm", wasm)));
        Value::object(fields)
    }
}

/// The dialects of a bundle's files.
#[derive(Debug, Clone)]
pub struct Dialects {
    /// The longest pattern first. They know no separators: `*` means any text.
    patterns: Vec<(GlobMatcher, RegoVersion)>,
    others: Option<RegoVersion>,
}

impl Dialects {
    /// The dialect of a file: that of the longest pattern that fits, else the bundle's, else the given one. A slash at
    /// the beginning says nothing.
    pub fn of(&self, path: &str, default: RegoVersion) -> RegoVersion {
        let path = path.trim_start_matches('/');
        let best = self.patterns.iter().find(|(pattern, _)| pattern.is_match(path));
        best.map(|(_, version)| *version).or(self.others).unwrap_or(default)
    }
}

fn slashes(path: &Path) -> String {
    path.segments().join("/")
}

fn mismatch(key: &str, found: &Value, wanted: &str) -> String {
    format!("cannot use {} as manifest key {key:?}, want {wanted}", found.type_name())
}

fn text(key: &str, value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| mismatch(key, value, "string"))
}

fn object(key: &str, value: &Value) -> Result<Value, String> {
    value.as_object().map(|_| value.clone()).ok_or_else(|| mismatch(key, value, "object"))
}

fn array(key: &str, value: &Value) -> Result<Value, String> {
    value.as_array().map(|_| value.clone()).ok_or_else(|| mismatch(key, value, "array"))
}

fn roots(value: &Value) -> Result<Vec<Path>, String> {
    let roots = value.as_array().ok_or_else(|| mismatch("roots", value, "array"))?;
    roots.iter().map(|root| Ok(Path::from_slashes(&text("roots", root)?))).collect()
}

fn version(key: &str, value: &Value) -> Result<RegoVersion, String> {
    let number = value.as_number().ok_or_else(|| mismatch(key, value, "number"))?;
    match number.as_i64() {
        Some(0) => Ok(RegoVersion::V0),
        Some(1) => Ok(RegoVersion::V1),
        _ => Err(format!("unknown bundle rego-version {value} for manifest key {key:?}")),
    }
}

fn file_versions(value: &Value) -> Result<Vec<(String, RegoVersion)>, String> {
    let key = "file_rego_versions";
    let entries = value.as_object().ok_or_else(|| mismatch(key, value, "object"))?;
    let entry = |(pattern, value): (&Value, &Value)| {
        let pattern = text(key, pattern)?;
        GlobBuilder::new(&pattern).build().map_err(|error| error.to_string())?;
        Ok((pattern, version(key, value)?))
    };
    entries.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(json: &str) -> Manifest {
        Manifest::decode(json.as_bytes()).expect("a manifest")
    }

    #[test]
    fn a_manifest_shows_itself_normalized() {
        let text = |json: &str| manifest(json).to_value().to_string();
        assert_eq!(text("{}"), r#"{"revision":"","roots":[""]}"#);
        assert_eq!(text(r#"{"roots":["/a/b/","c"],"other":1}"#), r#"{"revision":"","roots":["a/b","c"]}"#);
        assert_eq!(text(r#"{"roots":[],"rego_version":0}"#), r#"{"rego_version":0,"revision":"","roots":[]}"#);
    }

    #[test]
    fn the_longest_fitting_pattern_decides_the_dialect() {
        let versions = r#"{"rego_version":1,"file_rego_versions":{"/old/*":0,"*/new.rego":1,"x.rego":0}}"#;
        let manifest = manifest(versions);
        let dialects = manifest.dialects();
        let version = |path| dialects.of(path, RegoVersion::V1);
        assert_eq!(version("/old/deep/a.rego"), RegoVersion::V0);
        assert_eq!(version("old/new.rego"), RegoVersion::V1);
        assert_eq!((version("x.rego"), version("y.rego")), (RegoVersion::V0, RegoVersion::V1));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |json: &str| Manifest::decode(json.as_bytes()).expect_err("no manifest").to_string();
        let decode = "bundle load failed on manifest decode: ";
        assert_eq!(error(r#"{"roots":["a","/a/b"]}"#), "manifest has overlapped roots: 'a' and 'a/b'");
        assert_eq!(error("{"), format!("{decode}unexpected EOF"));
        assert!(error(r#"{"roots":"a"}"#).starts_with(decode) && error(r#"{"revision":1}"#).starts_with(decode));
        assert!(error("[]").starts_with(decode) && error(r#"{"rego_version":7}"#).starts_with(decode));
    }
}
