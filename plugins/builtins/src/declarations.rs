//! Holds what our functions say of themselves against what OPA's say.

use regent_core::builtin::{Declaration, Parameter};

use super::{Builtins, ELSEWHERE};

/// What a line of the list declares.
fn declared(line: &str) -> Declaration {
    let mut parts = line.split("; ");
    let signature = parts.next().unwrap_or_default();
    let mut declaration = Declaration::parse(signature).unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut categories = Vec::new();
    for part in parts {
        match part.split_once(' ') {
            Some(("infix", operator)) => declaration = declaration.infix(operator),
            Some(("in", category)) => categories.push(category),
            _ if part == "relation" => declaration = declaration.relation(),
            _ if part == "deprecated" => declaration = declaration.deprecated(),
            _ if part == "nondeterministic" => declaration = declaration.nondeterministic(),
            _ => panic!("{line}: unknown mark `{part}`"),
        }
    }
    declaration.categories(categories)
}

/// The declaration without its descriptions, which are our own.
fn bare(declaration: &Declaration) -> Declaration {
    let bare = |parameter: &Parameter| Parameter { description: "".into(), ..parameter.clone() };
    // Of further operands only the type is declared.
    Declaration {
        description: "".into(),
        parameters: declaration.parameters.iter().map(bare).collect(),
        result: declaration.result.as_ref().map(bare),
        ..declaration.clone()
    }
}

#[test]
fn functions_are_declared_as_in_opa() {
    let lines = include_str!("declarations.txt").lines().filter(|line| !line.starts_with('#'));
    let expected: Vec<Declaration> = lines.map(declared).collect();
    let ours = Builtins::stock();
    let mut wrong = Vec::new();
    for expected in &expected {
        match ours.get(&expected.name).map(|function| bare(function.declaration())) {
            Some(found) if found == *expected => {}
            Some(found) => wrong.push(format!("{}: {found:?} instead of {expected:?}", expected.name)),
            None if ELSEWHERE.contains(&&*expected.name) => {}
            None => wrong.push(format!("{} is missing", expected.name)),
        }
    }
    for function in ours.iter() {
        let name = &function.declaration().name;
        if !expected.iter().any(|expected| expected.name == *name) {
            wrong.push(format!("{name} is unknown to OPA"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
