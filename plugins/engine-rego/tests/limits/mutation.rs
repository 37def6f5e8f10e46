//! Policies with faults that nobody would write on purpose: pieces of sound ones, swapped, dropped and doubled.

use std::sync::Arc;

use regent_core::engine::{Cancel, CompileOptions, Engine, RegoVersion, Source};
use regent_core::value::encode;
use regent_engine_rego::RegoEngine;

use crate::setup::{ask, cancel_soon, document, json, load, on_small_stack, text};

/// Sound policies that use the whole language between them.
const SEEDS: &[&str] = &[
    "package t\n\nimport data.base as b\n\ndefault p := false\n\np if {\n\tinput.user == \"a\"\n\tsome role in b.roles[input.user]\n\t\
     role == {\"admin\", \"root\"}[_]\n} else := 1 if not q[input.x]\n\nq contains x if some x in input.xs\n",
    "package t\n\np[k] := v if {\n\tsome k, v in input.o\n\tevery x in input.xs { x > v }\n}\n\nf(x, [y, 2]) := x + y\n\nf(x, {\"a\": y}) := \
     y if x == 1\n\nq := {f(x, y) | x := 1; y := [1, 2]}\n",
    "package t\n\np.a[x].b contains y if { x := input.xs[_]; y := x * 2 }\n\np.c.d := object.union({1: 2}, {\"a\": [y | y := \
     input.xs[i]; i > 0]})\n\nr := data.t.p.a[_].b with input as {\"xs\": [1]} with data.base.x as 2\n",
    "package t\n\nimport rego.v1\n\np := $\"a {input.x} {{b}} {count(input.xs)}\"\n\ng(x) if { x > 1 } else if { x < 0 }\n\nq := g(3) \
     with g as h\n\nh(_) := 7\n\nw := [path | walk(input, [path, _])]\n",
    "# METADATA\n# title: a\n# schemas:\n# - input: {type: object}\npackage t\n\np := {x: y | [x, y] := [input.xs[i], i]} | {}\n\ns if \
     startswith(input.user, `a`)\n\nq := sprintf(\"%d %v\", [1, {\"a\": -1.5e3}])\n\nm := rego.metadata.rule()\n",
    "package t\n\np = x { x = input.xs[_]; not x == 2; glob.match(\"a:*\", [\":\"], \"a:b\") }\n\nq[x] { x = data.base.roles[_][_] }\n\nf(x) \
     = y { y = x } else = 2 { true }\n",
];

const QUERIES: &[&str] = &[
    "data.t.p = x; y := x[_]; not data.t.q",
    "some x, y in data.t.q; x != y",
    "[x, y] = input.xs; data.base[z][w]",
    "count({x | data.t.p[x]}) > 1 with input.xs as [1]",
    "every k, v in data.t.p { k != v }",
    "data[a][b][c]",
    "x := data.t.f(1, [2, 2])",
];

/// A number generator that always gives the same numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).unwrap_or(1)).unwrap_or(0)
    }
}

/// The text in pieces: words, runs of white space, single marks.
fn pieces(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        ' ' | '\t' => 1,
        _ => 2,
    };
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if at > start && (last != Some(class(c)) || class(c) == 2) {
            pieces.push(&text[start..at]);
            start = at;
        }
        last = Some(class(c));
    }
    pieces.push(&text[start..]);
    pieces
}

/// A text with some pieces of it or of others swapped, dropped or doubled, and now and then a byte changed.
fn mutated(dice: &mut Dice, seeds: &[&str]) -> String {
    let mut parts: Vec<&str> = pieces(seeds[dice.below(seeds.len())]);
    for _ in 0..=dice.below(4) {
        let at = dice.below(parts.len());
        let other = pieces(seeds[dice.below(seeds.len())]);
        let from = dice.below(other.len());
        match dice.below(5) {
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, other[from]),
            2 => parts[at] = other[from],
            3 => {
                let to = (from + dice.below(12)).min(other.len());
                drop(parts.splice(at..at, other[from..to].iter().copied()));
            }
            _ => {
                let with = dice.below(parts.len());
                parts.swap(at, with);
            }
        }
        if parts.is_empty() {
            parts.push("p");
        }
    }
    let mut text = parts.concat();
    if dice.below(10) == 0 {
        let mut bytes = text.into_bytes();
        let at = dice.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = u8::try_from(dice.below(256)).unwrap_or(0);
        }
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    text
}

