//! JSON schemas, and documents that fit them.

mod complaint;

use std::error::Error;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ReferencingError, Retrieve, Uri, ValidationError, Validator};
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View, encode};
use serde_json::Value as Json;

use super::cache::{self, Cache};
use super::table::{Entry, function};
use crate::remote::{Documents, Network, RemoteError};

pub(super) const TABLE: &[Entry] = &[
    function(
        "json.verify_schema(schema: any<string, object[any: any]>) => output: array<boolean, any<null, string>>",
        "Tells whether a document is a JSON schema, and if not, why.",
        verify,
    )
    .categories(&["object"]),
    function(
        "json.match_schema(
            document: any<string, object[any: any]>,
            schema: any<string, object[any: any]>
        ) => output: array<boolean, array[object<desc: string, error: string, field: string, type: string>]>",
        "Tells whether a document fits a JSON schema, and all that does not fit.",
        fits,
    )
    .categories(&["object"]),
];

fn verify(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let verdict = match schema(operands.any(0), call) {
        Ok(_) => [Value::from(true), Value::NULL],
        Err(RemoteError::Cancelled) => return Err(BuiltinError::Cancelled),
        Err(RemoteError::Failed(problem)) => [Value::from(false), Value::from(format!("jsonschema: {problem}"))],
    };
    Ok(Some(Value::array(verdict)))
}

fn fits(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let document = document(operands.any(0)).map_err(BuiltinError::Failed)?;
    let given = operands.any(1);
    // What may be fetched is part of what a schema says.
    let key = format!("{:?} {}", call.allow_net, encode(given));
    let schema = call.shared.get::<Cache<Validator>>().get(cache::most(call), &key, || schema(given, call));
    let schema = schema.map_err(|error| match error {
        RemoteError::Cancelled => BuiltinError::Cancelled,
        RemoteError::Failed(problem) => BuiltinError::Failed(problem),
    })?;
    let mut complaints = Vec::new();
    for error in schema.iter_errors(&document) {
        if call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        complaints.extend(complaint::of(&error));
    }
    Ok(Some(Value::array([Value::from(complaints.is_empty()), Value::array(complaints)])))
}

/// The JSON that a value is, or that it is the text of.
fn document(value: &Value) -> Result<Json, String> {
    match value.view() {
        View::String(text) => serde_json::from_str(text).map_err(|_| "invalid JSON string".to_owned()),
        View::Object(_) | View::Array(_) => serde_json::from_str(&encode(value)).map_err(|error| error.to_string()),
        _ => Err("wrong type, expected string or object".to_owned()),
    }
}

/// Reads a schema with those that it refers to on other hosts.
fn schema(given: &Value, call: &Call<'_>) -> Result<Validator, RemoteError> {
    let schema = document(given).map_err(RemoteError::Failed)?;
    require_types(&schema).map_err(RemoteError::Failed)?;
    let network = Network { fetcher: call.fetcher.cloned(), allow_net: call.allow_net.map(Arc::from) };
    let elsewhere = Elsewhere(Documents::new(network, call.cancel.clone(), call.linger));
    let built = jsonschema::options().with_draft(Draft::Draft7).with_retriever(elsewhere).build(&schema);
    built.map_err(|error| remote_error(&error).unwrap_or_else(|| RemoteError::Failed(error.to_string())))
}

/// Gets what a schema refers to on other hosts.
struct Elsewhere(Documents);

impl Retrieve for Elsewhere {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn Error + Send + Sync>> {
        let schema = serde_json::from_str(&encode(&self.0.get(uri.as_str())?))?;
        require_types(&schema).map_err(RemoteError::Failed)?;
        Ok(schema)
    }
}

/// What was wrong with a schema elsewhere, if that is what an error is about.
fn remote_error(error: &ValidationError<'_>) -> Option<RemoteError> {
    match error.kind() {
        ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, source }) => {
            let is_relative = url::Url::parse(uri) == Err(url::ParseError::RelativeUrlWithoutBase);
            let relative = || RemoteError::Failed(format!("Reference {uri} must be canonical"));
            source.downcast_ref().cloned().or_else(|| is_relative.then(relative))
        }
        _ => None,
    }
}

