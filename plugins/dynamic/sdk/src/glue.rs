//! Between the functions of a table and the traits.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde::de::DeserializeOwned;

use crate::config::{self, PluginConfig};
use crate::error::Error;
use crate::host::Host;
pub(crate) use crate::lent::lent;

/// Writes an answer; what does not fit is the agent's to complain about.
///
/// # Safety
/// The writer is null, or the agent's.
unsafe fn put(writer: *const Writer, bytes: &[u8]) {
    // SAFETY: as promised.
    let Some(Writer { context, write: Some(write) }) = (unsafe { writer.as_ref() }) else { return };
    // SAFETY: as promised.
    let _ = unsafe { write(*context, bytes.as_ptr(), bytes.len()) };
}

/// Runs a function of a plugin and writes what it gives, an answer or an error. A panic becomes an error.
///
/// # Safety
/// The writer is null, or the agent's.
pub(crate) unsafe fn answer(writer: *const Writer, body: impl FnOnce() -> Result<Vec<u8>, Error>) -> Status {
    let failed = |panic: Box<dyn Any + Send>| Error::failed(format!("panicked: {}", said(&*panic)));
    let (status, text) = match catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(failed(panic))) {
        Ok(answer) => (abi::OK, answer),
        Err(error) => (error.status, error.text.into_bytes()),
    };
    // SAFETY: as promised.
    unsafe { put(writer, &text) };
    status
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("something that is no text")
}

/// JSON of the agent's as a type.
pub(crate) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|error| Error::failed(format!("cannot read what the agent asks: {error}")))
}

/// A type as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::failed(format!("cannot write the answer: {error}")))
}

/// `check` of a plugin with that configuration.
pub(crate) unsafe extern "C" fn check<C: PluginConfig>(config: Bytes, errors: *const Writer) -> Status {
    // SAFETY: the agent lends both.
    unsafe {
        answer(errors, || match config::read::<C>(lent(config)) {
            Ok(_) => Ok(Vec::new()),
            Err(errors) => json(&errors),
        })
    }
}

/// `create` of a plugin: reads the configuration, and gives what is made of it to the agent.
///
/// # Safety
/// As the agent calls it.
pub(crate) unsafe fn create<C: PluginConfig, T>(
    (host, config, instance, error): (*const abi::Host, Bytes, *mut *mut c_void, *const Writer),
    build: impl FnOnce(C, Host) -> Result<T, Error>,
) -> Status {
    // SAFETY: the agent lends them.
    unsafe {
        answer(error, || {
            let config = config::read::<C>(lent(config)).map_err(|errors| {
                Error::config(String::from_utf8_lossy(&json(&errors).unwrap_or_default()).into_owned())
            })?;
            *instance = Box::into_raw(Box::new(build(config, Host::new(host))?)).cast();
            Ok(Vec::new())
        })
    }
}

/// `destroy` of an instance of that type.
pub(crate) unsafe extern "C" fn destroy<T>(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    // A panic must not leave a function of a library.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `create` made it of this type, and the agent destroys it once.
        drop(unsafe { Box::from_raw(instance.cast::<T>()) });
    }));
}

/// The instance that `create` made.
///
/// # Safety
/// It is of this type, and was not destroyed.
pub(crate) unsafe fn instance<'a, T>(instance: *mut c_void) -> Result<&'a T, Error> {
    // SAFETY: as promised.
    unsafe { instance.cast::<T>().as_ref() }.ok_or_else(|| Error::failed("there is no instance"))
}

/// What a plugin says of itself.
///
/// # Safety
/// The writer is the agent's.
pub(crate) unsafe fn describe(writer: *const Writer, description: impl FnOnce() -> serde_json::Value) -> Status {
    // SAFETY: as promised.
    unsafe { answer(writer, || json(&description())) }
}
