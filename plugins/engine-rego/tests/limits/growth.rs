//! Work and output that grow out of all proportion end when the signal is given.

use regent_core::engine::Cancel;

use crate::setup::{ask, cancel_soon, document, json, load, on_small_stack};

/// Rules that would take hours or all memory.
const ENDLESS: &[&str] = &[
    "p if { some x in ns; some y in ns; some z in ns; x + y + z < 0 }",
    "p := count([1 | some x in ns; some y in ns; some z in ns; x < 0])",
    "p if { ns[_] == ns[_]; ns[_] < 0 }",
    "p if { not never }\nnever if { some x in ns; some y in ns; x + y < 0 }",
    "p if { every x in ns { every y in ns { x + y > 0 } } }",
    "p if { some x in ns; f(x) }\nf(x) if { some y in ns; x + y < 0 }",
    "p contains x if { some x in ns; some y in ns; x + y < 0 }",
    "p[x] := y if { some x in ns; some y in ns; x + y < 0 }",
    "p if { some x in ns; input == x with input as [y | some y in ns; y < x] }",
    "p := net.cidr_expand(\"::/0\")",
    "p := {x | some x in ns; some y in ns; walk(y, _); x < 0}",
    "p if { some x in ns; walk(ns, [_, y]); x + y < 0 }",
    "p := count(regex.find_n(\"a*b\", sprintf(\"%1000d\", [1]), -1)) if { some x in ns; some y in ns; x + y < 0 }",
    "p if { some x in ns; some y in ns; regex.match(\"(a|a|aa)+$\", sprintf(\"%0*d\", [1000, x + y])) }",
    "p if { some x in ns; some y in ns; graphql.is_valid(sprintf(\"{ a%d: f(x: %d) b%d: f }\", [x, y, x]), \"type Query { f(x: Int): Int }\"); x < 0 }",
    "p if { some x in ns; some y in ns; json.match_schema({\"a\": x}, {\"properties\": {\"a\": {\"minimum\": y}}})[1] == [x] }",
    "p if { some x in ns; some y in ns; glob.match(\"{a,b,*c}*{a,b,*c}*\", [], sprintf(\"%d-%d\", [x, y])) }",
];

#[test]
fn endless_work_ends_with_the_signal() {
    for rules in ENDLESS {
        let answer = on_small_stack(move || {
            let module = format!("package t\n\nns := numbers.range(1, 20000)\n{rules}");
            let snapshot = load(&module, json("{}")).map_err(|error| format!("{rules}: {error}"))?;
            Ok::<_, String>(ask(&snapshot, &document("p"), None, &cancel_soon()))
        });
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => panic!("{error}"),
        };
        assert!(answer.contains("eval_cancel_error"), "{rules}: {answer:.200}");
    }
}

#[test]
fn endless_work_ends_at_its_deadline() {
    let answer = on_small_stack(|| {
        let module = "package t\n\nns := numbers.range(1, 20000)\np if { some x in ns; some y in ns; some z in ns; x + y + z < 0 }";
        let snapshot = load(module, json("{}")).expect("it compiles");
        let deadline = std::time::Instant::now() + std::time::Duration::from_millis(50);
        ask(&snapshot, &document("p"), None, &Cancel::at(deadline))
    });
    assert!(answer.contains("eval_cancel_error"), "{answer:.200}");
}

/// A rule about a value that was doubled many times over.
fn doubling(double: &str, start: &str, rule: &str) -> String {
    let rules = (0..40)
        .map(|at| {
            format!("x{at} := y if {{ x := x{}; xs := [x | some _ in numbers.range(1, 64)]; y := {double} }}\n", at + 1)
        })
        .collect::<Vec<_>>()
        .concat();
    let many = "a".repeat(64);
    format!("package t\n\np := {rule}\nmany := \"{many}\"\n{rules}\nx40 := {start}")
}

#[test]
fn doubling_ends_in_an_error_before_memory_does() {
    let texts = [
        r#"concat("", xs)"#,
        r#"sprintf("%s%s%s%s%s%s%s%s", [x, x, x, x, x, x, x, x])"#,
        r#"replace(x, "a", many)"#,
        r#"strings.replace_n({"a": many}, x)"#,
        r#"$"{concat("", xs)}{x}""#,
        "concat(x, [many, many, many])",
        "json.marshal(xs)",
        r#"json.marshal_with_options(xs, {"pretty": true})"#,
        "yaml.marshal(xs)",
        "array.flatten(xs)",
    ];
    let shared = ["json.marshal(x)", "[y | walk(x, y)]"];
    for double in texts {
        let start = if double.starts_with("array") { "[many]" } else { "many" };
        fails(&doubling(double, start, "count(x0)"));
    }
    for written in shared {
        fails(&doubling("[x, x]", "1", &format!("{written} if x := x0")));
    }
}

fn fails(module: &str) {
    let answer = on_small_stack({
        let module = module.to_owned();
        move || load(&module, json("{}")).map(|snapshot| ask(&snapshot, &document("p"), None, &Cancel::default()))
    });
    let answer = answer.unwrap_or_else(|error| panic!("{module}: {error}"));
    assert!(answer.contains("eval_internal_error"), "{module}: {answer}");
}

#[test]
fn output_that_an_operand_asks_for_is_bounded() {
    let calls = [
        "sprintf(\"%1000000000d\", [1])",
        "sprintf(\"%.1000000000f\", [1.5])",
        "sprintf(\"%*d\", [1000000000000, 1])",
        "bits.lsh(1, 1000000000000)",
        "bits.lsh(1, 100000000)",
        "product([x | some _ in numbers.range(1, 3000); x := 1e300])",
        "1e400000000 + 1",
        "to_number(\"1e1000000000\") * to_number(\"1e1000000000\")",
        "round(1e1000000000)",
        "ceil(to_number(\"1e999999999\"))",
        "numbers.range(1, 1000000000000)",
        "numbers.range(1e30, 1e31)",
        "format_int(1e10000, 2)",
        "units.parse(\"1e1000000000\")",
        "units.parse_bytes(\"1e1000000000\")",
        "1e1000000 % 7",
        "indexof_n(sprintf(\"%1000000d\", [1]), \" \")",
    ];
    for call in calls {
        let answer = on_small_stack(move || {
            let snapshot = load(&format!("package t\n\np := {call}"), json("{}"))?;
            Ok::<_, String>(ask(&snapshot, &document("p"), None, &cancel_soon()))
        });
        assert!(answer.as_ref().unwrap_or_else(|error| error).len() < 64 << 20, "{call}");
    }
}
