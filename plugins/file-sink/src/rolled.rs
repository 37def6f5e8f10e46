//! Rolled files: their names, and which of them there are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

/// How the moment is written that is in the name of a rolled file. All have the same length, so names are in order.
const STAMP: &str = "%Y%m%dT%H%M%S.%6fZ";

/// What is behind the name of a file that is not compressed, of one that is, and of one that is being made.
const ENDS: [&str; 3] = ["", ZIPPED, UNFINISHED];
const ZIPPED: &str = ".gz";
const UNFINISHED: &str = ".gz.tmp";

/// How files are named: `decisions.ndjson` becomes `decisions-20260102T030405.000000Z.ndjson`.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) directory: PathBuf,
    stem: String,
    extension: String,
}

/// What there is of one rolled file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rolled {
    pub(crate) stamp: Timestamp,
    pub(crate) plain: Option<PathBuf>,
    pub(crate) zipped: Option<PathBuf>,
    pub(crate) unfinished: Option<PathBuf>,
}

impl Names {
    pub(crate) fn of(path: &Path) -> Self {
        let text = |part: Option<&OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let extension = text(path.extension()).map(|extension| format!(".{extension}")).unwrap_or_default();
        Self { directory: directory.to_owned(), stem: text(path.file_stem()).unwrap_or_default(), extension }
    }

    /// A name that comes behind those of all other rolled files, however often files are rolled and wherever the clock
    /// goes.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn next(&self, now: Timestamp) -> io::Result<PathBuf> {
        let after = |last: &Rolled| last.stamp.checked_add(SignedDuration::from_micros(1)).ok();
        let least = self.list()?.last().and_then(after).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(self.plain(now.max(least)))
    }

    fn plain(&self, stamp: Timestamp) -> PathBuf {
        let stamp = stamp.to_zoned(TimeZone::UTC).strftime(STAMP);
        self.directory.join(format!("{}-{stamp}{}", self.stem, self.extension))
    }

    /// What a rolled file is called once it is compressed, and while it is.
    pub(crate) fn zipped(plain: &Path) -> (PathBuf, PathBuf) {
        let with = |end: &str| {
            let mut name = plain.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        (with(ZIPPED), with(UNFINISHED))
    }

    /// All rolled files, the oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn list(&self) -> io::Result<Vec<Rolled>> {
        let mut found: Vec<Rolled> = Vec::new();
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let read =
                name.to_str().and_then(|name| self.read(name)).filter(|_| entry.file_type().is_ok_and(|t| t.is_file()));
            files.extend(read.map(|(stamp, end)| (stamp, end, name)));
        }
        files.sort_unstable();
        for (stamp, end, name) in files {
            if found.last().is_none_or(|last| last.stamp != stamp) {
                found.push(Rolled { stamp, ..Rolled::default() });
            }
            let last = found.last_mut().expect("there is one by now");
            let place = match end {
                "" => &mut last.plain,
                ZIPPED => &mut last.zipped,
                _ => &mut last.unfinished,
            };
            *place = Some(self.directory.join(name));
        }
        Ok(found)
    }

    /// When the file of that name was rolled, and what is behind its name; nothing if it is not one of ours.
    fn read(&self, name: &str) -> Option<(Timestamp, &'static str)> {
        let (stamp, end) = name.strip_prefix(&self.stem)?.strip_prefix('-')?.split_once('Z')?;
        let end = end.strip_prefix(&self.extension)?;
        let end = ENDS.into_iter().find(|known| *known == end)?;
        let stamp = civil::DateTime::strptime(STAMP, format!("{stamp}Z")).ok()?;
        let stamp = stamp.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let is_ours = self.plain(stamp).file_name()?.to_str()?.len() + end.len() == name.len();
        is_ours.then_some((stamp, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn names_are_in_the_order_in_which_files_were_rolled_wherever_the_clock_goes() {
        let folder = tempfile::tempdir().expect("a directory");
        let names = Names::of(&folder.path().join("decisions.ndjson"));
        let mut given = Vec::new();
        for now in ["2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.6Z", "2025-12-31T00:00:00Z", "2026-01-02T03:04:06Z"]
        {
            let path = names.next(stamp(now)).expect("the directory is there");
            let path = if given.len() == 1 { Names::zipped(&path).0 } else { path };
            fs::write(&path, "").expect("written");
            given.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
        let expected = [
            "decisions-20260102T030405.600000Z.ndjson",
            "decisions-20260102T030405.600001Z.ndjson.gz",
            "decisions-20260102T030405.600002Z.ndjson",
            "decisions-20260102T030406.000000Z.ndjson",
        ];
        assert_eq!(given, expected);
        let listed = names.list().expect("the directory is there");
        assert_eq!(listed.len(), 4);
        assert!(listed[1].plain.is_none() && listed[1].zipped.is_some());
    }

    #[test]
    fn files_of_others_are_not_listed() {
        let folder = tempfile::tempdir().expect("a directory");
        let ours = ["a-20260102T030405.600000Z.log", "a-20260102T030405.600000Z.log.gz.tmp"];
        let others = [
            "a.log",
            "a.log.1",
            "b-20260102T030405.600000Z.log",
            "a-20260102T030405.600000Z.txt",
            "a-20260102T030405.600000Z.log.bz2",
            "a-20269902T030405.600000Z.log",
            "a-20260102T030405.6Z.log",
            "a-20260102T030405Z.log",
            "a-.log",
            "ab-20260102T030405.600000Z.log",
        ];
        for name in ours.iter().chain(&others) {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let listed = Names::of(&folder.path().join("a.log")).list().expect("the directory is there");
        let [one] = &listed[..] else { panic!("{listed:?}") };
        assert_eq!(one.plain.as_deref(), Some(&*folder.path().join(ours[0])));
        assert_eq!(one.unfinished.as_deref(), Some(&*folder.path().join(ours[1])));
    }

    #[test]
    fn a_name_without_extension_is_fine() {
        let names = Names::of(Path::new("decisions"));
        assert_eq!(names.plain(stamp("2026-01-02T03:04:05Z")), Path::new("./decisions-20260102T030405.000000Z"));
        assert!(names.read("decisions-20260102T030405.000000Z.gz").is_some());
    }
}
