//! Nesting: of texts, rules, values and calls.

use regent_core::engine::Cancel;
use regent_core::value::Value;

use crate::setup::{answer, ask, document, json, load, on_small_stack, text};

/// More than any limit allows.
const FAR: usize = 100_000;

/// The most levels of JSON that are read.
const DEEPEST_JSON: usize = 1_000;

/// Whether the text is an answer or an error that names its cause, not what an engine says of its own faults.
fn is_clear(answer: &str) -> bool {
    !answer.is_empty() && !answer.contains("panicked")
}

/// Checks a module, given without its package, on a small stack.
fn check(name: &str, module: impl FnOnce() -> String + Send + 'static, input: Option<Value>) {
    let answer = on_small_stack(move || answer(&module(), input.as_ref()));
    assert!(is_clear(&answer), "{name}: {answer}");
}

fn nested(open: &str, middle: &str, close: &str, depth: usize) -> String {
    format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn nested_terms_end_in_an_answer_or_an_error() {
    let shapes = [
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("{1: ", "1", "}"),
        ("(", "1", ")"),
        ("count(", "[1]", ")"),
        ("abs(", "1", ")"),
        ("input[", "1", "]"),
        ("data.t.q[", "1", "]"),
        ("[x | x := ", "1", "]"),
        ("{x | x := ", "1", "}"),
        ("{1: x | x := ", "1", "}"),
        ("[1 | ", "true", "]"),
        ("1 + (", "1", ")"),
        ("-(", "1", ")"),
        ("$\"{", "input", "}\""),
        ("[x | some x in ", "[1]", "]"),
        ("[1 | every _ in [1] { ", "true", "}]"),
        ("[1 | not ", "false", "]"),
        ("", "1", " + 1"),
        ("", "1", " | {1}"),
        ("", "1", " == 1"),
        ("", "1", " in [1]"),
        ("", "input", ".a"),
        ("", "input", "[0]"),
        ("", "input", "[_]"),
        ("", "data", ".a"),
        ("", "data.t", "[_]"),
        ("", "data", "[_]"),
        ("-", "1", ""),
        ("not ", "1", ""),
    ];
    for depth in [480, FAR] {
        for (open, middle, close) in shapes {
            // Every level of these doubles the types that are found, or the work.
            let depth = if middle == "[1]" || open == "$\"{" { depth.min(200) } else { depth };
            let term = nested(open, middle, close, depth);
            let name = format!("{open}{middle}{close} × {depth}");
            let module = format!("q := {{}}\np := {term}");
            check(&name, move || module, Some(json("{}")));
            let query = term;
            let answer = on_small_stack(move || {
                let snapshot = load("package t", json("{}")).expect("compiles");
                ask(&snapshot, &text(&query), None, &Cancel::default())
            });
            assert!(is_clear(&answer), "{name}: {answer}");
        }
    }
}

#[test]
fn long_chains_end_in_an_answer_or_an_error() {
    for length in [900, 3_000] {
        let chains = [
            ("p if false", " else := 1 if false"),
            ("p if true", " with input as 1"),
            ("p if input", " with input.a as 1"),
            ("p if { true", "; true"),
            ("p := x if { x := 1", "; true"),
            ("p if { true", "; not false"),
            ("p if { true", "; [1 | true]"),
            ("p if { true", "; input.a"),
            ("p.a", ".a"),
            ("p", "[x]"),
            ("p.a", "[x]"),
            ("p if false", "\np if false"),
            ("p := 1", "\np := 1 if input.x == 1"),
            ("p contains 1", "\np contains 1 if input.x == \"a\""),
        ];
        for (start, more) in chains {
            let end = if start.contains('{') { "}" } else { "" };
            let module = format!("{start}{}{end}", more.repeat(length));
            check(&format!("{start}{more} × {length}"), move || module, Some(json("{}")));
        }
        let package =
            on_small_stack(move || load(&format!("package t{}\np := 1", ".a".repeat(length)), json("{}")).err());
        assert!(package.as_deref().is_none_or(is_clear), "{package:?}");
    }
}

#[test]
fn chains_of_rules_end_in_an_answer_or_an_error() {
    let chains: [fn(usize) -> String; 6] = [
        |at| format!("r{at} := r{}", at + 1),
        |at| format!("r{at} contains x if some x in r{}", at + 1),
        |at| format!("r{at}[k] := v if some k, v in r{}", at + 1),
        |at| format!("r{at} := [x | some x in r{}]", at + 1),
        |at| format!("r{at} if not r{}", at + 1),
        |at| format!("r{at} if every x in [1] {{ r{} == x }}", at + 1),
    ];
    for (number, chain) in chains.into_iter().enumerate() {
        let module = move || {
            let rules: String = (0..2_000).map(|at| chain(at) + "\n").collect();
            format!("p := r0\n{rules}\nr2000 := 1")
        };
        check(&format!("chain {number}"), module, None);
    }
    let functions = || {
        let rules = (0..2_000).map(|at| format!("f{at}(x) := f{}(x + 1)\n", at + 1)).collect::<Vec<_>>().concat();
        format!("p := f0(1)\n{rules}\nf2000(x) := x")
    };
    check("functions", functions, None);
}

#[test]
fn the_deepest_input_and_data_can_be_worked_on() {
    let deep = [("[", "]"), ("{\"a\":", "}")].map(|(open, close)| json(&nested(open, "1", close, DEEPEST_JSON)));
    let rules = [
        "p := input",
        "p := count([x | walk(input, x)])",
        "p := count([x | walk(data.deep, [_, x])])",
        "p := graph.reachable({\"a\": [input]}, {\"a\"})",
        "p := graph.reachable_paths({\"a\": [input]}, {\"a\"})",
        "p := json.patch(input, [{\"op\": \"add\", \"path\": \"/a\", \"value\": input}])",
        "p := json.filter({\"a\": input}, [\"a/a/a\"])",
        "p := json.remove({\"a\": input}, [\"a/a/a\"])",
        "p := json.match_schema(input, input)",
        "p := json.marshal(input)",
        "p := json.marshal_with_options(input, {\"pretty\": true})",
        "p := json.unmarshal(json.marshal(input))",
        "p := yaml.unmarshal(yaml.marshal(input))",
        "p := yaml.unmarshal(json.marshal(input))",
        "p := object.union(input, data.deep)",
        "p := object.union_n([input, data.deep, input])",
        "p := object.subset(input, data.deep)",
        "p := object.get(input, [\"a\", \"a\"], 1)",
        "p := sprintf(\"%v %s %d\", [input, input, input])",
        "p := input == data.deep",
        "p := input < data.deep",
        "p := {input, data.deep}",
        "p := {input: data.deep}",
        "p := sort([input, data.deep])",
        "p := crypto.sha256(json.marshal(input))",
        "p := urlquery.encode_object({\"a\": json.marshal(input)})",
        "p := [input] with input as {\"a\": input}",
        "p := data with data.deep.a.a as input",
        "p := input with input.a.a.a as data.deep",
        "p := x if { [x] = [input] }",
        "p := f(input)\nf(x) := x",
        "p := $\"{input}\"",
        "p contains input",
        "p[input] := data.deep",
        "p := regex.match(json.marshal(input), json.marshal(input))",
        "p := glob.match(json.marshal(input), [], json.marshal(input))",
        "p := semver.compare(json.marshal(input), \"1.0.0\")",
        "p := array.flatten([input])",
        "p := flatten(input)",
        "p := jsonpatch(input)",
    ];
    for rule in rules {
        for value in &deep {
            for again in [false, true] {
                // Values may become deeper in an evaluation than any that is read.
                let value = if again {
                    (0..2_000).fold(value.clone(), |below, _| Value::array([below]))
                } else {
                    value.clone()
                };
                let answer = on_small_stack(move || {
                    let data = Value::object([("deep", value.clone())]);
                    match load(&format!("package t\n\n{rule}"), data) {
                        Ok(snapshot) => ask(&snapshot, &document("p"), Some(&value), &Cancel::default()),
                        Err(error) => error,
                    }
                });
                assert!(is_clear(&answer), "{rule}: {answer}");
            }
        }
    }
}

#[test]
fn towers_of_closures_within_the_limit_are_evaluated() {
    let shapes = [
        ("[x | x := ", "1", "]"),
        ("{x | some x in ", "{1}", "}"),
        ("count([1 | ", "true", "; true])"),
        ("[1 | not not_false(", "1", ")]"),
        ("[1 | every _ in [1] { ", "true", "}]"),
        ("[1 | input.x == 1; ", "true", "]"),
        ("object.get({}, 1, ", "1", ")"),
    ];
    for (open, middle, close) in shapes {
        for depth in [100, 300] {
            let term = nested(open, middle, close, depth);
            check(&format!("{open} × {depth}"), move || format!("p := {term}\nnot_false(x) := x"), None);
        }
    }
}
