//! Texts that nobody writes: no panic, no overflow of the stack, no endless search.

use std::fmt::Write as _;

use regent_core::engine::RegoVersion;

use super::{parse, source};
use crate::syntax::parse_body;

const TOO_DEEP: &str = "max parsing recursion depth exceeded";

/// A number generator that always gives the same numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap_or(1)).unwrap_or(0)
    }
}

#[test]
fn nesting_is_bounded() {
    for (open, middle, close) in [
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("{1: ", "1", "}"),
        ("(", "1", ")"),
        ("f(", "1", ")"),
        ("a[", "1", "]"),
        ("[x | ", "x", "]"),
        ("{x | ", "x", "}"),
        ("{x: ", "x", " | x}"),
        ("1 + (", "1", ")"),
        ("$\"{", "x", "}\""),
        ("", "1", " + 1"),
        ("", "1", " in [1]"),
        ("every x in [1] { ", "x", " }"),
    ] {
        for depth in [50, 100_000] {
            let text = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
            match parse_body(source(&text), RegoVersion::V1) {
                Ok(_) => assert_eq!(depth, 50, "{open}{close}"),
                Err(errors) => {
                    assert!(errors.0.iter().any(|error| error.message == TOO_DEEP), "{open}{close} {depth}: {errors}");
                    assert_eq!(depth, 100_000, "{open}{close}");
                }
            }
            // Half of it is wrong, and has to be so soon.
            let _ = parse_body(source(&open.repeat(depth)), RegoVersion::V1);
            let _ = parse_body(source(&open.repeat(depth)), RegoVersion::V0);
        }
    }
    let elses = " else := 1 if x".repeat(100_000);
    let errors = parse(&format!("package t\np if x{elses}")).expect_err("too deep");
    assert!(errors.0.iter().any(|error| error.message == TOO_DEEP), "{errors}");
}

#[test]
fn the_deepest_tree_can_be_shown_compared_and_dropped() {
    for (open, close, depth) in
        [("[", "]", 990), ("{", "}", 990), ("{1: ", "}", 990), ("[x | ", "]", 490), ("f(", ")", 490), ("a[", "]", 490)]
    {
        let text = format!("{}x{}", open.repeat(depth), close.repeat(depth));
        let module = parse(&format!("package t\np := {text}")).expect("parses");
        let _ = module.rules[0].to_string();
        let _ = crate::syntax::module_to_json(&module, crate::syntax::JsonOptions::default()).encode(true);
        let value = module.rules[0].head.value.clone().expect("a value");
        assert!(crate::syntax::order::compare(&value, &value.clone()).is_eq());
    }
}

#[test]
fn sets_and_objects_within_each_other_are_put_in_order_once() {
    // A comparison of two that did so again for each comparison around it would not end.
    for around in [("{", ", ", "}"), ("{[", "], [", "]}"), ("{", ": 1, ", ": 1}")] {
        let (open, between, close) = around;
        let nested = (0..16).fold("x".to_owned(), |inner, _| format!("{open}{inner}{between}{inner}{close}"));
        let body = parse_body(source(&nested), RegoVersion::V1).expect("parses");
        let once = (0..16).fold("x".to_owned(), |inner, _| format!("{open}{inner}{close}"));
        assert_eq!(crate::syntax::text::body_text(&body), once);
    }
}

#[test]
fn what_looks_like_a_comprehension_on_every_level_is_told_apart_soon() {
    for (open, close) in [("[1 | ", ", 2]"), ("{1 | ", ", 2}"), ("{1: 1 | ", ", 2: 2}"), ("[[1 | 1] | ", ", 2]")] {
        let text = format!("x := {}1{}", open.repeat(60), close.repeat(60));
        let _ = parse_body(source(&text), RegoVersion::V1);
    }
    for open in ["some x in [1 | ", "some x[[1 | ", "some x, [1 | ", "(1, (1, [1 | "] {
        let _ = parse_body(source(&open.repeat(60)), RegoVersion::V0);
        let _ = parse_body(source(&open.repeat(60)), RegoVersion::V1);
    }
}

#[test]
fn any_row_of_tokens_ends_in_a_tree_or_in_errors() {
    const TOKENS: &[&str] = &[
        "package",
        "import",
        "default",
        "if",
        "contains",
        "else",
        "not",
        "some",
        "every",
        "in",
        "with",
        "as",
        "null",
        "true",
        "p",
        "q.r",
        "_",
        "input",
        "data",
        "future.keywords",
        "rego.v1",
        "1",
        "-1",
        "1.5e3",
        "\"s\"",
        "`r`",
        "$\"a{",
        "$`",
        "}\"",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        ":=",
        "=",
        "==",
        "|",
        "&",
        "+",
        "-",
        "*",
        ".",
        ";",
        "\n",
        "#c\n",
        "# METADATA\n",
        "# scope: rule\n",
        "\"",
        "!",
        "é",
        "\0",
        "\\",
    ];
    let mut dice = Dice(0x5eed_1234_9876_abcd);
    for _ in 0..4_000 {
        let mut text = String::from(if dice.below(2) == 0 { "package t\n" } else { "" });
        for _ in 0..dice.below(25) {
            let between = if dice.below(4) == 0 { "" } else { " " };
            let _ = write!(text, "{}{between}", TOKENS[dice.below(TOKENS.len())]);
        }
        for version in [RegoVersion::V0, RegoVersion::V1] {
            if let Ok(module) = crate::syntax::parse_module(source(&text), version) {
                let _ = crate::syntax::module_to_json(&module, crate::syntax::JsonOptions::default());
                let _: String = module.rules.iter().map(ToString::to_string).collect();
            }
            let _ = parse_body(source(&text), version);
        }
    }
}
