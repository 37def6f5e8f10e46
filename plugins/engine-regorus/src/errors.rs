//! regorus's errors in OPA's words.
//!
//! regorus reports errors as text alone: a place, the line in question and a message. What OPA has a code and a text
//! for is told by the message; the rest keeps regorus's own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use regent_core::engine::{ErrorCode, Location, PolicyError};
use regent_core::value::Value;

/// The name that regorus gives to the text of a query.
pub(crate) const QUERY_FILE: &str = "<query.rego>";

/// A panic within regorus, as an error text.
const PANIC: &str = "regorus panicked: ";

/// Runs regorus and turns a panic in it into an error: no policy may end the agent.
///
/// Nothing of what `work` borrows may be used after a panic, except to be dropped. All callers hand over an engine of
/// their own for this one purpose, so that no half-changed state is seen.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        Err(format!("{PANIC}{}", text.unwrap_or("no message")))
    })
}

/// An error of regorus's, taken apart.
struct Report<'a> {
    location: Option<Location>,
    /// The source from the error's place to the end of the line.
    source: &'a str,
    message: &'a str,
    /// Another place that the message goes on to show.
    second: Option<Location>,
}

impl<'a> Report<'a> {
    /// Reads `--> file:line:column`, the line in question, and the message behind `error: `.
    fn read(text: &'a str) -> Self {
        let text = text.trim_start();
        let (head, message) = text.split_once("\nerror: ").unwrap_or(("", text));
        let (message, second) = message.split_once("\n--> ").unwrap_or((message, ""));
        let location = head.strip_prefix("--> ").and_then(read_location);
        let line = head.lines().nth(2).and_then(|line| line.split_once("| "));
        let column = location.as_ref().map_or(0, |at| at.col.saturating_sub(1));
        Self {
            location,
            source: line.and_then(|(_, line)| line.get(column..)).unwrap_or_default(),
            message: message.trim_end(),
            second: read_location(second),
        }
    }
}

fn read_location(text: &str) -> Option<Location> {
    let mut parts = text.lines().next()?.rsplitn(3, ':');
    let col = parts.next()?.parse().ok()?;
    let row = parts.next()?.parse().ok()?;
    let file = parts.next().filter(|file| *file != QUERY_FILE).unwrap_or_default();
    Some(Location { file: file.into(), row, col })
}

/// An error that is no parse error. What has no code of its own gets `otherwise`.
pub(crate) fn policy_error(text: &str, otherwise: ErrorCode) -> PolicyError {
    let report = Report::read(text);
    let (code, message) = classify(&report, otherwise);
    let second = report.second.filter(|_| code == ErrorCode::Compile);
    PolicyError::new(code, message, second.or(report.location))
}

fn classify(report: &Report<'_>, otherwise: ErrorCode) -> (ErrorCode, String) {
    let message = report.message;
    let has = |part: &str| message.contains(part);
    if message.starts_with(PANIC) {
        return (ErrorCode::EvalInternal, message.to_owned());
    }
    if has("functions must not produce multiple outputs") || has("function produced multiple outputs") {
        let text = "functions must not produce multiple outputs for same inputs";
        return (ErrorCode::EvalConflict, text.to_owned());
    }
    if has("generated multiple times") {
        return (ErrorCode::EvalConflict, "object keys must be unique".to_owned());
    }
    if has("rule conflicts with rule at") || has("not produce multiple outputs") {
        let text = if is_partial(report.source) {
            "object keys must be unique"
        } else {
            "complete rules must not produce multiple outputs"
        };
        return (ErrorCode::EvalConflict, text.to_owned());
    }
    if let Some(name) =
        between(message, "use of undefined variable `", "` is unsafe").or(between(message, "var ", " is unsafe"))
    {
        return (ErrorCode::UnsafeVar, format!("var {name} is unsafe"));
    }
    if let Some(name) = between(message, "var `", "` used before definition below") {
        let rest = report.source.strip_prefix(name).unwrap_or_default().trim_start();
        let how = if rest.starts_with(":=") { "assigned" } else { "referenced" };
        return (ErrorCode::Compile, format!("var {name} {how} above"));
    }
    if let Some(name) = message.strip_prefix("could not find function ") {
        return (ErrorCode::Type, format!("undefined function {name}"));
    }
    if has("mismatch in number of arguments") || has("was previously defined with") {
        return (ErrorCode::Type, message.to_owned());
    }
    if has("recursion detected") {
        return (ErrorCode::Recursion, "rule is recursive".to_owned());
    }
    (builtin_code(message, otherwise), builtin_text(message))
}

/// Whether a rule's head, which the text begins with, makes one key of an object.
fn is_partial(head: &str) -> bool {
    let reference = head.split([' ', ':', '=']).next().unwrap_or_default();
    reference.split_once('[').is_some_and(|(_, key)| !key.starts_with('"'))
}

fn builtin_code(message: &str, otherwise: ErrorCode) -> ErrorCode {
    let wrong_type = ["` expects ", "` requires "].iter().any(|part| message.contains(part));
    match otherwise {
        ErrorCode::EvalBuiltin if wrong_type => ErrorCode::EvalType,
        ErrorCode::EvalBuiltin if message.starts_with("internal error") => ErrorCode::EvalInternal,
        other => other,
    }
}

fn builtin_text(message: &str) -> String {
    let operator = match message {
        "divide by zero" => "div: ",
        "modulo by zero" | "modulo on floating-point number" => "rem: ",
        _ => "",
    };
    format!("{operator}{message}")
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// An error in the text of a module or query.
pub(crate) fn parse_error(error: &str, text: &str) -> PolicyError {
    let report = Report::read(error);
    if report.message.starts_with(PANIC) {
        return PolicyError::new(ErrorCode::EvalInternal, report.message, report.location);
    }
    let Some(mut at) = report.location else {
        return PolicyError::new(ErrorCode::Parse, report.message, None);
    };
    // regorus counts a line more where the text ends in a line break.
    at.row = at.row.max(1);
    let past_end = text.lines().nth(at.row - 1).is_none();
    if past_end {
        at.row = text.lines().count().max(1);
    }
    let line = text.lines().nth(at.row - 1).unwrap_or_default();
    let before = if past_end { line } else { line.get(..at.col.saturating_sub(1)).unwrap_or(line) };
    let is_end = line[before.len()..].trim().is_empty() && text.lines().skip(at.row).all(|line| line.trim().is_empty());
    let mut idx = before.len();
    if is_end {
        at.col = line.len().max(1);
        idx = line.trim_end().len().saturating_sub(1);
    }
    let message = match line[before.len()..].chars().next() {
        _ if report.message.starts_with("expecting `package`") => "package expected".to_owned(),
        _ if is_end => "unexpected eof token".to_owned(),
        Some(token @ (']' | ')' | '}' | ',' | '.' | ':' | ';' | '|')) if report.message.starts_with("expecting") => {
            format!("unexpected {token} token")
        }
        _ => report.message.to_owned(),
    };
    let idx = Value::from(u64::try_from(idx).unwrap_or(0));
    PolicyError {
        details: Some(Value::object([("line", Value::from(line)), ("idx", idx)])),
        ..PolicyError::new(ErrorCode::Parse, message, at)
    }
}
