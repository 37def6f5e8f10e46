//! What plans look like for small rules.

use std::sync::Arc;

use regent_core::engine::RegoVersion;

use super::{Block, Collect, Former, Op, Pattern, Plan, RuleSet};
use crate::compile::{Compiled, Options, compile};
use crate::engine::stock;
use crate::syntax::ast::{Module, SourceFile};
use crate::syntax::parse_module;

/// The plan of the one rule of a text.
fn plan(rule: &str) -> Plan {
    let source = SourceFile { name: "t.rego".into(), text: format!("package t\n\n{rule}").into() };
    let module = parse_module(Arc::new(source), RegoVersion::V1).expect("the text parses");
    let builtins = stock();
    let compiled = compile(vec![("t.rego".into(), module)], &builtins, Options::default()).expect("the text compiles");
    Plan::of(&compiled, &builtins, true, None)
}

fn with_block<T>(rule: &str, look: impl FnOnce(&Block) -> T) -> T {
    let plan = plan(rule);
    match &*plan.sets[0] {
        RuleSet::Single(rules) => look(&rules.rules[0][0].block),
        RuleSet::Partial(rules) => look(&rules.rules[0].variants[0].block),
    }
}

/// The kinds of steps, with what is compared.
fn steps(rule: &str) -> String {
    let step = |op: &Op| match op {
        Op::Get { into, .. } => ["get", if matches!(into, Pattern::Equal(_)) { "=" } else { "" }].concat(),
        Op::Match { .. } => "match".to_owned(),
        Op::Each { .. } => "each".to_owned(),
        Op::Builtin(call) => call.name.to_string(),
        other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    };
    with_block(rule, |block| block.steps.iter().map(|one| step(&one.op)).collect::<Vec<_>>().join(" "))
}

#[test]
fn lookups_that_do_not_change_stand_before_the_loop_and_comparisons_cost_no_step() {
    assert_eq!(steps("p if { some x in input.xs; x.a == input.a; x.b == 1 }"), "get get each get= get=");
    assert_eq!(
        steps("p if { some x in input.xs; some y in x.ys; y.a == x.a; y.b == input.b }"),
        "get get each get get each get= get="
    );
    // A call may fail, so what stands behind it stays there.
    assert_eq!(steps("p if { some x in input.xs; abs(x) == 1; x == input.a }"), "get each abs get=");
    // What is looked up depends on the loop.
    assert_eq!(steps("p if { some x in input.xs; input.a[x] == 1 }"), "get each get=");
}

/// How many variables the index of the first comprehension has, if it has an index.
fn keys(rule: &str) -> Option<usize> {
    fn first(block: &Block) -> Option<&Collect> {
        block.steps.iter().find_map(|step| match &step.op {
            Op::Collect(collect) => Some(&**collect),
            _ => None,
        })
    }
    let keys = |block: &Block| first(block).expect("a comprehension").index.as_ref().map(|index| index.keys.len());
    with_block(rule, keys)
}

#[test]
fn comprehensions_that_only_compare_with_what_is_around_are_indexed() {
    let around = |comprehension: &str| keys(&format!("p[x] := c if {{ some x in input.xs; c := {comprehension} }}"));
    assert_eq!(around("[y | some y in input.ys; y.x == x]"), Some(1));
    assert_eq!(around("{y | some y in input.ys; x == y.x}"), Some(1));
    assert_eq!(around("{y.k: y | some y in input.ys; y.x = x; y.n > 1}"), Some(1));
    assert_eq!(around("[x | some y in input.ys; y == {\"x\": x}]"), Some(1));
    assert_eq!(around("[y | some y in input.ys]"), Some(0));
    // A path to follow, which is quicker than any index.
    assert_eq!(around("[y | some y in input.ys[x]]"), None);
    assert_eq!(around("[y | y := input.ys[_][x]]"), None);
    // Nothing in the body gives the variable a value.
    assert_eq!(around("[y | some y in input.ys; y < x]"), None);
    assert_eq!(around("[x | input.ys]"), None);
    // Closures within would need it too.
    assert_eq!(around("[y | some y in input.ys; y.x == x; not y.z == x]"), None);
    assert_eq!(around("[y | some y in input.ys; y.x == x; every z in y.zs { z == x }]"), None);
    // How often these are called can be told.
    assert_eq!(around("[y | some y in input.ys; y.x == x; rand.intn(\"a\", 2) == 1]"), None);
}

fn module(name: &str, text: &str) -> (Arc<str>, Module) {
    let source = SourceFile { name: name.into(), text: text.into() };
    (name.into(), parse_module(Arc::new(source), RegoVersion::V1).expect("the text parses"))
}

/// The paths of the sets that the second program shares with the first, which has the same functions.
fn shared(before: &[&(Arc<str>, Module)], after: &[&(Arc<str>, Module)]) -> Vec<String> {
    let builtins = stock();
    let compiled = |modules: &[&(Arc<str>, Module)]| -> Compiled {
        let modules = modules.iter().map(|module| (*module).clone()).collect();
        compile(modules, &builtins, Options::default()).expect("the texts compile")
    };
    let (old, new) = (compiled(before), compiled(after));
    let plan = Plan::of(&old, &builtins, true, None);
    let again = Plan::of(&new, &builtins, true, Some(&Former { plan: &plan, compiled: &old }));
    let pairs = again.sets.iter().enumerate();
    let shared = pairs.filter(|(id, set)| plan.sets.get(*id).is_some_and(|known| Arc::ptr_eq(known, set)));
    shared
        .map(|(id, _)| again.layout.sets[id].path.last().expect("a name").as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn rules_that_are_the_same_are_planned_once() {
    let first = module("a", "package a\n\np := 1\n");
    let second =
        module("b", "package b\n\nq if { x := input.x; y := [z | some z in x]; count(y) > data.a.p }\n\nr := 2\n");
    let all = ["p", "q", "r"].map(str::to_owned).to_vec();
    assert_eq!(shared(&[&first, &second], &[&first, &second]), all);
    // The generated variables of the second module have other numbers now.
    let other = module("a", "package a\n\np := x if { x := 1; y := x; z := y; z == 1 }\n");
    assert_eq!(shared(&[&first, &second], &[&other, &second]), all[1..]);
    // A text that was parsed again is not compared.
    assert_eq!(shared(&[&first, &second], &[&module("a", "package a\n\np := 1\n"), &second]), all[1..]);
    // Where rules lie elsewhere, all plans refer to others.
    let more = module("a", "package a\n\np := 1\n\no := 1\n");
    assert_eq!(shared(&[&first, &second], &[&more, &second]), Vec::<String>::new());
    let empty = module("aa", "package aa\n");
    assert_eq!(shared(&[&first, &second], &[&first, &empty, &second]), Vec::<String>::new());
    let set = module("a", "package a\n\np contains 1\n");
    assert_eq!(shared(&[&first, &second], &[&set, &second]), Vec::<String>::new());
}

#[test]
fn rules_that_other_modules_change_are_planned_again() {
    let user = module(
        "b",
        "package b\n\n# METADATA\n# title: t\nq := rego.metadata.chain() if true\n\nr := f(1)\n\nf(x) := x\n",
    );
    let plain = module("a", "package b\n\np := 1\n");
    let noted = module("a", "# METADATA\n# title: of the package\npackage b\n\np := 1\n");
    let all = ["f", "p", "q", "r"].map(str::to_owned).to_vec();
    assert_eq!(shared(&[&plain, &user], &[&plain, &user]), all);
    assert_eq!(shared(&[&plain, &user], &[&noted, &user]), ["f", "r"]);
}
