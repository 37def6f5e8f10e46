//! What a mask policy answers, and what that does to an event.
//!
//! The answer is a set or array of rules. A rule is a pointer, whose target is removed, or an object of `op` (`remove`
//! or `upsert`), `path` and `value`. Pointers start with `/input`, `/result` or `/nd_builtin_cache`; a target that does
//! not exist is no error.

use regent_core::Value;
use regent_core::decision::DecisionEvent;
use regent_core::value::View;

use crate::error::MaskError;
use crate::pointer;

/// Most keys in a pointer. No value that came in as JSON is deeper, and an upsert makes every level.
const DEEPEST: usize = 256;

/// One thing to hide.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// The pointer as the policy wrote it.
    text: String,
    part: Part,
    /// The keys below the part; none for the part itself.
    path: Vec<String>,
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Input,
    Result,
    Cache,
}

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Remove,
    Upsert(Value),
}

/// The rules in the policy's answer. One bad rule spoils them all, for nobody knows what it was to hide.
pub(crate) fn rules(answer: &Value) -> Result<Vec<Rule>, MaskError> {
    match answer.view() {
        View::Array(items) => items.iter().map(rule).collect(),
        View::Set(members) => members.iter().map(rule).collect(),
        _ => Err(MaskError::NoRules(answer.type_name())),
    }
}

fn rule(value: &Value) -> Result<Rule, MaskError> {
    match value.view() {
        View::String(text) => parse(text, Action::Remove),
        View::Object(_) => {
            let action = match text_of(value, "op")? {
                "remove" => Action::Remove,
                "upsert" => Action::Upsert(value.get("value").cloned().unwrap_or_default()),
                other => return Err(MaskError::Operation(other.to_owned())),
            };
            parse(text_of(value, "path")?, action)
        }
        _ => Err(MaskError::NoRule(value.type_name())),
    }
}

fn text_of<'a>(rule: &'a Value, key: &'static str) -> Result<&'a str, MaskError> {
    match rule.get(key) {
        None => Ok(""),
        Some(value) => value.as_str().ok_or_else(|| MaskError::Key { key, found: value.type_name() }),
    }
}

fn parse(text: &str, action: Action) -> Result<Rule, MaskError> {
    if text.is_empty() {
        return Err(MaskError::Empty);
    }
    let mut keys = text.strip_prefix('/').ok_or(MaskError::NoPointer)?.split('/');
    let part = match keys.next().unwrap_or_default() {
        "input" => Part::Input,
        "result" => Part::Result,
        "nd_builtin_cache" => Part::Cache,
        other => return Err(MaskError::Prefix(other.to_owned())),
    };
    let path: Vec<String> = keys.map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    if path.len() > DEEPEST {
        return Err(MaskError::TooDeep(path.len()));
    }
    Ok(Rule { text: text.to_owned(), part, path, action })
}

/// Hides what the rules name, and notes on the event what was removed and what was replaced.
pub(crate) fn apply(rules: &[Rule], event: &mut DecisionEvent) {
    for rule in rules {
        let target = part_of(event, rule.part);
        let Some(changed) = target.as_ref().and_then(|value| rule.change(value)) else { continue };
        *target = changed;
        match rule.action {
            Action::Remove => event.erased.push(rule.text.clone()),
            Action::Upsert(_) => event.masked.push(rule.text.clone()),
        }
    }
}

/// Hides everything that a mask could have hidden.
pub(crate) fn withhold(event: &mut DecisionEvent) {
    for (part, name) in [(Part::Input, "/input"), (Part::Result, "/result"), (Part::Cache, "/nd_builtin_cache")] {
        if part_of(event, part).take().is_some() {
            event.erased.push(name.to_owned());
        }
    }
}

fn part_of(event: &mut DecisionEvent, part: Part) -> &mut Option<Value> {
    match part {
        Part::Input => &mut event.input,
        Part::Result => &mut event.result,
        Part::Cache => &mut event.nd_builtin_cache,
    }
}

impl Rule {
    /// What the part becomes, possibly nothing; no change if the target does not exist.
    #[expect(clippy::option_option, reason = "the outer one says whether anything changes, the inner one is the part")]
    fn change(&self, part: &Value) -> Option<Option<Value>> {
        match &self.action {
            Action::Remove if self.path.is_empty() => Some(None),
            Action::Remove => pointer::remove(part, &self.path).map(Some),
            Action::Upsert(new) => pointer::upsert(part, &self.path, new).map(Some),
        }
    }
}

#[cfg(test)]
mod tests;
