//! Tables of calls for tests.

use regent_core::builtin::BuiltinError;
use regent_core::value::Value;

use super::testing::{Query, value};

/// Makes calls, each a name with an array of operands, and compares what comes out: a value, spelled to the letter,
/// `undefined`, `type error: …` or `error: …`.
#[track_caller]
pub(super) fn check(calls: &[(&str, &str, &str)]) {
    let mut query = Query::new(Value::default());
    for (name, operands, expected) in calls {
        let shown = |value: Value| format!("{} {value}", value.type_name());
        let got = match query.call(name, operands) {
            Ok(got) => got.map_or_else(|| "undefined".to_owned(), shown),
            Err(BuiltinError::Operand(message)) => format!("type error: {message}"),
            Err(error) => format!("error: {error}"),
        };
        let is_value =
            *expected != "undefined" && !expected.starts_with("type error: ") && !expected.starts_with("error: ");
        let expected = if is_value { shown(value(expected)) } else { (*expected).to_owned() };
        assert!(got == expected, "{name}{operands} gives {got:.500}, not {expected:.500}");
    }
}
