use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::open::Opened;
use super::*;

fn rules(limit: u64) -> Rules {
    Rules { limit, refuses: false, syncs: false }
}

fn opened(directory: &TempDir, limit: u64) -> Opened {
    open(directory.path(), rules(limit)).expect("a usable directory")
}

fn append(writer: &mut Writer, payloads: &[String]) -> u64 {
    writer.append(payloads.iter().map(String::as_bytes)).expect("room on the disk").dropped
}

fn texts(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(text).collect()
}

/// Different for each number, and of different sizes.
fn text(number: u32) -> String {
    format!("{{\"n\":{number},\"é\":\"{}\"}}", "x".repeat(number as usize % 40))
}

fn read_all(reader: &mut Reader) -> Vec<String> {
    let records = reader.next(u64::MAX, usize::MAX, usize::MAX).expect("readable");
    records.into_iter().map(|record| String::from_utf8(record.payload.into()).expect("UTF-8")).collect()
}

fn segments(directory: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.path()).expect("readable").map(|entry| entry.expect("readable").path());
    let mut found: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "log")).collect();
    found.sort();
    found
}

#[test]
fn records_come_out_in_order_while_more_are_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let Opened { mut writer, mut reader, usage, .. } = opened(&directory, 1 << 20);
    assert_eq!(read_all(&mut reader), Vec::<String>::new());
    append(&mut writer, &texts(0..5));
    assert_eq!(read_all(&mut reader), texts(0..5));
    append(&mut writer, &texts(5..7));
    append(&mut writer, &texts(7..9));
    let two = reader.next(u64::MAX, 2, usize::MAX).expect("readable");
    assert_eq!(two.iter().map(|record| record.number).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(reader.next(8, usize::MAX, usize::MAX).expect("readable").len(), 1, "only what is asked for");
    assert_eq!(reader.next(u64::MAX, usize::MAX, 1).expect("readable").len(), 1, "at least one");
    assert_eq!((usage.read().0, reader.missing()), (9, 0));
}

#[test]
fn what_was_not_delivered_comes_again_after_a_restart_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    {
        let Opened { mut writer, mut reader, .. } = opened(&directory, 1 << 20);
        append(&mut writer, &texts(0..10));
        assert_eq!(read_all(&mut reader).len(), 10);
        reader.delivered(4).expect("noted");
    }
    {
        let Opened { mut writer, mut reader, cut, .. } = opened(&directory, 1 << 20);
        assert_eq!((read_all(&mut reader), cut), (texts(4..10), 0));
        append(&mut writer, &texts(10..12));
        reader.delivered(10).expect("noted");
        assert_eq!(read_all(&mut reader), texts(10..12));
    }
    let Opened { mut reader, usage, .. } = opened(&directory, 1 << 20);
    assert_eq!(read_all(&mut reader), texts(10..12));
    reader.delivered(12).expect("noted");
    assert_eq!(usage.read().0, 0);
    drop((reader, usage));
    assert_eq!(read_all(&mut opened(&directory, 1 << 20).reader), Vec::<String>::new());
}

#[test]
fn delivered_segments_go_and_a_journal_that_is_emptied_never_fills_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let refusing = Rules { limit: 8000, refuses: true, syncs: false };
    let Opened { mut writer, mut reader, usage, .. } = open(directory.path(), refusing).expect("usable");
    for _ in 0..100 {
        append(&mut writer, &texts(0..50));
        assert_eq!(read_all(&mut reader), texts(0..50));
        reader.delivered(reader.position()).expect("noted");
    }
    assert_eq!(usage.read().0, 0);
    let large = "x".repeat(7000);
    for _ in 0..3 {
        append(&mut writer, std::slice::from_ref(&large));
        assert_eq!(read_all(&mut reader), std::slice::from_ref(&large));
        reader.delivered(reader.position()).expect("noted");
    }
    assert_eq!(reader.missing(), 0);
}

