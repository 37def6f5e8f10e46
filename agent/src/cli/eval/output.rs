//! The answer on standard output, in each format.

use std::str::FromStr;

use regent_core::Value;
use regent_core::engine::{Answer, Expression, PolicyError, PolicyErrors, Row};
use regent_core::metrics::Metrics;
use regent_core::value::{Json, encode, encode_pretty};

use super::table;

/// How an answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    /// Everything as one JSON object.
    Json,
    /// The values of the expressions, an array for each row.
    Values,
    /// The bindings, an object for each row.
    Bindings,
    /// One value, or a table.
    Pretty,
    /// The values without quotes, a line for each row.
    Raw,
    /// Only that there is an answer.
    Discard,
    /// What partial evaluation leaves, as Rego.
    Source,
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            "json" => Self::Json,
            "values" => Self::Values,
            "bindings" => Self::Bindings,
            "pretty" => Self::Pretty,
            "raw" => Self::Raw,
            "discard" => Self::Discard,
            "source" => Self::Source,
            other => return Err(format!("must be one of json, values, bindings, pretty, raw, discard, got {other:?}")),
        })
    }
}

/// Why there is no answer.
pub(crate) enum Failure {
    /// Errors in policies or the query.
    Policy(PolicyErrors),
    /// Others, one text each.
    Texts(Vec<String>),
}

impl Failure {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Texts(vec![text.into()])
    }

    /// What standard error shows.
    fn message(&self) -> String {
        match self {
            Self::Policy(errors) => errors.to_string(),
            Self::Texts(texts) if texts.len() == 1 => format!("1 error occurred: {}", texts[0]),
            Self::Texts(texts) => format!("{} errors occurred:\n{}", texts.len(), texts.join("\n")),
        }
    }

    fn to_json(&self) -> Json {
        Json::Array(match self {
            Self::Policy(errors) => errors.0.iter().map(error_json).collect(),
            Self::Texts(texts) => texts.iter().map(|text| Json::Object(vec![("message", Json::from(text))])).collect(),
        })
    }
}

fn error_json(error: &PolicyError) -> Json {
    Json::Object(ordered(error.to_fields()))
}

/// OPA's command line shows the message first.
fn ordered(fields: Vec<(&'static str, Value)>) -> Vec<(&'static str, Json)> {
    let rank = |name: &str| ["message", "code", "location", "details"].iter().position(|known| *known == name);
    let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, Json::from(value))).collect();
    fields.sort_by_key(|(name, _)| rank(name));
    fields
}

/// What is to be shown.
pub(crate) struct Output {
    pub(crate) result: Result<Answer, Failure>,
    /// Errors of built-in functions that are shown beside the answer.
    pub(crate) errors: Vec<PolicyError>,
    pub(crate) metrics: Option<Metrics>,
}

impl Output {
    /// Prints the answer to standard output; errors go to standard error, but in JSON.
    pub(crate) fn print(&self, format: OutputFormat, limit: usize) {
        if !self.errors.is_empty() && !matches!(format, OutputFormat::Json | OutputFormat::Discard) {
            eprintln!("{}", PolicyErrors(self.errors.clone()));
        }
        match (&self.result, format) {
            (_, OutputFormat::Json) => print!("{}", text(&self.to_json(false))),
            (_, OutputFormat::Discard) => print!("{}", text(&self.to_json(true))),
            (Err(failure), _) => eprintln!("{}", failure.message()),
            (Ok(answer), OutputFormat::Values) => each(answer, |row| println!("{}", encode_pretty(&values(row)))),
            (Ok(answer), OutputFormat::Bindings) => each(answer, |row| println!("{}", encode_pretty(&bindings(row)))),
            (Ok(answer), OutputFormat::Raw) => each(answer, |row| println!("{}", raw(row))),
            (Ok(answer), OutputFormat::Pretty) => self.print_pretty(answer, limit),
            // Only partial evaluation leaves a source; the command refuses the format before it evaluates.
            (Ok(_), OutputFormat::Source) => {}
        }
    }

    fn print_pretty(&self, answer: &Answer, limit: usize) {
        match single(answer) {
            _ if answer.rows.is_empty() => println!("undefined"),
            Some(value) => println!("{}", encode_pretty(value)),
            None => print!("{}", table::of_answer(answer, limit)),
        }
        if let Some(metrics) = &self.metrics {
            print!("{}", table::of_metrics(&metrics.to_value()));
        }
    }

