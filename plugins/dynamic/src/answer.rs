//! What the other side writes into, and what it makes of a call.

use std::ffi::c_void;
use std::time::Duration;

use regent_core::{Error, ErrorKind};
use regent_plugin_abi::{self as abi, Status, Writer};

/// Most bytes of an answer, where a call has no limit of its own.
pub(crate) const LIMIT: usize = 64 << 20;

/// Most characters that are shown of a text.
const TEXT: usize = 2_000;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// What the plugin says.
    #[error("{1}")]
    Said(Status, String),
    /// It takes too long.
    #[error("did not answer within {0:?}")]
    Late(Duration),
    /// All its threads are taken by calls that take too long.
    #[error("is busy: {0} calls that were given up have not returned yet")]
    Stuck(usize),
    /// The answer is too large.
    #[error("answered more than {0} bytes")]
    Oversized(usize),
    /// The answer lies nowhere.
    #[error("answered with a null pointer")]
    Null,
    /// What it answered is not what was asked for.
    #[error("answered what is not {0}")]
    Garbage(String),
    /// The agent's part of the call has failed.
    #[error("was not called: a bug")]
    Panicked,
    /// Nobody waits for the answer any more.
    #[error("nobody waits for the answer")]
    Abandoned,
    /// The instance has come to its end.
    #[error("has ended")]
    Ended,
}

impl Failure {
    /// As an error of the plugin.
    pub(crate) fn into_error(self, plugin: &str) -> Error {
        let kind = match &self {
            Self::Said(abi::UNAVAILABLE, _) | Self::Late(_) | Self::Stuck(_) | Self::Abandoned | Self::Ended => {
                ErrorKind::Unavailable
            }
            Self::Said(abi::CONFIG, _) => ErrorKind::Config,
            Self::Said(abi::REFUSED | abi::OPERAND, _) => ErrorKind::Refused,
            Self::Said(..) | Self::Panicked => ErrorKind::Internal,
            Self::Oversized(_) | Self::Null | Self::Garbage(_) => ErrorKind::Protocol,
        };
        match self {
            Self::Said(_, text) => Error::new(kind, format!("{plugin}: {text}")),
            other => Error::new(kind, format!("the plugin {plugin} {other}")),
        }
    }
}

/// What is written in the course of one call.
struct Room {
    bytes: Vec<u8>,
    limit: usize,
    fault: Option<Failure>,
}

/// Has the other side write, and takes what it wrote as its answer or, by the status, as its error.
pub(crate) fn collect(limit: usize, call: impl FnOnce(&Writer) -> Status) -> Result<Vec<u8>, Failure> {
    let mut room = Room { bytes: Vec::new(), limit, fault: None };
    let writer = Writer { context: std::ptr::from_mut(&mut room).cast(), write: Some(write) };
    let status = call(&writer);
    if let Some(fault) = room.fault {
        return Err(fault);
    }
    if status == abi::OK {
        return Ok(room.bytes);
    }
    Err(Failure::Said(status, text(&room.bytes, status)))
}

/// What was said for people; or the number, where nothing was said.
fn text(bytes: &[u8], status: Status) -> String {
    let said: String = String::from_utf8_lossy(bytes).chars().take(TEXT).collect();
    match said.trim() {
        "" => format!("failed with status {status} and says nothing"),
        said => said.to_owned(),
    }
}

/// `write` of a writer.
unsafe extern "C" fn write(context: *mut c_void, data: *const u8, len: usize) -> i32 {
    // SAFETY: the context is the room of a call that has not returned: a writer is lent for that long.
    let room = unsafe { &mut *context.cast::<Room>() };
    if room.fault.is_some() {
        return abi::REFUSED;
    }
    if len == 0 {
        return abi::OK;
    }
    if data.is_null() {
        room.fault = Some(Failure::Null);
    } else if len > room.limit - room.bytes.len() {
        room.fault = Some(Failure::Oversized(room.limit));
    } else {
        // SAFETY: the caller lends `len` bytes, which is not more than anyone may write.
        room.bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(data, len) });
        return abi::OK;
    }
    abi::REFUSED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(writer: &Writer, data: *const u8, len: usize) -> i32 {
        let write = writer.write.expect("a function");
        // SAFETY: as the tests call it, within the call that lends the writer.
        unsafe { write(writer.context, data, len) }
    }

    #[test]
    fn pieces_become_one_answer() {
        let answer = collect(10, |writer| put(writer, b"ab".as_ptr(), 2) + put(writer, b"c".as_ptr(), 1));
        assert_eq!(answer, Ok(b"abc".to_vec()));
        assert_eq!(collect(10, |writer| put(writer, std::ptr::null(), 0)), Ok(Vec::new()));
    }

    #[test]
    fn lengths_that_lie_are_not_looked_at() {
        let answer = collect(10, |writer| {
            assert_eq!(put(writer, b"a".as_ptr(), 10 << 30), abi::REFUSED);
            assert_eq!(put(writer, b"a".as_ptr(), 1), abi::REFUSED);
            abi::OK
        });
        assert_eq!(answer, Err(Failure::Oversized(10)));
        let answer = |data: *const u8, len| {
            collect(10, |writer| {
                assert_eq!(put(writer, data, len), abi::REFUSED);
                abi::OK
            })
        };
        assert_eq!(answer(b"a".as_ptr(), usize::MAX), Err(Failure::Oversized(10)));
        assert_eq!(answer(std::ptr::null(), 5), Err(Failure::Null));
    }

    #[test]
    fn errors_are_what_was_said_as_far_as_people_can_read_it() {
        let answer = collect(10, |writer| put(writer, b"n\xff ".as_ptr(), 3) + abi::REFUSED);
        assert_eq!(answer, Err(Failure::Said(abi::REFUSED, "n\u{fffd}".to_owned())));
        let answer = collect(10, |_| 77);
        assert_eq!(answer, Err(Failure::Said(77, "failed with status 77 and says nothing".to_owned())));
    }
}
