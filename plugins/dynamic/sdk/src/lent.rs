//! Bytes that the agent lends.

use regent_plugin_abi::Bytes;

/// What the agent lends.
///
/// # Safety
/// There are as many bytes as it says.
pub(crate) unsafe fn lent<'a>(bytes: Bytes) -> &'a [u8] {
    if bytes.len == 0 || bytes.data.is_null() {
        return &[];
    }
    // SAFETY: as promised.
    unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) }
}
