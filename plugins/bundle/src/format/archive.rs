//! Archives: gzip around tar.
//!
//! Entries are taken raw from the tar reader, long names and extended headers resolved here with limits, since the
//! reader would hold them in memory whatever their size.

use std::io::{self, Read};
use std::ops::ControlFlow;

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::assemble::Assembly;
use super::trust::SIGNATURES;
use super::{Bundle, FormatError, Give, Limits, Trust, name};

/// Most bytes of an extended header or a long name.
const MOST_HEADER: u64 = 64 * 1024;

pub(super) fn read(archive: impl Read + Clone, limits: &Limits, trust: Trust<'_>) -> Result<Bundle, FormatError> {
    let mut assembly = Assembly::new(*limits, trust.gate(|| signatures(archive.clone(), limits))?);
    walk(archive, limits, &mut |item| match item {
        Item::Entry => assembly.count_entry().map(ControlFlow::Continue),
        Item::File { path, size, content } => assembly.read(path, size, content).map(ControlFlow::Continue),
    })?;
    assembly.finish()
}

/// The file with the signature, which may come after the files that it is about.
fn signatures(archive: impl Read, limits: &Limits) -> Result<Option<Vec<u8>>, FormatError> {
    let (mut found, mut entries) = (None, 0);
    walk(archive, limits, &mut |item| match item {
        Item::Entry => {
            entries += 1;
            Ok(if entries > limits.entries { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        }
        Item::File { path, size, content } if path == SIGNATURES => {
            // There is no more to read than its size says.
            limits.check_file(path, size)?;
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(FormatError::archive)?;
            found = Some(bytes);
            Ok(ControlFlow::Break(()))
        }
        Item::File { .. } => Ok(ControlFlow::Continue(())),
    })?;
    Ok(found)
}

/// Gives each file with its path and its bytes, in the order of the archive.
pub(super) fn each_file(archive: impl Read, limits: &Limits, give: &mut Give<'_>) -> Result<(), FormatError> {
    walk(archive, limits, &mut |item| match item {
        Item::Entry => Ok(ControlFlow::Continue(())),
        Item::File { path, content, .. } => {
            let mut bytes = Vec::new();
            content.take(limits.file + 1).read_to_end(&mut bytes).map_err(FormatError::archive)?;
            limits.check_file(path, bytes.len() as u64)?;
            give(path, &bytes).map(ControlFlow::Continue)
        }
    })
}

/// What an archive consists of.
enum Item<'a> {
    /// An entry of any kind is about to come.
    Entry,
    /// A file, with its path in the bundle and its size as the archive has it.
    File { path: &'a str, size: u64, content: &'a mut dyn Read },
}

/// Goes through the archive until it is told to stop.
fn walk(
    archive: impl Read,
    limits: &Limits,
    visit: &mut dyn FnMut(Item<'_>) -> Result<ControlFlow<()>, FormatError>,
) -> Result<(), FormatError> {
    let most = limits.archive as u64;
    let packed = Bounded { inner: archive, left: most, over: || format!("archive exceeds {most} bytes") };
    let over = || "content exceeds the limit of its total size".to_owned();
    let plain = Bounded { inner: MultiGzDecoder::new(packed), left: limits.stream(), over };
    let mut archive = Archive::new(plain);
    let mut long_name = None;
    for entry in archive.entries().map_err(FormatError::archive)?.raw(true) {
        let mut entry = entry.map_err(FormatError::archive)?;
        if visit(Item::Entry)?.is_break() {
            return Ok(());
        }
        match entry.header().entry_type() {
            EntryType::GNULongName => long_name = Some(gnu_name(&mut entry)?),
            EntryType::XHeader => long_name = pax_name(&mut entry)?.or(long_name),
            EntryType::XGlobalHeader | EntryType::GNULongLink => {}
            kind => {
                if take(&mut entry, kind, long_name.take(), visit)?.is_break() {
                    return Ok(());
                }
            }
        }
    }
    // What follows the last entry holds the checksum of all before.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(FormatError::archive)?;
    Ok(())
}

/// Takes one entry that is not about another one.
fn take<R: Read>(
    entry: &mut Entry<'_, R>,
    kind: EntryType,
    long_name: Option<Vec<u8>>,
    visit: &mut dyn FnMut(Item<'_>) -> Result<ControlFlow<()>, FormatError>,
) -> Result<ControlFlow<()>, FormatError> {
    let name = long_name.unwrap_or_else(|| entry.header().path_bytes().into_owned());
    let path = name::normalize(&name)?;
    match kind {
        EntryType::Directory => Ok(ControlFlow::Continue(())),
        // Archives from before directories had a type of their own mark them by a slash.
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => Ok(ControlFlow::Continue(())),
        EntryType::Regular | EntryType::Continuous => {
            let size = entry.header().entry_size().map_err(FormatError::archive)?;
            visit(Item::File { path: &path, size, content: entry })
        }
        other => Err(FormatError::archive(format!("entry {path:?} is {}, not a file", describe(other)))),
    }
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link | EntryType::Symlink => "a link",
        EntryType::Char | EntryType::Block | EntryType::Fifo => "a device",
        EntryType::GNUSparse => "sparse",
        _ => "of an unknown type",
    }
}

fn gnu_name<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, FormatError> {
    let mut name = header_content(entry)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

/// The name that an extended header gives to the next entry.
fn pax_name<R: Read>(entry: &mut Entry<'_, R>) -> Result<Option<Vec<u8>>, FormatError> {
    let content = header_content(entry)?;
    let mut name = None;
    for extension in PaxExtensions::new(&content) {
        let extension = extension.map_err(FormatError::archive)?;
        match extension.key_bytes() {
            b"path" => name = Some(extension.value_bytes().to_vec()),
            b"size" => return Err(FormatError::archive("entry of more than 8 GiB")),
            _ => {}
        }
    }
    Ok(name)
}

fn header_content<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, FormatError> {
    let mut content = Vec::new();
    entry.take(MOST_HEADER + 1).read_to_end(&mut content).map_err(FormatError::archive)?;
    if content.len() as u64 > MOST_HEADER {
        return Err(FormatError::archive(format!("header of more than {MOST_HEADER} bytes")));
    }
    Ok(content)
}

/// Fails where more comes out than is allowed, however little went in.
struct Bounded<R, F> {
    inner: R,
    left: u64,
    /// Tells of it.
    over: F,
}

impl<R: Read, F: Fn() -> String> Read for Bounded<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other((self.over)()))?;
        Ok(count)
    }
}
