//! What is said of schemas that are wrong.

use regent_core::engine::Cancel;

use super::super::budget::Budget;
use super::super::parser;
use super::super::problem::Fault;
use super::Schema;

/// The schema's first problem and where it is; empty if it has none.
fn problem(text: &str) -> String {
    let cancel = Cancel::default();
    let document = parser::schema(text, &mut Budget::new(&cancel)).expect("parses");
    match Schema::new(document, &mut Budget::of(&cancel, 1 << 20)) {
        Ok(_) => String::new(),
        Err(Fault::Problem(problem)) => problem.to_string(),
        Err(fault) => panic!("{fault:?}"),
    }
}

#[test]
fn the_first_problem_is_told() {
    for (text, expected) in [
        ("", ""),
        ("type A { b: Int } type A { b: Int }", "input:1:24: Cannot redeclare type A."),
        ("scalar Int", "input:1:8: Cannot redeclare type Int."),
        ("directive @a on FIELD directive @a on FIELD", "input:1:34: Cannot redeclare directive a."),
        ("directive @skip(if: Boolean!) on FIELD", ""),
        (
            "scalar A extend enum A { B }",
            "input:1:22: Cannot extend type A because the base type is a SCALAR, not ENUM.",
        ),
        ("extend type A { b: Int }", ""),
        ("schema { query: A }", "input:1:10: Schema root query refers to a type A that does not exist."),
        (
            "type A { b: Int } schema { query: A } schema { query: A }",
            "input:1:46: Cannot have multiple schema entry points, consider schema extensions instead.",
        ),
        ("type A", "input:1:6: OBJECT A: must define one or more fields."),
        ("interface A", "input:1:11: INTERFACE A: must define one or more fields."),
        ("input A", "input:1:7: INPUT_OBJECT A: must define one or more input fields."),
        ("enum A", "input:1:6: ENUM A: must define one or more unique enum values."),
        ("enum A { null }", "input:1:6: ENUM A: non-enum value null."),
        ("enum A { B B }", "input:1:12: Enum value A.B can only be defined once."),
        ("type A { b: Int } extend type A { b: Int }", "input:1:35: Field A.b can only be defined once."),
        ("type A { b: Int } union U = A | A", "input:1:33: Union type U can only include type A once."),
        ("union U = A", "input:1:7: Undefined type \"A\"."),
        ("scalar A union U = A", "input:1:16: UNION type \"A\" must be OBJECT."),
        (
            "type __A { b: Int }",
            "input:1:6: Name \"__A\" must not begin with \"__\", which is reserved by GraphQL introspection.",
        ),
        ("type A { b(c: A): Int }", "input:1:12: cannot use A as argument c because OBJECT is not a valid input type"),
        (
            "input A { b: Int } type C { d: A }",
            "input:1:29: OBJECT C: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM.",
        ),
        (
            "type A { b: Int } input C { d: A }",
            "input:1:29: OBJECT d: field must be one of SCALAR, ENUM, INPUT_OBJECT.",
        ),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
}

#[test]
fn directives_stand_where_they_may() {
    for (text, expected) in [
        ("type A @b { c: Int }", "input:1:9: Undefined directive b."),
        ("type A @skip(if: true) { c: Int }", "input:1:9: Directive skip is not applicable on OBJECT."),
        ("type A { c: Int @deprecated(why: 1) }", "input:1:29: Undefined argument why for directive deprecated."),
        ("scalar A @specifiedBy", "input:1:11: Argument url for directive specifiedBy cannot be null."),
        ("scalar A @specifiedBy(url: null)", "input:1:11: Argument url for directive specifiedBy cannot be null."),
        (
            "type A { c: Int @deprecated @deprecated }",
            "input:1:30: The directive deprecated can only be used once at this location.",
        ),
        ("directive @a repeatable on FIELD_DEFINITION type A { c: Int @a @a }", ""),
        ("directive @a(b: Int @a) on ARGUMENT_DEFINITION", "input:1:22: Directive a cannot refer to itself."),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
}

#[test]
fn interfaces_are_implemented_in_full() {
    let interface = "interface I { a(b: Int): I c: [I] }";
    for (text, expected) in [
        ("type A implements I { a(b: Int, x: Int = 1): A c: [A!]! }", ""),
        ("type A implements I { c: [I] }", "input:1:6: For A to implement I it must have a field called a."),
        (
            "type A implements I { a(b: Int): Int c: [I] }",
            "input:1:23: For A to implement I the field a must have type I.",
        ),
        (
            "type A implements I { a: I c: [I] }",
            "input:1:23: For A to implement I the field a must have the same arguments but it is missing b.",
        ),
        (
            "type A implements I { a(b: ID): I c: [I] }",
            "input:1:25: For A to implement I the field a must have the same arguments but b has the wrong type.",
        ),
        (
            "type A implements I { a(b: Int, d: Int!): I c: [I] }",
            "input:1:33: For A to implement I any additional arguments on a must be optional or have a default value but d is required.",
        ),
        ("type A implements J { b: Int }", "input:1:6: Undefined type \"J\"."),
        ("scalar S type A implements S { b: Int }", "input:1:15: \"S\" is a non interface type SCALAR."),
        (
            "interface J implements I { a(b: Int): I c: [I] } type A implements J { a(b: Int): I c: [I] }",
            "input:1:55: Type A must implement I because it is implemented by J.",
        ),
        (
            "interface J implements K { x: Int } interface K implements J { x: Int }",
            "input:1:11: Type J cannot implement K because it would create a circular reference.",
        ),
    ] {
        assert_eq!(problem(&format!("{text} {interface}")), expected, "{text}");
    }
}

#[test]
fn work_ends() {
    let members: Vec<String> = (0..400).map(|n| format!("f{n}: Int ")).collect();
    let members = members.concat();
    let text = format!("interface I {{ {members} }} type A implements {} I {{ {members} }}", "I & ".repeat(100));
    assert_eq!(problem(&text), "input: document is too complex");
}
