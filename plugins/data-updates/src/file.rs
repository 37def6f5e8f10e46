//! The fetcher `file`: data from files below one directory.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use regent_core::data_fetcher::{DataFetcher, FetchLimits};
use regent_core::{Error, ErrorKind};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

/// Gets data from files.
pub(crate) struct FileFetcher {
    root: Option<PathBuf>,
}

/// `data_updates.fetchers.file`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The directory that files have to be in; without one there are none.
    root: Option<PathBuf>,
}

/// What an entry says: nothing.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {}

impl DataFetcher for FileFetcher {
    const NAME: &'static str = "file";
    type Settings = Settings;
    type Config = Config;

    fn build(settings: Settings) -> Result<Self, Error> {
        Ok(Self { root: settings.root })
    }

    async fn fetch(&self, url: &str, _: Config, limits: FetchLimits) -> Result<Bytes, Error> {
        let missing =
            || Error::new(ErrorKind::Refused, "no files are allowed: `data_updates.fetchers.file.root` is not set");
        let root = self.root.as_ref().ok_or_else(missing)?;
        let path = url.strip_prefix("file://").unwrap_or(url).to_owned();
        let reading = read(root, Path::new(&path), limits.max_bytes);
        let slow = |_| Error::new(ErrorKind::Unavailable, format!("the file is not read within {:?}", limits.timeout));
        tokio::time::timeout(limits.timeout, reading).await.map_err(slow)?
    }
}

async fn read(root: &Path, path: &Path, max_bytes: usize) -> Result<Bytes, Error> {
    let unreadable = |error| Error::new(ErrorKind::Unavailable, "the file cannot be read").caused_by(error);
    let root = tokio::fs::canonicalize(root).await.map_err(unreadable)?;
    // Links are followed first, so that none leads out.
    let path = tokio::fs::canonicalize(root.join(path)).await.map_err(unreadable)?;
    if !path.starts_with(&root) {
        return Err(Error::new(ErrorKind::Refused, "the file is not below `data_updates.fetchers.file.root`"));
    }
    let file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
    if !file.metadata().await.map_err(unreadable)?.is_file() {
        return Err(Error::new(ErrorKind::Refused, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() > max_bytes {
        let text = format!("the file has more than {max_bytes} bytes (`data_updates.fetch.max_bytes`)");
        return Err(Error::new(ErrorKind::Refused, text));
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_read_below_the_root_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        std::fs::create_dir(&root).expect("a folder");
        std::fs::write(root.join("in.json"), "[1]").expect("a file");
        std::fs::write(folder.path().join("out.json"), "[2]").expect("a file");
        std::os::unix::fs::symlink(folder.path().join("out.json"), root.join("link.json")).expect("a link");
        let found =
            async |path: &str, most| read(&root, Path::new(path), most).await.map_err(|error| error.to_string());
        assert_eq!(found("in.json", 3).await.as_deref(), Ok(&b"[1]"[..]));
        assert_eq!(found(&root.join("in.json").display().to_string(), 3).await.as_deref(), Ok(&b"[1]"[..]));
        assert!(found("in.json", 2).await.expect_err("too large").contains("more than 2 bytes"));
        for outside in ["../out.json", "link.json", "/etc/hostname"] {
            assert!(found(outside, 99).await.expect_err(outside).contains("is not below"), "{outside}");
        }
        assert!(found(".", 9).await.expect_err("a folder").contains("no regular file"));
        assert!(found("none", 9).await.expect_err("nothing").contains("cannot be read"));
    }
}
