//! Whether a file may be loaded: loading it means to run what is in it, with all that the agent may do.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use ring::digest::{Context, SHA256};
use rustix::fs::{FileType, Mode, Stat, fstat, stat};

use crate::error::Refusal;

/// Written by everybody.
const WORLD: Mode = Mode::WOTH;

/// In such a directory nobody may replace what is another one's.
const STICKY: Mode = Mode::SVTX;

/// Looks at the file, and gives the SHA-256 of its content in hexadecimal.
///
/// # Errors
/// When there is no such file, others may change it, or it is not the one that is meant.
pub(crate) fn inspect(path: &Path, wanted: Option<&str>) -> Result<String, Refusal> {
    let mut file = File::open(path).map_err(Refusal::Unreadable)?;
    let about = fstat(&file).map_err(|error| Refusal::Unreadable(error.into()))?;
    if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
        return Err(Refusal::NoFile);
    }
    if mode(&about).contains(WORLD) {
        return Err(Refusal::WorldWritable);
    }
    let real = path.canonicalize().map_err(Refusal::Unreadable)?;
    let directory = stat(real.parent().unwrap_or(&real)).map_err(|error| Refusal::Unreadable(error.into()))?;
    if mode(&directory).contains(WORLD) && !mode(&directory).contains(STICKY) {
        return Err(Refusal::WorldWritableDirectory);
    }
    let digest = digest(&mut file).map_err(Refusal::Unreadable)?;
    match wanted {
        Some(wanted) if !wanted.eq_ignore_ascii_case(&digest) => {
            Err(Refusal::Digest { wanted: wanted.to_owned(), found: digest })
        }
        _ => Ok(digest),
    }
}

fn mode(about: &Stat) -> Mode {
    Mode::from_raw_mode(about.st_mode)
}

fn digest(file: &mut File) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => context.update(&piece[..read]),
        }
    }
    let mut text = String::new();
    for byte in context.finish().as_ref() {
        // Writing into memory cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn file(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("p.so");
        std::fs::write(&path, "").expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("a mode");
        (directory, path)
    }

    #[test]
    fn the_digest_is_that_of_the_content_in_any_case_of_letters() {
        let (_directory, path) = file(0o644);
        assert_eq!(inspect(&path, None).expect("a file"), EMPTY);
        assert_eq!(inspect(&path, Some(&EMPTY.to_uppercase())).expect("the same"), EMPTY);
        let wrong = inspect(&path, Some("00")).expect_err("another digest");
        assert_eq!(wrong.to_string(), format!("its SHA-256 is {EMPTY}, not 00 as the configuration says"));
    }

    #[test]
    fn what_everybody_may_change_is_refused() {
        let (directory, path) = file(0o666);
        assert!(matches!(inspect(&path, None), Err(Refusal::WorldWritable)));
        let mode = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
        mode(&path, 0o664);
        mode(directory.path(), 0o777);
        assert!(matches!(inspect(&path, None), Err(Refusal::WorldWritableDirectory)));
        mode(directory.path(), 0o1777);
        assert!(inspect(&path, None).is_ok());
        mode(directory.path(), 0o755);
        mode(&path, 0o666);
        let link = directory.path().join("link.so");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        assert!(matches!(inspect(&link, None), Err(Refusal::WorldWritable)));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let (directory, _) = file(0o644);
        assert!(matches!(inspect(directory.path(), None), Err(Refusal::NoFile)));
        assert!(matches!(inspect(&directory.path().join("none"), None), Err(Refusal::Unreadable(_))));
    }
}
