//! The functions as policies see them.

use regent_core::builtin::BuiltinError;
use regent_core::value::{Value, encode};

use super::super::cases::check;
use super::super::testing::Query;

const SCHEMA: &str = "type Query { hero(id: ID = 1): Hero } type Hero { name: String! }";

/// Calls a function with texts.
fn call(name: &str, texts: &[&str]) -> Result<Option<Value>, BuiltinError> {
    let operands = Value::array(texts.iter().copied());
    Query::new(Value::default()).call(name, &encode(&operands))
}

#[track_caller]
fn check_tree(name: &str, text: &str, expected: &str) {
    let shown = call(name, &[text]).map(|tree| tree.map(|tree| encode(&tree)));
    assert_eq!(shown, Ok(Some(expected.to_owned())), "{text}");
}

#[track_caller]
fn check_error(name: &str, texts: &[&str], expected: &str) {
    assert_eq!(call(name, texts), Err(BuiltinError::failed(expected)), "{texts:?}");
}

#[test]
fn queries_become_trees() {
    check_tree("graphql.parse_query", "", "{}");
    let value = r#"{"ExpectedTypeHasDefault":false,"Kind":1,"Raw":"1"}"#;
    check_tree(
        "graphql.parse_query",
        "{ a: b(c: 1) ... @d { e } ...F }",
        &format!(
            r#"{{"Operations":[{{"Name":"","Operation":"query","SelectionSet":[{{"Alias":"a","Arguments":[{{"Name":"c","Value":{value}}}],"Name":"b"}},{{"Directives":[{{"Location":"","Name":"d"}}],"SelectionSet":[{{"Alias":"e","Name":"e"}}],"TypeCondition":""}},{{"Name":"F"}}]}}]}}"#
        ),
    );
    check_tree(
        "graphql.parse_query",
        "# one\n# two\nquery Q($a: [Int!]) { b }",
        r##"{"Operations":[{"Comment":{"List":[{"Value":"# one"},{"Value":"# two"}]},"Name":"Q","Operation":"query","SelectionSet":[{"Alias":"b","Name":"b"}],"VariableDefinitions":[{"Type":{"Elem":{"NamedType":"Int","NonNull":true},"NamedType":"","NonNull":false},"Used":false,"Variable":"a"}]}]}"##,
    );
}

#[test]
fn schemas_become_trees() {
    check_tree(
        "graphql.parse_schema",
        "\"d\" enum E { # c\n A } # end",
        r##"{"Comment":{"List":[{"Value":"# end"}]},"Definitions":[{"BuiltIn":false,"Description":"d","EnumValues":[{"AfterDescriptionComment":{"List":[{"Value":"# c"}]},"Description":"","Name":"A"}],"Kind":"ENUM","Name":"E"}]}"##,
    );
    check_tree(
        "graphql.parse_schema",
        "# x\nextend input I { a: Int = 2 } directive @d repeatable on FIELD | QUERY union U = | A | B",
        r##"{"Definitions":[{"BuiltIn":false,"Description":"","Kind":"UNION","Name":"U","Types":["A","B"]}],"Directives":[{"Description":"","IsRepeatable":true,"Locations":["FIELD","QUERY"],"Name":"d"}],"Extensions":[{"AfterDescriptionComment":{"List":[{"Value":"# x"}]},"BuiltIn":false,"Description":"","Fields":[{"DefaultValue":{"ExpectedTypeHasDefault":false,"Kind":1,"Raw":"2"},"Description":"","Name":"a","Type":{"NamedType":"Int","NonNull":false}}],"Kind":"INPUT_OBJECT","Name":"I"}]}"##,
    );
}

#[test]
fn errors_name_the_place() {
    check_error("graphql.parse_query", &["{ a("], "Expected Name, found <EOF> in GraphQL string at location 1:5");
    let error = "Unexpected String \"x\" in GraphQL string at location 2:2";
    check_error("graphql.parse_schema", &["\n\"x\" extend type A { b: Int }"], error);
    let error = "Unexpected single quote character ('), did you mean to use a double quote (\")? \
                 in GraphQL string at location 1:10";
    check_error("graphql.parse_schema", &["schema { ' }"], error);
    let error =
        "Cannot query field \"nam\" on type \"Hero\". Did you mean \"name\"?\n in GraphQL string at location 1:10";
    check_error("graphql.parse", &["{ hero { nam } }", SCHEMA], error);
    let error = "Error in gqlparser SchemaDocument to Schema conversion: input:1:14: Undefined type B.";
    check_error("graphql.parse", &["{ a }", "type A { b : B }"], error);
}

