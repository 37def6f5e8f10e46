//! Keys that nobody reads.

use std::fmt;

/// How many slips of the pen make another word.
const FAR: usize = 3;

/// A key that nobody reads. Shows itself as OPA's warning, with the layer: `unknown configuration option "bundels"
/// encountered, did you mean "bundles"? (from base.yaml)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownKey {
    path: String,
    nearest: Option<String>,
    origin: String,
}

impl UnknownKey {
    /// A dotted key that a layer has. `known` are the keys that could have stood there; one that is near is offered.
    pub fn new<S: AsRef<str>>(path: impl Into<String>, known: &[S], origin: impl Into<String>) -> Self {
        let path = path.into();
        let key = path.rsplit('.').next().unwrap_or(&path);
        let nearest = known
            .iter()
            .map(AsRef::as_ref)
            .map(|candidate| (distance(key, candidate), candidate))
            .filter(|(distance, candidate)| *distance < FAR && *distance < candidate.chars().count())
            .min();
        let nearest = nearest.map(|(_, candidate)| candidate.to_owned());
        Self { path, nearest, origin: origin.into() }
    }

    /// The dotted key.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The known key that is nearest, if one is near.
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }

    /// The layer that has it, as `base.yaml` or `--set`; empty when unknown.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown configuration option {:?} encountered", self.path)?;
        if let Some(nearest) = &self.nearest {
            write!(f, ", did you mean {nearest:?}?")?;
        }
        if !self.origin.is_empty() {
            write!(f, " (from {})", self.origin)?;
        }
        Ok(())
    }
}

/// How many characters must be put in, taken out, replaced or swapped with their neighbour to make one word the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, letter) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in to.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(letter != other);
            let mut steps = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == to[j - 1] && from[i - 1] == *other {
                steps = steps.min(rows[i - 1][j - 1] + 1);
            }
            row.push(steps);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_offered() {
        let known = ["services", "bundle", "bundles", "status", "keys"];
        for (path, known, origin, expected) in [
            (
                "bundels",
                &known[..],
                "base.yaml",
                r#"unknown configuration option "bundels" encountered, did you mean "bundles"? (from base.yaml)"#,
            ),
            (
                "decision_logs.reportin",
                &["reporting", "service"],
                "",
                r#"unknown configuration option "decision_logs.reportin" encountered, did you mean "reporting"?"#,
            ),
            ("zzz", &known[..], "", r#"unknown configuration option "zzz" encountered"#),
        ] {
            assert_eq!(UnknownKey::new(path, known, origin).to_string(), expected);
        }
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3), ("é", "e", 1), ("ab", "ba", 1)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
