//! Types that schemas give.

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::engine::{Capabilities, PolicyErrors, Schemas};
use regent_core::value::decode;

use super::compiled;
use crate::compile::Options;

fn options(files: &[(&str, &str)]) -> Options {
    let schema = |text: &str| decode(text.as_bytes()).expect("JSON");
    let path = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(Arc::from).collect();
    let by_path: BTreeMap<_, _> = files.iter().map(|(name, text)| (path(name), schema(text))).collect();
    Options { schemas: Some(Arc::new(Schemas { by_path: Some(by_path) })), ..Options::default() }
}

fn errors(texts: &[&str], options: Options) -> Vec<String> {
    let result: Result<_, PolicyErrors> = compiled(texts, options);
    result.err().into_iter().flat_map(|errors| errors.0).map(|error| error.to_string()).collect()
}

const USER: &str = r#"{"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}"#;

#[test]
fn a_schema_of_the_input_holds_everywhere() {
    let text = "package a\np if input.nam == \"x\"\nq if input.age == \"x\"\nr if startswith(input.name, \"x\")";
    let expected = [
        "m0:2: rego_type_error: undefined ref: input.nam\n\tinput.nam\n\t      ^\n\t      have: \"nam\"\n\
         \t      want (one of): [\"age\" \"name\"]",
        "m0:3: rego_type_error: match error\n\tleft  : number\n\tright : string",
    ];
    assert_eq!(errors(&[text], options(&[("", USER)])), expected);
    assert_eq!(errors(&[text], Options::default()), [""; 0]);
    let wrong = errors(&[text], options(&[("", r#"{"type": "x"}"#)]));
    assert!(wrong[0].starts_with("rego_type_error: unable to compile the schema: has a primitive type"), "{wrong:?}");
}

#[test]
fn annotations_name_schemas_for_what_they_speak_of() {
    let wrong = |scope: &str, rules: &str| {
        let block = format!("# METADATA\n# scope: {scope}\n# schemas:\n# - input: schema.user\n");
        let module = match scope {
            "package" | "subpackages" => format!("{block}package a.b\n{rules}"),
            _ => format!("package a.b\n{block}{rules}"),
        };
        errors(&[&module, "package a.b.c\nx if input.c"], options(&[("user", USER)])).len()
    };
    let rules = "p if input.x\nq if input.x\np if input.y\n";
    assert_eq!(wrong("package", rules), 3);
    assert_eq!(wrong("subpackages", rules), 4);
    assert_eq!(wrong("document", rules), 2);
    assert_eq!(wrong("rule", rules), 1);
}

#[test]
fn annotations_say_something_of_parts() {
    let text = "package a\n# METADATA\n# schemas:\n# - input: schema.user\n# - input.extra: schema[\"acl/list\"]\n\
                # - data.acl: {type: object, properties: {ana: {type: array, items: {type: string}}}}\n\
                p if {\n\tinput.name\n\tinput.extra[0].x\n\tdata.acl.bob\n\tdata.other\n\tdata.a.q.x\n}\nq := 1";
    let files = [("user", USER), ("acl/list", r#"{"type": "array", "items": {"type": "number"}}"#)];
    // A name with a slash is one part of a path.
    assert_eq!(
        errors(&[text], options(&files)),
        ["m0:7: rego_type_error: undefined schema: schema[\"acl/list\"]"]
            .into_iter()
            .chain(details_of_parts(false))
            .collect::<Vec<_>>()
    );
    let text = text.replace("[\"acl/list\"]", ".acl.list");
    assert_eq!(errors(&[&text], options(&files)), details_of_parts(true));
}

fn details_of_parts(with_list: bool) -> Vec<&'static str> {
    let list =
        "m0:9: rego_type_error: undefined ref: input.extra[0].x\n\tinput.extra[0].x\n\t^^^^^^^^^^^^^^\n\thave: number";
    let unknown = "m0:9: rego_type_error: undefined ref: input.extra[0].x\n\tinput.extra[0].x\n\t      ^\n\
                   \t      have: \"extra\"\n\t      want (one of): [\"age\" \"name\"]";
    let acl = "m0:10: rego_type_error: undefined ref: data.acl.bob\n\tdata.acl.bob\n\t         ^\n\
               \t         have: \"bob\"\n\t         want (one of): [\"ana\"]";
    let rule = "m0:12: rego_type_error: undefined ref: data.a.q.x\n\tdata.a.q.x\n\t^^^^^^^^\n\thave: number";
    vec![if with_list { list } else { unknown }, acl, rule]
}

#[test]
fn annotations_count_only_with_schemas() {
    let named = "package a\n# METADATA\n# schemas:\n# - input: schema.nowhere\np if input.x";
    let inline = "package a\n# METADATA\n# schemas:\n# - input: {type: string}\np if input.x";
    let of_annotations = || Options { schemas: Some(Arc::new(Schemas::of_annotations())), ..Options::default() };
    assert_eq!(errors(&[named, inline], Options::default()), [""; 0]);
    assert_eq!(errors(&[named], of_annotations()), [""; 0]);
    assert_eq!(errors(&[named], options(&[])), ["m0:5: rego_type_error: undefined schema: schema.nowhere"]);
    let expected = "m0:5: rego_type_error: undefined ref: input.x\n\tinput.x\n\t^^^^^\n\thave: string";
    assert_eq!(errors(&[inline], of_annotations()), [expected]);
}

#[test]
fn heads_are_as_capabilities_allow() {
    let heads = |features: &str| {
        let text = format!(r#"{{"features": [{features}], "builtins": []}}"#);
        let capabilities = Capabilities::parse(text.as_bytes()).expect("capabilities");
        let options = Options { capabilities: Some(Arc::new(capabilities)), ..Options::default() };
        errors(&["package a\np := 1\nq contains 1\na.b.c := 1\nd[x].e := 1 if x := 2"], options)
    };
    let named = "rego_compile_error: rule heads with refs are not supported";
    assert_eq!(heads(""), [format!("m0:4: {named}: a.b.c"), format!("m0:5: {named}: d[x].e")]);
    let general = "rego_type_error: rule heads with general refs (containing variables) are not supported";
    assert_eq!(heads("\"rule_head_ref_string_prefixes\""), [format!("m0:5: {general}: d[x].e")]);
    assert_eq!(heads("\"rego_v1\""), [""; 0]);
}
