//! Functions that policies call.

use std::ffi::c_void;
use std::marker::PhantomData;

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde_json::{Value, json};

use crate::config::NoConfig;
use crate::error::Error;
use crate::glue;
use crate::host::Host;

/// A function that policies call.
pub trait Builtin: Sized + Send + Sync + 'static {
    /// Its name in policies, `acme.domain`.
    const NAME: &'static str;

    /// Its parameters and result, `acme.domain(address: string) => domain: string`. Calls are checked against them when
    /// policies are compiled.
    const DECLARATION: &'static str;

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str = "";

    /// Whether the same operands may give different results. Such calls are recorded in decision logs.
    const NONDETERMINISTIC: bool = false;

    /// Whether it only calculates: it is then called on the thread of the evaluation, which costs less, and nobody watches how
    /// long it takes.
    const INLINE: bool = false;

    /// Makes it; when the library is loaded, so the host can only log.
    ///
    /// # Errors
    /// When it could never work.
    fn build(host: Host) -> Result<Self, Error>;

    /// Calls it, from several threads at once. There are as many operands as were declared; sets among them are arrays.
    /// Nothing is the undefined result.
    ///
    /// # Errors
    /// Why there is no result. The call is then undefined, or ends the query where errors of functions are strict.
    fn call(&self, operands: &[Value]) -> Result<Option<Value>, Error>;
}

/// The table of a function.
pub struct Table<B>(PhantomData<B>);

impl<B: Builtin> Table<B> {
    /// What the library exports.
    pub const PLUGIN: &'static abi::Plugin = &abi::Plugin {
        size: size_of::<abi::Plugin>(),
        kind: abi::KIND_BUILTIN,
        flags: if B::INLINE { abi::INLINE } else { 0 },
        name: Bytes::of(B::NAME.as_bytes()),
        describe: Some(describe::<B>),
        check: None,
        create: Some(create::<B>),
        destroy: Some(glue::destroy::<B>),
        functions: std::ptr::from_ref(Self::FUNCTIONS).cast(),
    };

    const FUNCTIONS: &'static abi::Asked = &abi::Asked { size: size_of::<abi::Asked>(), ask: Some(call::<B>) };
}

unsafe extern "C" fn describe<B: Builtin>(writer: *const Writer) -> Status {
    let description = || {
        json!({
            "declaration": B::DECLARATION,
            "description": B::DESCRIPTION,
            "nondeterministic": B::NONDETERMINISTIC,
        })
    };
    // SAFETY: the writer is the agent's.
    unsafe { glue::describe(writer, description) }
}

unsafe extern "C" fn create<B: Builtin>(
    host: *const abi::Host,
    config: Bytes,
    instance: *mut *mut c_void,
    error: *const Writer,
) -> Status {
    // SAFETY: the agent calls it.
    unsafe { glue::create((host, config, instance, error), |_: NoConfig, host| B::build(host)) }
}

unsafe extern "C" fn call<B: Builtin>(instance: *mut c_void, operands: Bytes, writer: *const Writer) -> Status {
    // SAFETY: the agent lends all of them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let operands: Vec<Value> = glue::parse(glue::lent(operands))?;
            glue::instance::<B>(instance)?.call(&operands)?.map_or(Ok(Vec::new()), |result| glue::json(&result))
        })
    }
}
