//! Two engines answer alike on policies that nobody thought of.

mod policy;
mod render;
mod strategy;
mod wild;

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use regent_core::engine::{Engine, Query};
use regent_core::value::{Path, Value, encode};
use regent_engine_rego::RegoEngine;
use regent_engine_regorus::RegorusEngine;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 256, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

/// The whole package as JSON; failing, whatever the words, is an answer too.
fn answer(engine: &Arc<dyn Engine>, module: &str, data: &Value, input: &Value) -> Result<String, String> {
    let snapshot = regent_conformance::snapshot(engine, data.clone(), &[module])?;
    let document = snapshot.ask(&Query::Document(Path::from_dots("made")), Some(input));
    let document = document.map(regent_core::engine::Answer::into_document);
    Ok(match document {
        Ok(document) => document.map_or_else(|| "undefined".to_owned(), |document| encode(&document)),
        Err(_) => "error".to_owned(),
    })
}

fn agree(one: &Arc<dyn Engine>, other: &Arc<dyn Engine>, policy: &policy::Policy, input: &Value) -> TestCaseResult {
    let (module, data) = (render::module(policy), strategy::data());
    let answers = [one, other].map(|engine| answer(engine, &module, &data, input));
    let [one, other] = answers;
    prop_assert!(one.is_ok() && one == other, "{:?}\nbut\n{:?}\nfor\n{}\nand {}", one, other, module, encode(input));
    Ok(())
}

/// What the engine leaves out or does earlier cannot be seen, but for failures of what is left out.
fn agree_unless_failing(module: &str, input: &Value) -> TestCaseResult {
    let data = strategy::data();
    let engines: [Arc<dyn Engine>; 2] =
        [Arc::new(RegoEngine::default()), Arc::new(RegoEngine::default().unoptimised())];
    let [planned, plain] = engines.map(|engine| answer(&engine, module, &data, input));
    prop_assert!(plain.is_ok(), "{:?} for\n{}", plain, module);
    if plain.as_deref() != Ok("error") {
        prop_assert!(planned == plain, "{:?}\nbut\n{:?}\nfor\n{}\nand {}", planned, plain, module, encode(input));
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    // Rules that are left out cannot fail, and the other engine leaves out none, so neither does this one here.
    #[test]
    fn both_engines_answer_alike(policy in strategy::policy(), input in strategy::input()) {
        let rego: Arc<dyn Engine> = Arc::new(RegoEngine::default().unoptimised());
        let regorus: Arc<dyn Engine> = Arc::new(RegorusEngine);
        agree(&rego, &regorus, &policy, &input)?;
    }

    #[test]
    fn a_plan_answers_what_the_text_says(policy in strategy::policy(), input in strategy::input()) {
        agree_unless_failing(&render::module(&policy), &input)?;
    }

    #[test]
    fn the_index_leaves_out_nothing_that_holds(wild in wild::policy(), input in strategy::input()) {
        agree_unless_failing(&wild::module(&wild), &input)?;
    }
}
