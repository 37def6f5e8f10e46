//! What is wrong with a document, in the words and the form of OPA's GraphQL library.

use std::fmt;

/// Where something stands: line and column from 1, in characters. Where nobody knows, in trees that come as JSON, nodes
/// have none; for complaints about schemas OPA then says -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    /// The line.
    pub(super) line: i64,
    /// The column. That of a string is the one after its quotes, which may lie left of a line that a block string ends in.
    pub(super) column: i64,
}

impl Position {
    /// What stands in complaints about schemas for no position.
    pub(super) const UNKNOWN: Self = Self { line: -1, column: -1 };
}

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// What is wrong.
    pub(super) message: String,
    /// Where.
    pub(super) at: Option<Position>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(Position { line, column }) => write!(f, "input:{line}:{column}: {}", self.message),
            None => write!(f, "input: {}", self.message),
        }
    }
}

/// Why work on a document ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The document is wrong.
    Problem(Problem),
    /// So much is wrong with it that the rest need not be known.
    Enough,
    /// Nobody waits for the answer any more.
    Cancelled,
}

impl Fault {
    /// A complaint about what stands there.
    pub(super) fn at(at: impl Into<Option<Position>>, message: impl Into<String>) -> Self {
        Self::Problem(Problem { message: message.into(), at: at.into() })
    }
}

/// The error of a document that does not parse.
pub(super) fn of_parsing(problem: &Problem) -> String {
    located(problem, &problem.message).unwrap_or_else(|| format!("GraphQL parse error: {problem}"))
}

/// The error of a query that does not fit its schema. OPA takes the complaints as one text and treats this as if it were
/// the first of them: its place goes to the end, and so all others stand between.
pub(super) fn of_validation(problems: &[Problem]) -> String {
    let Some((first, others)) = problems.split_first() else { return String::new() };
    let others = others.iter().fold(String::new(), |text, problem| text + &format!("{problem}\n"));
    let message = format!("{}\n{others}", first.message);
    let message = message.strip_suffix(".\n").unwrap_or(&message);
    located(first, message).unwrap_or_else(|| format!("GraphQL parse error: {first}\n{others}"))
}

fn located(problem: &Problem, message: &str) -> Option<String> {
    let Position { line, column } = problem.at.filter(|at| at.line >= 0 && at.column >= 0)?;
    Some(format!("{} in GraphQL string at location {line}:{column}", message.trim_start_matches(' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(message: &str, at: Option<(i64, i64)>) -> Problem {
        Problem { message: message.to_owned(), at: at.map(|(line, column)| Position { line, column }) }
    }

    #[test]
    fn places_go_to_the_end() {
        assert_eq!(
            of_parsing(&problem("Unexpected }", Some((1, 2)))),
            "Unexpected } in GraphQL string at location 1:2"
        );
        assert_eq!(of_parsing(&problem("x", Some((3, -1)))), "GraphQL parse error: input:3:-1: x");
        let (first, second) = (problem("a.", Some((1, 2))), problem("b.", Some((3, 4))));
        assert_eq!(of_validation(std::slice::from_ref(&first)), "a in GraphQL string at location 1:2");
        assert_eq!(
            of_validation(&[first.clone(), second.clone()]),
            "a.\ninput:3:4: b in GraphQL string at location 1:2"
        );
        let nowhere = problem("c?", None);
        assert_eq!(of_validation(&[first, nowhere.clone()]), "a.\ninput: c?\n in GraphQL string at location 1:2");
        assert_eq!(of_validation(&[nowhere, second]), "GraphQL parse error: input: c?\ninput:3:4: b.\n");
    }
}
