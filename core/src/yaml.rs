//! Reads YAML as OPA reads it: YAML 1.1 words and numbers, first document only, JSON taken as JSON.
//!
//! What a plain scalar means is decided here and not by the YAML library, because OPA's answers are those of YAML 1.1:
//! `yes` and `off` are booleans (as keys too), `010` is eight. Text that is valid JSON never passes through YAML, so
//! its numbers keep their spelling. Nesting and the growth through aliases are bounded; no input makes it panic.
//!
//! Used for configuration files, request bodies and the `data.yaml` of bundles.

mod base64;
mod build;
mod json;
mod repair;
mod scalar;

use std::borrow::Cow;

use crate::value::{self, Value};

/// How deep a document may nest.
const MAX_DEPTH: usize = 1_000;
/// How many nodes aliases may add to a document.
const MAX_ALIASED: usize = 1_000_000;
/// How many bytes may be read again because of repairs; each repair counts as a fiftieth at least.
const MAX_REPAIRING: usize = 64 << 20;
/// How many warnings a document may cause; what comes after is not worth reading.
const MAX_WARNINGS: usize = 100;

/// The text is not YAML, or says what JSON cannot hold. Shown as OPA shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {line}: {message}")]
pub struct YamlError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// A document with what its value does not tell.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The content; `null` when there is none.
    pub value: Value,
    /// Keys that came twice or were turned into booleans, each with its line where that is known.
    pub warnings: Vec<String>,
    /// The keys of the watched object in the order of the text. Keys that come from an alias or a merge are missing.
    pub order: Vec<String>,
}

/// The first document of the text, and warnings for the author.
///
/// # Errors
/// When the text is no YAML, or cannot be shown as JSON.
pub fn parse(text: &str) -> Result<(Value, Vec<String>), YamlError> {
    let document = parse_watching(text, None)?;
    Ok((document.value, document.warnings))
}

/// As [`parse`], and remembers in which order the object under one top-level key has its keys.
///
/// # Errors
/// When the text is no YAML, or cannot be shown as JSON.
pub fn parse_watching(text: &str, watched: Option<&str>) -> Result<Document, YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if nesting(text) <= MAX_DEPTH
        && let Ok(value) = value::decode(text.as_bytes())
    {
        let (warnings, order) = json::inspect(text, watched);
        return Ok(Document { value, warnings, order });
    }
    read(text, watched)
}

/// Reads text that is no JSON, moving what stands too far left for the parser but not for OPA's.
fn read(text: &str, watched: Option<&str>) -> Result<Document, YamlError> {
    let mut text = Cow::Borrowed(text);
    let mut budget = MAX_REPAIRING;
    loop {
        let failure = match build::build(&text, watched) {
            Ok(document) => return Ok(document),
            Err(failure) => failure,
        };
        let cost = text.len().max(MAX_REPAIRING / 50);
        match repair::repair(&text, &failure).filter(|_| budget >= cost) {
            Some(better) => text = better.into(),
            None => return Err(failure.error),
        }
        budget -= cost;
    }
}

/// How deep the brackets nest if the text is JSON. The JSON reader is recursive, so this comes before it.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
