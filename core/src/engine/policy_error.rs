//! Errors in policies, with OPA's codes and texts.

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

/// The kind of a policy error, as clients see it in `errors[].code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `rego_parse_error`
    Parse,
    /// `rego_compile_error`
    Compile,
    /// `rego_type_error`
    Type,
    /// `rego_unsafe_var_error`
    UnsafeVar,
    /// `rego_recursion_error`
    Recursion,
    /// `eval_internal_error`
    EvalInternal,
    /// `eval_cancel_error`
    EvalCancel,
    /// `eval_conflict_error`
    EvalConflict,
    /// `eval_type_error`
    EvalType,
    /// `eval_builtin_error`
    EvalBuiltin,
    /// `eval_with_merge_error`
    EvalWithMerge,
}

impl ErrorCode {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "rego_parse_error",
            Self::Compile => "rego_compile_error",
            Self::Type => "rego_type_error",
            Self::UnsafeVar => "rego_unsafe_var_error",
            Self::Recursion => "rego_recursion_error",
            Self::EvalInternal => "eval_internal_error",
            Self::EvalCancel => "eval_cancel_error",
            Self::EvalConflict => "eval_conflict_error",
            Self::EvalType => "eval_type_error",
            Self::EvalBuiltin => "eval_builtin_error",
            Self::EvalWithMerge => "eval_with_merge_error",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in a module or query; rows and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file; empty for a query.
    pub file: Arc<str>,
    /// The line.
    pub row: usize,
    /// The column in bytes.
    pub col: usize,
}

impl fmt::Display for Location {
    /// `file:row`, or `row:col` where there is no file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() {
            write!(f, "{}:{}", self.row, self.col)
        } else {
            write!(f, "{}:{}", self.file, self.row)
        }
    }
}

/// One thing wrong with a policy or its evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyError {
    /// Its kind.
    pub code: ErrorCode,
    /// What is wrong, in OPA's words.
    pub message: String,
    /// Where.
    pub location: Option<Location>,
    /// More, in a shape that depends on the kind.
    pub details: Option<Value>,
    /// The same for people, lines of text that follow the message where there is room.
    pub lines: Vec<String>,
}

impl PolicyError {
    /// An error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>, location: impl Into<Option<Location>>) -> Self {
        Self { code, message: message.into(), location: location.into(), details: None, lines: Vec::new() }
    }

    /// The error as the REST API and status show it: `{code, message, location?, details?}`, fields in this order.
    pub fn to_fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![("code", Value::from(self.code.as_str())), ("message", Value::from(&self.message))];
        if let Some(at) = &self.location {
            let number = |n: usize| Value::from(u64::try_from(n).unwrap_or(u64::MAX));
            let location = [("file", Value::from(at.file.clone())), ("row", number(at.row)), ("col", number(at.col))];
            fields.push(("location", Value::object(location)));
        }
        fields.extend(self.details.clone().map(|details| ("details", details)));
        fields
    }
}

impl fmt::Display for PolicyError {
    /// `file:row: code: message`, then the lines of details, indented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        write!(f, "{}: {}", self.code, self.message)?;
        self.lines.iter().try_for_each(|line| write!(f, "\n\t{line}"))
    }
}

/// Everything wrong with a policy, in the order in which it was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl PolicyErrors {
    /// A list of one.
    pub fn one(error: PolicyError) -> Self {
        Self(vec![error])
    }
}

impl From<PolicyError> for PolicyErrors {
    fn from(error: PolicyError) -> Self {
        Self::one(error)
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => f.write_str("no error(s)"),
            [one] => write!(f, "1 error occurred: {one}"),
            many => {
                write!(f, "{} errors occurred:", many.len())?;
                many.iter().try_for_each(|error| write!(f, "\n{error}"))
            }
        }
    }
}

impl std::error::Error for PolicyErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, row: usize) -> Location {
        Location { file: file.into(), row, col: 4 }
    }

    #[test]
    fn texts_are_opas() {
        let first = PolicyError::new(ErrorCode::Compile, "conflicting rule for data path a/b found", at("app", 3));
        let second = PolicyError::new(ErrorCode::UnsafeVar, "var x is unsafe", at("", 1));
        assert_eq!(
            PolicyErrors::one(first.clone()).to_string(),
            "1 error occurred: app:3: rego_compile_error: conflicting rule for data path a/b found"
        );
        assert_eq!(
            PolicyErrors(vec![first, second]).to_string(),
            "2 errors occurred:\napp:3: rego_compile_error: conflicting rule for data path a/b found\n\
             1:4: rego_unsafe_var_error: var x is unsafe"
        );
    }

    #[test]
    fn details_follow_the_message_on_lines_of_their_own() {
        let lines = ["input.x".to_owned(), "^^^^^".to_owned()].into();
        let error = PolicyError { lines, ..PolicyError::new(ErrorCode::Type, "undefined ref: input.x", at("p", 2)) };
        assert_eq!(error.to_string(), "p:2: rego_type_error: undefined ref: input.x\n\tinput.x\n\t^^^^^");
    }
}
