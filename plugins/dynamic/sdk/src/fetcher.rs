//! Sources of data that updates speak of.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::time::Duration;

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::config::PluginConfig;
use crate::error::Error;
use crate::glue;
use crate::host::Host;

/// Gets data from one kind of source. One instance serves all updates of an agent, many at once.
pub trait DataFetcher: Sized + Send + Sync + 'static {
    /// Its name: `config.fetcher` of an entry, and the key of its settings below `data_updates.fetchers`.
    const NAME: &'static str;

    /// Other names that entries may have for it.
    const ALIASES: &'static [&'static str] = &[];

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str = "";

    /// What the agent's configuration says about it, for all entries.
    type Settings: PluginConfig;

    /// What the `config` of an entry says, beside `fetcher`.
    type Config: DeserializeOwned;

    /// Makes the instance. Connects to nothing.
    ///
    /// # Errors
    /// What is wrong with the settings.
    fn build(settings: Self::Settings, host: Host) -> Result<Self, Error>;

    /// The data as a JSON text.
    ///
    /// # Errors
    /// Why there is none; [`Error::unavailable`] if it may be there later. It is shown in status and sent in reports.
    fn fetch(&self, fetch: Fetch<Self::Config>) -> Result<Vec<u8>, Error>;
}

/// What is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch<C> {
    /// The address.
    pub url: String,
    /// What the entry says.
    pub config: C,
    /// How long it may take; nobody waits longer.
    pub timeout: Duration,
    /// Most bytes of the data.
    pub max_bytes: usize,
}

/// A question as the agent writes it.
#[derive(Deserialize)]
struct Asked {
    url: String,
    config: serde_json::Value,
    timeout_ms: u64,
    max_bytes: usize,
}

/// The table of a fetcher.
pub struct Table<F>(PhantomData<F>);

impl<F: DataFetcher> Table<F> {
    /// What the library exports.
    pub const PLUGIN: &'static abi::Plugin = &abi::Plugin {
        size: size_of::<abi::Plugin>(),
        kind: abi::KIND_FETCHER,
        flags: 0,
        name: Bytes::of(F::NAME.as_bytes()),
        describe: Some(describe::<F>),
        check: Some(glue::check::<F::Settings>),
        create: Some(create::<F>),
        destroy: Some(glue::destroy::<F>),
        functions: std::ptr::from_ref(Self::FUNCTIONS).cast(),
    };

    const FUNCTIONS: &'static abi::Asked = &abi::Asked { size: size_of::<abi::Asked>(), ask: Some(fetch::<F>) };
}

unsafe extern "C" fn describe<F: DataFetcher>(writer: *const Writer) -> Status {
    // SAFETY: the writer is the agent's.
    unsafe { glue::describe(writer, || json!({"description": F::DESCRIPTION, "aliases": F::ALIASES})) }
}

unsafe extern "C" fn create<F: DataFetcher>(
    host: *const abi::Host,
    config: Bytes,
    instance: *mut *mut c_void,
    error: *const Writer,
) -> Status {
    // SAFETY: the agent calls it.
    unsafe { glue::create((host, config, instance, error), F::build) }
}

unsafe extern "C" fn fetch<F: DataFetcher>(instance: *mut c_void, request: Bytes, writer: *const Writer) -> Status {
    // SAFETY: the agent lends all of them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let Asked { url, config, timeout_ms, max_bytes } = glue::parse(glue::lent(request))?;
            let wrong = |error| Error::refused(format!("the `config` of the entry is wrong: {error}"));
            let config = serde_path_to_error::deserialize(config).map_err(wrong)?;
            let timeout = Duration::from_millis(timeout_ms);
            glue::instance::<F>(instance)?.fetch(Fetch { url, config, timeout, max_bytes })
        })
    }
}
