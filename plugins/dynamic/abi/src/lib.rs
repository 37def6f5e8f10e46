//! The types of `include/regent_plugin.h`, which says what they mean, for both sides of it. A test of `regent-dynamic` holds
//! them to the header.

#![expect(
    unsafe_code,
    reason = "tables are shared between threads, which a type with pointers does not allow by itself"
)]

use std::ffi::c_void;

/// Raised when something is changed or removed; libraries of another number are refused.
pub const ABI_MAJOR: u32 = 1;

/// Raised when something is added at the end of a table; libraries with a higher number are refused.
pub const ABI_MINOR: u32 = 1;

/// The first field of a library: `RGNT`.
pub const MAGIC: u32 = 0x544e_4752;

/// The function that a library exports.
pub const ENTRY: &str = "regent_plugin_library";

/// The type of that function.
pub type Entry = unsafe extern "C" fn() -> *const Library;

/// How a call went.
pub type Status = i32;

/// It went well.
pub const OK: Status = 0;
/// Trying again later may help.
pub const UNAVAILABLE: Status = 1;
/// Trying the same again will not help.
pub const REFUSED: Status = 2;
/// The configuration has to change.
pub const CONFIG: Status = 3;
/// A function of Rego was given an operand that it cannot take.
pub const OPERAND: Status = 4;
/// Anything else.
pub const FAILED: Status = 5;

/// States of plugins.
pub const STATE_NOT_READY: i32 = 0;
/// As `OK` in status.
pub const STATE_OK: i32 = 1;
/// As `WARN` in status.
pub const STATE_WARN: i32 = 2;
/// As `ERROR` in status.
pub const STATE_ERROR: i32 = 3;

/// The time is over without a signal.
pub const SIGNAL_NONE: i32 = 0;
/// Finish.
pub const SIGNAL_STOP: i32 = 1;
/// Do now what is otherwise done from time to time.
pub const SIGNAL_TRIGGER: i32 = 2;
/// Take a configuration.
pub const SIGNAL_CONFIGURE: i32 = 3;

/// A function that policies call.
pub const KIND_BUILTIN: u32 = 1;
/// Takes the records of decisions.
pub const KIND_SINK: u32 = 2;
/// Gets data that updates speak of.
pub const KIND_FETCHER: u32 = 3;
/// Tells whether a signed bundle may be believed.
pub const KIND_VERIFIER: u32 = 4;
/// Signs bundles.
pub const KIND_SIGNER: u32 = 5;
/// Proves to services who the agent is.
pub const KIND_CREDENTIAL: u32 = 6;
/// Anything with a life.
pub const KIND_MANAGED: u32 = 7;

/// Is called on the thread of the evaluation.
pub const INLINE: u32 = 1;
/// Takes a changed configuration as a signal.
pub const LIVE: u32 = 2;

/// Bytes that belong to somebody else.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Bytes {
    /// Where they begin; may be null if there are none.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl Bytes {
    /// The bytes of a slice, for as long as that is there.
    pub const fn of(slice: &[u8]) -> Self {
        Self { data: slice.as_ptr(), len: slice.len() }
    }
}

/// Where an answer is written.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Writer {
    /// Its first argument.
    pub context: *mut c_void,
    /// Copies bytes; not 0 when there is no more room.
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, data: *const u8, len: usize) -> i32>,
}

/// What an instance may ask of the agent.
#[repr(C)]
#[expect(missing_docs, reason = "the header tells")]
pub struct Host {
    pub size: usize,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub context: *mut c_void,
    pub log: unsafe extern "C" fn(*const Host, i32, Bytes),
    pub report: unsafe extern "C" fn(*const Host, i32, Bytes),
    pub count: unsafe extern "C" fn(*const Host, Bytes, u64) -> Status,
    pub gauge: unsafe extern "C" fn(*const Host, Bytes, f64) -> Status,
    pub read: unsafe extern "C" fn(*const Host, Bytes, *const Writer) -> Status,
    pub write: unsafe extern "C" fn(*const Host, Bytes, Bytes, *const Writer) -> Status,
    pub next: unsafe extern "C" fn(*const Host, u64, *const Writer) -> i32,
    pub answer: unsafe extern "C" fn(*const Host, Status, Bytes),
    pub decide: unsafe extern "C" fn(*const Host, Bytes, Bytes, *const Writer) -> Status,
}

/// `describe` of a plugin.
pub type Describe = unsafe extern "C" fn(*const Writer) -> Status;
/// `check` of a plugin.
pub type Check = unsafe extern "C" fn(Bytes, *const Writer) -> Status;
/// `create` of a plugin.
pub type Create = unsafe extern "C" fn(*const Host, Bytes, *mut *mut c_void, *const Writer) -> Status;
/// `destroy` of a plugin.
pub type Destroy = unsafe extern "C" fn(*mut c_void);
/// A question and its answer.
pub type Ask = unsafe extern "C" fn(*mut c_void, Bytes, *const Writer) -> Status;

/// A plugin.
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the header tells")]
pub struct Plugin {
    pub size: usize,
    pub kind: u32,
    pub flags: u32,
    pub name: Bytes,
    pub describe: Option<Describe>,
    pub check: Option<Check>,
    pub create: Option<Create>,
    pub destroy: Option<Destroy>,
    pub functions: *const c_void,
}

/// The functions of kinds that are asked one thing: built-in functions, fetchers, verifiers and signers.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the header tells")]
pub struct Asked {
    pub size: usize,
    pub ask: Option<Ask>,
}

/// The functions of a sink.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the header tells")]
pub struct Sink {
    pub size: usize,
    pub write: Option<unsafe extern "C" fn(*mut c_void, *const Bytes, usize, *const Writer) -> Status>,
    pub close: Option<unsafe extern "C" fn(*mut c_void, *const Writer) -> Status>,
}

/// The functions of credentials.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the header tells")]
pub struct Credential {
    pub size: usize,
    pub prepare: Option<unsafe extern "C" fn(*mut c_void, Bytes, Bytes, *const Writer) -> Status>,
    pub refused: Option<unsafe extern "C" fn(*mut c_void, Bytes)>,
    pub identity: Option<unsafe extern "C" fn(*mut c_void, *const Writer) -> Status>,
}

impl Credential {
    /// Its size in a minor version.
    pub const fn size_in(minor: u32) -> usize {
        if minor == 0 { std::mem::offset_of!(Self, identity) } else { size_of::<Self>() }
    }
}

/// The functions of a managed plugin.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the header tells")]
pub struct Managed {
    pub size: usize,
    pub run: Option<unsafe extern "C" fn(*mut c_void, *const Writer) -> Status>,
}

/// A library.
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the header tells")]
pub struct Library {
    pub magic: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub reserved: u32,
    pub size: usize,
    pub name: Bytes,
    pub version: Bytes,
    pub plugins: *const *const Plugin,
    pub plugin_count: usize,
}

// SAFETY: bytes in tables are never written to once the library is loaded.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}
// SAFETY: tables are never written to once the library is loaded.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}
// SAFETY: as above.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}
// SAFETY: what it points to is shared between threads under a lock, as the header promises.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}
