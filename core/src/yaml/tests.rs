//! Whole documents; single scalars are tested beside their reader.

use super::*;
use crate::value::encode;

fn json(text: &str) -> String {
    match parse(text) {
        Ok((value, _)) => encode(&value),
        Err(error) => error.to_string(),
    }
}

fn warnings(text: &str) -> Vec<String> {
    parse(text).expect("valid YAML").1
}

#[test]
fn documents_become_json() {
    let table = [
        ("", "null"),
        ("# only a comment\n", "null"),
        ("---\n", "null"),
        ("a: 1\n---\nb: 2\n", r#"{"a":1}"#),
        ("--- {a: 1}\n...\n", r#"{"a":1}"#),
        ("\u{feff}a: 1", r#"{"a":1}"#),
        (
            "a: yes\nb: 'yes'\nc: \"010\"\nd: 010\ne:\nf: |\n  x\n  y\n",
            r#"{"a":true,"b":"yes","c":"010","d":8,"e":null,"f":"x\ny\n"}"#,
        ),
        ("y: {a: [on, off, ~]}", r#"{"true":{"a":[true,false,null]}}"#),
        ("- 1\n- - 2\n  - x: y z\n", r#"[1,[2,{"x":"y z"}]]"#),
        (
            "a: !!str 12\nb: !!int \"12\"\nc: !foo 12\nd: ! 12\ne: !!binary aGk=\nf: !!set {v, w}",
            r#"{"a":"12","b":12,"c":"12","d":12,"e":"hi","f":{"v":null,"w":null}}"#,
        ),
        ("a: !<tag:yaml.org,2002:str> 12", r#"{"a":"12"}"#),
        ("when: 2001-12-14", r#"{"when":"2001-12-14"}"#),
        ("<<: {a: 1}\n'<<': 2", r#"{"\u003c\u003c":2,"a":1}"#),
        ("{\"a\": 1,\n\t\"b\": \"\\/\\ud834\\udd1e\"}", "{\"a\":1,\"b\":\"/𝄞\"}"),
        ("[1.0, -0, 1e400]", "[1.0,-0,1e400]"),
        ("a: \"${X}\"", r#"{"a":"${X}"}"#),
    ];
    for (text, expected) in table {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn anchors_aliases_and_merges() {
    assert_eq!(json("a: &x {k: 1}\nb: *x\nc: [*x, *x]"), r#"{"a":{"k":1},"b":{"k":1},"c":[{"k":1},{"k":1}]}"#);
    assert_eq!(json("a: &x name\n*x : 1"), r#"{"a":"name","name":1}"#);
    assert_eq!(json("d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3"), r#"{"d":{"a":1,"b":2},"e":{"a":1,"b":3}}"#);
    assert_eq!(json("x: {a: 0, <<: [{a: 1, b: 1}, {b: 2, c: 2}]}"), r#"{"x":{"a":1,"b":1,"c":2}}"#);
    assert_eq!(json("<<: 1"), "yaml: line 1: map merge requires map or sequence of maps as the value");
    assert_eq!(json("a: &x [*x]"), "yaml: line 1: anchor value contains itself");
    assert_eq!(json("a: *x"), "yaml: line 1: found unknown anchor");
}

#[test]
fn errors_tell_where() {
    let error = parse("a: 1\nb: : 2\n").expect_err("invalid");
    assert_eq!((error.line, error.column), (2, 4), "{error}");
    assert_eq!(json("a: [1"), "yaml: line 1: did not find expected ',' or ']'");
    assert_eq!(json("input: [1, 2\n"), "yaml: line 1: did not find expected ',' or ']'");
    assert_eq!(json("a: 1\nb: .inf"), "yaml: line 2: unsupported value: +Inf");
    assert_eq!(json("? [a]\n: 1"), "yaml: line 1: invalid map key");
    assert_eq!(json("~: 1"), "yaml: line 1: unsupported map key of type: null");
    assert_eq!(json("a: !!int x"), "yaml: line 1: cannot decode !!str `x` as a !!int");
}

#[test]
fn doubtful_keys_are_warned_about() {
    assert_eq!(
        warnings("a: 1\nb: {c: 1, c: 2}\na: 3"),
        [
            "line 2: key `c` is given more than once, the last one counts",
            "line 3: key `a` is given more than once, the last one counts"
        ]
    );
    assert_eq!(warnings("y: 1"), ["line 1: key `y` is read as `true`, quote it to keep it as it is"]);
    assert_eq!(warnings("'y': 1\ntrue: 2\n<<: {a: 1}\na: 2"), [""; 0]);
    assert_eq!(warnings(r#"{"a": 1, "a": 2}"#).len(), 1);
    assert_eq!(warnings(&"a: 1\n".repeat(1_000)).len(), MAX_WARNINGS);
}

#[test]
fn the_order_of_one_object_is_kept() {
    let order = |text: &str| parse_watching(text, Some("services")).expect("valid YAML").order;
    assert_eq!(order("x: {d: 1}\nservices:\n  b: {url: u}\n  a: 1\n  c: 1\n  b: 2\n"), ["b", "a", "c"]);
    assert_eq!(order(r#"{"services": {"b": 1, "a": {"z": 1}}}"#), ["b", "a"]);
    assert_eq!(order("services: [{name: b}]"), [""; 0]);
}

#[test]
fn growth_and_depth_are_bounded() {
    let bomb: String = (1..30).fold("l0: &l0 [x, x]\n".to_owned(), |text, n| {
        let m = n - 1;
        text + &format!("l{n}: &l{n} [*l{m}, *l{m}]\n")
    });
    assert!(json(&bomb).ends_with("document contains excessive aliasing"));
    let chain: String =
        (1..2_000).fold("l0: &l0 [x]\n".to_owned(), |text, n| text + &format!("l{n}: &l{n} [*l{}]\n", n - 1));
    assert!(json(&chain).contains("exce"), "{}", json(&chain));
    assert!(json(&"- ".repeat(MAX_DEPTH + 1)).ends_with("exceeded max depth"));
    assert!(parse(&("- ".repeat(MAX_DEPTH) + "x")).is_ok());
    let flow = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&flow(MAX_DEPTH)).is_ok());
    assert!(parse(&flow(MAX_DEPTH + 1)).is_err() && parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&"a: {".repeat(100_000)).is_err());
}

#[test]
fn no_text_makes_it_panic() {
    let pieces = [
        "a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "'", "\"", "&x ", "*x", "<<", "|", ">", "!!int ", "!",
        "#", "---", "...", "%", "?", "\t", "\\", "0", "1.", "~", "é", "\u{feff}", "\r", "\0", "@", "`", "\u{85}",
        "%TAG ", "|-\n", "k: ", "!<",
    ];
    let mut state = 42_u64;
    for _ in 0..60_000 {
        let mut text = String::new();
        for _ in 0..(next(&mut state) % 24) {
            let pick = usize::try_from(next(&mut state)).expect("small") % pieces.len();
            text.push_str(pieces[pick]);
        }
        let _ = parse(&text);
    }
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}
