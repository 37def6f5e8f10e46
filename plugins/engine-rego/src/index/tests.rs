//! Rules made by hand, as the compiler leaves them.

mod build;
mod property;

use std::convert::Infallible;

use build::{
    all, array, default, defined, eq, function, glob, input, member, number, path, print, rule, set, text, var,
};
use regent_core::value::{Value, decode};

use super::{IndexedReference, Resolved, RuleIndex, Sight};
use crate::syntax::ast::Rule;

fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

fn index(rules: &[Rule]) -> RuleIndex {
    let virtual_data = |parts: &[crate::syntax::ast::Term]| {
        parts.first().and_then(|head| head.as_var()).is_some_and(|head| &**head == "data")
            && parts.get(1).and_then(|key| key.as_text()) == Some("made")
    };
    RuleIndex::build(&rules.iter().collect::<Vec<_>>(), &virtual_data).expect("there are rules")
}

/// What a lookup finds, as `rule` or `rule/branch`, and whether the first answer decides.
fn found(index: &RuleIndex, sight: Sight, document: &str, arguments: &[&str]) -> (String, bool) {
    let document = json(document);
    let arguments: Vec<_> = arguments.iter().map(|argument| json(argument)).collect();
    let candidates = index.lookup(sight, &mut |number| {
        let value = match &index.references()[number] {
            IndexedReference::Argument(position) => arguments.get(*position),
            IndexedReference::Input(keys) => at(&document, keys),
            IndexedReference::Data(keys) => document.get("data").and_then(|data| at(data, keys)),
        };
        Ok::<_, Infallible>(value.map_or(Resolved::Undefined, Resolved::Value))
    });
    let Ok(candidates) = candidates;
    let show = |branches: &[super::Branch]| {
        let one = |branch: &super::Branch| format!("{}.{}", branch.rule, branch.position);
        branches.iter().map(one).collect::<Vec<_>>().join("+").replace(".0", "")
    };
    (candidates.rules().map(show).collect::<Vec<_>>().join(" "), candidates.early_exit())
}

fn at<'v>(document: &'v Value, keys: &[Value]) -> Option<&'v Value> {
    keys.iter().try_fold(document, |value, key| value.as_object()?.get(key))
}

fn sharp(index: &RuleIndex, document: &str) -> String {
    found(index, Sight::Sharp, document, &[]).0
}

fn as_opa(index: &RuleIndex, document: &str) -> String {
    found(index, Sight::AsOpa, document, &[]).0
}

