//! Modules as values.

use std::sync::Arc;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::engine::RegoVersion;
use regent_core::value::{Json, Value};

use super::bounds;
use super::table::{Entry, function};
use crate::syntax::ast::SourceFile;
use crate::syntax::{JsonOptions, ModuleOptions, module_to_json, parse_module_with};

pub(super) const TABLE: &[Entry] = &[function(
    "rego.parse_module(
        filename: string, # the name that errors show
        rego: string # a module
    ) => output: object[string: any] # its syntax tree",
    "Gives the syntax tree of a module.",
    parse,
)];

fn parse(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    // OPA calls both the first operand.
    let text = |position| {
        let operand = operands.any(position);
        let wrong = || BuiltinError::operand(0, format_args!("must be string but got {}", operand.type_name()));
        operand.as_str().ok_or_else(wrong)
    };
    let source = SourceFile { name: text(0)?.into(), text: text(1)?.into() };
    let options = ModuleOptions { version: RegoVersion::V1, ..ModuleOptions::default() };
    let module =
        parse_module_with(Arc::new(source), &[], options).map_err(|errors| BuiltinError::failed(errors.to_string()))?;
    Ok(Some(value(module_to_json(&module, JsonOptions::default()))))
}

fn value(json: Json) -> Value {
    bounds::deeper(|| match json {
        Json::Value(value) => value,
        Json::Object(fields) => Value::object(fields.into_iter().map(|(name, json)| (name, value(json)))),
        Json::Map(fields) => Value::object(fields.into_iter().map(|(name, field)| (name, value(field)))),
        Json::Array(items) => Value::array(items.into_iter().map(value)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn modules_become_trees() {
        let expected = concat!(
            r#"{"package":{"path":[{"type":"var","value":"data"},{"type":"string","value":"a"}]},"#,
            r#""rules":[{"body":[{"index":0,"terms":{"type":"boolean","value":true}}],"#,
            r#""head":{"assign":true,"name":"p","ref":[{"type":"var","value":"p"}],"value":{"type":"number","value":1}}}]}"#,
        );
        check("rego.parse_module", r#"["a.rego", "package a\n\np := 1"]"#, expected);
    }

    #[test]
    fn errors_show_the_name() {
        let error = "1 error occurred: a.rego:1: rego_parse_error: package expected";
        check_error("rego.parse_module", r#"["a.rego", "p := 1"]"#, error);
        check_error("rego.parse_module", r#"["a.rego", 1]"#, "operand 1 must be string but got number");
    }
}
