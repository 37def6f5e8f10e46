use super::{errors, strict_errors};

#[test]
fn root_documents_are_not_shadowed() {
    let expected = ["m0:2: rego_compile_error: variables must not shadow input (use a different variable name)"];
    assert_eq!(errors(&["package a\np if { input := 1; input == 1 }"]), expected);
    let expected = ["m0:2: rego_compile_error: rules must not shadow data (use a different rule name)"];
    assert_eq!(errors(&["package a\ndata := 1"]), expected);
}

#[test]
fn imports_have_names_of_their_own() {
    let expected = ["m0:3: rego_compile_error: import must not shadow import data.base"];
    assert_eq!(errors(&["package a\nimport data.base\nimport data.other.base\np := base.value"]), expected);
    let expected = ["m0:3: rego_compile_error: import must not shadow import data.x as y"];
    assert_eq!(strict_errors("package a\nimport data.x as y\nimport input.y\np := y"), expected);
}
