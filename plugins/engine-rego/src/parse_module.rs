//! The function `rego.parse_module`, which is here because it needs the parser.

use std::sync::Arc;

use regent_builtins::bounds;
use regent_core::builtin::{Builtin, BuiltinError, Call, Declaration, Operands, Outcome};
use regent_core::engine::RegoVersion;
use regent_core::value::{Json, Value};

use crate::syntax::ast::SourceFile;
use crate::syntax::{JsonOptions, ModuleOptions, module_to_json, parse_module_with};

const SIGNATURE: &str = "rego.parse_module(
    filename: string, # the name that errors show
    rego: string # a module
) => output: object[string: any] # its syntax tree";

/// Gives the syntax tree of a module.
pub(crate) struct ParseModule(Declaration);

impl ParseModule {
    pub(crate) fn new() -> Self {
        let declaration = Declaration::parse(SIGNATURE).expect("a test reads it");
        Self(declaration.describe("Gives the syntax tree of a module."))
    }
}

impl Builtin for ParseModule {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        let (name, text) = texts(operands)?;
        tree(name, text).map(Some)
    }
}

fn texts(operands: Operands<'_>) -> Result<(&str, &str), BuiltinError> {
    // OPA calls both the first operand.
    let text = |position| {
        let operand = operands.any(position);
        let wrong = || BuiltinError::operand(0, format_args!("must be string but got {}", operand.type_name()));
        operand.as_str().ok_or_else(wrong)
    };
    Ok((text(0)?, text(1)?))
}

fn tree(name: &str, text: &str) -> Result<Value, BuiltinError> {
    let source = SourceFile { name: name.into(), text: text.into() };
    let options = ModuleOptions { version: RegoVersion::V1, ..ModuleOptions::default() };
    let module =
        parse_module_with(Arc::new(source), &[], options).map_err(|errors| BuiltinError::failed(errors.to_string()))?;
    Ok(value(module_to_json(&module, JsonOptions::default())))
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
    use regent_core::value::encode;

    use super::*;

    #[test]
    fn it_is_declared_as_in_opa() {
        let ours = ParseModule::new();
        let opa = "rego.parse_module(filename: string, rego: string) => output: object[string: any]";
        let types = |declaration: &Declaration| {
            let of_one = |parameter: &regent_core::builtin::Parameter| (parameter.name.clone(), parameter.kind.clone());
            let parameters: Vec<_> = declaration.parameters.iter().map(of_one).collect();
            (declaration.name.clone(), parameters, declaration.result.as_ref().map(of_one))
        };
        assert_eq!(types(ours.declaration()), types(&Declaration::parse(opa).expect("a declaration")));
    }

    #[test]
    fn modules_become_trees() {
        let expected = concat!(
            r#"{"package":{"path":[{"type":"var","value":"data"},{"type":"string","value":"a"}]},"#,
            r#""rules":[{"body":[{"index":0,"terms":{"type":"boolean","value":true}}],"#,
            r#""head":{"assign":true,"name":"p","ref":[{"type":"var","value":"p"}],"value":{"type":"number","value":1}}}]}"#,
        );
        let tree = tree("a.rego", "package a\n\np := 1").map(|tree| encode(&tree));
        assert_eq!(tree, Ok(expected.to_owned()));
    }

    #[test]
    fn errors_show_the_name() {
        let error = tree("a.rego", "p := 1").expect_err("no package").to_string();
        assert_eq!(error, "1 error occurred: a.rego:1: rego_parse_error: package expected");
        let error = texts(Operands::new(&["a.rego".into(), 1.into()])).expect_err("no text").to_string();
        assert_eq!(error, "operand 1 must be string but got number");
    }
}