#[test]
fn a_full_journal_drops_its_oldest_segments_and_counts_what_was_not_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let Opened { mut writer, mut reader, usage, .. } = opened(&directory, 8000);
    append(&mut writer, &texts(0..20));
    assert_eq!(reader.next(u64::MAX, 10, usize::MAX).expect("readable").len(), 10);
    let dropped: u64 = (0..20).map(|round| append(&mut writer, &texts(20 + round * 20..40 + round * 20))).sum();
    assert!(usage.read().1 <= 8000);
    let left = read_all(&mut reader);
    assert_eq!(dropped + left.len() as u64, 410, "all but the ten that were read before");
    assert_eq!(left.last(), Some(&text(419)));
    assert_eq!(reader.missing(), 0, "what made room is not missing");
    assert!(matches!(writer.append([&[b'x'; 9000][..]].into_iter()), Err(AppendError::TooLarge { .. })));
}

#[test]
fn a_full_journal_that_refuses_keeps_all_it_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let refusing = Rules { limit: 8000, refuses: true, syncs: true };
    let Opened { mut writer, mut reader, .. } = open(directory.path(), refusing).expect("usable");
    let mut kept = 0;
    while writer.append([text(kept).as_bytes()].into_iter()).is_ok() {
        kept += 1;
        writer.sync().expect("a sound disk");
    }
    assert!(kept > 80);
    assert_eq!(read_all(&mut reader), texts(0..kept));
    reader.delivered(u64::from(kept) / 2).expect("noted");
    append(&mut writer, &texts(kept..kept + 1));
}

#[test]
fn only_one_process_works_with_a_journal_and_only_its_owner_reads_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let inner = directory.path().join("a/b");
    let mut first = open(&inner, rules(8000)).expect("usable");
    append(&mut first.writer, &texts(0..1));
    let error = open(&inner, rules(8000)).err().expect("it is locked").to_string();
    let expected =
        format!("{} is used by another process; give each agent a disk_directory of its own", inner.display());
    assert_eq!(error, expected);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert!(fs::read_dir(&inner).expect("readable").all(|entry| mode(&entry.expect("there").path()) == 0o600));
    drop(first);
    open(&inner, rules(8000)).expect("free again");
}

#[test]
fn a_directory_that_cannot_be_used_says_which_and_why() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("written");
    let error = open(&file.join("x"), rules(8000)).err().expect("no directory").to_string();
    assert!(error.starts_with(&format!("cannot keep decisions in {}/x: ", file.display())), "{error}");
}

#[test]
fn a_torn_record_at_the_end_is_cut_off() {
    let directory = tempfile::tempdir().expect("a directory");
    append(&mut opened(&directory, 1 << 20).writer, &texts(0..3));
    let segment = &segments(&directory)[0];
    let whole = fs::read(segment).expect("readable");
    fs::write(segment, &whole[..whole.len() - 1]).expect("written");
    let Opened { mut writer, mut reader, cut, .. } = opened(&directory, 1 << 20);
    assert_eq!(cut, frame::size(text(2).as_bytes()) - 1);
    append(&mut writer, &texts(7..8));
    assert_eq!(read_all(&mut reader), [text(0), text(1), text(7)]);
    assert_eq!(reader.missing(), 0);
}

#[test]
fn a_damaged_cursor_makes_all_records_come_again() {
    let directory = tempfile::tempdir().expect("a directory");
    {
        let Opened { mut writer, mut reader, .. } = opened(&directory, 1 << 20);
        append(&mut writer, &texts(0..5));
        read_all(&mut reader);
        reader.delivered(3).expect("noted");
    }
    let cursor = directory.path().join("cursor");
    let mut bytes = fs::read(&cursor).expect("readable");
    bytes[0] ^= 1;
    fs::write(&cursor, bytes).expect("written");
    assert_eq!(read_all(&mut opened(&directory, 1 << 20).reader), texts(0..5));
}

#[test]
fn a_segment_that_is_gone_is_missing_and_the_others_come() {
    let directory = tempfile::tempdir().expect("a directory");
    append(&mut opened(&directory, 8000).writer, &texts(0..60));
    let all = segments(&directory);
    assert!(all.len() > 2);
    let mut journal = opened(&directory, 8000);
    fs::remove_file(&all[1]).expect("removed");
    let left = read_all(&mut journal.reader);
    assert_eq!(left.len() as u64 + journal.reader.missing(), 60);
    assert_eq!((left.first(), left.last()), (Some(&text(0)), Some(&text(59))));
}

