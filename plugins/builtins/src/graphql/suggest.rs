//! What may have been meant.

use super::budget::Budget;
use super::problem::Fault;

/// Those options that are spelled much like what was typed, the most alike first, else in their order.
///
/// # Errors
/// When it takes too long.
pub(super) fn similar<'a>(
    typed: &str,
    options: impl IntoIterator<Item = &'a str>,
    budget: &mut Budget<'_>,
) -> Result<Vec<&'a str>, Fault> {
    let most = typed.len() * 2 / 5 + 1;
    let mut found = Vec::new();
    for option in options {
        let distance = distance(typed, option, most, budget)?;
        if distance <= most {
            found.push((distance, option));
        }
    }
    found.sort_by_key(|(distance, _)| *distance);
    Ok(found.into_iter().map(|(_, option)| option).collect())
}

/// How many edits it takes; a change of case alone is one. Of what differs by more than `most` it is only said that it does.
fn distance(a: &str, b: &str, most: usize, budget: &mut Budget<'_>) -> Result<usize, Fault> {
    budget.spend(0)?;
    if a == b {
        return Ok(0);
    }
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    if a == b {
        return Ok(1);
    }
    let lengths = (a.chars().count(), b.chars().count());
    if lengths.0.abs_diff(lengths.1) > most {
        return Ok(most + 1);
    }
    budget.spend(lengths.0.saturating_mul(lengths.1))?;
    Ok(strsim::levenshtein(&a, &b))
}

/// ` Did you mean "a", "b", or "c"?`, or nothing when there is nothing to mean.
pub(super) fn did_you_mean(what: &str, options: &[&str]) -> String {
    if options.is_empty() {
        return String::new();
    }
    format!(" Did you mean {what}{}?", listed(options))
}

/// `"a"`, `"a" or "b"`, `"a", "b", or "c"`; five at most.
fn listed(options: &[&str]) -> String {
    let options = options.iter().take(5);
    let options: Vec<String> = options.map(|option| format!("\"{option}\"")).collect();
    match &options[..] {
        [one, other] => format!("{one} or {other}"),
        [first @ .., last] if !first.is_empty() => format!("{}, or {last}", first.join(", ")),
        _ => options.concat(),
    }
}

#[cfg(test)]
mod tests {
    use regent_core::engine::Cancel;

    use super::*;

    #[test]
    fn the_most_alike_come_first() {
        let cancel = Cancel::default();
        let similar = |typed, options: &[&'static str]| {
            similar(typed, options.iter().copied(), &mut Budget::new(&cancel)).expect("quick")
        };
        assert_eq!(similar("nam", &["game", "name", "names", "number", "NAM"]), ["name", "NAM", "game", "names"]);
        assert_eq!(similar("x", &["abc"]), [""; 0]);
    }

    #[test]
    fn lists_end_in_or() {
        assert_eq!(did_you_mean("", &["a"]), " Did you mean \"a\"?");
        assert_eq!(did_you_mean("the enum value ", &["a", "b"]), " Did you mean the enum value \"a\" or \"b\"?");
        assert_eq!(
            did_you_mean("", &["a", "b", "c", "d", "e", "f"]),
            " Did you mean \"a\", \"b\", \"c\", \"d\", or \"e\"?"
        );
        assert_eq!(did_you_mean("", &[]), "");
    }
}
