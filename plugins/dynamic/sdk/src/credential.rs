//! Credentials for services.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::PluginConfig;
use crate::error::Error;
use crate::glue;
use crate::host::Host;

/// Proves to services who the agent is.
pub trait Credential: Sized + Send + Sync + 'static {
    /// The key below `credentials` of a service that chooses it.
    const NAME: &'static str;

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str = "";

    /// What is below that key.
    type Config: PluginConfig;

    /// Makes it. Reads no file and asks nobody.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    fn build(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// The headers that prove it to the service that the request is for, by name.
    ///
    /// # Errors
    /// Why there are none.
    fn prepare(&self, request: &Request, body: &[u8]) -> Result<BTreeMap<String, String>, Error>;

    /// Certificate and key for the TLS handshake, if there are any.
    ///
    /// # Errors
    /// When they cannot be had.
    fn identity(&self) -> Result<Option<Identity>, Error> {
        Ok(None)
    }

    /// Hears that the service answered 401 to a request with these headers. What they prove is not to be used again.
    fn refused(&self, headers: &[(String, String)]) {
        let _ = headers;
    }
}

/// A request that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
}

/// A certificate chain and its key, each as PEM.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The chain, the agent's own certificate first.
    pub certificates: String,
    /// The key.
    pub private_key: String,
}

/// The table of credentials.
pub struct Table<C>(PhantomData<C>);

impl<C: Credential> Table<C> {
    /// What the library exports.
    pub const PLUGIN: &'static abi::Plugin = &abi::Plugin {
        size: size_of::<abi::Plugin>(),
        kind: abi::KIND_CREDENTIAL,
        flags: 0,
        name: Bytes::of(C::NAME.as_bytes()),
        describe: Some(describe::<C>),
        check: Some(glue::check::<C::Config>),
        create: Some(create::<C>),
        destroy: Some(glue::destroy::<C>),
        functions: std::ptr::from_ref(Self::FUNCTIONS).cast(),
    };

    const FUNCTIONS: &'static abi::Credential = &abi::Credential {
        size: size_of::<abi::Credential>(),
        prepare: Some(prepare::<C>),
        refused: Some(refused::<C>),
        identity: Some(identity::<C>),
    };
}

unsafe extern "C" fn describe<C: Credential>(writer: *const Writer) -> Status {
    // SAFETY: the writer is the agent's.
    unsafe { glue::describe(writer, || json!({"description": C::DESCRIPTION})) }
}

unsafe extern "C" fn create<C: Credential>(
    host: *const abi::Host,
    config: Bytes,
    instance: *mut *mut c_void,
    error: *const Writer,
) -> Status {
    // SAFETY: the agent calls it.
    unsafe { glue::create((host, config, instance, error), C::build) }
}

unsafe extern "C" fn prepare<C: Credential>(
    instance: *mut c_void,
    request: Bytes,
    body: Bytes,
    writer: *const Writer,
) -> Status {
    // SAFETY: the agent lends all of them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let request: Request = glue::parse(glue::lent(request))?;
            glue::json(&glue::instance::<C>(instance)?.prepare(&request, glue::lent(body))?)
        })
    }
}

unsafe extern "C" fn identity<C: Credential>(instance: *mut c_void, writer: *const Writer) -> Status {
    // SAFETY: the agent lends the writer, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let identity = glue::instance::<C>(instance)?.identity()?;
            identity.map_or(Ok(Vec::new()), |identity| glue::json(&identity))
        })
    }
}

unsafe extern "C" fn refused<C: Credential>(instance: *mut c_void, headers: Bytes) {
    // A panic must not leave a function of a library, and nobody would hear of it.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the agent lends both, and the instance is of `create`.
        let (credential, headers) = unsafe { (glue::instance::<C>(instance), glue::lent(headers)) };
        if let (Ok(credential), Ok(headers)) = (credential, glue::parse::<Vec<(String, String)>>(headers)) {
            credential.refused(&headers);
        }
    }));
}
