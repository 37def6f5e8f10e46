//! The table: its name, and the statements about it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

/// The type of the column for events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EventType {
    /// Letter for letter as the agent wrote it.
    Json,
    /// For quick questions.
    #[default]
    Jsonb,
}

impl EventType {
    /// The type's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonb => "jsonb",
        }
    }
}

/// The name of a table, `NAME` or `SCHEMA.NAME`. Shows itself as SQL has it, in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    schema: Option<String>,
    name: String,
}

impl FromStr for TableName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('.').collect();
        if parts.iter().any(|part| part.is_empty() || part.contains('\0')) {
            return Err("must be NAME or SCHEMA.NAME, without quotes");
        }
        match parts[..] {
            [name] => Ok(Self { schema: None, name: name.to_owned() }),
            [schema, name] => Ok(Self { schema: Some(schema.to_owned()), name: name.to_owned() }),
            _ => Err("must be NAME or SCHEMA.NAME, without quotes"),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        f.write_str(&quoted(&self.name))
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// How an event is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the JSON value that it is.
    Value,
    /// As a JSON string with its text: what holds everything.
    Text,
}

/// Statements about one table.
pub(crate) struct Statements {
    /// The table's name in quotes.
    pub(crate) name: String,
    pub(crate) create: String,
    insert_values: String,
    insert_texts: String,
}

impl Statements {
    pub(crate) fn new(table: &TableName, event_type: EventType) -> Self {
        let kind = event_type.name();
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {table} (decision_id uuid PRIMARY KEY, \"timestamp\" timestamptz NOT NULL, \
             path text NOT NULL, event {kind} NOT NULL)"
        );
        let insert = |event: &str| {
            format!(
                "INSERT INTO {table} (decision_id, \"timestamp\", path, event) SELECT id, moment, path, {event} \
                 FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) AS batch (id, moment, path, body) \
                 ON CONFLICT DO NOTHING"
            )
        };
        let (insert_values, insert_texts) = (insert(&format!("body::{kind}")), insert(&format!("to_{kind}(body)")));
        Self { name: table.to_string(), create, insert_values, insert_texts }
    }

    pub(crate) fn insert(&self, form: Form) -> &str {
        match form {
            Form::Value => &self.insert_values,
            Form::Text => &self.insert_texts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_they_are() {
        let shown = |text: &str| text.parse::<TableName>().map(|name| name.to_string());
        assert_eq!(shown("Decisions"), Ok("\"Decisions\"".to_owned()));
        assert_eq!(shown("audit.decisions"), Ok("\"audit\".\"decisions\"".to_owned()));
        assert_eq!(shown("a\"; DROP TABLE b"), Ok("\"a\"\"; DROP TABLE b\"".to_owned()));
        for wrong in ["", ".", "a.", "a.b.c", "a\0"] {
            shown(wrong).expect_err(wrong);
        }
    }
}
