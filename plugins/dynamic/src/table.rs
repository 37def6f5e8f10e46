//! Reading the tables of a library. They come from elsewhere, so nothing in them is believed that can be checked: numbers,
//! sizes, names, and that what has to be there is. Pointers cannot be.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use regent_plugin_abi::{self as abi, Asked, Bytes, Credential, Library, Managed, Plugin, Sink};

use crate::error::Refusal;
use crate::kind::Kind;

/// Most plugins in a library.
const PLUGINS: usize = 256;

/// Most bytes of a name.
const NAME: usize = 128;

/// The functions of a plugin, as its kind has them.
#[derive(Clone, Copy)]
pub(crate) enum Functions {
    /// Of kinds that are asked one thing.
    Ask(abi::Ask),
    Sink(Sink),
    Credential(Credential),
    Managed(Managed),
}

/// A plugin's table, checked.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    pub(crate) flags: u32,
    /// Its name, for as long as the process lives.
    pub(crate) name: &'static str,
    pub(crate) plugin: &'static Plugin,
    pub(crate) functions: Functions,
}

/// A library's table, checked.
pub(crate) struct Tables {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) abi: (u32, u32),
    pub(crate) plugins: Vec<Table>,
}

/// Reads what the entry gave.
///
/// # Safety
/// `library` is null, or points to a table of the version that it tells, which stays.
pub(crate) unsafe fn read(library: *const Library) -> Result<Tables, Refusal> {
    if library.is_null() || !library.is_aligned() {
        return Err(Refusal::NoTable);
    }
    // Versions have the first fields in common, so these are read alone.
    // SAFETY: there is a table.
    let (magic, major, minor, size) =
        unsafe { ((*library).magic, (*library).abi_major, (*library).abi_minor, (*library).size) };
    if magic != abi::MAGIC {
        return Err(Refusal::NoMagic);
    }
    let version = require_version(major, minor)?;
    version.require("the library's table", size, size_of::<Library>())?;
    // SAFETY: it has the size of a table.
    let library: &'static Library = unsafe { &*library };
    // SAFETY: as promised by the library.
    let name = unsafe { name(library.name) }.map_err(|text| Refusal::Name(format!("the library's name {text}")))?;
    // SAFETY: as promised by the library.
    let release = unsafe { bytes(library.version) }.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let release = release.ok_or_else(|| Refusal::Missing("the library's version".to_owned()))?;
    let count = library.plugin_count;
    if count == 0 || count > PLUGINS {
        return Err(Refusal::Count(count));
    }
    if library.plugins.is_null() {
        return Err(Refusal::Missing("the list of plugins".to_owned()));
    }
    // SAFETY: there are as many as it says.
    let listed = unsafe { std::slice::from_raw_parts(library.plugins, count) };
    // SAFETY: each is null or a table.
    let plugins = listed.iter().enumerate().map(|(at, plugin)| unsafe { table(&version, at, *plugin) });
    let plugins = plugins.collect::<Result<_, _>>()?;
    Ok(Tables { name, version: release, abi: (major, minor), plugins })
}

/// A version of the ABI that is understood.
struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Checks what a table says of its size.
    fn require(&self, table: &str, said: usize, is: usize) -> Result<(), Refusal> {
        let Self { major, minor } = *self;
        if said == is { Ok(()) } else { Err(Refusal::Size { table: table.to_owned(), said, is, major, minor }) }
    }
}

fn require_version(major: u32, minor: u32) -> Result<Version, Refusal> {
    if major < abi::ABI_MAJOR {
        return Err(Refusal::TooOld(major, minor));
    }
    if (major, minor) > (abi::ABI_MAJOR, abi::ABI_MINOR) {
        return Err(Refusal::TooNew(major, minor));
    }
    Ok(Version { major, minor })
}

