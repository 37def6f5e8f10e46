//! Policies and what they answer.

mod common;

use std::sync::Arc;

use common::{document, get, json, load, rows, source, store, with};
use regent_core::engine::RegoVersion::{V0, V1};
use regent_core::engine::{
    Cancel, Capabilities, CompileOptions, Engine as _, Location, Prints, Query, QueryText, RegoVersion, Source,
};
use regent_core::value::encode;
use regent_engine_rego::RegoEngine;

/// Checks documents of package `t`.
async fn check(data: &str, input: &str, module: &str, expected: &[(&str, &str)]) {
    let snapshot = with(data, &[("t.rego", &format!("package t\n\n{module}"))]).await;
    for (path, answer) in expected {
        assert_eq!(get(&snapshot, &format!("t/{path}"), Some(input)), *answer, "{path}");
    }
}

#[tokio::test]
async fn variables_are_bound_compared_and_taken_apart() {
    let module = r#"
    a := x if { [x, "b"] = ["a", "b"] }
    b := [x, y] if { [x, y] = [y, 1] }
    c := x if { {"k": [_, x]} = input.o }
    d if { x = 1; x = 1.0 }
    e if { [1, x] = [x, 2] }
    f contains [i, x] if { x := input.l[i] }
    g contains x if { input.l[_] = {"n": x} }
    h := input.l[1.5]
    member := {1, "a"}[x] if x := "a"
    "#;
    let input = r#"{"o": {"k": [1, 2]}, "l": [7, {"n": 8}]}"#;
    let expected = [
        ("a", r#""a""#),
        ("b", "[1,1]"),
        ("c", "2"),
        ("d", "true"),
        ("e", "undefined"),
        ("f", r#"[[0,7],[1,{"n":8}]]"#),
        ("g", "[8]"),
        ("h", "undefined"),
        ("member", r#""a""#),
    ];
    check("{}", input, module, &expected).await;
}

#[tokio::test]
async fn rules_that_disagree_are_conflicts() {
    let module = "p := 1\np := 2\nf(_) := 1\nf(_) := 2\nq := f(1)\n\
        o[k] := v if some [k, v] in [[1, 1], [1, 2]]\nc := {1: v | some v in [1, 2]}\n\
        same := 1\nsame := 1.0\ng.x.y := 1\ng[k] := 2 if k := \"x\"";
    let conflict = |row, text: &str| format!("1 error occurred: t.rego:{row}: eval_conflict_error: {text}");
    let expected = [
        ("p", conflict(4, "complete rules must not produce multiple outputs")),
        ("q", conflict(6, "functions must not produce multiple outputs for same inputs")),
        ("o", conflict(8, "object keys must be unique")),
        ("c", conflict(9, "object keys must be unique")),
        ("same", "1".to_owned()),
        ("g", conflict(12, "object keys must be unique")),
    ];
    let expected: Vec<_> = expected.iter().map(|(path, answer)| (*path, &**answer)).collect();
    check("{}", "{}", module, &expected).await;
}

#[tokio::test]
async fn one_of_several_branches_answers() {
    let module = r#"
    default d := "none"
    d := "one" if input.x == 1
    d := "two" if input.x == 2
    else := "three" if input.x == 3
    default f(_) := 0
    f(x) := 1 if x == 1
    e := [f(1), f(2), d]
    "#;
    check("{}", r#"{"x": 3}"#, module, &[("d", r#""three""#), ("e", r#"[1,0,"three"]"#)]).await;
    check("{}", "{}", module, &[("d", r#""none""#)]).await;
}

#[tokio::test]
async fn partial_documents_are_made_as_far_as_asked() {
    let module = r#"
    s contains x if some x in input.l
    o[k] := v if some k, v in input.l
    n.a[x].b[x] := z if some x, z in {"p": 1}
    n.a.q := 7
    m[x] contains y if some [x, y] in [["a", 1], ["a", 2], ["b", 3]]
    one if s["x"]
    no if s["z"]
    two := o[1]
    three := n.a.p.b
    four := m.a
    five contains k if m[k][3]
    "#;
    let expected = [
        ("s", r#"["x","y"]"#),
        ("s/x", r#""x""#),
        ("o", r#"{"0":"x","1":"y"}"#),
        ("o/1", r#""y""#),
        ("n", r#"{"a":{"p":{"b":{"p":1}},"q":7}}"#),
        ("m", r#"{"a":[1,2],"b":[3]}"#),
        ("one", "true"),
        ("no", "undefined"),
        ("two", r#""y""#),
        ("three", r#"{"p":1}"#),
        ("four", "[1,2]"),
        ("five", r#"["b"]"#),
    ];
    check("{}", r#"{"l": ["x", "y"]}"#, module, &expected).await;
}

#[tokio::test]
async fn base_data_and_rules_make_one_document() {
    let data = r#"{"t": {"base": {"x": 1}, "mixed": {"y": 2}}, "other": [10, 20], "system": {"v": 1}}"#;
    let module = r"
    mixed.z := 3
    keys contains k if data.t.mixed[k]
    walkers contains [a, b] if data.other[a] = b
    self_ := data.system.v
    f(x) := x
    ";
    let expected = [
        ("mixed", r#"{"y":2,"z":3}"#),
        ("base/x", "1"),
        ("keys", r#"["y","z"]"#),
        ("walkers", "[[0,10],[1,20]]"),
        ("self_", "1"),
        (
            "f",
            "1 error occurred: 1:1: rego_type_error: undefined ref: data.t.f\n\tdata.t.f\n\t^^^^^^^^\n\thave: (any) => any",
        ),
    ];
    check(data, "{}", module, &expected).await;
    let snapshot = with(data, &[("u.rego", "package u.v\n\np := 1")]).await;
    assert_eq!(get(&snapshot, "", None), r#"{"other":[10,20],"t":{"base":{"x":1},"mixed":{"y":2}},"u":{"v":{"p":1}}}"#);
    assert_eq!(get(&snapshot, "other/1", None), "20");
}

#[tokio::test]
async fn negation_quantifiers_and_comprehensions_look_at_all_ways() {
    let module = r"
    a if not input.nope
    b if not 9 in input.l
    c if every x in input.l { x > 0 }
    d if every x in [] { x > 0 }
    f := {x: y | some x, y in input.l}
    g := [y | some y in input.l; y > 1]
    h := {y | some y in input.l; z := [w | some w in input.l; w < y]; count(z) == 1}
    ";
    let expected = [
        ("a", "true"),
        ("b", "true"),
        ("c", "true"),
        ("d", "true"),
        ("f", r#"{"0":1,"1":2}"#),
        ("g", "[2]"),
        ("h", "[2]"),
    ];
    check("{}", r#"{"l": [1, 2]}"#, module, &expected).await;
}

#[tokio::test]
async fn with_replaces_documents_and_functions_for_one_expression() {
    let module = r#"
    p := input.x
    q := data.d.x
    g(x) := x + 1
    h(x) := x * 10
    r := g(1)
    in_ := [a, b] if { a := p with input.x as 7; b := p }
    whole := x if x := p with input as {"x": 8}
    base := [a, b] if { a := q with data.d.x as 5; b := q }
    rule := x if x := r with data.t.g as 3
    function := [a, b] if { a := r with g as h; b := r }
    builtin := x if x := count([1, 2]) with count as 40
    partial := x if x := data.d with data.d.y as 2
    "#;
    let expected = [
        ("in_", "[7,1]"),
        ("whole", "8"),
        ("base", "[5,1]"),
        ("rule", "3"),
        ("function", "[10,2]"),
        ("builtin", "40"),
        ("partial", r#"{"x":1,"y":2}"#),
    ];
    check(r#"{"d": {"x": 1}}"#, r#"{"x": 1}"#, module, &expected).await;
}

#[tokio::test]
async fn rows_hold_the_variables_of_the_text() {
    let snapshot = with(r#"{"l": [{"n": "a"}, {"n": "b"}]}"#, &[]).await;
    let cases = [
        ("x := data.l[i].n", r#"[{"i":0,"x":"a"},{"i":1,"x":"b"}]"#),
        ("data.l[_].n", "[{},{}]"),
        ("1 == 2", "[{}]"),
        ("not true", "[]"),
        ("[x, y] := [1, {2}]", r#"[{"x":1,"y":[2]}]"#),
    ];
    for (query, expected) in cases {
        assert_eq!(rows(&snapshot, query), expected, "{query}");
    }
    assert_eq!(rows(&snapshot, "  "), "cannot evaluate empty query");
}

#[tokio::test]
async fn errors_of_functions_count_only_if_they_are_strict() {
    let snapshot = with("{}", &[("t.rego", "package t\n\np := 1 / input.x\nq := 2")]).await;
    let input = json(r#"{"x": 0}"#);
    let prepared = snapshot.prepare(&document("t")).expect("a document");
    let mut evaluation = snapshot.evaluation(Some(&input));
    let answer = prepared.evaluate(&mut evaluation).expect("is not strict");
    assert_eq!(answer.document().map(encode).as_deref(), Some(r#"{"q":2}"#));
    evaluation.strict_builtin_errors = true;
    let error = prepared.evaluate(&mut evaluation).expect_err("is strict").to_string();
    assert_eq!(error, "1 error occurred: t.rego:3: eval_builtin_error: div: divide by zero");
}

#[derive(Default)]
struct Lines(Vec<String>);

impl Prints for Lines {
    fn print(&mut self, text: &str, location: &Location) {
        self.0.push(format!("{location}: {text}"));
    }
}

#[tokio::test]
async fn print_shows_values_as_rego_and_what_is_undefined() {
    let module = "package t\n\np if {\n\tprint(\"a\", input.x, {\"k\": [\"<b>\\u0001\"]}, set())\n\tprint()\n}";
    let snapshot = with("{}", &[("t.rego", module)]).await;
    let mut lines = Lines::default();
    let mut evaluation = snapshot.evaluation(None);
    evaluation.prints = Some(&mut lines);
    let query = snapshot.prepare(&document("t/p")).expect("a document");
    query.evaluate(&mut evaluation).expect("evaluates");
    assert_eq!(lines.0, ["t.rego:4: a <undefined> {\"k\": [\"<b>\\x01\"]} set()", "t.rego:5: "]);
}

const LONG: &str = "package t\n\np := count([1 | some a in input; some b in input; some c in input])";

#[tokio::test]
async fn long_evaluations_go_on_aside_and_can_be_cancelled() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ASIDE: AtomicUsize = AtomicUsize::new(0);

    let snapshot = with("{}", &[("t.rego", LONG)]).await;
    let input = json(&format!("[{}]", vec!["0"; 60].join(",")));
    let query = snapshot.prepare(&document("t/p")).expect("a document");
    let mut evaluation = snapshot.evaluation(Some(&input));
    evaluation.linger = |work| {
        ASIDE.fetch_add(1, Ordering::Relaxed);
        work();
    };
    let answer = query.evaluate(&mut evaluation).expect("is not cancelled");
    assert_eq!(answer.document().map(encode).as_deref(), Some("216000"));
    assert!((1..20).contains(&ASIDE.load(Ordering::Relaxed)));

    let cancel = Cancel::default();
    cancel.cancel();
    evaluation.cancel = &cancel;
    let error = query.evaluate(&mut evaluation).expect_err("is cancelled");
    assert!(error.is_cancelled(), "{error}");
    assert_eq!(error.to_string(), "1 error occurred: eval_cancel_error: caller cancelled query execution");
}

#[tokio::test]
async fn long_chains_of_rules_do_not_overflow_the_stack() {
    use std::fmt::Write as _;
    let mut module = String::from("package t\n\nr0 := input\n");
    for at in 1..3_000 {
        let _ = writeln!(module, "r{at} := r{}", at - 1);
    }
    let snapshot = with("{}", &[("t.rego", &module)]).await;
    assert_eq!(get(&snapshot, "t/r2999", Some("5")), "5");
}

#[tokio::test]
async fn every_document_of_a_package_is_there_even_if_some_fail() {
    let snapshot = with("{}", &[("t.rego", "package t\n\np := 1\nq := input.x"), ("e.rego", "package e")]).await;
    assert_eq!(get(&snapshot, "", None), r#"{"e":{},"t":{"p":1}}"#);
    let answer = snapshot.ask(&document("nope"), None).expect("evaluates");
    assert!(answer.rows.is_empty());
}

#[tokio::test]
async fn documents_that_no_rule_can_make_are_type_errors() {
    let module = "package t\n\nopen := true\n\nprice(x) := 1 if x == \"a\"\n\nkeys := {1: \"a\", 2: \"b\"}\n";
    let snapshot = with(r#"{"free": {"a": 1}}"#, &[("t.rego", module)]).await;
    let undefined = |reference: &str, lines: &str| {
        format!("1 error occurred: 1:1: rego_type_error: undefined ref: {reference}\n\t{reference}\n{lines}")
    };
    let open = undefined("data.t.open.x", "\t^^^^^^^^^^^\n\thave: boolean");
    assert_eq!(get(&snapshot, "t/open/x", None), open);
    let price = undefined("data.t.price", "\t^^^^^^^^^^^^\n\thave: (string) => number");
    assert_eq!(get(&snapshot, "t/price", None), price);
    let pad = " ".repeat(12);
    let keys = undefined("data.t.keys[99]", &format!("\t{pad}^\n\t{pad}have: 99\n\t{pad}want (one of): [1 2]"));
    assert_eq!(get(&snapshot, "t/keys/99", None), keys);
    assert_eq!(get(&snapshot, "t/keys/1", None), r#""a""#);
    assert_eq!(get(&snapshot, "free/b", None), "undefined");
    assert_eq!(get(&snapshot, "nowhere/at/all", None), "undefined");
}

#[tokio::test]
async fn a_rule_is_no_query() {
    let snapshot = with("{}", &[]).await;
    let ask_rest = |text: &str| {
        let query = QueryText { text: text.to_owned(), recognise_rules: true, ..QueryText::default() };
        snapshot.ask(&Query::Text(query), None).expect_err("no query").to_string()
    };
    assert_eq!(ask_rest("p := 1 if true"), "expected body but got *ast.Rule");
    assert_eq!(ask_rest("default p := 1"), "expected body but got *ast.Rule");
    assert!(ask_rest("x =").starts_with("2 errors occurred:"), "as a rule and as an expression");
    assert!(rows(&snapshot, "x =").starts_with("parse: 1 error occurred:"), "as an expression");
}

#[tokio::test]
async fn a_rule_over_data_outranks_errors_of_types() {
    let store = store(r#"{"t": {"items": {"a": 1}}}"#);
    let module = "package t\n\nitems := 1\n\ntotal := data.t.items.a\n";
    let refused = load(&store, &[("t.rego", module)]).await.expect_err("in the way").to_string();
    assert!(refused.contains("conflicting rule for data path t/items found"), "{refused}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_errors_of_their_token() {
    let (text, broken) = Source::lossy(b"package t\np := \"\xff\"");
    let source = Source { broken, ..source("t.rego", &text) };
    let refused = RegoEngine::default().parse(source).err().expect("illegal");
    let messages: Vec<_> = refused.0.iter().map(|error| &*error.message).collect();
    assert_eq!(messages, ["illegal utf-8 character", "illegal token", "illegal token"]);
}

#[tokio::test]
async fn a_wildcard_that_is_printed_shows_as_such() {
    let refused = common::refused(&[("t.rego", "package t\n\np if print(input.x[_])")]).await;
    assert!(refused.contains("var _ is undeclared"), "{refused}");
}

#[tokio::test]
async fn comprehensions_in_loops_collect_what_belongs_to_each_turn() {
    let module = r#"
    items[user] := found if {
        some user in input.users
        found := [order.id | some order in input.orders; order.user == user]
    }
    set[user] := found if {
        some user in input.users
        found := {kind | some order in input.orders; order.user = user; kind := order.kind}
    }
    object[user] := found if {
        some user in input.users
        found := {order.kind: order.id | some order in input.orders; user == order.user; order.id != 2}
    }
    two[[user, kind]] := count([1 | some order in input.orders; order.user == user; order.kind == kind]) if {
        some user in input.users
        some kind in {"a", "b"}
    }
    same contains count([1 | some order in input.orders; order.id > 1]) if some _ in input.users
    inner[user] := found if {
        some user in input.users
        found := [ids | some other in input.users; other == user; ids := {o.id | some o in input.orders; o.user == other}]
    }
    replaced[user] := [first, second] if {
        some user in input.users
        first := count([1 | some order in input.orders; order.user == user])
        second := of_user(user) with input.orders as [{"user": "y"}]
    }
    of_user(user) := count([1 | some order in input.orders; order.user == user])
    "#;
    let input = r#"{"users": ["x", "y", "z"], "orders": [{"user": "x", "id": 1, "kind": "a"},
        {"user": "y", "id": 2, "kind": "a"}, {"user": "x", "id": 3, "kind": "b"}, {"user": "x", "id": 4, "kind": "c"}]}"#;
    let expected = [
        ("items", r#"{"x":[1,3,4],"y":[2],"z":[]}"#),
        ("set", r#"{"x":["a","b","c"],"y":["a"],"z":[]}"#),
        ("object", r#"{"x":{"a":1,"b":3,"c":4},"y":{},"z":{}}"#),
        (
            "two",
            r#"{"[\"x\",\"a\"]":1,"[\"x\",\"b\"]":1,"[\"y\",\"a\"]":1,"[\"y\",\"b\"]":0,"[\"z\",\"a\"]":0,"[\"z\",\"b\"]":0}"#,
        ),
        ("same", "[3]"),
        ("inner", r#"{"x":[[1,3,4]],"y":[[2]],"z":[[]]}"#),
        ("replaced", r#"{"x":[3,0],"y":[1,1],"z":[0,0]}"#),
    ];
    check("{}", input, module, &expected).await;
}

#[tokio::test]
async fn what_a_comprehension_would_fail_with_elsewhere_does_not_matter() {
    let module = r"
    conflict[user] := found if {
        some user in input.users
        found := {order.kind: order.id | some order in input.orders; order.user == user}
    }
    number[user] := found if {
        some user in input.users
        found := [to_number(order.kind) | some order in input.orders; order.user == user]
    }
    ";
    let orders = r#"[{"user": "x", "id": 1, "kind": "1"}, {"user": "q", "id": 2, "kind": "a"}, {"user": "q", "id": 3, "kind": "a"}]"#;
    let module = format!("package t\n\n{module}");
    let snapshot = with("{}", &[("t.rego", &module)]).await;
    let ask = |path: &str, users: &str, strict: bool| {
        let input = json(&format!(r#"{{"users": {users}, "orders": {orders}}}"#));
        let query = snapshot.prepare(&Query::Document(regent_core::value::Path::from_slashes(path))).expect("valid");
        let mut evaluation = snapshot.evaluation(Some(&input));
        evaluation.strict_builtin_errors = strict;
        match query.evaluate(&mut evaluation) {
            Ok(answer) => answer.into_document().map_or_else(|| "undefined".to_owned(), |value| encode(&value)),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    };
    let others = r#"["x", "y", "z"]"#;
    assert_eq!(ask("t/conflict", others, true), r#"{"x":{"1":1},"y":{},"z":{}}"#);
    assert_eq!(ask("t/number", others, true), r#"{"x":[1],"y":[],"z":[]}"#);
    let all = r#"["x", "y", "q"]"#;
    assert!(ask("t/conflict", all, false).contains("object keys must be unique"), "{}", ask("t/conflict", all, false));
    assert_eq!(ask("t/number", all, false), r#"{"q":[],"x":[1],"y":[]}"#);
    assert!(ask("t/number", all, true).contains("to_number"), "{}", ask("t/number", all, true));
}

#[tokio::test]
async fn lookups_are_the_same_within_and_before_loops() {
    let module = r"
    found contains x.id if { some x in input.xs; x.kind == input.kind; x.id > 0 }
    none contains x.id if { some x in input.xs; x.kind == input.none }
    either contains [x.id, y.id] if {
        some x in input.xs
        some y in input.xs
        x.id < y.id
        y.kind == input.pick[x.kind]
    }
    failing contains x.id if { some x in input.xs; f(x) == 1; x.kind == input.none }
    f(x) := 1
    f(x) := 2 if x.id == 2
    ";
    let input = r#"{"xs": [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}], "kind": "b", "pick": {"a": "b"}}"#;
    let conflict =
        "1 error occurred: t.rego:14: eval_conflict_error: functions must not produce multiple outputs for same inputs";
    let expected = [("found", "[2]"), ("none", "[]"), ("either", "[[1,2]]"), ("failing", conflict)];
    check("{}", input, module, &expected).await;
}

#[tokio::test]
async fn loops_leave_out_what_does_not_compare_whatever_the_items_are() {
    let module = r#"
    place contains x.id if { some i, x in input.xs; x.id == i }
    own contains x.id if { some x in input.xs; x.id == x.n }
    path contains x.id if { some x in input.xs; x.o.k == input.k }
    number contains x.id if { some x in input.xs; x.n == 1.0 }
    both contains x.id if { some x in input.xs; x.n == 1; x.o.k == "b"; x.id > 0 }
    name contains k if { some k, x in input.os; x.kind == k }
    member contains x if { some x in {{1, "a"}, {2}}; x[1] == 1 }
    item contains x if { some x in input.pairs; x[1] == "b" }
    mixed contains x if { some x in [1, "a", {"k": 2}, [2], null]; x.k == 2 }
    inner contains [x.id, y.id] if { some x in input.xs; some y in input.xs; y.n == x.id }
    made contains x.id if { k := concat("", ["", "b"]); some x in input.xs; x.o.k == k }
    "#;
    let input = r#"{"xs": [{"id": 0, "n": 1, "o": {"k": "b"}}, {"id": 2, "n": 1.0, "o": {"k": "b"}}, {"id": 3, "n": 3}],
        "os": {"a": {"kind": "a"}, "b": {"kind": "a"}}, "pairs": [["a", "b"], ["b", "a"], ["b"]], "k": "b"}"#;
    let expected = [
        ("place", "[0]"),
        ("own", "[3]"),
        ("path", "[0,2]"),
        ("number", "[0,2]"),
        ("both", "[2]"),
        ("name", r#"["a"]"#),
        ("member", r#"[[1,"a"]]"#),
        ("item", r#"[["a","b"]]"#),
        ("mixed", r#"[{"k":2}]"#),
        ("inner", "[[3,3]]"),
        ("made", "[0,2]"),
    ];
    check("{}", input, module, &expected).await;
}

#[tokio::test]
async fn all_errors_of_functions_can_be_had() {
    let module = "package t\n\np := [x | some s in [\"a\", \"1\", \"b\"]; x := to_number(s)]\n\nq := 1 / 0";
    let snapshot = with("{}", &[("t.rego", module)]).await;
    let prepared = snapshot.prepare(&document("t")).expect("compiles");
    let mut errors = Vec::new();
    let mut evaluation = snapshot.evaluation(None);
    evaluation.builtin_errors = Some(&mut errors);
    let answer = prepared.evaluate(&mut evaluation).expect("evaluates");
    assert_eq!(answer.document().map(ToString::to_string).as_deref(), Some(r#"{"p":[1]}"#));
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let of_text = |text: &str| {
        format!("t.rego:3: eval_builtin_error: to_number: strconv.ParseFloat: parsing \"{text}\": invalid syntax")
    };
    assert_eq!(shown, [of_text("a"), of_text("b"), "t.rego:5: eval_builtin_error: div: divide by zero".to_owned()]);
}

#[test]
fn capabilities_restrict_policies() {
    let engine = |capabilities: &str| {
        let capabilities = Capabilities::parse(capabilities.as_bytes()).expect("capabilities");
        RegoEngine::default().with_capabilities(Arc::new(capabilities)).expect("can be restricted")
    };
    let wrong = |capabilities: &str, version: RegoVersion, text: &str| {
        let engine = engine(capabilities);
        let name: Arc<str> = "p.rego".into();
        let source = Source { id: name.clone(), file: name, text: text.into(), broken: Vec::new(), version };
        let compiled = engine.parse(source).and_then(|module| engine.compile(&[module], &CompileOptions::default()));
        compiled.err().map(|errors| errors.0[0].message.clone()).unwrap_or_default()
    };
    let eq = r#"{"name":"eq","decl":{"type":"function","args":[{"type":"any"},{"type":"any"}],"result":{"type":"boolean"}}}"#;
    let own = r#"{"name":"acme.f","decl":{"type":"function","args":[{"type":"string"}],"result":{"type":"number"}}}"#;
    let some = format!(r#"{{"builtins":[{eq},{own}],"features":["rego_v1"]}}"#);
    assert_eq!(wrong(&some, V1, "package p\nq := time.now_ns()"), "undefined function time.now_ns");
    assert_eq!(wrong(&some, V1, "package p\nq if input.a = 1"), "");
    assert_eq!(wrong(&some, V1, "package p\nq := acme.f(\"x\")"), "");
    assert_eq!(wrong(&some, V1, "package p\nq := acme.f(1)"), "acme.f: invalid argument(s)");
    assert_eq!(
        wrong(&some, V1, "package p\nq := $\"{input.x}\""),
        "template strings are not supported by current capabilities"
    );
    assert!(wrong(&some, V1, "package p\nq := input.package").starts_with("unexpected package keyword"));
    let none = "illegal capabilities: rego_v1 feature required for parsing v1 Rego";
    assert_eq!(wrong("{}", V1, "package p"), none);
    assert_eq!(
        wrong("{}", V0, "package p\nimport rego.v1"),
        "invalid import, `rego.v1` is not supported by current capabilities"
    );
    let keyword = r#"{"future_keywords":["in"]}"#;
    assert_eq!(wrong(keyword, V0, "package p\nimport future.keywords.in"), "");
    assert_eq!(
        wrong(keyword, V0, "package p\nimport future.keywords.every"),
        "unexpected keyword, must be one of [in]"
    );
    assert_eq!(wrong(r#"{"future_keywords":["x"]}"#, V0, "package p"), "illegal capabilities: unknown keyword: x");
}