/// Refuses types that there are not, in the words of OPA's reader of schemas.
fn require_types(schema: &Json) -> Result<(), String> {
    const TYPES: [&str; 7] = ["array", "boolean", "integer", "number", "null", "object", "string"];
    let Some(entries) = schema.as_object() else { return Ok(()) };
    let named = match entries.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => {
            names.iter().filter_map(|name| if let Json::String(name) = name { Some(name) } else { None }).collect()
        }
        _ => Vec::new(),
    };
    if let Some(name) = named.iter().find(|name| !TYPES.contains(&name.as_str())) {
        let known = TYPES.join(" ");
        return Err(format!(
            "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{known}]"
        ));
    }
    let maps =
        ["properties", "patternProperties", "definitions"].into_iter().filter_map(|key| entries.get(key)?.as_object());
    let lists = ["allOf", "anyOf", "oneOf", "items"].into_iter().filter_map(|key| entries.get(key)?.as_array());
    let single = ["items", "additionalProperties", "additionalItems", "not", "contains", "if", "then", "else"];
    maps.flat_map(|map| map.values())
        .chain(lists.flatten())
        .chain(single.into_iter().filter_map(|key| entries.get(key)))
        .try_for_each(require_types)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn schemas_are_verified() {
        check("json.verify_schema", r#"["{\"type\": \"boolean\"}"]"#, "[true,null]");
        check("json.verify_schema", r#"["{"]"#, r#"[false,"jsonschema: invalid JSON string"]"#);
        check("json.verify_schema", "[1]", r#"[false,"jsonschema: wrong type, expected string or object"]"#);
        let problem = "has a primitive type that is NOT VALID -- given: /x/ \
                       Expected valid values are:[array boolean integer number null object string]";
        let expected = format!(r#"[false,"jsonschema: {problem}"]"#);
        check("json.verify_schema", r#"[{"properties": {"a": {"type": "x"}}}]"#, &expected);
        check_error("json.match_schema", r#"[{}, {"type": "x"}]"#, problem);
    }

    #[test]
    fn references_lead_nowhere_but_into_the_schema() {
        let within =
            r##"{"definitions": {"id": {"type": "integer"}}, "properties": {"id": {"$ref": "#/definitions/id"}}}"##;
        check("json.match_schema", &format!(r#"[{{"id": 1}}, {within}]"#), "[true,[]]");
        for elsewhere in ["http://127.0.0.1:1/schema.json", "file:///etc/hostname", "other.json"] {
            let schema = format!(r#"{{"properties": {{"id": {{"$ref": "{elsewhere}"}}}}}}"#);
            let verdict = super::super::testing::Query::new(regent_core::Value::default())
                .call("json.verify_schema", &format!("[{schema}]"))
                .expect("a verdict")
                .expect("is defined");
            assert_eq!(verdict.as_array().and_then(|verdict| verdict[0].as_bool()), Some(false), "{elsewhere}");
        }
    }

    #[test]
    fn documents_fit_or_say_why_not() {
        let schema = r#"{"properties": {"id": {"type": "integer"}}, "required": ["id"]}"#;
        check("json.match_schema", &format!(r#"["{{\"id\": 5}}", {schema}]"#), "[true,[]]");
        let expected = r#"[false,[{"desc":"Invalid type. Expected: integer, given: string","error":"id: Invalid type. Expected: integer, given: string","field":"id","type":"invalid_type"}]]"#;
        check("json.match_schema", &format!(r#"[{{"id": "x"}}, {schema}]"#), expected);
        let expected = r#"[false,[{"desc":"id is required","error":"(root): id is required","field":"(root)","type":"required"}]]"#;
        check("json.match_schema", &format!("[{{}}, {schema}]"), expected);
        check_error("json.match_schema", "[1, {}]", "wrong type, expected string or object");
    }
}
