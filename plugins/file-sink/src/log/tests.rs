use std::path::PathBuf;

use bytes::Bytes;
use proptest::prelude::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use super::*;

/// A log in a directory of its own, at `logs/decisions.ndjson`.
struct Place {
    folder: TempDir,
    config: serde_json::Value,
}

impl Place {
    fn new(config: serde_json::Value) -> Self {
        Self { folder: tempfile::tempdir().expect("a directory"), config }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("logs/decisions.ndjson")
    }

    fn log(&self) -> Log {
        let mut config = self.config.clone();
        config["path"] = self.path().to_str().expect("a plain path").into();
        Log::new(Arc::new(Rules::new(serde_json::from_value(config).expect("sound"))))
    }

    /// The contents of the files, in the order in which they were written.
    fn files(&self) -> Vec<String> {
        let rolled = Names::of(&self.path()).list().expect("the directory is there");
        let paths = rolled.into_iter().map(|rolled| rolled.plain.expect("nothing is compressed"));
        paths.chain([self.path()]).filter_map(|path| fs::read_to_string(path).ok()).collect()
    }

    /// The ids of all lines, in order; every line is an event.
    fn ids(&self) -> Vec<String> {
        let files = self.files();
        assert!(files.iter().all(|file| file.is_empty() || file.ends_with('\n')), "{files:?}");
        files.iter().flat_map(|file| file.lines().map(id)).collect()
    }

    fn mode(&self) -> u32 {
        fs::metadata(self.path()).expect("the file").mode() & 0o777
    }
}

fn id(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    event["decision_id"].as_str().expect("an id").to_owned()
}