/// # Safety
/// `plugin` is null, or points to a table that stays.
unsafe fn table(version: &Version, at: usize, plugin: *const Plugin) -> Result<Table, Refusal> {
    let place = format!("plugin {}", at + 1);
    if plugin.is_null() || !plugin.is_aligned() {
        return Err(Refusal::Missing(format!("the table of {place}")));
    }
    // SAFETY: there is a table, which begins with its size.
    version.require(&format!("the table of {place}"), unsafe { (*plugin).size }, size_of::<Plugin>())?;
    // SAFETY: it has the size of a table.
    let plugin: &'static Plugin = unsafe { &*plugin };
    // SAFETY: as promised by the library.
    let name = unsafe { name(plugin.name) }.map_err(|text| Refusal::Name(format!("the name of {place} {text}")))?;
    let unknown = || Refusal::Kind { plugin: name.to_owned(), kind: plugin.kind };
    let kind = Kind::of(plugin.kind).ok_or_else(unknown)?;
    let part = Part { version, name, functions: plugin.functions };
    // SAFETY: the functions are those of the kind.
    let functions = unsafe { part.read(kind) }?;
    Ok(Table { kind, flags: plugin.flags, name, plugin, functions })
}

/// A table of functions that was not looked at yet.
struct Part<'a> {
    version: &'a Version,
    name: &'a str,
    functions: *const c_void,
}

impl Part<'_> {
    /// # Safety
    /// The pointer is null, or points to the functions of the kind, which stay.
    unsafe fn read(&self, kind: Kind) -> Result<Functions, Refusal> {
        let missing = |what: &str| Refusal::Missing(format!("`{what}` of {}", self.name));
        match kind {
            Kind::Builtin | Kind::Fetcher | Kind::Verifier | Kind::Signer => {
                // SAFETY: as promised.
                let asked: Asked = unsafe { self.copy(size_of::<Asked>()) }?;
                asked.ask.map(Functions::Ask).ok_or_else(|| missing(kind.function()))
            }
            Kind::Sink => {
                // SAFETY: as promised.
                let sink: Sink = unsafe { self.copy(size_of::<Sink>()) }?;
                sink.write.map(|_| Functions::Sink(sink)).ok_or_else(|| missing(kind.function()))
            }
            Kind::Credential => {
                // SAFETY: as promised.
                let credential: Credential = unsafe { self.copy(Credential::size_in(self.version.minor)) }?;
                credential.prepare.map(|_| Functions::Credential(credential)).ok_or_else(|| missing(kind.function()))
            }
            Kind::Managed => {
                // SAFETY: as promised.
                let managed: Managed = unsafe { self.copy(size_of::<Managed>()) }?;
                managed.run.map(|_| Functions::Managed(managed)).ok_or_else(|| missing(kind.function()))
            }
        }
    }

    /// The table, which in the version of the library has that size; functions that came later are missing.
    ///
    /// # Safety
    /// The pointer is null, or points to a `T` as that version has it. A `T` of zeros is one without functions.
    unsafe fn copy<T: Copy>(&self, size: usize) -> Result<T, Refusal> {
        let table = self.functions.cast::<T>();
        if table.is_null() || !table.is_aligned() {
            return Err(Refusal::Missing(format!("the table of functions of {}", self.name)));
        }
        // SAFETY: each of these tables begins with its size.
        let said = unsafe { *self.functions.cast::<usize>() };
        self.version.require(&format!("the table of functions of {}", self.name), said, size)?;
        let mut whole = MaybeUninit::<T>::zeroed();
        // SAFETY: there are as many bytes on one side, and no fewer on the other.
        unsafe { std::ptr::copy_nonoverlapping(table.cast::<u8>(), whole.as_mut_ptr().cast(), size) };
        // SAFETY: zeros are a `T`, and the beginning is one.
        Ok(unsafe { whole.assume_init() })
    }
}

/// A name, kept for as long as the process lives.
///
/// # Safety
/// There are as many bytes as it says, if that is not too many.
unsafe fn name(name: Bytes) -> Result<&'static str, String> {
    // SAFETY: as promised.
    let bytes = unsafe { bytes(name) }.ok_or_else(|| "is missing or too long, which".to_owned())?;
    let text = String::from_utf8_lossy(bytes);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if text.is_empty() || !text.chars().all(fits) {
        return Err(format!("{text:?}"));
    }
    Ok(crate::kept::name(&text))
}

/// # Safety
/// As [`name`].
unsafe fn bytes(bytes: Bytes) -> Option<&'static [u8]> {
    let is_there = !bytes.data.is_null() && bytes.len <= NAME;
    // SAFETY: as promised.
    is_there.then(|| unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) })
}
