//! Directories that are laid out like a bundle.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::assemble::{Assembly, Kind};
use super::{Bundle, FormatError, Limits, MOST_DEPTH};

pub(super) fn read(root: &Path, limits: &Limits, ignore: &dyn Fn(&str) -> bool) -> Result<Bundle, FormatError> {
    let mut assembly = Assembly::new(*limits);
    walk(&mut assembly, root, "", 0, ignore)?;
    assembly.finish()
}

fn walk(
    assembly: &mut Assembly,
    directory: &Path,
    prefix: &str,
    depth: usize,
    ignore: &dyn Fn(&str) -> bool,
) -> Result<(), FormatError> {
    if depth > MOST_DEPTH {
        return Err(unreadable(directory, io::Error::other("directories are nested too deeply")));
    }
    for (name, is_directory) in list(directory)? {
        if ignore(&name) {
            continue;
        }
        assembly.count_entry()?;
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let place = directory.join(&name);
        if is_directory {
            walk(assembly, &place, &path, depth + 1, ignore)?;
        } else if let Some(kind) = Kind::of(&path) {
            let file = File::open(&place).map_err(|error| unreadable(&place, error))?;
            let size = file.metadata().map_err(|error| unreadable(&place, error))?.len();
            assembly.read(&path, kind, size, &mut { file })?;
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
