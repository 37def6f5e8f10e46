//! Bundles as tests need them: small, the same bytes every time, and broken on purpose where a test wants that.

use std::fs;
use std::io;
use std::path::{Component, Path};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use tar::{EntryType, Header};

/// The longest name that fits into a plain header; longer ones go ahead of it in an entry of their own.
const LONGEST_PLAIN_NAME: usize = 100;

/// Writes a bundle: policies, data, a manifest, and any entry a hostile author could think of.
///
/// Entries keep their order; the manifest comes last, as `opa build` has it. Names are written as they are given, so
/// `../../etc/passwd` is as good as any. Equal contents give equal bytes (there are no times in the archive).
///
/// ```
/// let bundle = regent_kit::Bundle::new()
///     .rego("authz/policy.rego", "package authz\n\nallow := true")
///     .data("authz", serde_json::json!({"users": ["alice"]}))
///     .revision("v1")
///     .roots(["authz"])
///     .build();
/// ```
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    entries: Vec<Entry>,
    manifest: Option<Map<String, Value>>,
}

#[derive(Debug, Clone)]
struct Entry {
    kind: EntryType,
    path: String,
    link_target: String,
    contents: Vec<u8>,
}

impl Bundle {
    /// A bundle without any entry, not even a manifest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a regular file; also the way to a broken manifest or broken data.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, contents: impl Into<Vec<u8>>) -> Self {
        self.entries.push(Entry::file(path.into(), contents.into()));
        self
    }

    /// Adds a policy. `path` is the file's, ending in `.rego`.
    #[must_use]
    pub fn rego(self, path: impl Into<String>, text: &str) -> Self {
        self.file(path, text)
    }

    /// Adds the `data.json` of a directory; `""` is the bundle's root.
    #[must_use]
    pub fn data(self, directory: &str, json: impl Into<Value>) -> Self {
        let path = match directory.trim_matches('/') {
            "" => "data.json".to_owned(),
            directory => format!("{directory}/data.json"),
        };
        self.file(path, json.into().to_string())
    }

    /// Sets keys of the manifest; those set before stay unless named again.
    ///
    /// # Panics
    /// If `json` is not an object. A manifest that is none is a `file(".manifest", …)`.
    #[must_use]
    pub fn manifest(mut self, json: Value) -> Self {
        let Value::Object(keys) = json else { panic!("a manifest is an object, not {json}") };
        self.manifest.get_or_insert_default().extend(keys);
        self
    }

    /// Sets the manifest's `revision`.
    #[must_use]
    pub fn revision(self, revision: &str) -> Self {
        self.manifest(serde_json::json!({ "revision": revision }))
    }

    /// Sets the manifest's `roots`.
    #[must_use]
    pub fn roots<'a>(self, roots: impl IntoIterator<Item = &'a str>) -> Self {
        let roots: Vec<&str> = roots.into_iter().collect();
        self.manifest(serde_json::json!({ "roots": roots }))
    }

    /// Adds an entry that is no regular file: a link, a directory, a device. `link_target` may be `""`.
    #[must_use]
    pub fn entry(mut self, kind: EntryType, path: impl Into<String>, link_target: impl Into<String>) -> Self {
        self.entries.push(Entry { kind, path: path.into(), link_target: link_target.into(), contents: Vec::new() });
        self
    }

    /// The bundle as a server hands it out: tar, compressed with gzip.
    ///
    /// # Panics
    /// If a link's target is longer than the 100 bytes of its header field.
    pub fn build(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for entry in self.all_entries() {
            entry.append_to(&mut archive).expect("a vector takes every write");
        }
        let encoder = archive.into_inner().expect("a vector takes every write");
        encoder.finish().expect("a vector takes every write")
    }

    /// Writes the bundle as a directory, for `file://` resources and the command line.
    ///
    /// Only regular files with tame names can be written so; anything else is refused, for the sake of the machine.
    pub fn write_dir(&self, directory: impl AsRef<Path>) -> io::Result<()> {
        fs::create_dir_all(&directory)?;
        for entry in self.all_entries() {
            entry.write_below(directory.as_ref())?;
        }
        Ok(())
    }

    fn all_entries(&self) -> impl Iterator<Item = Entry> {
        let manifest = self.manifest.clone().map(Value::Object);
        let manifest = manifest.map(|manifest| Entry::file(".manifest".to_owned(), manifest.to_string().into()));
        self.entries.iter().cloned().chain(manifest)
    }
}

impl Entry {
    fn file(path: String, contents: Vec<u8>) -> Self {
        Self { kind: EntryType::Regular, path, link_target: String::new(), contents }
    }

    fn append_to(&self, archive: &mut tar::Builder<impl io::Write>) -> io::Result<()> {
        if self.path.len() > LONGEST_PLAIN_NAME {
            let name = [self.path.as_bytes(), b"\0"].concat();
            let header = raw_header(EntryType::GNULongName, b"././@LongLink", name.len());
            archive.append(&header, name.as_slice())?;
        }
        let plain_name = &self.path.as_bytes()[..self.path.len().min(LONGEST_PLAIN_NAME)];
        let mut header = raw_header(self.kind, plain_name, self.contents.len());
        if !self.link_target.is_empty() {
            header.set_link_name_literal(&self.link_target).expect("a link's target fits into its field");
            header.set_cksum();
        }
        archive.append(&header, self.contents.as_slice())
    }

    fn write_below(&self, directory: &Path) -> io::Result<()> {
        let path = Path::new(&self.path);
        let is_tame = path.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
        if self.kind != EntryType::Regular || !is_tame {
            let refusal = format!("`{}` ({:?}) is for archives only", self.path, self.kind);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, refusal));
        }
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &self.contents)
    }
}

/// A header with the name's bytes as they are: `Header::set_path` would refuse `..` and a leading `/`.
fn raw_header(kind: EntryType, name: &[u8], size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(u64::try_from(size).expect("a usize fits into an u64"));
    header.set_cksum();
    header
}
