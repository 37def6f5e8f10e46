//! Files to a bundle, one after the other.

use std::io::Read;

use regent_core::value::{Object, decode_shallow};
use regent_core::{Value, yaml};
use regent_signing::digest::is_structured;

use super::delta::{self, Change};
use super::manifest::Manifest;
use super::trust::{Expected, Gate, SIGNATURES};
use super::{Bundle, FormatError, Limits, MOST_DEPTH, ModuleFile, Sizes, wasm};

/// Most bytes for which there is room made because they were announced.
const ROOM: usize = 64 << 20;

/// What a file of a bundle is for. Of other files only the digest matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Signatures,
    Rego,
    Json,
    Yaml,
    Manifest,
    Patch,
    Wasm,
}

impl Kind {
    pub(super) fn of(path: &str) -> Option<Self> {
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        match file {
            "data.json" => Some(Self::Json),
            "data.yaml" | "data.yml" => Some(Self::Yaml),
            ".manifest" if directory.is_empty() => Some(Self::Manifest),
            SIGNATURES if directory.is_empty() => Some(Self::Signatures),
            "patch.json" if directory.is_empty() => Some(Self::Patch),
            _ => match file.rsplit_once('.') {
                Some((_, "rego")) => Some(Self::Rego),
                Some((_, "wasm")) => Some(Self::Wasm),
                _ => None,
            },
        }
    }
}

/// A bundle in the making.
pub(super) struct Assembly {
    limits: Limits,
    gate: Gate,
    manifest: Option<Manifest>,
    data: Value,
    modules: Vec<ModuleFile>,
    changes: Vec<Change>,
    wasm: Vec<String>,
    sizes: Sizes,
}

impl Assembly {
    pub(super) fn new(limits: Limits, gate: Gate) -> Self {
        let (data, sizes) = (Value::empty_object(), Sizes::default());
        let (modules, changes, wasm) = (Vec::new(), Vec::new(), Vec::new());
        Self { limits, gate, manifest: None, data, modules, changes, wasm, sizes }
    }

    pub(super) fn count_entry(&mut self) -> Result<(), FormatError> {
        self.sizes.entries += 1;
        if self.sizes.entries > self.limits.entries {
            return Err(FormatError::archive(format!("more than {} entries", self.limits.entries)));
        }
        Ok(())
    }

    fn count_size(&mut self, size: u64) -> Result<(), FormatError> {
        self.sizes.content = self.sizes.content.saturating_add(size);
        if self.sizes.content > self.limits.total {
            return Err(FormatError::TooLarge { limit: self.limits.total });
        }
        Ok(())
    }

    /// Whether anything depends on the file at that path.
    pub(super) fn wants(&self, path: &str) -> bool {
        self.gate.is_sealed() || Kind::of(path).is_some()
    }

    /// Reads one file, whose size was announced but is not believed.
    pub(super) fn read(&mut self, path: &str, announced: u64, content: &mut dyn Read) -> Result<(), FormatError> {
        self.limits.check_file(path, announced)?;
        let kind = Kind::of(path);
        if kind == Some(Kind::Signatures) {
            let bytes = self.bytes(path, announced, content)?;
            return self.gate.meet_signatures(&bytes);
        }
        let expected = self.gate.expect(path)?;
        match (kind, expected) {
            (None | Some(Kind::Wasm), expected) => {
                if kind == Some(Kind::Wasm) {
                    self.wasm.push(path.to_owned());
                }
                match expected {
                    None => self.count_size(announced),
                    Some(expected) => self.pass_over(path, &expected, announced, content),
                }
            }
            (Some(kind), expected) => {
                let bytes = self.bytes(path, announced, content)?;
                self.take(path, kind, bytes, expected.as_ref())
            }
        }
    }

    /// All of a file, within the limits.
    fn bytes(&mut self, path: &str, announced: u64, content: &mut dyn Read) -> Result<Vec<u8>, FormatError> {
        let mut bytes = Vec::with_capacity(usize::try_from(announced).map_or(ROOM, |size| size.min(ROOM)));
        let most = self.limits.file.saturating_add(1);
        content.take(most).read_to_end(&mut bytes).map_err(FormatError::archive)?;
        let size = bytes.len() as u64;
        self.limits.check_file(path, size)?;
        self.count_size(size)?;
        Ok(bytes)
    }

