//! What does not fit a schema, in OPA's words.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use regent_core::value::Value;
use serde_json::Value as Json;

/// The complaints that an error stands for: `{desc, error, field, type}` each.
pub(super) fn of(error: &ValidationError<'_>) -> Vec<Value> {
    let path = error.instance_path().to_string();
    let field = path.strip_prefix('/').map_or("(root)".to_owned(), |path| path.replace('/', "."));
    let complaint = |(kind, text): (&str, String)| {
        let whole = format!("{field}: {text}");
        Value::object([
            ("desc", Value::from(text)),
            ("error", Value::from(whole)),
            ("field", Value::from(field.as_str())),
            ("type", Value::from(kind)),
        ])
    };
    if let Kind::AdditionalProperties { unexpected } = error.kind() {
        let text = |name: &String| format!("Additional property {name} is not allowed");
        return unexpected.iter().map(|name| complaint(("additional_property_not_allowed", text(name)))).collect();
    }
    vec![complaint(describe(error, &field))]
}

/// The kind of complaint and its text.
fn describe(error: &ValidationError<'_>, field: &str) -> (&'static str, String) {
    match error.kind() {
        Kind::Required { property } => ("required", format!("{} is required", plain(property))),
        Kind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(","),
            };
            ("invalid_type", format!("Invalid type. Expected: {expected}, given: {}", type_of(error.instance())))
        }
        Kind::AnyOf { .. } => ("number_any_of", "Must validate at least one schema (anyOf)".to_owned()),
        Kind::OneOfMultipleValid { .. } | Kind::OneOfNotValid { .. } => {
            ("number_one_of", "Must validate one and only one schema (oneOf)".to_owned())
        }
        Kind::Not { .. } => ("number_not", "Must not validate the schema (not)".to_owned()),
        Kind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().map(ToString::to_string);
            let options = options.collect::<Vec<_>>().join(", ");
            ("enum", format!("{field} must be one of the following: {options}"))
        }
        Kind::Constant { expected_value } => ("const", format!("{field} does not match: {expected_value}")),
        Kind::AdditionalItems { .. } => {
            ("array_no_additional_items", "No additional items allowed on array".to_owned())
        }
        Kind::MinItems { limit } => ("array_min_items", format!("Array must have at least {limit} items")),
        Kind::MaxItems { limit } => ("array_max_items", format!("Array must have at most {limit} items")),
        Kind::Contains => ("contains", "At least one of the items must match".to_owned()),
        Kind::MinProperties { limit } => ("array_min_properties", format!("Must have at least {limit} properties")),
        Kind::MaxProperties { limit } => ("array_max_properties", format!("Must have at most {limit} properties")),
        Kind::MinLength { limit } => ("string_gte", format!("String length must be greater than or equal to {limit}")),
        Kind::MaxLength { limit } => ("string_lte", format!("String length must be less than or equal to {limit}")),
        Kind::Pattern { pattern } => ("pattern", format!("Does not match pattern '{pattern}'")),
        Kind::Format { format } => ("format", format!("Does not match format '{format}'")),
        Kind::MultipleOf { multiple_of } => ("multiple_of", format!("Must be a multiple of {multiple_of}")),
        Kind::Minimum { limit } => ("number_gte", format!("Must be greater than or equal to {limit}")),
        Kind::ExclusiveMinimum { limit } => ("number_gt", format!("Must be greater than {limit}")),
        Kind::Maximum { limit } => ("number_lte", format!("Must be less than or equal to {limit}")),
        Kind::ExclusiveMaximum { limit } => ("number_lt", format!("Must be less than {limit}")),
        Kind::FalseSchema => ("false", "False always fails validation".to_owned()),
        _ => ("unknown", error.to_string()),
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