#[test]
fn trees_stand_for_texts() {
    let mut query = Query::new(Value::default());
    let mut tree = |name: &str, text: &str| {
        let operands = encode(&Value::array([text]));
        encode(&query.call(name, &operands).expect("works").expect("is defined"))
    };
    let (parsed, schema) = (tree("graphql.parse_query", "{ hero { name } }"), tree("graphql.parse_schema", SCHEMA));
    let both = format!("[{parsed}, {schema}]");
    check(&[
        ("graphql.is_valid", &both, "true"),
        ("graphql.parse", &both, &both),
        ("graphql.parse_and_verify", &both, &format!("[true, {parsed}, {schema}]")),
        ("graphql.schema_is_valid", &format!("[{schema}]"), "true"),
        ("graphql.parse", &format!(r#"[{{"Operations": null}}, {schema}]"#), &format!("[{{}}, {schema}]")),
        (
            "graphql.parse",
            &format!(r#"[{{"Operations": [{{"SelectionSet": [{{"Name": "x"}}]}}]}}, {schema}]"#),
            "error: GraphQL parse error: input: Cannot query field \"x\" on type \"Query\".\n",
        ),
        (
            "graphql.parse",
            r#"[{}, {"Definitions": [{"Kind": "ENUM", "Name": "E"}]}]"#,
            "error: Error in gqlparser SchemaDocument to Schema conversion: input:-1:-1: ENUM E: must define one or more unique enum values.",
        ),
        ("graphql.is_valid", &format!(r#"[{{"Operations": 1}}, {schema}]"#), "false"),
        ("graphql.parse", "[1, {}]", "type error: operand 0 must be one of {string, object} but got number"),
        ("graphql.parse", "[{}, 1]", "type error: operand 1 must be one of {string, object} but got number"),
    ]);
    let nested = format!("{}1{}", r#"{"a": "#.repeat(800), "}".repeat(800));
    check(&[
        ("graphql.schema_is_valid", &format!("[{nested}]"), "false"),
        ("graphql.parse", &format!("[{nested}, {{}}]"), "error: json: exceeded max depth"),
    ]);
}

#[test]
fn what_is_wrong_is_not_valid() {
    check(&[
        ("graphql.is_valid", r#"["{ a }", "type Query { a: Int }"]"#, "true"),
        ("graphql.is_valid", r#"["{ b }", "type Query { a: Int }"]"#, "false"),
        ("graphql.is_valid", r#"["{", "type Query { a: Int }"]"#, "false"),
        ("graphql.is_valid", r#"["{ a }", "type"]"#, "false"),
        ("graphql.is_valid", "[1, 2]", "false"),
        ("graphql.parse_and_verify", r#"["{ b }", "type Query { a: Int }"]"#, "[false, {}, {}]"),
        ("graphql.schema_is_valid", r#"["type A { b: Int b: Int }"]"#, "false"),
        ("graphql.schema_is_valid", r#"["extend type __Type { x: Int }"]"#, "true"),
        ("graphql.schema_is_valid", "[1]", "false"),
    ]);
}

#[test]
fn nobody_waits_for_what_was_cancelled() {
    let found = Query::cancelled().call("graphql.is_valid", r#"["{ a }", "type Query { a: Int }"]"#);
    assert_eq!(found, Err(BuiltinError::Cancelled));
}

#[test]
fn deep_trees_are_refused_before_the_stack_ends() {
    let text = format!("{}{{ b }}{}", "{ a ".repeat(190), "}".repeat(190));
    let tree = call("graphql.parse_query", &[&text]).expect("works").expect("is defined");
    let schema = "type Query { a: Query b: Int }";
    let error = "error: GraphQL parse error: input: document is nested too deeply";
    let deeper = format!("{}{{}}{}", r#"{"Name": "a", "SelectionSet": ["#.repeat(290), "]}".repeat(290));
    check(&[
        ("graphql.is_valid", &format!(r#"[{}, "{schema}"]"#, encode(&tree)), "true"),
        ("graphql.parse", &format!(r#"[{{"Operations": [{deeper}]}}, "{schema}"]"#), error),
    ]);
}