    /// Verifies a file of which nothing else is needed.
    fn pass_over(
        &mut self,
        path: &str,
        expected: &Expected,
        announced: u64,
        content: &mut dyn Read,
    ) -> Result<(), FormatError> {
        if is_structured(path) {
            let bytes = self.bytes(path, announced, content)?;
            return expected.confirm_bytes(&bytes);
        }
        let (mut digest, mut size) = (expected.start(), 0_u64);
        let mut buffer = [0; 8192];
        loop {
            let count = content.read(&mut buffer).map_err(FormatError::archive)?;
            if count == 0 {
                break;
            }
            size += count as u64;
            self.limits.check_file(path, size)?;
            digest.feed(&buffer[..count]);
        }
        self.count_size(size)?;
        expected.confirm(&digest.finish())
    }

    fn take(&mut self, path: &str, kind: Kind, bytes: Vec<u8>, expected: Option<&Expected>) -> Result<(), FormatError> {
        // What is parsed anyway is verified once it is.
        if let Some(expected) = expected.filter(|_| kind != Kind::Json) {
            expected.confirm_bytes(&bytes)?;
        }
        match kind {
            Kind::Rego => {
                let text = text(path, bytes)?.into();
                self.modules.push(ModuleFile { path: path.to_owned(), text });
                Ok(())
            }
            Kind::Json => {
                let value = decode_shallow(&bytes).map_err(|error| FormatError::file(path, error))?;
                expected.map_or(Ok(()), |expected| expected.confirm_value(&value))?;
                self.mount(path, value)
            }
            Kind::Yaml => {
                let (value, _) = yaml::parse(&text(path, bytes)?).map_err(|error| FormatError::file(path, error))?;
                self.mount(path, value)
            }
            Kind::Manifest => {
                self.manifest = Some(Manifest::decode(&bytes)?);
                Ok(())
            }
            Kind::Patch => {
                self.changes = delta::decode(&bytes)?;
                Ok(())
            }
            Kind::Wasm | Kind::Signatures => Ok(()),
        }
    }

    /// Puts data where its directory says.
    fn mount(&mut self, path: &str, value: Value) -> Result<(), FormatError> {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let keys: Vec<&str> = directory.split('/').filter(|key| !key.is_empty()).collect();
        let tree = nest(&keys, value);
        let Some(tree) = tree.as_object() else {
            return Err(FormatError::file(path, "root value must be object"));
        };
        let conflict = || FormatError::file(path, format!("failed to insert data file from path {directory}"));
        self.data = merge(&self.data, tree).ok_or_else(conflict)?;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Bundle, FormatError> {
        let manifest = self.manifest.unwrap_or_default();
        manifest.require_permitted(&self.data)?;
        let Self { data, modules, sizes, changes, wasm, gate, .. } = self;
        gate.close()?;
        let bundle = Bundle { changes: delta::permitted(changes, &manifest)?, manifest, data, modules, wasm, sizes };
        if bundle.is_delta() {
            delta::require_nothing_else(&bundle)?;
        } else {
            wasm::require_consistent(&bundle.manifest, &bundle.wasm)?;
        }
        Ok(bundle)
    }
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, FormatError> {
    String::from_utf8(bytes).map_err(|_| FormatError::file(path, "file is not valid UTF-8"))
}

/// The value below the keys, each the only one of its object.
pub(crate) fn nest<S: AsRef<str>>(keys: &[S], value: Value) -> Value {
    keys.iter().rev().fold(value, |below, key| Value::object([(key.as_ref(), below)]))
}

/// One object into another; none where both hold something at a path that is not an object on both sides, or where
/// they have objects in common deeper than [`MOST_DEPTH`].
pub(crate) fn merge(into: &Value, from: &Object) -> Option<Value> {
    merge_below(into, from, 0)
}

fn merge_below(into: &Value, from: &Object, depth: usize) -> Option<Value> {
    let into = into.as_object()?;
    if into.is_empty() {
        return Some(from.clone().into());
    }
    if depth > MOST_DEPTH {
        return None;
    }
    let entry = |(key, new): (&Value, &Value)| {
        let value = match into.get(key) {
            None => new.clone(),
            Some(known) => merge_below(known, new.as_object()?, depth + 1)?,
        };
        Some((key.clone(), value))
    };
    let changed: Vec<_> = from.iter().map(entry).collect::<Option<_>>()?;
    let known = into.iter().map(|(key, value)| (key.clone(), value.clone()));
    Some(known.chain(changed).collect::<Object>().into())
}
