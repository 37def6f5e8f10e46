//! `PATCH /v1/data/{path}`: a list of changes, all or none.

use percent_encoding::percent_decode_str;
use regent_core::Value;
use regent_core::store::{Patch, PatchOp, StoreError};
use regent_core::value::Path;
use regent_core::value::View;

use super::{malformed, start, written, written_document};
use crate::answer::Response;
use crate::call::Call;
use crate::context::ApiContext;
use crate::envelope;
use crate::error::ApiError;
use crate::params::escapes_are_sound;
use crate::reference;

const STRUCTURE: &str = "PatchV1";

/// Applies the changes in order.
pub(crate) async fn answer(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    let mut meter = start(api, call);
    let body = call.sent_body(api.limits).await?;
    let patches = patches(&written_document(body, &mut meter)?, call.below())?;
    let applied = api.host.store.write(move |transaction| {
        for patch in &patches {
            transaction.require_unowned(&patch.path)?;
        }
        patches.into_iter().try_for_each(|patch| transaction.patch(patch))
    });
    applied.await.map_err(|error| ApiError::of_data(&error))?;
    Ok(written(call, meter))
}

fn patches(list: &Value, root: &str) -> Result<Vec<Patch>, ApiError> {
    match list.view() {
        View::Null => Ok(Vec::new()),
        View::Array(items) => items.iter().map(|item| patch(item, root)).collect(),
        _ => Err(malformed(envelope::not_a(list, "[]types.PatchV1"))),
    }
}

fn patch(item: &Value, root: &str) -> Result<Patch, ApiError> {
    if !item.is_object() && !item.is_null() {
        return Err(malformed(envelope::not_a(item, "types.PatchV1")));
    }
    let text = |name| envelope::text(item, name, STRUCTURE).map_err(malformed);
    let value = || envelope::field(item, "value").cloned().unwrap_or_default();
    let op = match &*text("op")? {
        "add" => PatchOp::Add(value()),
        "remove" => PatchOp::Remove,
        "replace" => PatchOp::Replace(value()),
        other => return Err(ApiError::of_data(&StoreError::BadOperation(other.to_owned()))),
    };
    Ok(Patch { op, path: path(root, &text("path")?)? })
}

/// The place that URL and operation name together. Both may use the escapes of URLs and of JSON pointers.
fn path(root: &str, below: &str) -> Result<Path, ApiError> {
    if !escapes_are_sound(below) {
        return Err(malformed(format!("bad patch path: {below}")));
    }
    let plain = |segment: &str| {
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        decoded.replace("~1", "/").replace("~0", "~")
    };
    Ok(reference::bounded(reference::split(root).chain(reference::split(below)).map(plain).collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_and_operation_name_the_place_together() {
        let path = |root, below| path(root, below).expect("sound escapes");
        assert_eq!(path("/doc", "-"), Path::new(["doc", "-"]));
        assert_eq!(path("/doc", "/a~1b/~0/"), Path::new(["doc", "a/b", "~"]));
        assert_eq!(path("/a%2Fb", "/p%20q"), Path::new(["a/b", "p q"]));
        assert_eq!(path("", ""), Path::root());
    }

    #[test]
    fn operations_are_named_in_lower_case() {
        let refused = |json: &str| {
            let list = regent_core::value::decode(json.as_bytes()).expect("JSON");
            patches(&list, "").expect_err("refused").to_string()
        };
        assert_eq!(refused(r#"[{"op":"ADD"}]"#), "bad patch operation: ADD");
        assert_eq!(refused("[{}]"), "bad patch operation: ");
        assert_eq!(refused("{}"), "json: cannot unmarshal object into Go value of type []types.PatchV1");
    }
}
