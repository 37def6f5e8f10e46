//! Directories that are laid out like a bundle.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::assemble::Assembly;
use super::trust::SIGNATURES;
use super::{Bundle, FormatError, Give, Limits, MOST_DEPTH, Trust};

pub(super) fn read(
    root: &Path,
    limits: &Limits,
    ignore: &dyn Fn(&str) -> bool,
    trust: Trust<'_>,
) -> Result<Bundle, FormatError> {
    let mut assembly = Assembly::new(*limits, trust.gate(|| signatures(root, limits, ignore))?);
    walk(root, "", 0, ignore, &mut |found| match found {
        Found::Entry => assembly.count_entry(),
        Found::File { path, place } if assembly.wants(path) => {
            let mut file = File::open(place).map_err(|error| unreadable(place, error))?;
            let size = file.metadata().map_err(|error| unreadable(place, error))?.len();
            assembly.read(path, size, &mut file)
        }
        Found::File { .. } => Ok(()),
    })?;
    assembly.finish()
}

/// Gives each file with its path and its bytes, sorted by path within each directory.
pub(super) fn each_file(
    root: &Path,
    limits: &Limits,
    ignore: &dyn Fn(&str) -> bool,
    give: &mut Give<'_>,
) -> Result<(), FormatError> {
    walk(root, "", 0, ignore, &mut |found| match found {
        Found::Entry => Ok(()),
        Found::File { path, place } => {
            let mut bytes = Vec::new();
            let read = File::open(place).and_then(|file| file.take(limits.file + 1).read_to_end(&mut bytes));
            read.map_err(|error| unreadable(place, error))?;
            limits.check_file(path, bytes.len() as u64)?;
            give(path, &bytes)
        }
    })
}

/// The file with the signature.
fn signatures(root: &Path, limits: &Limits, ignore: &dyn Fn(&str) -> bool) -> Result<Option<Vec<u8>>, FormatError> {
    let place = root.join(SIGNATURES);
    if ignore(SIGNATURES) || !place.symlink_metadata().is_ok_and(|about| about.is_file()) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let read = File::open(&place).and_then(|file| file.take(limits.file + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(&place, error))?;
    limits.check_file(SIGNATURES, bytes.len() as u64)?;
    Ok(Some(bytes))
}

/// What a directory consists of.
enum Found<'a> {
    /// A file or directory is about to come.
    Entry,
    /// A file, with its path in the bundle and on the machine.
    File { path: &'a str, place: &'a Path },
}

fn walk(
    directory: &Path,
    prefix: &str,
    depth: usize,
    ignore: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(Found<'_>) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    if depth > MOST_DEPTH {
        return Err(unreadable(directory, io::Error::other("directories are nested too deeply")));
    }
    for (name, is_directory) in list(directory)? {
        if ignore(&name) {
            continue;
        }
        visit(Found::Entry)?;
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let place = directory.join(&name);
        if is_directory {
            walk(&place, &path, depth + 1, ignore, visit)?;
        } else {
            visit(Found::File { path: &path, place: &place })?;
        }
    }
    Ok(())
}

/// Files and directories, sorted by name, with whether each is a directory. Neither links nor devices are among them.
fn list(directory: &Path) -> Result<Vec<(String, bool)>, FormatError> {
    let unreadable = |error| unreadable(directory, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        if let Ok(name) = entry.file_name().into_string()
            && (kind.is_dir() || kind.is_file())
        {
            found.push((name, kind.is_dir()));
        }
    }
    found.sort();
    Ok(found)
}

fn unreadable(path: &Path, source: io::Error) -> FormatError {
    FormatError::Unreadable { path: path.display().to_string(), source }
}