#[test]
fn what_a_failed_write_left_behind_does_not_take_the_place_of_a_record() {
    let directory = tempfile::tempdir().expect("a directory");
    append(&mut opened(&directory, 1 << 20).writer, &texts(0..2));
    append(&mut opened(&directory, 1 << 20).writer, &texts(2..3));
    let mut left = Vec::new();
    frame::write(&mut left, 2, b"refused");
    let first = &segments(&directory)[0];
    let mut bytes = fs::read(first).expect("readable");
    // Only behind damage would it be read at all.
    *bytes.last_mut().expect("a record") ^= 1;
    bytes.extend(left);
    fs::write(first, bytes).expect("written");
    let mut journal = opened(&directory, 1 << 20);
    assert_eq!(read_all(&mut journal.reader), [text(0), text(2)]);
    assert_eq!(journal.reader.missing(), 1);
}

/// What happens to a file.
#[derive(Debug, Clone)]
enum Damage {
    Truncate,
    Flip(u8),
    Overwrite(Vec<u8>),
    Insert(Vec<u8>),
    Remove(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || proptest::collection::vec(any::<u8>(), 1..60);
    prop_oneof![
        Just(Damage::Truncate),
        (1..=255_u8).prop_map(Damage::Flip),
        bytes().prop_map(Damage::Overwrite),
        bytes().prop_map(Damage::Insert),
        (1..60_usize).prop_map(Damage::Remove),
    ]
}

impl Damage {
    /// Damages the bytes; says how many behind `at` were touched.
    fn apply(self, bytes: &mut Vec<u8>, at: usize) -> usize {
        match self {
            Self::Truncate => {
                let gone = bytes.len() - at;
                bytes.truncate(at);
                gone
            }
            Self::Flip(mask) => {
                bytes[at] ^= mask;
                1
            }
            Self::Overwrite(new) => {
                let size = new.len().min(bytes.len() - at);
                bytes[at..at + size].copy_from_slice(&new[..size]);
                size
            }
            Self::Insert(new) => {
                bytes.splice(at..at, new);
                0
            }
            Self::Remove(size) => {
                let size = size.min(bytes.len() - at);
                bytes.drain(at..at + size);
                size
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to one place of one file: no panic, no record that was never written, in order, and every record
    /// that the damage does not touch.
    #[test]
    fn damage_costs_what_it_touches_and_no_more(
        which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), damage in damage(),
        restarts in any::<bool>(),
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        append(&mut opened(&directory, 8000).writer, &texts(0..60));
        let running = (!restarts).then(|| opened(&directory, 8000));
        let all = segments(&directory);
        let segment = which.get(&all);
        let mut bytes = fs::read(segment).expect("readable");
        let at = place.index(bytes.len());
        let touched = damage.apply(&mut bytes, at);
        fs::write(segment, bytes).expect("written");

        let mut journal = running.unwrap_or_else(|| opened(&directory, 8000));
        append(&mut journal.writer, &texts(100..102));
        let found = read_all(&mut journal.reader);
        let known: BTreeSet<_> = texts(0..60).into_iter().chain(texts(100..102)).collect();
        prop_assert!(found.iter().all(|record| known.contains(record)));
        let mut expected: Vec<String> = texts(0..60);
        expected.extend(texts(100..102));
        let hit = |number: u32| {
            let base_of = |path: &PathBuf| -> u32 {
                path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()).expect("a number")
            };
            let base = base_of(segment);
            let size = |n: u32| usize::try_from(frame::size(text(n).as_bytes())).expect("small");
            let end_of = |last: u32| (base..=last).map(size).sum::<usize>();
            let after = all.iter().find(|other| *other > segment);
            let next = after.map_or(60, base_of);
            // An insertion touches the record that it goes into.
            (base..next).contains(&number) && end_of(number) > at && end_of(number) - size(number) < at + touched.max(1)
        };
        expected.retain(|record| found.contains(record) || !(0..60).any(|n| text(n) == *record && hit(n)));
        prop_assert_eq!(found, expected);
    }
}