/// An event, made longer by so many bytes.
fn event(id: &str, more: usize) -> EncodedEvent {
    let text = format!(r#"{{"decision_id":"{id}","timestamp":"2026-01-02T03:04:05Z","input":"{}"}}"#, "x".repeat(more));
    EncodedEvent::decode(Bytes::from(text)).expect("an event")
}

fn events(ids: impl IntoIterator<Item = usize>) -> Vec<EncodedEvent> {
    ids.into_iter().map(|id| event(&id.to_string(), 0)).collect()
}

#[test]
fn each_event_is_a_line_and_the_directory_is_made_for_the_owner_alone() {
    let place = Place::new(serde_json::json!({"sync": true}));
    place.log().append(&events(0..3)).expect("written");
    place.log().append(&events(3..5)).expect("written");
    assert_eq!(place.ids(), ["0", "1", "2", "3", "4"]);
    assert_eq!(place.mode(), 0o600);
    let folder = place.path().parent().map(|folder| fs::metadata(folder).expect("it is there").mode() & 0o777);
    assert_eq!(folder, Some(0o700));
}

#[test]
fn files_have_the_mode_that_is_configured_whatever_the_mask_of_the_process() {
    let place = Place::new(serde_json::json!({"mode": "0666", "max_size_bytes": 1}));
    let mut log = place.log();
    log.append(&events(0..1)).expect("written");
    assert_eq!(place.mode(), 0o666);
    log.append(&events(1..2)).expect("written");
    assert_eq!((place.mode(), place.files().len()), (0o666, 2));
}

#[test]
fn a_part_of_a_line_that_a_crash_left_is_cut_off() {
    let place = Place::new(serde_json::json!({}));
    let whole = String::from_utf8(event("a", BLOCK).json().to_vec()).expect("text") + "\n";
    let torn = r#"{"decision_id":"torn","#;
    let long = format!("{torn}{}", "x".repeat(3 * BLOCK));
    for (left, cut) in [(torn.to_owned(), 0), (long, 0), (format!("{whole}{torn}"), 1), ("\0".repeat(70), 0)] {
        fs::create_dir_all(place.path().parent().expect("a folder")).expect("made");
        fs::write(place.path(), &left).expect("written");
        place.log().append(&events(0..1)).expect("written");
        let expected = ["a", "0"];
        assert_eq!(place.ids(), expected[1 - cut..], "{}", left.len());
    }
}

#[test]
fn a_file_that_was_moved_or_emptied_gets_no_further_lines_of_ours() {
    let place = Place::new(serde_json::json!({}));
    let mut log = place.log();
    log.append(&events(0..2)).expect("written");
    let moved = place.path().with_extension("1");
    fs::rename(place.path(), &moved).expect("moved");
    log.append(&events(2..3)).expect("written");
    assert_eq!(place.ids(), ["2"]);
    assert_eq!(fs::read_to_string(&moved).expect("it is there").lines().count(), 2);
    // Whoever moves it away may put a new one there.
    fs::rename(place.path(), &moved).expect("moved");
    fs::write(place.path(), "").expect("written");
    log.append(&events(2..3)).expect("written");
    assert_eq!(place.ids(), ["2"]);
    fs::remove_file(place.path()).expect("removed");
    log.reopen().expect("opened");
    assert_eq!(place.files(), [""]);
    log.append(&events(3..4)).expect("written");
    OpenOptions::new().write(true).truncate(true).open(place.path()).expect("emptied");
    log.append(&events(4..5)).expect("written");
    assert_eq!(place.ids(), ["4"]);
}

#[test]
fn a_file_that_others_have_emptied_may_grow_again() {
    let place = Place::new(serde_json::json!({"max_size_bytes": 150}));
    let mut log = place.log();
    log.append(&events(0..2)).expect("written");
    OpenOptions::new().write(true).truncate(true).open(place.path()).expect("emptied");
    log.append(&events(2..4)).expect("written");
    assert_eq!((place.ids(), log.rolls()), (vec!["2".to_owned(), "3".to_owned()], 0));
}

#[test]
fn a_path_that_is_no_file_of_ours_is_refused_in_clear_words() {
    let place = Place::new(serde_json::json!({}));
    let why =
        |log: &mut Log| regent_core::Error::from(log.append(&events(0..1)).expect_err("it cannot be written")).chain();
    let other = place.log();
    fs::create_dir_all(place.path()).expect("made");
    let mut log = place.log();
    let path = place.path().display().to_string();
    let start = "decisions cannot be written: cannot";
    assert_eq!(why(&mut log), format!("{start} write to {path}: it is no regular file"));
    fs::remove_dir(place.path()).expect("removed");
    let mut first = other;
    first.append(&events(0..1)).expect("written");
    let taken = format!("{start} write to {path}: another process does; give each agent a path of its own");
    assert_eq!(why(&mut log), taken);
    drop(first);
    log.append(&events(1..2)).expect("nobody else writes any more");
    fs::remove_dir_all(place.path().parent().expect("a folder")).expect("removed");
    fs::write(place.folder.path().join("logs"), "").expect("written");
    let folder = place.folder.path().join("logs").display().to_string();
    assert!(why(&mut log).starts_with(&format!("{start} make the directory {folder}: ")), "{}", why(&mut log));
}

#[test]
fn a_file_is_rolled_once_it_is_old_but_never_without_a_line() {
    let place = Place::new(serde_json::json!({"max_age_seconds": 3600}));
    let mut log = place.log();
    log.reopen().expect("opened");
    assert_eq!(log.time_left(), None);
    log.append(&events(0..1)).expect("written");
    assert!(log.time_left().is_some_and(|left| left > Duration::from_mins(50)));
    log.roll_if_old().expect("nothing to do");
    assert_eq!(log.rolls(), 0);
    let age = |log: &mut Log| {
        log.current.as_mut().expect("it is open").since = SystemTime::now() - Duration::from_secs(3601);
    };
    age(&mut log);
    log.append(&events(1..2)).expect("written");
    assert_eq!((place.files().len(), place.ids()), (2, vec!["0".to_owned(), "1".to_owned()]));
    age(&mut log);
    log.roll_if_old().expect("rolled");
    assert_eq!((log.rolls(), place.path().exists(), log.time_left()), (2, false, None));
}

#[test]
fn the_age_of_a_file_outlives_the_process() {
    let place = Place::new(serde_json::json!({"max_age_seconds": 3600}));
    place.log().append(&events(0..1)).expect("written");
    let begun = fs::metadata(place.path()).and_then(|file| file.created().or_else(|_| file.modified()));
    let mut log = place.log();
    log.reopen().expect("opened");
    assert_eq!(log.current.as_ref().map(|current| current.since), begun.ok());
}

/// Runs the test of that name anew, in a process of its own whose files may have 16 KiB at first.
fn in_a_process_with_little_room(name: &str) {
    let test = std::env::current_exe().expect("this test's path");
    let limits = "trap '' XFSZ; ulimit -S -f 32; exec \"$0\" --exact \"$1\"";
    let mut child = std::process::Command::new("sh");
    child.args(["-c", limits]).arg(test).arg(format!("log::tests::{name}")).env("LITTLE_ROOM", "1");
    let output = child.output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_batch_tears_no_line_and_what_was_written_does_not_come_again() {
    if std::env::var_os("LITTLE_ROOM").is_none() {
        return in_a_process_with_little_room(
            "a_disk_that_is_full_in_the_middle_of_a_batch_tears_no_line_and_what_was_written_does_not_come_again",
        );
    }
    let batch: Vec<_> =
        [0, 0, 6000, 0, 40_000, 0].iter().enumerate().map(|(id, more)| event(&id.to_string(), *more)).collect();
    let whole = Place::new(serde_json::json!({}));
    let rolling = Place::new(serde_json::json!({"max_size_bytes": 5000}));
    let (mut whole_log, mut rolling_log) = (whole.log(), rolling.log());
    whole_log.append(&batch[..1]).expect("there is room for one");
    for _ in 0..3 {
        let error = whole_log.append(&batch[1..]).expect_err("there is too little room");
        assert!(regent_core::Error::from(error).chain().contains("File too large"));
        assert_eq!(whole.ids(), ["0"]);
        rolling_log.append(&batch).expect_err("there is too little room for one of them");
        assert_eq!(rolling.ids(), ["0", "1", "2", "3"]);
    }
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum }).expect("there is room again");
    whole_log.append(&batch[1..]).expect("there is room");
    rolling_log.append(&batch).expect("there is room");
    let all = ["0", "1", "2", "3", "4", "5"];
    assert_eq!((whole.ids(), rolling.ids()), (all.map(str::to_owned).into(), all.map(str::to_owned).into()));
    // The same events as another batch.
    rolling_log.append(&batch).expect("there is room");
    assert_eq!(rolling.ids().len(), 12);
}

