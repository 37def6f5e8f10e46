//! Semantic versions.

use std::cmp::Ordering;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::Value;

use super::table::{Entry, function};
use crate::spelling::quote;

pub(super) const TABLE: &[Entry] = &[
    function("semver.is_valid(vsn: any) => result: boolean", "Tells whether a value is a version.", |operands, _| {
        Ok(Some(operands.any(0).as_str().and_then(Version::parse).is_some().into()))
    }),
    function(
        "semver.compare(a: string, b: string) => result: number",
        "Compares two versions: -1, 0 or 1 as the first is older, equal or newer.",
        compare,
    ),
];

/// A version without its build metadata, which does not count.
#[derive(Debug, PartialEq, Eq)]
struct Version<'a> {
    numbers: [i64; 3],
    pre_release: &'a str,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, metadata) = text.split_once('+').unwrap_or((text, ""));
        let (core, pre_release) = text.split_once('-').unwrap_or((text, ""));
        if !is_identifiers(metadata) || !is_identifiers(pre_release) {
            return None;
        }
        let mut parts = core.split('.');
        let mut number = || parts.next()?.parse().ok();
        let numbers = [number()?, number()?, number()?];
        parts.next().is_none().then_some(Self { numbers, pre_release })
    }
}

/// Whether the text is nothing, or identifiers with dots in between.
fn is_identifiers(text: &str) -> bool {
    let is_identifier = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.is_empty() || text.split('.').all(is_identifier)
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre_release, other.pre_release) {
            (a, b) if a == b => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (a, b) => compare_pre_releases(a, b),
        })
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare_pre_releases(a: &str, b: &str) -> Ordering {
    let mut others = b.split('.');
    for part in a.split('.') {
        let Some(other) = others.next() else {
            return Ordering::Greater;
        };
        let order = match (number(part), number(other)) {
            (Some(part), Some(other)) => part.cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => part.cmp(other),
        };
        if order.is_ne() {
            return order;
        }
    }
    if others.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

/// The number of an identifier that consists of digits; a huge one counts as the largest.
fn number(part: &str) -> Option<i64> {
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().unwrap_or(i64::MAX))
}

fn compare(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (a, b) = (operands.string(0)?, operands.string(1)?);
    let version = |position: usize, text| {
        let error =
            || BuiltinError::failed(format!("operand {position}: string {} is not a valid SemVer", quote(text)));
        Version::parse(text).ok_or_else(error)
    };
    let order = version(1, a)?.cmp(&version(2, b)?);
    Ok(Some(Value::from(order as i32)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn versions_are_ordered() {
        let ordered =
            ["0.9.10", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-a", "1.0.0-a.1", "1.0.0-b", "v1.0.0", "1.0.1"];
        for pair in ordered.windows(2) {
            check("semver.compare", &format!("[\"{}\", \"{}\"]", pair[0], pair[1]), "-1");
            check("semver.compare", &format!("[\"{}\", \"{}\"]", pair[1], pair[0]), "1");
        }
        check("semver.compare", r#"["1.0.0+a", "1.0.0+b"]"#, "0");
    }

    #[test]
    fn not_everything_is_a_version() {
        for (text, expected) in [
            ("\"1.2.3-a+b\"", "true"),
            ("\"1.2\"", "false"),
            ("\"1.2.3.4\"", "false"),
            ("\"1.2.3-a..b\"", "false"),
            ("1", "false"),
        ] {
            check("semver.is_valid", &format!("[{text}]"), expected);
        }
        check_error("semver.compare", r#"["1.0.0", "1"]"#, "operand 2: string \"1\" is not a valid SemVer");
    }
}
