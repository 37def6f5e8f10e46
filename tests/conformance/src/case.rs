//! Cases as they are written.

use std::path::Path;

use regent_core::value::{Value, decode};

/// The cases of one file.
pub struct Topic {
    /// The file's name without `.json`.
    pub name: String,
    /// Its cases in order.
    pub cases: Vec<Case>,
}

/// One case: what is asked and what must come out.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name, unique within its topic.
    pub note: String,
    /// Rego sources to load; module *i* is named `test-<i>.rego`.
    pub modules: Vec<String>,
    /// The base document.
    pub data: Value,
    /// The input document; undefined if absent.
    pub input: Option<Value>,
    /// The input document as a Rego term, which stands in for `input`.
    pub input_term: Option<String>,
    /// The query to evaluate.
    pub query: String,
    /// Whether a failing built-in function is an error rather than undefined.
    pub strict_errors: bool,
    /// What must come out.
    pub want: Want,
}

/// What must come out of a case.
#[derive(Debug, Clone)]
pub enum Want {
    /// It evaluates, to whatever.
    Anything,
    /// It evaluates to these rows of bindings, in any order.
    Rows {
        /// An array of objects.
        rows: Value,
        /// Whether arrays in them may come in any order.
        sorted: bool,
        /// Whether bindings of generated variables do not count.
        without_generated: bool,
    },
    /// It fails.
    Error {
        /// With this code, if any is given.
        code: Option<String>,
        /// With this text somewhere in `file:row: code: message`, if any is given.
        text: Option<String>,
    },
}

impl Topic {
    /// The topics of a folder in the order of their names.
    ///
    /// # Panics
    /// When a file cannot be read or is not a list of cases.
    pub fn read_all(folder: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }

    fn read(file: &Path) -> Self {
        let fail = |why: &dyn std::fmt::Display| -> ! { panic!("{}: {why}", file.display()) };
        let text = std::fs::read(file).unwrap_or_else(|error| fail(&error));
        let cases = decode(&text).unwrap_or_else(|error| fail(&error));
        let cases = cases.as_array().unwrap_or_else(|| fail(&"not a list"));
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, cases: cases.iter().map(Case::read).collect() }
    }
}

impl Case {
    fn read(case: &Value) -> Self {
        let text = |key| case.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key| case.get(key).and_then(Value::as_bool).unwrap_or_default();
        let modules = case.get("modules").and_then(Value::as_array).unwrap_or_default();
        let (code, error) = (text("want_error_code"), text("want_error"));
        let want = if code.is_some() || error.is_some() {
            Want::Error { code, text: error }
        } else if let Some(rows) = case.get("want_result") {
            let (sorted, without_generated) = (flag("sort_bindings"), flag("ignore_generated_vars"));
            Want::Rows { rows: rows.clone(), sorted, without_generated }
        } else {
            Want::Anything
        };
        Self {
            note: text("note").unwrap_or_default(),
            modules: modules.iter().map(|module| module.as_str().unwrap_or_default().to_owned()).collect(),
            data: case.get("data").cloned().unwrap_or_else(Value::empty_object),
            input: case.get("input").cloned(),
            input_term: text("input_term"),
            query: text("query").unwrap_or_default(),
            strict_errors: flag("strict_error"),
            want,
        }
    }
}
