//! How policies and inputs are drawn.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use regent_core::value::{Value, decode};

use crate::policy::{Any, Chain, Condition, Group, Kind, Number, Policy, Text};

pub(crate) const WORDS: [&str; 5] = ["a", "b", "c", "a:b", "b:c"];
/// Without a lone `*`, which goes past delimiters in regorus.
pub(crate) const GLOBS: [&str; 4] = ["a:*", "*:b", "b", "{a,b}"];

const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// Base data.
pub(crate) fn data() -> Value {
    decode(br#"{"base":{"one":1,"two":2,"word":"a"}}"#).expect("valid JSON")
}

fn literal() -> impl Strategy<Value = i8> {
    -1_i8..4
}

fn comparison() -> impl Strategy<Value = &'static str> {
    prop_oneof![2 => Just("=="), 1 => proptest::sample::select(&COMPARISONS[..])]
}

fn number() -> impl Strategy<Value = Number> {
    let leaf = prop_oneof![
        4 => literal().prop_map(Number::Literal),
        3 => any::<u8>().prop_map(Number::Input),
        1 => any::<u8>().prop_map(Number::Base),
        4 => any::<u8>().prop_map(Number::Var),
        1 => any::<u8>().prop_map(Number::Count),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        let operator = proptest::sample::select(&["+", "-", "*"][..]);
        (inner.clone(), operator, inner).prop_map(|(a, op, b)| Number::Sum(Box::new(a), op, Box::new(b)))
    })
}

fn text() -> impl Strategy<Value = Text> {
    let leaf = prop_oneof![
        4 => any::<u8>().prop_map(Text::Literal),
        3 => any::<u8>().prop_map(Text::Input),
        1 => any::<u8>().prop_map(Text::Base),
        4 => any::<u8>().prop_map(Text::Var),
    ];
    leaf.prop_recursive(1, 2, 2, |inner| {
        (inner.clone(), inner).prop_map(|(a, b)| Text::Concat(Box::new(a), Box::new(b)))
    })
}

fn either() -> impl Strategy<Value = Any> {
    (number(), text()).prop_map(|(number, text)| Any(number, text))
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        4 => (number(), comparison(), number()).prop_map(|(a, op, b)| Condition::Compare(a, op, b)),
        4 => (text(), text()).prop_map(|(a, b)| Condition::Same(a, b)),
        2 => (text(), vec(any::<u8>(), 1..4)).prop_map(|(text, words)| Condition::OneOf(text, words)),
        1 => text().prop_map(Condition::Contains),
        2 => Just(Condition::SomeNumber),
        2 => Just(Condition::SomeWord),
        1 => text().prop_map(Condition::AnyWord),
        1 => Just(Condition::SomeLevel),
        1 => vec(option::of(literal()), 1..4).prop_map(Condition::Items),
        1 => any::<u8>().prop_map(Condition::Glob),
        1 => Just(Condition::Flag),
        1 => (comparison(), number()).prop_map(|(op, n)| Condition::Every(op, n)),
        1 => (comparison(), number(), literal()).prop_map(|(op, n, m)| Condition::Count(op, n, m)),
        4 => (any::<u8>(), either()).prop_map(|(rule, value)| Condition::Rule(rule, value)),
    ];
    prop_oneof![5 => leaf.clone(), 1 => leaf.prop_map(|inner| Condition::Not(Box::new(inner)))]
}

fn body() -> impl Strategy<Value = Vec<Condition>> {
    vec(condition(), 1..4)
}

/// Mostly the same value, so that answers are no conflicts.
fn chain() -> impl Strategy<Value = Chain> {
    (prop_oneof![9 => Just(1), 1 => literal()], body())
}

fn group() -> impl Strategy<Value = Group> {
    let elses = vec((literal(), body()), 0..3);
    let kind = prop_oneof![Just(Kind::Number), Just(Kind::Text)];
    prop_oneof![
        3 => (option::of(literal()), vec((chain(), elses), 1..5))
            .prop_map(|(default, rules)| Group::Complete { default, rules }),
        2 => (kind, vec((either(), body()), 1..4)).prop_map(|(of, rules)| Group::Set { of, rules }),
        1 => vec((text(), number(), body()), 1..3).prop_map(Group::Object),
        1 => vec((option::of(literal()), number(), body()), 1..3).prop_map(Group::Function),
    ]
}

/// A policy.
pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    vec(group(), 1..5).prop_map(|groups| Policy { groups })
}

/// An input, in which anything may be missing.
pub(crate) fn input() -> impl Strategy<Value = Value> {
    fn entry(
        key: &'static str,
        value: impl Strategy<Value = Value>,
    ) -> impl Strategy<Value = Option<(&'static str, Value)>> {
        option::weighted(0.8, value).prop_map(move |value| value.map(|value| (key, value)))
    }
    let number = || (-1_i32..4).prop_map(Value::from);
    let word = || proptest::sample::select(&WORDS[..]).prop_map(Value::from);
    let levels = vec((word(), number()), 0..4).prop_map(|entries| {
        Value::object(entries.into_iter().filter_map(|(key, level)| Some((key.as_str()?.to_owned(), level))))
    });
    let entries = (
        entry("n", number()),
        entry("m", number()),
        entry("name", word()),
        entry("role", word()),
        entry("flag", any::<bool>().prop_map(Value::from)),
        entry("numbers", vec(number(), 0..4).prop_map(Value::array)),
        entry("words", vec(word(), 0..4).prop_map(Value::array)),
        entry("levels", levels),
    );
    entries.prop_map(|(a, b, c, d, e, f, g, h)| Value::object([a, b, c, d, e, f, g, h].into_iter().flatten()))
}
