//! How much a function may make. Results can grow far beyond their operands; past a bound the query fails, since memory
//! would be the next to end.

use regent_core::builtin::BuiltinError;
use regent_core::engine::Cancel;
use regent_core::value::{Value, View};

/// The longest text, in bytes.
const MOST_TEXT: usize = 256 << 20;

/// The most items of one collection, and the most values that are written as text.
const MOST_ITEMS: usize = 32 << 20;

/// Stack that one level of nesting certainly leaves untouched, and by how much the stack grows.
const STACK: (usize, usize) = (64 << 10, 1 << 20);

/// How many values are counted between two looks at the cancel signal.
const PATIENCE: usize = 1 << 12;

/// Goes one level down into a nested value, on a stack that is large enough.
///
/// # Errors
/// What the step fails with, or that the signal is given.
pub(crate) fn below<T>(cancel: &Cancel, step: impl FnOnce() -> Result<T, BuiltinError>) -> Result<T, BuiltinError> {
    if cancel.is_cancelled() {
        return Err(BuiltinError::Cancelled);
    }
    deeper(step)
}

/// Goes one level down on a stack that is large enough.
pub fn deeper<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK.0, STACK.1, step)
}

/// Checks how long a text is or will be.
///
/// # Errors
/// When it is too long.
pub(crate) fn text(length: usize) -> Result<(), BuiltinError> {
    if length > MOST_TEXT { Err(BuiltinError::Fatal("text is too long".to_owned())) } else { Ok(()) }
}

/// Checks how many items a collection has or will have.
///
/// # Errors
/// When there are too many.
pub(crate) fn items(count: usize) -> Result<(), BuiltinError> {
    if count > MOST_ITEMS { Err(BuiltinError::Fatal("collection is too large".to_owned())) } else { Ok(()) }
}

/// Checks what a function gives.
///
/// # Errors
/// When it is too large.
pub fn result(value: &Value) -> Result<(), BuiltinError> {
    match value.view() {
        View::String(result) => text(result.len()),
        View::Array(result) => items(result.len()),
        _ => Ok(()),
    }
}

/// Checks how much text a value will become. Parts that are shared count each time, which may be far more often than
/// there is memory for.
///
/// # Errors
/// When it would be too long, or the signal is given.
pub(crate) fn written(value: &Value, cancel: &Cancel) -> Result<(), BuiltinError> {
    let mut length = 0;
    let mut pending = vec![value];
    for count in 0_usize.. {
        let Some(value) = pending.pop() else { break };
        if count.is_multiple_of(PATIENCE) && cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        items(count)?;
        match value.view() {
            View::String(value) => length += value.len(),
            View::Array(items) => pending.extend(items),
            View::Set(members) => pending.extend(members.iter()),
            View::Object(entries) => pending.extend(entries.iter().flat_map(|(key, value)| [key, value])),
            _ => {}
        }
        text(length)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_parts_count_each_time() {
        let doubled = |times| (0..times).fold(Value::from("text"), |below, _| Value::array([below.clone(), below]));
        assert_eq!(written(&doubled(10), &Cancel::default()), Ok(()));
        let cancel = Cancel::default();
        cancel.cancel();
        assert_eq!(written(&doubled(100), &cancel), Err(BuiltinError::Cancelled));
    }
}
