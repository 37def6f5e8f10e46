//! How long the policies of a large bundle take to become active, on one thread and on all cores, at first and when one
//! module has changed: `cargo run --release --example activation -p regent-engine-rego -- [MODULES] [RULES]`, 2000 modules
//! of 10 rules unless it says otherwise.

#![expect(clippy::print_stdout, reason = "a program answers there")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use regent_core::engine::{CompileOptions, Engine, Module, Program, RegoVersion, Source, parse_all};
use regent_core::parallel::with_threads;
use regent_engine_rego::RegoEngine;

/// How often each is done; the shortest time counts.
const ROUNDS: usize = 5;

/// What is active.
type Active = (BTreeMap<Arc<str>, Arc<dyn Module>>, Arc<dyn Program>);

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().expect("a number"));
    let (modules, rules) = (arguments.next().unwrap_or(2000), arguments.next().unwrap_or(10));
    let engine = RegoEngine::default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{modules} modules of {rules} rules, {cores} cores");
    for (name, threads) in [("one thread", 1), ("all cores", cores)] {
        let mut active = None;
        for again in [false, true] {
            let mut shortest = [f64::MAX; 2];
            for round in 1..=ROUNDS {
                let former = active.take().filter(|_| again);
                let (times, now) =
                    with_threads(threads, || activate(&engine, sources(modules, rules, round), former.as_ref()));
                shortest = std::array::from_fn(|stage| shortest[stage].min(times[stage]));
                active = Some(now);
            }
            let what = if again { "one module changed" } else { "cold" };
            println!("{name}, {what}: parse {:.0} ms, compile {:.0} ms", shortest[0], shortest[1]);
        }
    }
}

/// Parses and compiles, and tells the milliseconds that each took.
fn activate(engine: &RegoEngine, sources: Vec<Source>, former: Option<&Active>) -> ([f64; 2], Active) {
    let options = CompileOptions::default();
    let start = Instant::now();
    let known = former.map(|(modules, _)| modules.clone()).unwrap_or_default();
    let modules = parse_all(engine, sources, &known).expect("they parse");
    let parsed = start.elapsed();
    let start = Instant::now();
    let program = match former {
        Some((_, former)) => engine.recompile(&modules, &options, &**former),
        None => engine.compile(&modules, &options),
    };
    let compiled = start.elapsed();
    let modules = modules.into_iter().map(|module| (module.source().id.clone(), module)).collect();
    ([parsed, compiled].map(|time| time.as_secs_f64() * 1e3), (modules, program.expect("they compile")))
}

/// A bundle, of which the first module is another one in each round.
fn sources(modules: usize, rules: usize, round: usize) -> Vec<Source> {
    (0..modules).map(|index| source(index, rules, if index == 0 { round } else { 0 })).collect()
}

/// A module that looks like those of people: a helper function, sets, comprehensions, references to its neighbour.
fn source(index: usize, rules: usize, revision: usize) -> Source {
    let mut text = format!("package bench.team{}.service{index}\n\nimport data.bench.shared\n\n", index % 50);
    text.push_str("default allow := false\n\n");
    for rule in 0..rules.saturating_sub(2) {
        let role = format!("role{}", rule % 7);
        let definition = match rule % 4 {
            0 => format!(
                "allow if {{\n\tinput.method == \"GET\"\n\tsome id in data.ids.service{index}\n\tinput.path == [\"api\", \"v{rule}\", id]\n\tinput.user.role == \"{role}\"\n}}\n\n"
            ),
            1 => format!(
                "deny contains msg if {{\n\tsome item in input.items\n\titem.amount > {rule}00\n\tnot trusted(item.owner)\n\tmsg := sprintf(\"%s is too much: %d\", [item.name, item.amount])\n}}\n\n"
            ),
            2 => format!(
                "totals{rule} := {{owner: total |\n\tsome owner in input.owners\n\ttotal := sum([item.amount | some item in input.items; item.owner == owner])\n\ttotal > {revision}\n}}\n\n"
            ),
            _ => format!(
                "limit{rule} := min([limit | some limit in data.limits]) if {{\n\tevery item in input.items {{ item.amount < {rule}000 }}\n\tcount(deny) == 0\n}} else := 0\n\n"
            ),
        };
        text.push_str(&definition);
    }
    text.push_str("trusted(owner) if {\n\tlower(owner) in {\"ann\", \"bob\"}\n}\n\n");
    let id = format!("bench/service{index}.rego");
    Source { id: id.as_str().into(), file: id.into(), text: text.into(), version: RegoVersion::V1, broken: Vec::new() }
}
