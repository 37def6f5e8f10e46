//! `patch.json`: changes to the data of an active bundle, in place of a new version of it.
//!
//! `{"data": [{"op": "upsert", "path": "/users/alice", "value": {}}]}`; the operations are `upsert`, which makes missing
//! parents and inserts into arrays, `replace` and `remove`.

use std::borrow::Cow;

use regent_core::Value;
use regent_core::store::{Patch, PatchOp};
use regent_core::value::{Path, decode_shallow};

use super::manifest::Manifest;
use super::{Bundle, FormatError, MOST_DEPTH};

/// A change as it is written, with the text of its path.
pub(super) struct Change {
    path: String,
    op: PatchOp,
}

/// Reads the text of a `patch.json`. One without changes is as good as none.
pub(super) fn decode(text: &[u8]) -> Result<Vec<Change>, FormatError> {
    let wrong = |reason: String| FormatError::PatchDecode(reason);
    let content = decode_shallow(text).map_err(|error| wrong(error.to_string()))?;
    match content.get("data") {
        None => Ok(Vec::new()),
        Some(null) if null.is_null() => Ok(Vec::new()),
        Some(data) => {
            let changes = data.as_array().ok_or_else(|| wrong(mismatch("data", data, "array")))?;
            changes.iter().map(change).collect()
        }
    }
}

fn change(written: &Value) -> Result<Change, FormatError> {
    let text = |key: &str| match written.get(key) {
        None => Ok(""),
        Some(value) => value.as_str().ok_or_else(|| FormatError::PatchDecode(mismatch(key, value, "string"))),
    };
    if !written.is_object() {
        return Err(FormatError::PatchDecode(mismatch("data", written, "array of objects")));
    }
    let value = || written.get("value").cloned().unwrap_or_default();
    let op = match text("op")? {
        "upsert" => PatchOp::Add(value()),
        "replace" => PatchOp::Replace(value()),
        "remove" => PatchOp::Remove,
        other => return Err(FormatError::PatchOperation(other.to_owned())),
    };
    let path = text("path")?.trim_matches('/').to_owned();
    if path.split('/').count() > MOST_DEPTH {
        return Err(FormatError::PatchDecode(format!("path of more than {MOST_DEPTH} keys")));
    }
    Ok(Change { path, op })
}

fn mismatch(key: &str, found: &Value, wanted: &str) -> String {
    format!("cannot use {} as patch key {key:?}, want {wanted}", found.type_name())
}

/// The changes for the store, if all of them lie within the roots. Paths are compared as they are written.
pub(super) fn permitted(changes: Vec<Change>, manifest: &Manifest) -> Result<Vec<Patch>, FormatError> {
    let patch = |Change { path, op }: Change| {
        if !manifest.permits(&Path::from_slashes(&path)) {
            return Err(FormatError::PatchOutsideRoots { roots: manifest.shown_roots(), path });
        }
        let keys = path.split('/').filter(|key| !key.is_empty()).map(unescaped);
        let patch = Patch { op, path: Path::new(keys) };
        // What the path means must lie there too.
        if manifest.permits(&patch.path) {
            Ok(patch)
        } else {
            Err(FormatError::PatchOutsideRoots { roots: manifest.shown_roots(), path })
        }
    };
    changes.into_iter().map(patch).collect()
}

/// A key without the escapes of URLs and of JSON pointers.
fn unescaped(key: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(key).decode_utf8();
    decoded.map_or_else(|_| key.to_owned(), Cow::into_owned).replace("~1", "/").replace("~0", "~")
}

pub(super) fn require_nothing_else(bundle: &Bundle) -> Result<(), FormatError> {
    if bundle.data.as_object().is_some_and(|data| !data.is_empty()) {
        Err(FormatError::DeltaContent("data"))
    } else if !bundle.modules.is_empty() {
        Err(FormatError::DeltaContent("policy"))
    } else if !bundle.wasm.is_empty() {
        Err(FormatError::DeltaContent("wasm"))
    } else {
        Ok(())
    }
}
