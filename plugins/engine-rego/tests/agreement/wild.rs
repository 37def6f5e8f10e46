//! Policies that are about what an index may get wrong, as numbers that pick pieces of text.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;

/// The rules, each with the name that its number gives it. Names are of one kind each.
pub(crate) type Wild = Vec<Rule>;

/// A rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    name: u8,
    value: u8,
    parameter: u8,
    bodies: Vec<Vec<Pick>>,
}

/// What is picked for one condition: its form and what fills it.
type Pick = (u8, u8, u8, u8);

const KINDS: usize = 6;

const REFERENCES: [&str; 12] = [
    "input.n",
    "input.m",
    "input.name",
    "input.role",
    "data.base.one",
    "data.base.word",
    "data.base.none",
    "input.levels.a",
    "input.numbers[0]",
    "input.words[1]",
    "input.none",
    "input.flag",
];

const CONSTANTS: [&str; 10] = ["1", "0", "2", "\"a\"", "\"b\"", "\"a:b\"", "true", "false", "[1, 2]", "null"];

const GLOBS: [&str; 6] = ["a:*", "*:b", "b", "{a,b}", "*", "**"];

const PARAMETERS: [&str; 8] = ["1", "x", "\"a\"", "_", "[1, x]", "[x, 1]", "{\"a\": x}", "true"];

pub(crate) fn policy() -> impl Strategy<Value = Wild> {
    let pick = || any::<Pick>();
    let bodies = vec(vec(pick(), 1..4), 1..4);
    let rule = (0_u8..6, prop_oneof![3 => Just(0), 1 => any::<u8>()], any::<u8>(), bodies);
    vec(rule.prop_map(|(name, value, parameter, bodies)| Rule { name, value, parameter, bodies }), 1..12)
}

/// The module of a policy.
pub(crate) fn module(policy: &Wild) -> String {
    let mut text = String::from(
        "package made\n\nfixed(_) := 1\n\nr5(x) := x if x == input.none\n\ndefault r0 := \"none\"\n\nr1 := input.none if input.n == 9\n\nr2 contains input.none\n\nr3[input.none] := input.none\n",
    );
    for rule in policy {
        let name = usize::from(rule.name) % KINDS;
        let value = constant(rule.value);
        let bodies: Vec<_> = rule.bodies.iter().map(|body| block(name, body)).collect();
        let first = &bodies[0];
        let text = &mut text;
        let written = match name {
            0 => chain(text, &format!("r0 := {value}"), &bodies),
            1 => chain(text, &format!("r1 := {value}"), &bodies),
            2 => write!(text, "\nr2 contains {value} if {first}"),
            3 => write!(text, "\nr3[{}] := {value} if {first}", constant(rule.parameter)),
            4 => write!(text, "\nr4.a[{}].b contains {value} if {first}", constant(rule.parameter)),
            _ => chain(text, &format!("r5({}) := {value}", pick(&PARAMETERS, rule.parameter)), &bodies),
        };
        written.expect("a string takes everything");
        text.push('\n');
    }
    text
}

fn chain(text: &mut String, head: &str, bodies: &[String]) -> std::fmt::Result {
    write!(text, "\n{head} if {}", bodies[0])?;
    bodies[1..].iter().enumerate().try_for_each(|(at, body)| write!(text, " else := {at} if {body}"))
}

fn block(name: usize, body: &[Pick]) -> String {
    let conditions: Vec<_> = body.iter().enumerate().map(|(at, pick)| condition(name, at, *pick)).collect();
    format!("{{\n\t{}\n}}", conditions.join("\n\t"))
}

/// A condition of a rule that may ask for rules of names before its own. What it binds is numbered.
fn condition(name: usize, at: usize, (form, a, b, c): Pick) -> String {
    let (one, other) = (pick(&REFERENCES, a), pick(&REFERENCES, c));
    let (constant, second) = (constant(b), constant(c));
    let rule = earlier(name, a, one);
    let glob = pick(&GLOBS, b);
    match form % 31 {
        0 => format!("{constant} == {one}"),
        1 => format!("{one} = {constant}"),
        2 => format!("v{at} := {one}\n\tv{at} == {constant}"),
        3 => format!("{one} in {{{constant}, {second}}}"),
        4 => format!("{one} in [{constant}, {second}]"),
        5 => format!(r#"glob.match("{glob}", [":"], {one})"#),
        6 => format!(r#"glob.match("{glob}", [], {one})"#),
        7 => format!("not {one} == {constant}"),
        8 => format!("not {rule}"),
        9 => format!("not count({one}) == 1"),
        10 => format!("[{constant}, v{at}] = [{one}, {other}]"),
        11 => format!("input.numbers = [{constant}, _]"),
        12 => format!("not {constant} in input.words"),
        13 => format!("startswith({one}, \"a\")"),
        14 => format!("{one} != {constant}"),
        15 => format!("{one} == {constant} with input as {{\"n\": 1, \"name\": \"a\"}}"),
        16 => format!("{rule} with input.n as {constant}"),
        17 => format!("{rule} with data.base.one as {constant}"),
        18 => format!("{rule} with count as 1"),
        19 => format!("count([y | y := input.numbers[_]; y == {constant}]) > 0"),
        20 => format!("every y in input.numbers {{ y == {constant} }}"),
        21 => format!("input.words[_] == {constant}"),
        22 => format!("{constant} in input.words"),
        23 => format!("some v{at} in input.numbers\n\tv{at} == {constant}"),
        24 => format!("input[v{at}] == {constant}"),
        25 => one.to_owned(),
        26 => format!("object.get(input, \"n\", 0) == {constant}"),
        27 => format!("{{\"a\": v{at}}} = input.levels\n\tv{at} == {constant}"),
        28 => format!("{one} == {other}"),
        29 => rule,
        _ => format!("{one} == {constant}"),
    }
}

/// Something about a rule of a name before, or the reference itself where there is none.
fn earlier(name: usize, a: u8, reference: &str) -> String {
    // Functions are called from everywhere else and ask for nothing.
    let names: &[&str] = match name {
        5 => &[],
        0 => &["r5"],
        1 => &["r5", "r0"],
        2 => &["r5", "r0", "r1"],
        3 => &["r5", "r0", "r1", "r2"],
        _ => &["r5", "r0", "r1", "r2", "r3"],
    };
    if names.is_empty() {
        return reference.to_owned();
    }
    match pick(names, a) {
        "r5" if a.is_multiple_of(3) => format!("r5({reference}) == 1 with r5 as fixed"),
        "r5" if a % 3 == 1 => format!("r5([{reference}, 1]) == 1"),
        "r5" => format!("r5({reference}) == 1"),
        "r2" => format!("data.made.r2[{reference}]"),
        "r3" => format!("data.made.r3[{reference}] == 1"),
        other => format!("{other} == {reference}"),
    }
}

fn constant(at: u8) -> &'static str {
    pick(&CONSTANTS, at)
}

fn pick<'w>(words: &[&'w str], at: u8) -> &'w str {
    words[usize::from(at) % words.len()]
}
