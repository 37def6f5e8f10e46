//! What an engine is known to pass.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::report::Report;

/// How many cases of each topic pass, of how many: a file of lines `topic passed/total`.
///
/// It speaks of the cases that it was written for: a topic with another number of cases is not held to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Floor(BTreeMap<String, (usize, usize)>);

impl Floor {
    /// What passes now.
    pub fn of(report: &Report) -> Self {
        Self(report.topics.iter().map(|topic| (topic.name.clone(), (topic.passed(), topic.total))).collect())
    }

    /// Reads the file.
    ///
    /// # Panics
    /// When it cannot be read or has a line of another form.
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let line = |line: &str| parse(line).unwrap_or_else(|| panic!("{}: what is `{line}`?", file.display()));
        Self(text.lines().filter(|text| !text.is_empty() && !text.starts_with('#')).map(line).collect())
    }

    /// Writes the file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, file: &Path) {
        let mut text = String::from("# What passes of each topic; written with REGENT_CONFORMANCE_RAISE=1.\n");
        for (topic, (passed, total)) in &self.0 {
            writeln!(text, "{topic} {passed}/{total}").expect("a string takes everything");
        }
        std::fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// What passes no longer.
    pub fn complaints(&self, report: &Report) -> Vec<String> {
        let known = report.topics.iter().filter_map(|topic| Some((topic, self.0.get(&topic.name)?)));
        let comparable = known.filter(|(topic, (_, total))| topic.total == *total);
        let fallen = comparable.filter(|(topic, (passed, _))| topic.passed() < *passed);
        fallen
            .map(|(topic, (passed, total))| {
                format!("{}: {} of {total} cases pass, which used to be {passed}", topic.name, topic.passed())
            })
            .collect()
    }
}

fn parse(line: &str) -> Option<(String, (usize, usize))> {
    let (topic, counts) = line.split_once(' ')?;
    let (passed, total) = counts.split_once('/')?;
    Some((topic.to_owned(), (passed.parse().ok()?, total.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Outcome;

    fn report(total: usize) -> Report {
        Report { topics: vec![Outcome { name: "sets".into(), total, failures: Vec::new() }] }
    }

    #[test]
    fn only_a_topic_of_the_same_size_is_held_to_it() {
        let floor = |line| Floor([parse(line).expect("a line")].into());
        assert_eq!(floor("sets 3/3").complaints(&report(3)), Vec::<String>::new());
        assert_eq!(floor("sets 4/3").complaints(&report(3)), ["sets: 3 of 3 cases pass, which used to be 4"]);
        assert_eq!(floor("sets 4/4").complaints(&report(3)), Vec::<String>::new());
        assert_eq!(Floor::of(&report(3)), floor("sets 3/3"));
    }
}
