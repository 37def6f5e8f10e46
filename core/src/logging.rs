//! The agent's own log, line for line as OPA writes it.
//!
//! Events come from `tracing`. Their fields are shown as they are, beside `level`, `msg` and `time`, in the order of
//! their names. Two things are special: a field `json` holds the text of a JSON object whose entries are shown as
//! fields of their own (decision and status logs), and a field name's `_` is kept while `r#type` is shown as `type`.

mod line;
mod time;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

pub use time::{InvalidLayout, Layout};

use crate::value::{Number, Value, decode};

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people: `[INFO] message` and a line for each field.
    Text,
    /// One JSON object a line.
    #[default]
    Json,
    /// JSON over several lines.
    JsonPretty,
}

/// The least urgent lines that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Everything, with bodies of requests.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What someone should look at.
    Warn,
    /// What does not work.
    Error,
}

/// The name is none of those that exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {expected}, got {given:?}")]
pub struct UnknownName {
    given: String,
    expected: &'static str,
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "json-pretty" => Ok(Self::JsonPretty),
            given => Err(UnknownName { given: given.to_owned(), expected: "text, json, json-pretty" }),
        }
    }
}

impl FromStr for Level {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            given => Err(UnknownName { given: given.to_owned(), expected: "debug, info, warn, error" }),
        }
    }
}

/// Lines of one event.
pub(crate) struct Entry {
    level: Level,
    message: String,
    fields: BTreeMap<String, Value>,
}

/// Writes events as lines.
pub struct LogLayer<W> {
    format: Format,
    level: Level,
    layout: Layout,
    writer: W,
}

impl<W: for<'w> MakeWriter<'w> + 'static> LogLayer<W> {
    /// A layer that writes lines of at least the level.
    pub fn new(format: Format, level: Level, layout: Layout, writer: W) -> Self {
        Self { format, level, layout, writer }
    }

    /// A subscriber of this layer alone.
    pub fn into_subscriber(self) -> impl Subscriber + Send + Sync
    where
        W: Send + Sync,
    {
        tracing_subscriber::registry().with(self)
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>, W: for<'w> MakeWriter<'w> + 'static> Layer<S> for LogLayer<W> {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _context: Context<'_, S>) -> bool {
        // Libraries have things to say that mean nothing to an operator; their errors reach the log through ours.
        level_of(*metadata.level()) >= self.level && metadata.target().starts_with("regent")
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = level_of(*event.metadata().level());
        let mut entry = Entry { level, message: String::new(), fields: BTreeMap::new() };
        event.record(&mut entry);
        let line = line::render(&entry, self.format, &self.layout);
        // A log that cannot be written has nowhere to complain.
        let _ = self.writer.make_writer().write_all(&line);
    }
}

fn level_of(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        _ => Level::Debug,
    }
}

impl Entry {
    fn set(&mut self, field: &Field, value: Value) {
        match (field.name(), value.as_str()) {
            ("message", Some(text)) => self.message = text.to_string(),
            ("json", Some(text)) => match decode(text.as_bytes()).as_ref().map(Value::as_object) {
                Ok(Some(entries)) => {
                    let text = |key: &Value| key.as_str().unwrap_or_default().to_owned();
                    self.fields.extend(entries.iter().map(|(key, value)| (text(key), value.clone())));
                }
                _ => drop(self.fields.insert("json".to_owned(), value)),
            },
            (name, _) => {
                let name = name.strip_prefix("r#").unwrap_or(name);
                self.fields.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = Number::parse(&value.to_string()).map_or(Value::NULL, Value::from);
        self.set(field, number);
    }
}
