//! Libraries that are refused at the start, with the path and the reason.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::build::{Libraries, regent};

const SOURCE: &str = "tests/plugins/c/refused.c";

/// What the agent says when it is started with the directory; it must not start.
fn said(dir: &Path, more: &[&str]) -> String {
    let dir = dir.to_str().expect("a plain path");
    let refused = regent(&[&["run", "--server", "--addr", "127.0.0.1:0", "--plugin-dir", dir], more].concat());
    let text = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(1), "{text}");
    text
}

fn require(dir: &Path, more: &[&str], library: &Path, reason: &str) {
    let text = said(dir, more);
    let expected = format!("error: plugin library {}: {reason}", library.display());
    assert!(text.contains(&expected), "{text}\nwhere {expected}\nwas expected");
}

/// The path of a file with that configuration.
fn config(libraries: &Libraries, yaml: &str) -> String {
    let path = libraries.dir().join("config.yaml");
    std::fs::write(&path, yaml).expect("written");
    path.to_str().expect("a plain path").to_owned()
}

#[test]
fn the_source_itself_is_taken() {
    let libraries = Libraries::new();
    let library = libraries.compile(SOURCE, &[]);
    let taken = regent(&["plugin", "inspect", library.to_str().expect("a plain path")]);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
}

#[test]
fn tables_that_lie_are_refused() {
    let (size, function) = (size_of::<usize>(), 2 * size_of::<usize>());
    let sizes = |table: &str, said: usize, is: &str| {
        format!("{table} says that it has {said} bytes, where version 1.1 of the ABI has {is}")
    };
    let cases: &[(&str, String)] = &[
        ("MAJOR=2", "was built for version 2.1 of the ABI, which is too new: this agent has 1.1".to_owned()),
        ("MINOR=2", "was built for version 1.2 of the ABI, which is too new: this agent has 1.1".to_owned()),
        ("MAJOR=0", "was built for version 0.1 of the ABI, which is too old: this agent has 1.1".to_owned()),
        ("MAGIC=1", "`regent_plugin_library` gives what is no table of a plugin library".to_owned()),
        ("NO_TABLE", "`regent_plugin_library` gives no table".to_owned()),
        ("NO_ENTRY", "is no plugin: it does not export `regent_plugin_library`".to_owned()),
        ("LIBRARY_SIZE=0", sizes("the library's table", 0, "")),
        ("LIBRARY_SIZE=100000", sizes("the library's table", 100_000, "")),
        ("PLUGIN_SIZE=8", sizes("the table of plugin 1", size, "")),
        ("FUNCTIONS_SIZE=160", sizes("the table of functions of acme.refused", 160, &function.to_string())),
        ("KIND=0", "acme.refused is of kind 0, which there is not".to_owned()),
        ("KIND=99", "acme.refused is of kind 99, which there is not".to_owned()),
        ("KIND=2", sizes("the table of functions of acme.refused", function, "")),
        ("NAME=\"\"", "the name of plugin 1 \"\" is no name".to_owned()),
        ("NAME=\"a b\"", "the name of plugin 1 \"a b\" is no name".to_owned()),
        ("COUNT=0", "has 0 plugins, where there may be 1 to 256".to_owned()),
        ("COUNT=100000", "has 100000 plugins, where there may be 1 to 256".to_owned()),
        ("CALL=0", "`call` of acme.refused is missing".to_owned()),
        ("FUNCTIONS=0", "the table of functions of acme.refused is missing".to_owned()),
        ("PLUGIN=0", "the table of plugin 1 is missing".to_owned()),
        ("DECLARATION=\"{}\"", "the description of acme.refused is wrong: declaration: expected".to_owned()),
        ("DECLARATION=\"[\"", "the description of acme.refused is wrong: EOF".to_owned()),
        (
            "DECLARATION=\"{\\\"declaration\\\": \\\"other() => x: any\\\"}\"",
            "the description of acme.refused is wrong: declaration: it declares \"other\"".to_owned(),
        ),
        ("CREATE=fails", "acme.refused cannot be made: no licence".to_owned()),
        ("UNDEFINED", "is no shared library for this machine: ".to_owned()),
        ("COUNT=2", "has a builtin \"acme.refused\", but there is one of that name already, from ".to_owned()),
    ];
    for (broken, reason) in cases {
        let libraries = Libraries::new();
        let library = libraries.compile(SOURCE, &[broken]);
        require(libraries.dir(), &[], &library, reason);
    }
}