fn data() -> regent_core::Value {
    json(r#"{"base": {"roles": {"a": ["admin", "x"], "b": []}, "x": 1}}"#)
}

/// Each mutant is parsed in both dialects; what compiles is evaluated as a whole, with and without the index.
fn run(seed: u64, cases: usize) {
    let input = json(r#"{"user": "a", "x": 1, "xs": [1, 2, 3], "o": {"k": 1, "l": 2}}"#);
    let mut dice = Dice(seed);
    let engines: [Arc<dyn Engine>; 2] =
        [Arc::new(RegoEngine::default()), Arc::new(RegoEngine::default().unoptimised())];
    for _ in 0..cases {
        let module = mutated(&mut dice, SEEDS);
        for version in [RegoVersion::V0, RegoVersion::V1] {
            let source =
                Source { id: "m".into(), file: "m".into(), text: module.as_str().into(), version, broken: Vec::new() };
            if let Ok(parsed) = engines[0].parse(source) {
                let _ = engines[0].compile(&[parsed], &CompileOptions::default());
            }
        }
        let answers = engines.each_ref().map(|engine| {
            let snapshot = regent_conformance::snapshot(engine, data(), &[&module]).ok()?;
            let _ = ask(&snapshot, &text(&mutated(&mut Dice(seed), QUERIES)), Some(&input), &cancel_soon());
            Some(ask(
                &snapshot,
                &regent_core::engine::Query::Document(regent_core::value::Path::from_dots("t")),
                Some(&input),
                &cancel_soon(),
            ))
        });
        // The index may leave out rules that would fail with an error.
        if !answers[1].as_ref().is_some_and(|answer| answer.contains("error")) {
            assert_eq!(answers[0], answers[1], "{module}");
        }
    }
}

#[test]
fn mutants_end_in_an_answer_or_an_error() {
    for seed in [0x5eed_1234_9876_abcd, 0x1357_9bdf_0246_8ace] {
        on_small_stack(move || run(seed, 200));
    }
}

#[test]
fn mutated_queries_end_in_rows_or_an_error() {
    on_small_stack(|| {
        let snapshot =
            load("package t\n\np := [1, {\"a\": 2}]\n\nq contains 1\n\nf(x, _) := x", data()).expect("compiles");
        let input = json(r#"{"xs": [1, 2]}"#);
        let mut dice = Dice(0x00c0_ffee_0bad_f00d);
        for _ in 0..2_000 {
            let query = mutated(&mut dice, QUERIES);
            let answer = ask(&snapshot, &text(&query), Some(&input), &Cancel::default());
            assert!(!answer.is_empty(), "{query}");
        }
        assert_eq!(ask(&snapshot, &document("p"), None, &Cancel::default()), encode(&json("[1, {\"a\": 2}]")));
    });
}

#[test]
fn bytes_at_random_end_in_a_tree_or_an_error() {
    on_small_stack(|| {
        let engine = RegoEngine::default();
        let mut dice = Dice(0x0dd0_0dd0_0dd0_0dd0);
        for _ in 0..3_000 {
            let bytes: Vec<u8> = (0..dice.below(60)).map(|_| u8::try_from(dice.below(256)).unwrap_or(0)).collect();
            let body = String::from_utf8_lossy(&bytes);
            for (version, start) in [(RegoVersion::V0, ""), (RegoVersion::V1, "package t\n")] {
                let text = format!("{start}{body}").into();
                let _ = engine.parse(Source { id: "m".into(), file: "m".into(), text, version, broken: Vec::new() });
            }
        }
    });
}
