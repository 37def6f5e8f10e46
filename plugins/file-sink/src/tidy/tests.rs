use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use flate2::read::MultiGzDecoder;
use tempfile::TempDir;

use super::*;

const A: &str = "d-20260102T030405.000001Z.log";
const B: &str = "d-20260102T030405.000002Z.log";
const C: &str = "d-20260103T000000.000000Z.log";

/// A directory of files, each with its name as its content.
fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    for name in names {
        fs::write(folder.path().join(name), name).expect("written");
    }
    folder
}

/// Tidies, and gives what is there then: names, and contents without compression.
fn tidied(folder: &TempDir, config: serde_json::Value, stopped: bool) -> BTreeMap<String, String> {
    let mut config = config;
    config["path"] = folder.path().join("d.log").to_str().expect("a plain path").into();
    let rules = Rules::new(serde_json::from_value(config).expect("sound"));
    tidy(&rules, &Arc::new(AtomicBool::new(stopped)));
    let entries = fs::read_dir(folder.path()).expect("the directory").map(|entry| entry.expect("an entry").path());
    entries.map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), content(&path))).collect()
}

fn content(path: &Path) -> String {
    let mut text = String::new();
    let file = File::open(path).expect("it is there");
    if path.extension().is_some_and(|extension| extension == "gz") {
        MultiGzDecoder::new(file).read_to_string(&mut text).expect("it is whole");
    } else {
        BufReader::new(file).read_to_string(&mut text).expect("text");
    }
    text
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn rolled_files_are_compressed_and_the_present_one_and_those_of_others_are_not() {
    let folder = folder(&[A, C, "d.log", "d.log.1", "e-20260103T000000.000000Z.log"]);
    let found = tidied(&folder, serde_json::json!({"compress": true, "mode": "0640"}), false);
    let zipped = [A, C].map(|name| format!("{name}.gz"));
    assert_eq!((&found[&zipped[0]][..], &found[&zipped[1]][..]), (A, C));
    for plain in ["d.log", "d.log.1", "e-20260103T000000.000000Z.log"] {
        assert_eq!(found[plain], plain);
    }
    assert_eq!(found.len(), 5);
    let mode = fs::metadata(folder.path().join(&zipped[0])).expect("it is there").mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn what_a_crash_left_half_done_is_done_again() {
    let folder = folder(&[A, B, C]);
    let half = folder.path().join(format!("{B}.gz.tmp"));
    fs::write(&half, "half").expect("written");
    // Compressed, but the original had not been removed yet.
    let compressing = serde_json::json!({"compress": true});
    let mut whole =
        GzEncoder::new(File::create(folder.path().join(format!("{A}.gz"))).expect("made"), Compression::default());
    whole.write_all(b"whole").and_then(|()| whole.finish().map(drop)).expect("written");
    let found = tidied(&folder, compressing, false);
    let expected = [(A, "whole"), (B, B), (C, C)].map(|(name, content)| (format!("{name}.gz"), content.to_owned()));
    assert_eq!(found, expected.into());
}

#[test]
fn without_compression_what_a_crash_left_goes_too() {
    let folder = folder(&[A, "d-20260102T030405.000002Z.log.gz.tmp"]);
    let found = tidied(&folder, serde_json::json!({}), false);
    assert_eq!(found.into_keys().collect::<Vec<_>>(), [A]);
}

#[test]
fn an_agent_that_stops_leaves_files_as_they_are() {
    let folder = folder(&[A, B]);
    let found = tidied(&folder, serde_json::json!({"compress": true}), true);
    assert_eq!(found.into_keys().collect::<Vec<_>>(), [A, B]);
}

#[test]
fn the_oldest_files_go_until_the_others_are_within_the_limits() {
    let size = A.len() as u64;
    let table = [
        (serde_json::json!({"max_files": 2}), named(&[B, C])),
        (serde_json::json!({"max_files": 3}), named(&[A, B, C])),
        (serde_json::json!({"max_total_bytes": 3 * size}), named(&[A, B, C])),
        (serde_json::json!({"max_total_bytes": 3 * size - 1}), named(&[B, C])),
        (serde_json::json!({"max_total_bytes": 1}), named(&[])),
        (serde_json::json!({"max_total_bytes": 2 * size, "max_files": 1}), named(&[C])),
        (serde_json::json!({"max_files": 1, "compress": true}), named(&[&format!("{C}.gz")])),
    ];
    for (config, mut expected) in table {
        let folder = folder(&[C, A, "d.log", B]);
        expected.push("d.log".to_owned());
        assert_eq!(tidied(&folder, config.clone(), false).into_keys().collect::<Vec<_>>(), expected, "{config}");
    }
}

#[test]
fn limits_of_bytes_are_those_of_compressed_files() {
    let folder = folder(&[]);
    for name in [A, B, C] {
        fs::write(folder.path().join(name), "x".repeat(10_000)).expect("written");
    }
    let found = tidied(&folder, serde_json::json!({"max_total_bytes": 500, "compress": true}), false);
    assert_eq!(found.len(), 3);
    let found = tidied(&folder, serde_json::json!({"max_total_bytes": 1}), false);
    assert_eq!(found.len(), 0);
}

#[test]
fn files_that_cannot_be_compressed_are_kept_within_the_limits_too() {
    let folder = folder(&[A, B, C]);
    // As with a full disk, C cannot be compressed.
    fs::create_dir(folder.path().join(format!("{C}.gz.tmp"))).expect("made");
    let config = serde_json::json!({"path": folder.path().join("d.log"), "max_files": 2, "compress": true});
    tidy(&Rules::new(serde_json::from_value(config).expect("sound")), &Arc::default());
    let found = [A, B, C].map(|name| {
        let exists = |end| folder.path().join(format!("{name}{end}")).exists();
        (exists(""), exists(".gz"))
    });
    assert_eq!(found, [(false, false), (false, true), (true, false)]);
}