#[test]
fn equalities_select_rules_whichever_way_round() {
    let index = index(&[
        rule(vec![eq(input("x"), text("a"))]),
        rule(vec![eq(text("b"), input("x"))]),
        rule(vec![eq(input("x"), number("1")), eq(input("y.z"), text("c"))]),
    ]);
    assert_eq!(sharp(&index, r#"{"x":"a"}"#), "0");
    assert_eq!(sharp(&index, r#"{"x":"b"}"#), "1");
    assert_eq!(sharp(&index, r#"{"x":1.0,"y":{"z":"c"}}"#), "2");
    assert_eq!(sharp(&index, r#"{"x":1.0,"y":{"z":"d"}}"#), "");
    assert_eq!(sharp(&index, "{}"), "");
    assert_eq!(index.references().len(), 2);
}

#[test]
fn arrays_are_matched_item_by_item() {
    let index = index(&[
        rule(vec![eq(input("path"), array(vec![text("api"), text("v1"), var("x")]))]),
        rule(vec![eq(input("path"), array(vec![text("api"), var("v"), text("b")]))]),
        rule(vec![eq(input("path"), array(Vec::new()))]),
    ]);
    assert_eq!(sharp(&index, r#"{"path":["api","v1","a"]}"#), "0");
    assert_eq!(sharp(&index, r#"{"path":["api","v1","b"]}"#), "1 0");
    assert_eq!(sharp(&index, r#"{"path":["api",["v1"],"b"]}"#), "1");
    assert_eq!(sharp(&index, r#"{"path":["api","v1"]}"#), "");
    assert_eq!(sharp(&index, r#"{"path":[]}"#), "2");
}

#[test]
fn rules_that_cannot_be_indexed_come_first() {
    let index = index(&[
        rule(vec![eq(input("x"), text("a"))]),
        rule(vec![eq(var("y"), input("x"))]),
        rule(vec![eq(var("y"), var("z"))]),
        rule(vec![eq(input("x"), text("a")), print(input("x"))]),
        rule(vec![eq(input("y"), text("b"))]),
    ]);
    assert_eq!(sharp(&index, r#"{"x":"a","y":"b"}"#), "2 3 4 1 0");
    assert_eq!(sharp(&index, r#"{"y":"b"}"#), "2 3 4");
}

#[test]
fn negation_modifiers_and_virtual_documents_select_nothing() {
    let negated = build::negated(eq(input("x"), text("a")));
    let modified = build::with(eq(input("x"), text("a")));
    let made = eq(path(&["data", "made", "x"]), text("a"));
    let base = eq(path(&["data", "base", "x"]), text("a"));
    let index = index(&[rule(vec![negated]), rule(vec![modified]), rule(vec![made]), rule(vec![base])]);
    assert_eq!(sharp(&index, "{}"), "0 1 2");
    assert_eq!(sharp(&index, r#"{"data":{"base":{"x":"a"}}}"#), "0 1 2 3");
}

#[test]
fn bare_references_have_to_be_defined() {
    let index = index(&[rule(vec![defined(input("x"))])]);
    assert_eq!(sharp(&index, "{}"), "");
    assert_eq!(sharp(&index, r#"{"x":{}}"#), "0");
}

#[test]
fn membership_and_variables_are_seen_sharply_but_not_by_opa() {
    let index = index(&[
        rule(vec![eq(var("x"), input("role")), member(var("x"), set(vec![text("a"), text("b")]))]),
        rule(vec![eq(var("x"), input("role")), eq(var("x"), text("c"))]),
        rule(vec![eq(var("x"), input("roles")), member(text("a"), var("x"))]),
        rule(vec![eq(path(&["input", "roles", "$0"]), text("b"))]),
        rule(vec![eq(var("x"), input("role")), member(var("x"), array(vec![array(vec![text("d")]), text("c")]))]),
    ]);
    assert_eq!(sharp(&index, r#"{"role":"a"}"#), "0");
    assert_eq!(sharp(&index, r#"{"role":"c"}"#), "1 4");
    assert_eq!(sharp(&index, r#"{"role":["d"]}"#), "4");
    assert_eq!(sharp(&index, r#"{"role":{}}"#), "");
    assert_eq!(as_opa(&index, r#"{"role":"a"}"#), "3 0 1 4");
    assert_eq!(sharp(&index, r#"{"roles":["b","a","a"]}"#), "3 2");
    assert_eq!(sharp(&index, r#"{"roles":{"k":"a"}}"#), "2");
    assert_eq!(as_opa(&index, r#"{"roles":[]}"#), "3 2");
}

#[test]
fn glob_patterns_are_cut_at_their_delimiters() {
    let on = |pattern, delimiter| {
        rule(vec![eq(var("v"), input("x")), glob(text(pattern), array(vec![text(delimiter)]), var("v"))])
    };
    let index = index(&[on("a:*", ":"), on("a:b", ":"), on("a.*", "."), on("a*:b", ":"), on("a\\:b", ":")]);
    assert_eq!(as_opa(&index, r#"{"x":"a:b"}"#), "3 4 0 1");
    assert_eq!(sharp(&index, r#"{"x":"a:c"}"#), "3 4 0");
    assert_eq!(sharp(&index, r#"{"x":"a.c"}"#), "3 4 2");
    assert_eq!(sharp(&index, r#"{"x":7}"#), "3 4");
}

#[test]
fn arguments_are_found_by_position() {
    let index = index(&[
        function(vec![var("a"), var("b")], vec![eq(var("b"), text("x"))]),
        function(vec![text("k"), var("b")], Vec::new()),
    ]);
    let sharp = |arguments: &[&str]| found(&index, Sight::Sharp, "{}", arguments).0;
    assert_eq!(sharp(&["1", "\"x\""]), "0");
    assert_eq!(sharp(&["\"k\"", "\"x\""]), "1 0");
    assert_eq!(sharp(&["\"k\"", "2"]), "1");
    assert_eq!(found(&index, Sight::AsOpa, "{}", &["1", "2"]).0, "1");
}

#[test]
fn else_branches_are_selected_on_their_own() {
    let chain = build::chain(
        rule(vec![eq(input("x"), text("a"))]),
        vec![rule(vec![eq(input("y"), text("b"))]), rule(Vec::new())],
    );
    let index = index(&[chain, rule(vec![eq(input("x"), text("a"))]), default()]);
    assert_eq!(sharp(&index, r#"{"x":"a","y":"b"}"#), "0+0.1+0.2 1");
    assert_eq!(sharp(&index, r#"{"x":"c","y":"b"}"#), "0.1+0.2");
    assert_eq!(sharp(&index, "{}"), "0.2");
    assert_eq!(index.default_rule(), Some(2));
}

#[test]
fn the_first_answer_decides_if_all_are_the_same_constant() {
    let gives = |value, x| build::giving(value, vec![eq(input("x"), text(x))]);
    let rules = [gives(number("1"), "a"), gives(number("1.0"), "a"), gives(text("1"), "b"), gives(var("v"), "c")];
    let agree = |document| found(&index(&rules), Sight::Sharp, document, &[]);
    assert_eq!(agree(r#"{"x":"a"}"#), ("0 1".into(), true));
    assert_eq!(agree(r#"{"x":"b"}"#), ("2".into(), true));
    assert_eq!(agree(r#"{"x":"c"}"#), ("3".into(), false));
    assert_eq!(agree("{}"), (String::new(), true));
    assert!(!index(&rules).all().early_exit());
    let partial = build::partial(text("m"), Vec::new());
    assert!(!index(&[partial]).all().early_exit());
}

#[test]
fn the_unknown_may_be_anything() {
    let rules = [
        rule(vec![eq(input("x"), text("a"))]),
        rule(vec![eq(input("x"), array(vec![text("a"), var("y")])), eq(input("y"), text("b"))]),
        rule(vec![member(input("x"), set(vec![text("a"), text("b")]))]),
    ];
    let index = index(&rules);
    let no = json("\"no\"");
    let found = index.lookup(Sight::Sharp, &mut |number| match &index.references()[number] {
        IndexedReference::Input(keys) if keys[0] == Value::from("x") => Ok::<_, Infallible>(Resolved::Unknown),
        _ => Ok(Resolved::Value(&no)),
    });
    let Ok(found) = found;
    assert_eq!(found.rules().map(|branches| branches[0].rule).collect::<Vec<_>>(), [2, 0]);
    let failed = index.lookup(Sight::Sharp, &mut |_| Err::<Resolved<'_>, _>("no"));
    assert_eq!(failed.err(), Some("no"));
}

#[test]
fn alternatives_do_not_multiply_without_bound() {
    let names: Vec<_> = (0..200).map(|number| text(&format!("n{number}"))).collect();
    let body = (0..20).flat_map(|number| {
        let reference = input(&format!("x{number}"));
        [member(reference, set(names.clone()))]
    });
    let index = index(&[rule(body.collect())]);
    let document = (0..20).map(|number| format!(r#""x{number}":"n{number}""#)).collect::<Vec<_>>().join(",");
    assert_eq!(sharp(&index, &format!("{{{document}}}")), "0");
    assert_eq!(sharp(&index, r#"{"x0":"n0"}"#), "");
}

#[test]
fn without_conditions_everything_is_found() {
    let index = index(&[rule(Vec::new()), rule(all(2))]);
    assert_eq!(sharp(&index, "{}"), "0 1");
}
