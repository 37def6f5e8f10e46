//! When a signature has to be there, and when it must not.

use regent_bundle::format::{Bundle, Limits, Trust};
use regent_core::config::Keys;
use regent_core::signing::Verification;

use crate::{SECRET, plain, read_as, signature_of, signed, trusting, with_files};

const MISSING: &str = "bundle missing .signatures.json file";
const NO_KEY: &str = "verification key not provided";

/// Whether signing is configured with a key's name, whether the bundle is signed, whether there are keys.
#[test]
fn the_truth_table_holds() {
    let with_id = Verification { key_id: "k".to_owned(), required: true, ..trusting() };
    let without_id = Verification { required: true, ..trusting() };
    let only_section = Verification { keys: Keys::default(), ..without_id.clone() };
    let (signed, unsigned) = (signed(&plain()), plain());
    let check = |kit, verification: Option<&Verification>, expected: Result<(), &str>| {
        let found = read_as(kit, verification).map(drop).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{verification:?}");
    };
    check(&unsigned, Some(&with_id), Err(MISSING));
    check(&unsigned, Some(&Verification { required: false, ..with_id.clone() }), Err(MISSING));
    check(&signed, Some(&with_id), Ok(()));
    check(&signed, Some(&trusting()), Ok(()));
    check(&unsigned, Some(&trusting()), Ok(()));
    check(&signed, None, Err(NO_KEY));
    check(&unsigned, None, Ok(()));
    // A section without a key's name asks for a signature too.
    check(&unsigned, Some(&without_id), Err(MISSING));
    check(&unsigned, Some(&only_section), Err(MISSING));
    check(&signed, Some(&without_id), Ok(()));
    check(&signed, Some(&only_section), Err("verification key corresponding to ID k not found"));
}

#[test]
fn a_file_without_signatures_is_no_signature() {
    let required = Verification { required: true, ..trusting() };
    for empty in ["{}", r#"{"signatures": null}"#, r#"{"plugin": ""}"#] {
        let kit = plain().file(".signatures.json", empty);
        assert!(read_as(&kit, None).is_ok() && read_as(&kit, Some(&trusting())).is_ok(), "{empty}");
        assert_eq!(read_as(&kit, Some(&required)).expect_err("unsigned").to_string(), MISSING);
    }
}

#[test]
fn where_nobody_asks_nothing_is_verified() {
    let kit = plain().file(".signatures.json", "{");
    let read = Bundle::from_archive(&kit.build()[..], &Limits::default(), Trust::Blind);
    assert_eq!(read.expect("a bundle").manifest.revision, "r1");
}

#[test]
fn the_signature_may_come_first_or_last() {
    let signature = signature_of(&plain());
    let first = |name: &str| with_files(regent_kit::Bundle::new().file(name, signature.clone()));
    for name in [".signatures.json", "/.signatures.json", "./.signatures.json"] {
        assert!(read_as(&first(name), Some(&trusting())).is_ok(), "{name}");
        let last = plain().file(name, signature.clone());
        assert!(read_as(&last, Some(&trusting())).is_ok(), "{name}");
        let twice = first(name).file(".signatures.json", signature.clone());
        let error = read_as(&twice, Some(&trusting())).expect_err("two").to_string();
        assert_eq!(error, "archive read failed: more than one .signatures.json");
    }
}

#[test]
fn errors_and_debug_output_never_show_the_secret() {
    let wrong = plain().file("more.txt", "x");
    let kit = wrong.file(".signatures.json", signature_of(&plain()));
    let error = read_as(&kit, Some(&trusting())).expect_err("one too many");
    let shown = format!("{error} {error:?} {:?}", trusting());
    assert!(!shown.contains(SECRET), "{shown}");
}
