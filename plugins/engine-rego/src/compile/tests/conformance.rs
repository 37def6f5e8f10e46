use super::{Arc, Builtins, Options, PathBuf, PolicyErrors, QueryContext, RegoVersion, SourceFile, Value};
use super::{compile, compile_query, decode, parse_body, parse_module};

#[test]
fn modules_and_queries_of_the_conformance_cases_compile() {
    let folder = std::env::var_os("REGENT_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/rego"),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no conformance cases at {}", folder.display());
        return;
    };
    let builtins = Builtins::stock();
    let mut failures = Vec::new();
    for file in files.flatten().map(|file| file.path()).filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let cases = decode(&std::fs::read(&file).expect("readable")).expect("JSON");
        failures.extend(cases.as_array().into_iter().flatten().filter_map(|case| failure(case, &builtins)));
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with the way a case compiles.
fn failure(case: &Value, builtins: &Builtins) -> Option<String> {
    let text = |field: &str| case.get(field).and_then(Value::as_str).unwrap_or_default();
    let errors = match (compiled(case, builtins), text("want_error_code")) {
        (
            Ok(()),
            ""
            | "eval_conflict_error"
            | "eval_type_error"
            | "eval_builtin_error"
            | "eval_with_merge_error"
            | "eval_internal_error",
        ) => return None,
        (Ok(()), code) => return Some(format!("{}: should fail with {code}", text("note"))),
        (Err(errors), _) => errors,
    };
    let (code, wanted) = (text("want_error_code"), text("want_error"));
    // Not what is looked at here, and told by what the engine passes of the cases.
    if errors.0.iter().all(|error| is_of_missing_builtin(&error.message)) {
        return None;
    }
    let is_wanted = !(code.is_empty() && wanted.is_empty())
        && errors
            .0
            .iter()
            .any(|error| (code.is_empty() || error.code.as_str() == code) && error.to_string().contains(wanted));
    (!is_wanted).then(|| format!("{}: {errors}; wanted: {code} {wanted}", text("note")))
}

fn compiled(case: &Value, builtins: &Builtins) -> Result<(), PolicyErrors> {
    let mut modules = Vec::new();
    for (index, text) in case.get("modules").and_then(Value::as_array).unwrap_or_default().iter().enumerate() {
        let name: Arc<str> = format!("test-{index}.rego").into();
        let source = SourceFile { name: name.clone(), text: text.as_str().unwrap_or_default().into() };
        modules.push((name, parse_module(Arc::new(source), RegoVersion::V1)?));
    }
    let compiled = compile(modules, builtins, Options::default())?;
    let query = case.get("query").and_then(Value::as_str).unwrap_or_default();
    let query = SourceFile { name: "".into(), text: query.into() };
    let body = parse_body(Arc::new(query), RegoVersion::V1)?;
    compile_query(body, &QueryContext::default(), &compiled, builtins, &Options::default())?;
    Ok(())
}

/// Whether a message is about a built-in function that this crate does not have.
fn is_of_missing_builtin(message: &str) -> bool {
    let is_called = message.strip_prefix("undefined function ").is_some_and(|name| !name.starts_with("data."));
    is_called || message.starts_with("with keyword target must reference existing")
}