#[test]
fn another_batch_than_the_one_that_failed_is_written_as_a_whole() {
    let place = Place::new(serde_json::json!({"max_size_bytes": 1}));
    let mut log = place.log();
    log.taken = events(0..2);
    log.append(&events(1..4)).expect("written");
    assert_eq!(place.ids(), ["1", "2", "3"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_events_come_out_once_in_order_and_in_files_of_the_right_size(
        batches in prop::collection::vec((prop::collection::vec(0_usize..400, 0..12), 0_u8..12), 1..20),
        max in prop::option::of(1_u64..2000),
    ) {
        let place = Place::new(serde_json::json!({"max_size_bytes": max}));
        let (mut log, mut expected, mut longest) = (place.log(), Vec::new(), 0);
        for (sizes, deed) in batches {
            let batch: Vec<_> = sizes.iter().enumerate().map(|(at, size)| event(&(expected.len() + at).to_string(), *size)).collect();
            longest = batch.iter().map(line_bytes).fold(longest, u64::max);
            log.append(&batch).expect("written");
            expected.extend((expected.len()..).take(batch.len()).map(|id| id.to_string()));
            match deed {
                0 => log.reopen().expect("opened"),
                1 => {
                    // A crash in the middle of a line.
                    drop(log);
                    let file = OpenOptions::new().append(true).open(place.path());
                    if let Ok(mut file) = file {
                        file.write_all(b"{\"decision_id\":\"to").expect("written");
                    }
                    log = place.log();
                }
                _ => {}
            }
        }
        log.append(&[event("last", 0)]).expect("written");
        expected.push("last".to_owned());
        prop_assert_eq!(place.ids(), expected);
        let limit = max.unwrap_or(u64::MAX);
        for file in place.files() {
            prop_assert!(file.len() as u64 <= limit || file.lines().count() == 1, "{} > {}", file.len(), limit);
        }
    }
}
