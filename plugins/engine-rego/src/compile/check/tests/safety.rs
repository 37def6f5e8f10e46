use super::{compiled, errors};
use std::fmt::Write as _;

use crate::compile::Options;

#[test]
fn unsafe_variables_are_named_once_at_their_first_place() {
    let text = "package app.rules\n\nallow if {\n\trole := input.roles[i]\n\trole == \"admin\"\n\tnot banned(user)\n}\n\n\
                banned(u) if u in data.banned\n\nseen contains name if not data.people[name]\n\nfirst := xs[0] if count(xs) > 0";
    let expected = [
        "m0:6: rego_unsafe_var_error: var user is unsafe",
        "m0:11: rego_unsafe_var_error: var name is unsafe",
        "m0:13: rego_unsafe_var_error: var xs is unsafe",
    ];
    assert_eq!(errors(&[text]), expected);
}

#[test]
fn negation_binds_nothing() {
    let expected = ["m0:2: rego_unsafe_var_error: var i is unsafe", "m0:2: rego_unsafe_var_error: var j is unsafe"];
    assert_eq!(errors(&["package a\nallow if not input.a[i] == j"]), expected);
}

#[test]
fn heads_need_bodies_that_bind() {
    assert_eq!(errors(&["package a\np contains x if true"]), ["m0:2: rego_unsafe_var_error: var x is unsafe"]);
    assert_eq!(errors(&["package a\np[x] := y if y := 1"]), ["m0:2: rego_unsafe_var_error: var x is unsafe"]);
}

#[test]
fn expressions_are_put_into_an_order_that_binds() {
    let text = "package a\np contains [x, y] if { x > 1; count(ys) > x; ys = [y | y = zs[_]]; zs = input.zs; \
                [x, _] = input.pair; y = x }";
    assert_eq!(errors(&[text]), [""; 0]);
    let result = compiled(&["package a\np if { z > y; y = x; x = 1; z = 2 }"], Options::default());
    let Ok(result) = result else { panic!("is safe") };
    let order: Vec<String> = result.modules[0].1.rules[0].body.iter().map(|expr| expr.span.text().to_owned()).collect();
    assert_eq!(order, ["x = 1", "z = 2", "y = x", "z > y"]);
}

#[test]
fn patterns_bind_through_each_other() {
    assert_eq!(errors(&["package a\np := x if { [x, {\"k\": y}] = [y, {\"k\": z}]; z = [w]; w = 1 }"]), [""; 0]);
    let expected = ["m0:2: rego_unsafe_var_error: var x is unsafe", "m0:2: rego_unsafe_var_error: var y is unsafe"];
    assert_eq!(errors(&["package a\np if { x = [y]; y = x }"]), expected);
    assert_eq!(errors(&["package a\np if { {x: 1} = input.o }"]), ["m0:2: rego_unsafe_var_error: var x is unsafe"]);
}

#[test]
fn closures_see_what_is_bound_around_them() {
    assert_eq!(errors(&["package a\np := [y | y = x] if x = 1"]), [""; 0]);
    let expected = ["m0:2: rego_unsafe_var_error: var x is unsafe", "m0:2: rego_unsafe_var_error: var y is unsafe"];
    assert_eq!(errors(&["package a\np := [y | y = x]"]), expected);
    assert_eq!(errors(&["package a\np if { x = {y | y = x} }"]), ["m0:2: rego_unsafe_var_error: var x is unsafe"]);
    assert_eq!(errors(&["package a\np := [1 | z > 1]"]), ["m0:2: rego_unsafe_var_error: var z is unsafe"]);
    assert_eq!(
        errors(&["package a\np if every x in input.xs { x > y }"]),
        ["m0:2: rego_unsafe_var_error: var y is unsafe"]
    );
    assert_eq!(errors(&["package a\np if { every x in input.xs { x > y }; y = 1 }"]), [""; 0]);
}

#[test]
fn modifiers_need_values() {
    assert_eq!(errors(&["package a\np if input.x with input as y"]), ["m0:2: rego_unsafe_var_error: var y is unsafe"]);
    assert_eq!(errors(&["package a\np if { input.x with input as y; y = 1 }"]), [""; 0]);
}

#[test]
fn wide_and_deep_policies_are_checked() {
    let mut wide = String::from("package a\n");
    for index in 0..500 {
        let _ = writeln!(wide, "p contains x if {{ y := input.a[{index}]; x := y + {index}; r{index}(x) }}");
        let _ = writeln!(wide, "r{index}(v) if v > {index}");
    }
    assert_eq!(errors(&[&wide]), [""; 0]);
    let chain: Vec<String> = (0..500).map(|index| format!("x{index} = x{}", index + 1)).collect();
    assert_eq!(errors(&[&format!("package a\np if {{ {}; x500 = 1 }}", chain.join("; "))]), [""; 0]);
    let nested = format!("package a\np := {}x{} if x = 1", "[".repeat(400), "]".repeat(400));
    assert_eq!(errors(&[&nested]), [""; 0]);
}