    fn to_json(&self, discard: bool) -> Json {
        let mut fields = Vec::new();
        fields.extend(self.metrics.as_ref().map(|metrics| ("metrics", Json::from(metrics.to_value()))));
        if !self.errors.is_empty() {
            fields.push(("errors", Json::Array(self.errors.iter().map(error_json).collect())));
        }
        match &self.result {
            Err(failure) => fields.push(("errors", failure.to_json())),
            Ok(answer) if answer.rows.is_empty() => {}
            Ok(_) if discard => fields.push(("result", Json::from("discarded"))),
            Ok(answer) => fields.push(("result", Json::Array(answer.rows.iter().map(row_json).collect()))),
        }
        Json::Object(fields)
    }
}

fn each(answer: &Answer, print: impl Fn(&Row)) {
    answer.rows.iter().for_each(print);
}

fn values(row: &Row) -> Value {
    Value::array(row.expressions.iter().map(|expression| expression.value.clone()))
}

fn bindings(row: &Row) -> Value {
    Value::object(row.bindings.iter().map(|(name, value)| (name.clone(), value.clone())))
}

fn raw(row: &Row) -> String {
    let text = |expression: &Expression| match expression.value.as_str() {
        Some(text) => text.to_owned(),
        None => encode(&expression.value),
    };
    row.expressions.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The one value that says all: of the only row without bindings, if it has one expression or only booleans.
fn single(answer: &Answer) -> Option<&Value> {
    let [row] = &answer.rows[..] else { return None };
    let first = row.expressions.first()?;
    let plain = row.expressions.len() == 1 || row.expressions.iter().all(|e| e.value.as_bool().is_some());
    (row.bindings.is_empty() && plain).then_some(&first.value)
}

/// Indented, with a newline at its end.
fn text(json: &Json) -> String {
    String::from_utf8_lossy(&json.encode(true)).into_owned()
}

fn row_json(row: &Row) -> Json {
    let mut fields = vec![("expressions", Json::Array(row.expressions.iter().map(expression_json).collect()))];
    if !row.bindings.is_empty() {
        fields.push(("bindings", Json::from(bindings(row))));
    }
    Json::Object(fields)
}

fn expression_json(expression: &Expression) -> Json {
    let number = |n: usize| Json::from(u64::try_from(n).unwrap_or(u64::MAX));
    let location = vec![("row", number(expression.location.row)), ("col", number(expression.location.col))];
    Json::Object(vec![
        ("value", Json::from(expression.value.clone())),
        ("text", Json::from(expression.text.clone())),
        ("location", Json::Object(location)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use regent_core::engine::{ErrorCode, Location, PolicyError};

    fn answer() -> Answer {
        let value = Value::object([("b", 1_i64), ("a", 2)]);
        let location = Location { row: 1, col: 1, ..Location::default() };
        let expression = Expression { value, text: "x := y".into(), location };
        Answer { rows: vec![Row { bindings: vec![("x".into(), true.into())], expressions: vec![expression] }] }
    }

    #[test]
    fn json_keeps_opas_order_of_fields() {
        let output = Output { result: Ok(answer()), errors: Vec::new(), metrics: None };
        let expected = r#"{
  "result": [
    {
      "expressions": [
        {
          "value": {
            "a": 2,
            "b": 1
          },
          "text": "x := y",
          "location": {
            "row": 1,
            "col": 1
          }
        }
      ],
      "bindings": {
        "x": true
      }
    }
  ]
}"#;
        assert_eq!(text(&output.to_json(false)).trim_end(), expected);
    }

    #[test]
    fn an_undefined_answer_is_an_empty_object() {
        let output = Output { result: Ok(Answer::default()), errors: Vec::new(), metrics: None };
        assert_eq!(text(&output.to_json(false)), "{}\n");
    }

    #[test]
    fn errors_show_the_message_first() {
        let error = PolicyError::new(ErrorCode::UnsafeVar, "var x is unsafe", Location::default());
        let output = Output { result: Err(Failure::Policy(error.into())), errors: Vec::new(), metrics: None };
        let shown = text(&output.to_json(false));
        let at = |name| shown.find(name);
        assert!(at("message") < at("code") && at("code") < at("location"), "{shown}");
    }
}
