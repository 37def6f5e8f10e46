//! For tests of plugins, without an agent.

use std::ffi::c_void;

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};

use crate::host::Host;

/// A host that tells nothing and has nothing: logs and states go nowhere, there is no data, and the only signal is to stop.
pub fn host() -> Host {
    Host::own(abi::Host {
        size: size_of::<abi::Host>(),
        abi_major: abi::ABI_MAJOR,
        abi_minor: abi::ABI_MINOR,
        context: std::ptr::null_mut::<c_void>(),
        log: tell,
        report: tell,
        count,
        gauge,
        read,
        write,
        next,
        answer: tell,
        decide,
    })
}

unsafe extern "C" fn tell(_: *const abi::Host, _: i32, _: Bytes) {}

unsafe extern "C" fn count(_: *const abi::Host, _: Bytes, _: u64) -> Status {
    abi::UNAVAILABLE
}

unsafe extern "C" fn gauge(_: *const abi::Host, _: Bytes, _: f64) -> Status {
    abi::UNAVAILABLE
}

unsafe extern "C" fn read(_: *const abi::Host, _: Bytes, _: *const Writer) -> Status {
    abi::UNAVAILABLE
}

unsafe extern "C" fn write(_: *const abi::Host, _: Bytes, _: Bytes, _: *const Writer) -> Status {
    abi::UNAVAILABLE
}

unsafe extern "C" fn decide(_: *const abi::Host, _: Bytes, _: Bytes, _: *const Writer) -> Status {
    abi::UNAVAILABLE
}

unsafe extern "C" fn next(_: *const abi::Host, _: u64, _: *const Writer) -> i32 {
    abi::SIGNAL_STOP
}

/// The table of a host, for who calls a plugin's functions as the agent does. It is there as long as the host is.
pub fn table(host: &Host) -> *const abi::Host {
    std::ptr::from_ref(host.table())
}
