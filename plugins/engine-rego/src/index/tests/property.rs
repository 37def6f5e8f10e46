//! Lookups beside trying every condition.

use proptest::collection::vec;
use proptest::prelude::*;
use regent_core::Value;

use super::build::{array, eq, glob, input, member, number, rule, set, text, var};
use super::{found, index, json};
use crate::index::Sight;
use crate::syntax::ast::{Expr, Term};

/// Something said of `input.KEY`.
#[derive(Debug, Clone)]
enum Said {
    Is(&'static str),
    Items(Vec<Option<&'static str>>),
    OneOf(Vec<&'static str>),
    Contains(&'static str),
    Glob(&'static str),
    Defined,
}

const WORDS: [&str; 5] = ["a", "b", "c", "1", "a:b"];
const GLOBS: [(&str, [bool; 5]); 4] = [
    ("a", [true, false, false, false, false]),
    ("*", [true, true, true, true, false]),
    ("a:*", [false, false, false, false, true]),
    ("*:b", [false, false, false, false, true]),
];

fn term(word: &str) -> Term {
    if word == "1" { number(word) } else { text(word) }
}

fn word_value(word: &str) -> Value {
    if word == "1" { json("1.0") } else { word.into() }
}

fn exprs((key, said): &(&str, Said)) -> Vec<Expr> {
    let bound = format!("v{key}");
    let bind = || eq(var(&bound), input(key));
    match said {
        Said::Is(word) => vec![eq(input(key), term(word))],
        Said::Items(items) => {
            let item = |item: Option<&str>| item.map_or_else(|| var("free"), term);
            vec![eq(array(items.iter().copied().map(item).collect()), input(key))]
        }
        Said::OneOf(words) => vec![bind(), member(var(&bound), set(words.iter().map(|word| term(word)).collect()))],
        Said::Contains(word) => vec![bind(), member(term(word), var(&bound))],
        Said::Glob(pattern) => vec![bind(), glob(text(pattern), array(vec![text(":")]), var(&bound))],
        Said::Defined => vec![bind()],
    }
}

fn holds((key, said): &(&str, Said), document: &Value) -> bool {
    let Some(value) = document.get(key) else {
        return false;
    };
    let items = value.as_array();
    match said {
        Said::Is(word) => *value == word_value(word),
        Said::Items(wanted) => items.is_some_and(|items| {
            let fits = |(item, wanted): (&Value, Option<&str>)| wanted.is_none_or(|word| *item == word_value(word));
            items.len() == wanted.len() && items.iter().zip(wanted.iter().copied()).all(fits)
        }),
        Said::OneOf(words) => words.iter().any(|word| *value == word_value(word)),
        Said::Contains(word) => items.is_some_and(|items| items.contains(&word_value(word))),
        Said::Glob(pattern) => {
            let at = value.as_str().and_then(|text| WORDS.iter().position(|word| *word == text));
            at.is_some_and(|at| GLOBS.iter().any(|(known, fits)| known == pattern && fits[at]))
        }
        Said::Defined => true,
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&WORDS[..])
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        3 => word().prop_map(Said::Is),
        2 => vec(proptest::option::weighted(0.7, word()), 0..4).prop_map(Said::Items),
        1 => vec(word(), 0..4).prop_map(Said::OneOf),
        1 => word().prop_map(Said::Contains),
        1 => proptest::sample::select(&GLOBS[..]).prop_map(|(pattern, _)| Said::Glob(pattern)),
        1 => Just(Said::Defined),
    ]
}

fn conditions() -> impl Strategy<Value = Vec<(&'static str, Said)>> {
    let of = |key| proptest::option::of(said()).prop_map(move |said| said.map(|said| (key, said)));
    (of("x"), of("y"), of("z")).prop_map(|(x, y, z)| [x, y, z].into_iter().flatten().collect())
}

fn document() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        word().prop_map(word_value),
        vec(word().prop_map(word_value), 0..4).prop_map(Value::array),
        Just(Value::empty_object()),
    ];
    let entry = |key| proptest::option::weighted(0.8, value.clone()).prop_map(move |value| value.map(|v| (key, v)));
    (entry("x"), entry("y"), entry("z"))
        .prop_map(|entries| Value::object([entries.0, entries.1, entries.2].into_iter().flatten()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_lookup_finds_what_trying_finds(rules in vec(conditions(), 1..12), document in document()) {
        let made: Vec<_> = rules.iter().map(|said| rule(said.iter().flat_map(exprs).collect())).collect();
        let index = index(&made);
        let numbers = |sight| -> Vec<usize> {
            let (found, _) = found(&index, sight, &document.to_string(), &[]);
            found.split_whitespace().map(|number| number.parse().expect("a rule")).collect()
        };
        let (sharp, as_opa) = (numbers(Sight::Sharp), numbers(Sight::AsOpa));
        let hold: Vec<_> = (0..rules.len()).filter(|at| rules[*at].iter().all(|said| holds(said, &document))).collect();
        let mut sorted = sharp.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, hold);
        // The same rules in the same order, and perhaps more.
        let mut more = as_opa.iter();
        prop_assert!(sharp.iter().all(|rule| more.any(|other| other == rule)), "{:?} in {:?}", sharp, as_opa);
    }
}
