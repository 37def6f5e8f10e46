//! What a built-in function says of itself, from text and as JSON.

use std::sync::Arc;

use super::{Declaration, Parameter};
use crate::types::{ParseError, Parser, Signature, Type};
use crate::value::{Json, Value};

impl Declaration {
    /// Reads `array.slice(arr: array[any], start: number, stop: number) => slice: array[any]`.
    ///
    /// Names of parameters and of the result may be missing. A last parameter `rest...: any` or `any...` takes any number
    /// of operands. A function without `=> …` gives nothing. What follows a `#` up to the end of the line describes the
    /// parameter or result before it.
    ///
    /// # Errors
    /// When the text is no declaration: what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        let mut declaration = Self::new(parser.name("the function's name")?);
        parser.expect("(")?;
        while !parser.take(")") {
            let parameter = parameter(&mut parser)?;
            if parser.take("...") {
                let kind = if parser.take(":") { parser.any_type()? } else { parameter.kind };
                declaration.variadic = Some(kind);
                parser.take(",");
                describe(&mut parser);
                parser.expect(")")?;
                break;
            }
            declaration.parameters.push(parameter);
            let separated = parser.take(",");
            if let (Some(description), Some(last)) = (describe(&mut parser), declaration.parameters.last_mut()) {
                last.description = description;
            }
            if !separated && !parser.rest().starts_with(')') {
                return Err(parser.error("expected `,` or `)`"));
            }
        }
        if parser.take("=>") {
            let mut result = parameter(&mut parser)?;
            result.description = describe(&mut parser).unwrap_or_default();
            declaration.result = Some(result);
        }
        parser.end()?;
        Ok(declaration)
    }

    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            description: Arc::default(),
            parameters: Vec::new(),
            variadic: None,
            result: None,
            infix: None,
            categories: Vec::new(),
            nondeterministic: false,
            relation: false,
            deprecated: false,
        }
    }

    /// Reads the entry of a function in a list of capabilities. Names and descriptions of parameters are passed over, as
    /// OPA does. Nothing for what is no such entry.
    pub fn from_json(json: &Value) -> Option<Self> {
        let Some(Type::Function(signature)) = Type::from_json(json.get("decl")?) else { return None };
        let parameter = |kind| Parameter { name: Arc::default(), description: Arc::default(), kind };
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        let is_set = |key: &str| json.get(key).and_then(Value::as_bool) == Some(true);
        let categories = json.get("categories").and_then(Value::as_array).unwrap_or_default();
        Some(Self {
            description: text("description").unwrap_or_default().into(),
            parameters: signature.parameters.into_iter().map(parameter).collect(),
            variadic: signature.variadic,
            result: signature.result.map(parameter),
            infix: text("infix").map(Into::into),
            categories: categories.iter().filter_map(Value::as_str).map(Into::into).collect(),
            nondeterministic: is_set("nondeterministic"),
            relation: is_set("relation"),
            deprecated: is_set("deprecated"),
            ..Self::new(text("name")?)
        })
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.description = description.into();
        self
    }

    /// The groups that documentation lists it under.
    #[must_use]
    pub fn categories<'a>(mut self, categories: impl IntoIterator<Item = &'a str>) -> Self {
        self.categories = categories.into_iter().map(Arc::from).collect();
        self
    }

    /// The operator that stands for it.
    #[must_use]
    pub fn infix(mut self, operator: &str) -> Self {
        self.infix = Some(operator.into());
        self
    }

    /// The same operands may give different results.
    #[must_use]
    pub fn nondeterministic(mut self) -> Self {
        self.nondeterministic = true;
        self
    }

    /// The result is an array of results.
    #[must_use]
    pub fn relation(mut self) -> Self {
        self.relation = true;
        self
    }

    /// Strict mode refuses it.
    #[must_use]
    pub fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// Its type.
    pub fn signature(&self) -> Signature {
        Signature {
            parameters: self.parameters.iter().map(|parameter| parameter.kind.clone()).collect(),
            variadic: self.variadic.clone(),
            result: self.result.as_ref().map(|result| result.kind.clone()),
        }
    }
}

/// The entry of a function in the list that `opa capabilities` prints.
pub fn capability(declaration: &Declaration) -> Json {
    let mut fields = vec![("name", declaration.name.clone().into())];
    if !declaration.description.is_empty() {
        fields.push(("description", declaration.description.clone().into()));
    }
    if !declaration.categories.is_empty() {
        fields.push(("categories", Value::array(declaration.categories.iter().cloned()).into()));
    }
    fields.push(("decl", decl(declaration).into()));
    fields.extend(declaration.infix.iter().map(|infix| ("infix", infix.clone().into())));
    let flags = [
        ("relation", declaration.relation),
        ("deprecated", declaration.deprecated),
        ("nondeterministic", declaration.nondeterministic),
    ];
    fields.extend(flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| (name, true.into())));
    Json::Object(fields)
}

