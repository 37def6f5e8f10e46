//! The warning about a key that nobody reads.

/// How many slips of the pen make another word.
const FAR: usize = 3;

/// OPA's warning about an unknown key, with the nearest known key where one is near. `path` is the dotted key,
/// `known` are the keys that could have stood there.
pub fn unknown_key_warning(path: &str, known: &[&str]) -> String {
    let key = path.rsplit('.').next().unwrap_or(path);
    let nearest = known
        .iter()
        .map(|candidate| (distance(key, candidate), *candidate))
        .filter(|(distance, candidate)| *distance < FAR && *distance < candidate.chars().count())
        .min();
    let hint = nearest.map(|(_, candidate)| format!(", did you mean {candidate:?}?")).unwrap_or_default();
    format!("unknown configuration option {path:?} encountered{hint}")
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
        assert_eq!(
            unknown_key_warning("bundels", &known),
            r#"unknown configuration option "bundels" encountered, did you mean "bundles"?"#
        );
        assert_eq!(
            unknown_key_warning("decision_logs.reportin", &["reporting", "service"]),
            r#"unknown configuration option "decision_logs.reportin" encountered, did you mean "reporting"?"#
        );
        assert_eq!(unknown_key_warning("zzz", &known), r#"unknown configuration option "zzz" encountered"#);
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
