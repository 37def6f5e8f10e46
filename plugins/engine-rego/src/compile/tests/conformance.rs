use regent_builtins::Builtins;
use regent_conformance::{Case, Sleep, Want, topics};
use regent_core::metrics::Metrics;

use super::{Arc, Options, PolicyErrors, QueryContext, RegoVersion, SourceFile};
use super::{compile, compile_query, parse_body, parse_module};

#[test]
fn modules_and_queries_of_the_conformance_cases_compile() {
    let mut builtins = crate::compile::check::tests::builtins();
    builtins.add(Arc::new(Sleep::default()));
    let cases = topics().into_iter().flat_map(|topic| topic.cases);
    let failures: Vec<String> = cases.filter_map(|case| failure(&case, &builtins)).collect();
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with the way a case compiles.
fn failure(case: &Case, builtins: &Builtins) -> Option<String> {
    let note = &case.note;
    let (code, text) = match &case.want {
        Want::Error { code, text } => (code.as_deref(), text.as_deref()),
        _ => (None, None),
    };
    let is_wanted = matches!(case.want, Want::Error { .. });
    match compiled(case, builtins) {
        Ok(()) if !is_wanted || code.is_none_or(|code| code.starts_with("eval_")) => None,
        Ok(()) => Some(format!("{note}: should fail with {}", code.unwrap_or_default())),
        Err(errors) => {
            let fits = errors.0.iter().any(|error| {
                code.is_none_or(|code| error.code.as_str() == code)
                    && text.is_none_or(|text| error.to_string().contains(text))
            });
            (!is_wanted || !fits).then(|| format!("{note}: {errors}; wanted: {code:?} {text:?}"))
        }
    }
}

fn compiled(case: &Case, builtins: &Builtins) -> Result<(), PolicyErrors> {
    let mut modules = Vec::new();
    for (index, text) in case.modules.iter().enumerate() {
        let name: Arc<str> = format!("test-{index}.rego").into();
        let source = SourceFile { name: name.clone(), text: text.as_str().into() };
        modules.push((name, parse_module(Arc::new(source), RegoVersion::V1)?));
    }
    let compiled = compile(modules, builtins, Options::default())?;
    let query = SourceFile { name: "".into(), text: case.query.as_str().into() };
    let body = parse_body(Arc::new(query), RegoVersion::V1)?;
    compile_query(body, &QueryContext::default(), &compiled, builtins, &Options::default(), &mut Metrics::default())?;
    Ok(())
}
