//! Writing an entry: one transaction, which comes to all of it or to nothing.

use regent_core::store::{Patch, PatchOp, Store, StoreError, Transaction};
use regent_core::value::{Path, Value, View, decode};

use crate::model::{PatchOperation, SaveMethod, operations};

/// What is to be written.
pub(crate) struct Change {
    /// Where.
    pub(crate) path: Path,
    /// What, ready for the store.
    what: What,
}

enum What {
    Put(Value),
    Patch(Vec<(Operation, Path)>),
}

enum Operation {
    Plain(PatchOp),
    Move(Path),
    Copy(Path),
    Test(Value),
}

/// The path of an entry: segments between slashes; those that are empty do not count.
pub(crate) fn destination(dst_path: &str) -> Path {
    Path::new(dst_path.split('/').filter(|segment| !segment.is_empty()))
}

impl Change {
    /// Reads what an entry brings. Large documents take their time: to be called where blocking is allowed.
    ///
    /// # Errors
    /// When it is no JSON, no patch, or cannot lie where it should.
    pub(crate) fn read(method: &SaveMethod, path: Path, json: &[u8], drop_nulls: bool) -> Result<Self, String> {
        let what = match method {
            SaveMethod::Put => {
                let value = decode(json).map_err(|error| format!("the data is not JSON: {error}"))?;
                if value.is_null() {
                    return Err("the data is null".to_owned());
                }
                What::Put(if drop_nulls { without_nulls(&value) } else { value })
            }
            SaveMethod::Patch => {
                let prepared = operations(json)?.into_iter().map(|operation| prepare(operation, &path));
                What::Patch(prepared.collect::<Result<_, _>>()?)
            }
            SaveMethod::Unknown(word) => return Err(format!("save_method {word:?} is neither PUT nor PATCH")),
        };
        Ok(Self { path, what })
    }

    /// Writes it, unless something of it belongs to a bundle or does not fit.
    ///
    /// # Errors
    /// Why nothing of it was written.
    pub(crate) async fn write(self, store: &Store) -> Result<(), StoreError> {
        store.write(move |transaction| self.apply(transaction)).await
    }

    fn apply(self, transaction: &mut Transaction) -> Result<(), StoreError> {
        match self.what {
            What::Put(value) => put_at(transaction, &self.path, value),
            What::Patch(operations) => {
                if transaction.data().at(self.path.segments()).is_none() {
                    let reason = "document does not exist";
                    return Err(StoreError::NotFound { path: self.path, reason });
                }
                operations.into_iter().try_for_each(|(operation, path)| change(transaction, operation, path))
            }
        }
    }
}

/// Puts a value somewhere, unless that belongs to a bundle.
///
/// # Errors
/// When it does, or the value has no place there.
pub(crate) fn put_at(transaction: &mut Transaction, path: &Path, value: Value) -> Result<(), StoreError> {
    if path.is_empty() {
        return put_root(transaction, value);
    }
    transaction.require_unowned(path)?;
    transaction.put(path, value)
}

/// What is put at the root takes the place of what is there under its own keys. Everything else stays: other updates, bundles
/// and the agent itself keep their data there.
fn put_root(transaction: &mut Transaction, value: Value) -> Result<(), StoreError> {
    // A list has no place at the root; OPAL puts it there.
    let value = if value.is_array() { Value::object([("items", value)]) } else { value };
    if let Some(entries) = value.as_object() {
        for key in entries.keys().filter_map(Value::as_str) {
            transaction.require_unowned(&Path::new([key]))?;
        }
    }
    transaction.put_entries(&value)
}

fn change(transaction: &mut Transaction, operation: Operation, path: Path) -> Result<(), StoreError> {
    let found = |transaction: &Transaction, path: &Path| {
        let value = transaction.data().at(path.segments()).cloned();
        value.ok_or_else(|| StoreError::NotFound { path: path.clone(), reason: "document does not exist" })
    };
    let op = match operation {
        Operation::Plain(op) => op,
        Operation::Test(expected) => {
            if found(transaction, &path)? == expected {
                return Ok(());
            }
            return Err(StoreError::InvalidPatch(format!("{path}: the value is not the one that `test` expects")));
        }
        Operation::Copy(from) => PatchOp::Add(found(transaction, &from)?),
        Operation::Move(from) if path == from => return found(transaction, &from).map(drop),
        Operation::Move(from) => {
            if path.is_within(&from) {
                return Err(StoreError::InvalidPatch(format!("{path}: cannot be moved into itself")));
            }
            transaction.require_unowned(&from)?;
            let value = found(transaction, &from)?;
            transaction.patch(Patch { op: PatchOp::Remove, path: from })?;
            PatchOp::Add(value)
        }
    };
    transaction.require_unowned(&path)?;
    transaction.patch(Patch { op, path })
}

fn prepare(operation: PatchOperation, base: &Path) -> Result<(Operation, Path), String> {
    let PatchOperation { op, path, value, from } = operation;
    let target = pointer(base, &path)?;
    let value = || {
        let json = value.as_ref().ok_or_else(|| format!("'value' is required for operation {op:?}"))?;
        decode(json.get().as_bytes()).map_err(|error| format!("the value of operation {op:?}: {error}"))
    };
    let from = || {
        let from = from.as_deref().ok_or_else(|| format!("'from' is required for operation {op:?}"))?;
        pointer(base, from)
    };
    let operation = match op.as_str() {
        "add" => Operation::Plain(PatchOp::Add(value()?)),
        "replace" => Operation::Plain(PatchOp::Replace(value()?)),
        "remove" => Operation::Plain(PatchOp::Remove),
        "test" => Operation::Test(value()?),
        "move" => Operation::Move(from()?),
        "copy" => Operation::Copy(from()?),
        unknown => return Err(format!("unknown patch operation {unknown:?}")),
    };
    Ok((operation, target))
}

/// A JSON pointer (RFC 6901) below a path.
fn pointer(base: &Path, text: &str) -> Result<Path, String> {
    if !text.is_empty() && !text.starts_with('/') {
        return Err(format!("{text:?} is no JSON pointer: it must begin with a slash"));
    }
    let below = text.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    Ok(Path::new(base.segments().iter().map(ToString::to_string).chain(below)))
}

/// The same value without those members of objects that are null, at any depth.
fn without_nulls(value: &Value) -> Value {
    match value.view() {
        View::Object(entries) => Value::object(
            entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value))),
        ),
        View::Array(items) => items.iter().map(without_nulls).collect(),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests;