#[test]
fn files_that_are_no_libraries_or_may_be_changed_by_others_are_refused() {
    let libraries = Libraries::new();
    let library = libraries.dir().join("libx.so");
    std::fs::write(&library, "#!/bin/sh\n").expect("written");
    require(libraries.dir(), &[], &library, "is no shared library for this machine: ");
    std::fs::set_permissions(&library, std::fs::Permissions::from_mode(0o646)).expect("a mode");
    require(libraries.dir(), &[], &library, "may be changed by everybody: take the permission away (chmod o-w)");
    std::fs::remove_file(&library).expect("removed");
    let library = libraries.compile(SOURCE, &[]);
    std::fs::set_permissions(libraries.dir(), std::fs::Permissions::from_mode(0o777)).expect("a mode");
    require(libraries.dir(), &[], &library, "lies in a directory where everybody may replace it");
    let none = libraries.dir().join("none");
    assert!(said(&none, &[]).contains(&format!("plugin directory {}: No such file", none.display())));
}

#[test]
fn libraries_of_the_configuration_are_held_to_what_it_says() {
    let (libraries, empty) = (Libraries::new(), Libraries::new());
    let library = libraries.compile(SOURCE, &[]);
    let path = library.to_str().expect("a plain path");
    let set = |text: String| said(empty.dir(), &["--config-file", &config(&empty, &text)]);
    let digest = "0".repeat(64);
    let text = set(format!("plugin_libraries: [{{\"path\": \"{path}\", \"sha256\": \"{digest}\"}}]"));
    assert!(text.contains(&format!("plugin library {path}: its SHA-256 is ")), "{text}");
    assert!(text.contains(&format!(", not {digest} as the configuration says")), "{text}");
    for (key, value, reason) in [
        ("path", "5", "plugin_libraries[0].path: invalid type: "),
        ("sha256", "\"abc\"", "plugin_libraries[0].sha256: must be a SHA-256 in hexadecimal"),
        ("call_timeout_seconds", "0", "plugin_libraries[0].call_timeout_seconds: must be at least 1"),
        ("write_paths", "[\"/\"]", "plugin_libraries[0].write_paths: must be paths below the root of data"),
    ] {
        let path = if key == "path" { String::new() } else { format!("\"path\": \"{path}\", ") };
        let text = set(format!("plugin_libraries: [{{{path}\"{key}\": {value}}}]"));
        assert!(text.contains(reason), "{text}");
    }
    let text = set(format!("plugin_libraries: [{{\"path\": \"{path}.none\"}}]"));
    assert!(text.contains(&format!("plugin library {path}.none: cannot be read: No such file")), "{text}");
    let twice = format!("plugin_libraries: [{{\"path\": \"{path}\"}}, {{\"path\": \"{path}\"}}]");
    assert!(set(twice).contains("has a builtin \"acme.refused\", but there is one of that name already, from "));
}

#[test]
fn a_library_that_hangs_while_it_is_loaded_is_given_up() {
    let (libraries, empty) = (Libraries::new(), Libraries::new());
    let library = libraries.compile(SOURCE, &["HANGS"]);
    let path = library.to_str().expect("a plain path");
    let yaml = format!("plugin_libraries: [{{\"path\": \"{path}\", \"call_timeout_seconds\": 1}}]");
    let text = said(empty.dir(), &["--config-file", &config(&empty, &yaml)]);
    assert!(text.contains(&format!("plugin library {path}: did not load within 1s")), "{text}");
}