/// The type with the names and descriptions of parameters.
fn decl(declaration: &Declaration) -> Value {
    let mut entries = vec![("type", Value::from("function"))];
    if !declaration.parameters.is_empty() {
        entries.push(("args", Value::array(declaration.parameters.iter().map(named))));
    }
    entries.extend(declaration.result.iter().map(|result| ("result", named(result))));
    entries.extend(declaration.variadic.iter().map(|variadic| ("variadic", variadic.to_json())));
    Value::object(entries)
}

fn named(parameter: &Parameter) -> Value {
    let mut json = parameter.kind.to_json();
    for (key, text) in [("name", &parameter.name), ("description", &parameter.description)] {
        if !text.is_empty() {
            json = json.with(&[key], text.clone().into());
        }
    }
    json
}

/// `name: type` or `type`. Of `name...: type` only the name is taken, and the type is left open.
fn parameter(parser: &mut Parser<'_>) -> Result<Parameter, ParseError> {
    let name = parser.named();
    let open = name.is_some() && parser.rest().starts_with("...");
    let kind = if open { Type::ANY } else { parser.any_type()? };
    Ok(Parameter { name: name.unwrap_or_default().into(), description: Arc::default(), kind })
}

fn describe(parser: &mut Parser<'_>) -> Option<Arc<str>> {
    parser.take("#").then(|| parser.take_until(|c| c == '\n').into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Declaration {
        Declaration::parse(text).expect("a declaration")
    }

    fn json(declaration: &Declaration) -> String {
        String::from_utf8(capability(declaration).encode(false)).expect("UTF-8")
    }

    #[test]
    fn a_declaration_is_shown_as_in_capabilities() {
        let plus = parse("plus(x: number, y: number) => z: number # the sum").describe("Adds.").categories(["numbers"]);
        assert_eq!(
            json(&plus.infix("+")),
            concat!(
                r#"{"name":"plus","description":"Adds.","categories":["numbers"],"decl":{"args":[{"name":"x","#,
                r#""type":"number"},{"name":"y","type":"number"}],"result":{"description":"the sum","name":"z","#,
                r#""type":"number"},"type":"function"},"infix":"+"}"#,
                "\n"
            )
        );
        let walk = parse("walk(x: any) => output: array<array[any], any>").relation().deprecated();
        assert_eq!(
            json(&walk),
            concat!(
                r#"{"name":"walk","decl":{"args":[{"name":"x","type":"any"}],"result":{"name":"output","static":["#,
                r#"{"dynamic":{"type":"any"},"type":"array"},{"type":"any"}],"type":"array"},"type":"function"},"#,
                r#""relation":true,"deprecated":true}"#,
                "\n"
            )
        );
    }

    #[test]
    fn names_results_and_the_number_of_operands_may_be_missing() {
        assert_eq!(parse("f(any, number) => boolean").signature().to_string(), "(any, number) => boolean");
        assert_eq!(parse("print(rest...: any)").signature().to_string(), "(any...) => ???");
        assert_eq!(parse("print(string, any...)").signature().to_string(), "(string, any...) => ???");
        assert_eq!(parse("now() => number").signature().to_string(), "() => number");
    }

    #[test]
    fn parameters_are_described_at_the_end_of_their_line() {
        let text = "f(\n  a: string, # the first, of two\n  b: set[any] # the second\n) => c: any # (so) it is";
        let declared = parse(text);
        let described: Vec<_> = declared.parameters.iter().chain(&declared.result).map(|p| &*p.description).collect();
        assert_eq!(described, ["the first, of two", "the second", "(so) it is"]);
    }

    #[test]
    fn errors_name_the_place() {
        let message = |text| Declaration::parse(text).expect_err("no declaration").to_string();
        assert_eq!(message("f(a: strin)"), "unknown type `strin` at `strin)`, byte 5 of `f(a: strin)`");
        assert_eq!(message("f(a: any b)"), "expected `,` or `)` at `b)`, byte 9 of `f(a: any b)`");
        assert_eq!(message("(any)"), "expected the function's name at `(any)`, byte 0 of `(any)`");
        assert_eq!(message("f(...: any)"), "expected a type at `...: any)`, byte 2 of `f(...: any)`");
    }
}
