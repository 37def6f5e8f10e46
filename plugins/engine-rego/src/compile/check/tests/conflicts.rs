use super::errors;

#[test]
fn rules_of_one_name_are_of_one_kind() {
    let text = "package c\n\np contains 1\n\np := 2\n\ndefault f(_) := 1\n\ndefault f(_) := 2\n\nhelper(a, b) := a\n\n\
                helper(a) := a\n\nq := 1\n\nq.r := 2";
    let expected = [
        "m0:1: rego_type_error: multiple default rules data.c.f found at m0:7, m0:9",
        "m0:11: rego_type_error: conflicting rules data.c.helper found",
        "m0:3: rego_type_error: conflicting rules data.c.p found",
        "m0:15: rego_type_error: rule data.c.q conflicts with [data.c.q.r]",
    ];
    assert_eq!(errors(&[text]), expected);
}

#[test]
fn packages_are_not_rules() {
    let expected = [
        "m0:2: rego_type_error: rule data.base.value conflicts with [data.base.value.x]",
        "m0:1: rego_type_error: package base.value conflicts with rule value defined at m0:2",
    ];
    assert_eq!(errors(&["package base\nvalue := 1", "package base.value\nx := 1"]), expected);
}

#[test]
fn parts_of_objects_stand_beside_each_other() {
    let text = "package a\np[x] := 1 if x := input.x\np.q := 2\np.r[y].s := 3 if y := 1\nn[1] := 1\nn[2] := n[1]";
    assert_eq!(errors(&[text]), [""; 0]);
}

#[test]
fn rules_do_not_depend_on_themselves() {
    let text = "package a\n\np if q\n\nq if r\n\nr if p\n\nf(x) := f(x - 1)";
    let expected = [
        "m0:3: rego_recursion_error: rule data.a.p is recursive: data.a.p -> data.a.q -> data.a.r -> data.a.p",
        "m0:5: rego_recursion_error: rule data.a.q is recursive: data.a.q -> data.a.r -> data.a.p -> data.a.q",
        "m0:7: rego_recursion_error: rule data.a.r is recursive: data.a.r -> data.a.p -> data.a.q -> data.a.r",
        "m0:9: rego_recursion_error: rule data.a.f is recursive: data.a.f -> data.a.f",
    ];
    assert_eq!(errors(&[text]), expected);
}

#[test]
fn a_reference_to_what_is_not_known_may_lead_back() {
    let expected = ["m0:2: rego_recursion_error: rule data.a.p is recursive: data.a.p -> data.a.p"];
    assert_eq!(errors(&["package a\np if data[x]"]), expected);
    assert_eq!(errors(&["package a\np := x if x := 1\n else := 2 if p"])[0].matches("recursive").count(), 1);
    assert_eq!(errors(&["package a\np if count(input.x) with count as f\nf(x) := 1 if p"]).len(), 2);
}
