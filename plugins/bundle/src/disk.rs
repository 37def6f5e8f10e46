//! The copy of a bundle that is kept on disk (`persist: true`): the archive as it was downloaded.
//!
//! `PERSISTENCE_DIRECTORY/bundles/NAME/bundle.tar.gz`, where OPA keeps it, so that either takes over from the other. A copy
//! is written beside the old one and renamed over it: a crash leaves one of the two, never a part.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use regent_core::blocks::Blocks;
use tempfile::Builder;

const FILE: &str = "bundle.tar.gz";
const PREFIX: &str = ".bundle.tar.gz.";
const SUFFIX: &str = ".tmp";

/// Where the copy of one bundle is kept.
#[derive(Debug, Clone)]
pub struct DiskCopy {
    directory: PathBuf,
}

/// Whether a bundle of that name has a directory of its own below that of all bundles.
pub(crate) fn is_fit(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

impl DiskCopy {
    /// The place of the copy of the bundle of that name, below the persistence directory.
    pub fn new(persistence: &Path, name: &str) -> Self {
        Self { directory: persistence.join("bundles").join(name) }
    }

    /// The file itself.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// What is kept, if anything is. Fails for more than so many bytes. Blocks.
    pub(crate) fn load(&self, limit: usize) -> io::Result<Option<Blocks>> {
        let file = match fs::File::open(self.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut content = Blocks::default();
        io::copy(&mut file.take(limit as u64 + 1), &mut content)?;
        if content.len() > limit {
            return Err(io::Error::other(format!("archive exceeds {limit} bytes")));
        }
        Ok(Some(content))
    }

    /// Keeps another one. Only the owner of the process may read it: bundles hold data. Blocks.
    pub(crate) fn save(&self, archive: &Blocks) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        self.sweep();
        let mut file = Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(&self.directory)?;
        io::copy(&mut archive.reader(), &mut file)?;
        file.as_file().sync_all()?;
        file.persist(self.path())?;
        // The name is on disk when the directory is.
        fs::File::open(&self.directory)?.sync_all()
    }

    /// Removes what a process left that was killed while it wrote.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
                // The next copy sweeps again.
                let _left = fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_nothing_else_stays_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let copy = DiskCopy::new(directory.path(), "team/authz");
        assert!(copy.load(10).expect("readable").is_none());
        let left = directory.path().join("bundles/team/authz/.bundle.tar.gz.x1.tmp");
        fs::create_dir_all(left.parent().expect("a parent")).expect("a directory");
        fs::write(&left, "half").expect("a file");
        for text in ["first", "second"] {
            let mut archive = Blocks::default();
            archive.push(text.as_bytes());
            copy.save(&archive).expect("kept");
        }
        let mut kept = String::new();
        let archive = copy.load(10).expect("readable").expect("a copy");
        archive.reader().read_to_string(&mut kept).expect("memory");
        assert_eq!(kept, "second");
        assert!(copy.load(5).is_err(), "too large");
        let names: Vec<_> = fs::read_dir(&copy.directory).expect("readable").flatten().map(|e| e.file_name()).collect();
        assert_eq!(names, ["bundle.tar.gz"]);
        assert_eq!(fs::metadata(copy.path()).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn names_that_lead_elsewhere_are_not_fit() {
        assert!(is_fit("authz") && is_fit("team/authz"));
        assert!(!is_fit("") && !is_fit("../authz") && !is_fit("a/../../b") && !is_fit("/etc"));
    }
}
