use std::sync::Arc;

use regent_core::value::decode;

use super::load;
use regent_builtins::remote::Network;

fn loaded(schema: &str) -> Result<String, String> {
    load(&decode(schema.as_bytes()).expect("JSON"), &Network::default()).map(|ty| ty.to_string())
}

fn check(schema: &str, ty: &str) {
    assert_eq!(loaded(schema).as_deref(), Ok(ty), "{schema}");
}

fn check_error(schema: &str, problem: &str) {
    assert_eq!(loaded(schema), Err(problem.to_owned()), "{schema}");
}

#[test]
fn plain_schemas_become_types() {
    check("{}", "any");
    check("true", "any");
    check(r#"{"type": "integer", "minimum": 3}"#, "number");
    check(r#"{"type": ["string", "null"]}"#, "string");
    check(r#"{"type": "null"}"#, "any");
    check(r#"{"enum": ["a", "b"]}"#, "any");
    check(r#"{"type": "object"}"#, "object[any: any]");
    check(r#"{"type": "object", "additionalProperties": {"type": "string"}}"#, "object[any: any]");
    check(r#"{"properties": {"b": {"type": "boolean"}, "a": {}}}"#, "object<a: any, b: boolean>");
    check(r#"{"type": "array"}"#, "array[any]");
    check(r#"{"items": {"type": "string"}}"#, "array[string]");
    check(r#"{"items": [{"type": "string"}, {"type": "number"}]}"#, "array<string, number>");
}

#[test]
fn schemas_put_together_become_types() {
    check(r#"{"anyOf": [{"type": "string"}, {"type": "number"}]}"#, "any<number, string>");
    check(r#"{"oneOf": [{"type": "string"}, {"type": "number"}]}"#, "any");
    check(
        r#"{"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"properties": {"b": {}}}]}"#,
        "any<object<a: string>, object<b: any>>",
    );
    check(
        r#"{"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "number"}}}]}"#,
        "object<a: string, b: number>",
    );
    check(
        r#"{"type": "object", "properties": {"c": {}}, "allOf": [{"properties": {"a": {"type": "string"}}}]}"#,
        "object<a: string, c: any>",
    );
    check_error(
        r#"{"allOf": [{"type": "string"}, {"type": ["integer", "null"]}]}"#,
        "type checking: unable to merge these schemas: type mismatch: string and [integer,null]",
    );
    check_error(r#"{"type": "string", "allOf": [{"type": "number"}]}"#, "type checking: unable to merge these schemas");
}

#[test]
fn references_are_followed() {
    let schema = |reference: &str| {
        format!(
            r##"{{"$ref": "{reference}", "definitions": {{"a/b": {{"type": "string"}}, "n": {{"$id": "#n", "type": "number"}}}}}}"##
        )
    };
    check(&schema("#/definitions/a~1b"), "string");
    check(&schema("#/definitions/a%7E1b"), "string");
    check(&schema("#n"), "number");
    check_error(&schema("#/definitions/c"), "unable to compile the schema: Object has no key 'c'");
    check(
        r##"{"properties": {"name": {"type": "string"}, "child": {"$ref": "#"}}}"##,
        "object<child: object<child: object<child: object<child: any, name: string>, name: string>, name: string>, name: string>",
    );
    check(r##"{"$ref": "#"}"##, "any");
    check(
        r#"{"$id": "http://example.com/a.json", "properties": {"x": {"$ref": "a.json#/properties/y"}, "y": {"type": "null"}}}"#,
        "object<x: any, y: any>",
    );
}

#[test]
fn names_are_names_once_and_only_in_schemas() {
    check(r#"{"properties": {"a": {"enum": [{"$id": "x"}, {"$id": "x"}]}}}"#, "object<a: any>");
    check_error(
        r#"{"definitions": {"a": {"$id": "x"}, "b": {"$id": "x"}}}"#,
        "unable to compile the schema: Reference already exists: \"x\"",
    );
}

#[test]
fn schemas_that_refer_to_each_other_often_are_no_trouble() {
    let properties: Vec<String> = (0..30)
        .map(|place| {
            let next = format!(r##"{{"$ref": "#/definitions/d{}"}}"##, (place + 1) % 30);
            format!(r#""d{place}": {{"properties": {{"a": {next}, "b": {next}, "self": {{"$ref": "\u0023"}}}}}}"#)
        })
        .collect();
    let schema = format!(r##"{{"$ref": "#/definitions/d0", "definitions": {{{}}}}}"##, properties.join(","));
    assert!(loaded(&schema).is_ok());
}

#[test]
fn schemas_elsewhere_are_out_of_reach_without_somebody_to_fetch_them() {
    let schema = decode(br#"{"$ref": "https://user@example.com:8443/a.json#/x"}"#).expect("JSON");
    let message = |hosts: Option<&[&str]>| {
        let allow_net = hosts.map(|hosts| hosts.iter().copied().map(Arc::from).collect());
        load(&schema, &Network { fetcher: None, allow_net }).map(|ty| ty.to_string()).expect_err("not fetched")
    };
    let url = "https://user@example.com:8443/a.json";
    let disabled = format!("unable to compile the schema: remote reference loading disabled: {url}");
    let unsupported = format!("unable to compile the schema: remote reference loading is not supported: {url}");
    assert_eq!(message(Some(&[])), disabled);
    assert_eq!(message(Some(&["example.org"])), disabled);
    assert_eq!(message(Some(&["example.com"])), unsupported);
    assert_eq!(message(None), unsupported);
}

#[test]
fn wrong_schemas_are_refused() {
    let problem = |text: &str| format!("unable to compile the schema: {text}");
    check_error("1", &problem("Expected: schema, given: Invalid JSON"));
    check_error(
        r#"{"properties": {"a": {"type": "text"}}}"#,
        &problem(
            "has a primitive type that is NOT VALID -- given: /text/ \
             Expected valid values are:[array boolean integer number null object string]",
        ),
    );
    check_error(r#"{"type": 1}"#, &problem("Invalid type. Expected: type, given: string/array of strings"));
    check_error(r#"{"properties": 1}"#, &problem("properties must be of type object"));
    check_error(r#"{"anyOf": {}}"#, &problem("anyOf must be of an array"));
    check_error(
        r#"{"definitions": {"a": 1}}"#,
        &problem("Invalid type. Expected: array of schemas, given: definitions"),
    );
}
