//! OPA's conformance suite, as far as regorus gets.
//!
//! The cases are read from the folder that `REGENT_CONFORMANCE` names. What fails is listed on stderr.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use regent_core::Store;
use regent_core::engine::{Answer, CompileOptions, Evaluation, Query, QueryError, QueryText, RegoVersion, Source, ask};
use regent_core::store::StoreError;
use regent_core::value::{Path, Value, decode, encode};
use regent_engine_regorus::RegorusEngine;

/// How many cases passed when this was written, with regorus 0.14.1.
const FLOOR: usize = 1_001;

#[test]
fn passes_as_many_cases_as_ever() {
    let folder = std::env::var_os("REGENT_CONFORMANCE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance/rego")),
        PathBuf::from,
    );
    let Ok(topics) = std::fs::read_dir(&folder) else {
        eprintln!("conformance skipped: {} does not exist", folder.display());
        return;
    };
    let mut files: Vec<_> = topics.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    let mut table = BTreeMap::new();
    let mut panics = 0;
    for file in &files {
        let topic = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let cases = decode(&std::fs::read(file).expect("a readable file")).expect("valid JSON");
        let (passed, total) = table.entry(topic.clone()).or_insert((0, 0));
        for case in cases.as_array().expect("a list of cases") {
            *total += 1;
            let outcome = catch_unwind(AssertUnwindSafe(|| check(case)));
            panics += usize::from(outcome.is_err());
            match outcome.unwrap_or_else(|_| Err("panicked".to_owned())) {
                Ok(()) => *passed += 1,
                Err(why) => eprintln!("{topic}: {}: {why}", text(case, "note")),
            }
        }
    }
    for (topic, (passed, total)) in &table {
        eprintln!("{topic:<40} {passed:>4} of {total}");
    }
    let passed: usize = table.values().map(|(passed, _)| passed).sum();
    eprintln!("{:<40} {passed:>4} of {}", "all", table.values().map(|(_, total)| total).sum::<usize>());
    assert_eq!(panics, 0, "cases panicked");
    assert!(passed >= FLOOR, "{passed} cases passed, which used to be {FLOOR}");
}

fn check(case: &Value) -> Result<(), String> {
    let wanted = (case.get("want_error_code"), case.get("want_error"));
    match (evaluate(case), wanted) {
        (Ok(answer), (None, None)) => case.get("want_result").map_or(Ok(()), |want| compare(case, &answer, want)),
        (Err(error), (None, None)) => Err(error.replace('\n', " ")),
        (Ok(answer), _) => Err(format!("no error but {}", encode(&bindings(case, &answer)))),
        (Err(error), (code, part)) => {
            let holds = |part: Option<&Value>| part.and_then(Value::as_str).is_none_or(|part| error.contains(part));
            if holds(code) && holds(part) { Ok(()) } else { Err(format!("another error: {error}")) }
        }
    }
}

fn evaluate(case: &Value) -> Result<Answer, String> {
    let data = case.get("data").cloned().unwrap_or_else(Value::empty_object);
    let store = Store::new(Arc::new(RegorusEngine), CompileOptions::default(), data).map_err(|e| e.to_string())?;
    load(&store, case).map_err(|error| error.to_string())?;
    let input = match case.get("input_term") {
        Some(term) => Some(self::term(term.as_str().expect("a term is text"))?),
        None => case.get("input").cloned(),
    };
    let snapshot = store.snapshot();
    let query = Query::Text(query(text(case, "query")));
    let prepared = snapshot.prepare(&query).map_err(|error| show(&error))?;
    let mut evaluation = Evaluation::new(&snapshot, input.as_ref());
    evaluation.strict_builtin_errors = case.get("strict_error").and_then(Value::as_bool).unwrap_or_default();
    let answer = prepared.query.evaluate(&mut evaluation).map_err(|error| show(&error))?;
    agree(&text(case, "query"), &answer, &mut evaluation)?;
    Ok(answer)
}

/// A document query and the same as text give the same.
fn agree(query: &str, answer: &Answer, evaluation: &mut Evaluation<'_>) -> Result<(), String> {
    let Some(reference) = query.strip_suffix(" = x").and_then(|reference| reference.strip_prefix("data.")) else {
        return Ok(());
    };
    if !reference.split('.').all(|part| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        return Ok(());
    }
    let document = Query::Document(Path::from_dots(reference));
    let prepared = evaluation.snapshot.prepare(&document).map_err(|error| show(&error))?;
    let document = prepared.query.evaluate(evaluation).map_err(|error| show(&error))?;
    let bound = answer.rows.first().map(|row| &row.bindings[0].1);
    if document.document() == bound {
        Ok(())
    } else {
        Err(format!("document {:?} but text {:?}", document.document().map(encode), bound.map(encode)))
    }
}

fn load(store: &Store, case: &Value) -> Result<(), StoreError> {
    let modules = case.get("modules").and_then(Value::as_array).unwrap_or_default();
    let sources: Vec<_> = modules
        .iter()
        .enumerate()
        .map(|(index, module)| Source {
            id: format!("test-{index}.rego").into(),
            file: format!("test-{index}.rego").into(),
            text: module.as_str().expect("a module is text").into(),
            version: RegoVersion::V1,
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(store.write(move |transaction| {
        for source in sources {
            let module = transaction.parse(source)?;
            transaction.put_policy(module);
        }
        Ok(())
    }))
}

/// The value of a Rego term.
fn term(term: &str) -> Result<Value, String> {
    let engine = Arc::new(RegorusEngine);
    let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).map_err(|e| e.to_string())?;
    let query = Query::Text(query(format!("x := {term}")));
    let answer = ask(&store.snapshot(), &query, None).map_err(|error| show(&error))?;
    let row = answer.rows.into_iter().next().ok_or("the input is undefined")?;
    Ok(row.bindings[0].1.clone())
}

fn query(text: String) -> QueryText {
    QueryText { text, ..QueryText::default() }
}

fn show(error: &QueryError) -> String {
    error.to_string()
}

fn text(case: &Value, key: &str) -> String {
    case.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn compare(case: &Value, answer: &Answer, want: &Value) -> Result<(), String> {
    let sort = case.get("sort_bindings").and_then(Value::as_bool).unwrap_or_default();
    let normal = |rows: &Value| {
        let rows = decode(encode(rows).as_bytes()).expect("encoded just now");
        let mut rows = rows.as_array().map(<[Value]>::to_vec).unwrap_or_default();
        if sort {
            rows = rows.iter().map(sorted).collect();
        }
        rows.sort();
        rows
    };
    let got = bindings(case, answer);
    if normal(&got) == normal(want) { Ok(()) } else { Err(format!("got {} and not {}", encode(&got), encode(want))) }
}

fn bindings(case: &Value, answer: &Answer) -> Value {
    let ignore = case.get("ignore_generated_vars").and_then(Value::as_bool).unwrap_or_default();
    let generated = |name: &str| ignore && (name.starts_with("__local") || name.starts_with('$'));
    Value::array(answer.rows.iter().map(|row| {
        let shown = row.bindings.iter().filter(|(name, _)| !generated(name));
        Value::object(shown.map(|(name, value)| (name.clone(), value.clone())))
    }))
}

/// The value with every array in it sorted.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(sorted).collect();
            items.sort();
            items.into()
        }
        Value::Object(entries) => Value::object(entries.iter().map(|(key, value)| (key.clone(), sorted(value)))),
        other => other.clone(),
    }
}
