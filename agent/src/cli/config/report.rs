//! What was found, for people and for machines.

use std::fmt::Write as _;

use regent_core::Value;
use regent_core::config::{ConfigError, Leaf, UnknownKey};
use regent_core::value::{encode, encode_pretty};

use crate::dry_run::{Changes, Discovery, Findings};

/// Columns up to which origins are lined up.
const WIDE: usize = 60;

pub(super) struct Report {
    pub(super) findings: Findings,
    /// Whether it ends as an error.
    pub(super) refused: bool,
}

impl Report {
    /// Sections under headings, empty ones left out.
    pub(super) fn to_text(&self) -> String {
        let findings = &self.findings;
        let mut out = String::new();
        section(&mut out, "Configuration", &lined_up(findings));
        section(&mut out, "Unknown keys", &findings.unknown.iter().map(unknown).collect::<Vec<_>>());
        section(&mut out, "Warnings", &findings.warnings);
        section(&mut out, "Discovery", &discovery(&findings.discovery));
        section(&mut out, "Errors", &findings.errors.iter().map(error).collect::<Vec<_>>());
        let verdict = if self.refused { "The configuration is refused." } else { "The configuration is accepted." };
        out + verdict + "\n"
    }

    /// One object; what its keys mean is told in `docs/running.md`.
    pub(super) fn to_json(&self) -> String {
        let findings = &self.findings;
        let defaults = findings.defaults.iter().map(|(key, value)| {
            Value::object([("key", key.into()), ("value", value.clone()), ("origin", "default".into())])
        });
        let report = Value::object([
            ("accepted", (!self.refused).into()),
            ("values", Value::array(findings.leaves.iter().map(leaf_json).chain(defaults))),
            ("unknown", Value::array(findings.unknown.iter().map(unknown_json))),
            ("warnings", Value::array(findings.warnings.iter().map(Value::from))),
            ("discovery", discovery_json(&findings.discovery)),
            ("errors", Value::array(findings.errors.iter().map(error_json))),
        ]);
        encode_pretty(&report) + "\n"
    }
}

fn section(out: &mut String, head: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    writeln!(out, "{head}:").expect("writing to a string cannot fail");
    for line in lines {
        writeln!(out, "  {}", line.replace('\n', "\n  ")).expect("writing to a string cannot fail");
    }
    out.push('\n');
}

/// `key: value  # origin`, origins below each other where that is possible.
fn lined_up(findings: &Findings) -> Vec<String> {
    let leaves = findings.leaves.iter().map(|leaf| (value_line(leaf), origin(leaf)));
    let defaults =
        findings.defaults.iter().map(|(key, value)| (format!("{key}: {}", encode(value)), "default".to_owned()));
    let mut lines: Vec<_> = leaves.chain(defaults).collect();
    lines.sort();
    let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= WIDE).max().unwrap_or(0);
    lines.into_iter().map(|(line, origin)| format!("{line:width$}  # {origin}")).collect()
}

fn value_line(leaf: &Leaf) -> String {
    format!("{}: {}", leaf.key(), encode(&leaf.value))
}

fn origin(leaf: &Leaf) -> String {
    let variables = leaf.variables.iter().map(|name| format!(", ${{{name}}}"));
    leaf.origin.clone() + &variables.collect::<String>()
}

fn unknown(key: &UnknownKey) -> String {
    let hint = key.nearest().map(|nearest| format!(", did you mean {nearest:?}?")).unwrap_or_default();
    format!("{}{hint} (from {})", key.path(), key.origin())
}

fn error(error: &ConfigError) -> String {
    format!("{error}\n  {}", remedy(error))
}

/// What helps: what whoever found the error knows of that, else where to change what.
fn remedy(error: &ConfigError) -> String {
    if let Some(remedy) = error.remedy() {
        return remedy.to_owned();
    }
    let what = if error.path().is_empty() { "it".to_owned() } else { error.path().to_owned() };
    match error.origin() {
        "" => format!("correct {what} where it is configured"),
        flag if flag.starts_with("--") => format!("correct {what} in the argument of {flag}"),
        "discovery" => format!("correct {what} in the discovery bundle"),
        file => format!("correct {what} in {file}"),
    }
}

fn discovery(discovery: &Discovery) -> Vec<String> {
    let alone = "sections that wait for it were checked as if it brought nothing";
    match discovery {
        Discovery::None => Vec::new(),
        Discovery::Skipped => vec![format!("not asked for; {alone}")],
        Discovery::Unreachable(why) => vec![format!("not to be had: {why}"), alone.to_owned()],
        Discovery::Refused(errors) => {
            let head = format!("refused as a whole; {alone}");
            std::iter::once(head).chain(errors.iter().map(error)).collect()
        }
        Discovery::Found(found) => effects(found),
    }
}

fn effects(found: &Changes) -> Vec<String> {
    let differences = &found.differences;
    let added = differences.added.iter().map(|leaf| format!("+ {}", value_line(leaf)));
    let changed =
        differences.changed.iter().map(|(from, to)| format!("~ {} (was {})", value_line(to), encode(&from.value)));
    let removed = differences.removed.iter().map(|leaf| format!("- {}", value_line(leaf)));
    let overridden = found.overridden.iter().map(|key| format!("= {key} (what is discovered does not count)"));
    let lines: Vec<_> = added.chain(changed).chain(removed).chain(overridden).collect();
    if lines.is_empty() { vec!["found, changes nothing".to_owned()] } else { lines }
}

fn leaf_json(leaf: &Leaf) -> Value {
    Value::object([
        ("key", leaf.key().into()),
        ("value", leaf.value.clone()),
        ("origin", Value::from(&leaf.origin)),
        ("variables", Value::array(leaf.variables.iter().map(Value::from))),
    ])
}

fn unknown_json(key: &UnknownKey) -> Value {
    let nearest = key.nearest().map_or(Value::NULL, Value::from);
    Value::object([("key", key.path().into()), ("nearest", nearest), ("origin", key.origin().into())])
}

fn error_json(error: &ConfigError) -> Value {
    Value::object([
        ("key", Value::from(error.path())),
        ("message", error.message().into()),
        ("origin", error.origin().into()),
        ("remedy", remedy(error).into()),
    ])
}

fn discovery_json(discovery: &Discovery) -> Value {
    let outcome = |name: &str| ("outcome", Value::from(name));
    match discovery {
        Discovery::None => Value::NULL,
        Discovery::Skipped => Value::object([outcome("skipped")]),
        Discovery::Unreachable(why) => Value::object([outcome("unreachable"), ("message", why.into())]),
        Discovery::Refused(errors) => {
            Value::object([outcome("refused"), ("errors", Value::array(errors.iter().map(error_json)))])
        }
        Discovery::Found(found) => {
            let differences = &found.differences;
            let changed = differences.changed.iter().map(|(from, to)| {
                Value::object([("key", to.key().into()), ("from", from.value.clone()), ("to", to.value.clone())])
            });
            Value::object([
                outcome("found"),
                ("added", Value::array(differences.added.iter().map(leaf_json))),
                ("changed", Value::array(changed)),
                ("removed", Value::array(differences.removed.iter().map(leaf_json))),
                ("overridden", Value::array(found.overridden.iter().map(Value::from))),
            ])
        }
    }
}
