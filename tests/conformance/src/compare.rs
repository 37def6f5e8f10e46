//! What came out of a case beside what was wanted.

use regent_core::engine::Answer;
use regent_core::value::{Value, View, decode, encode};

use crate::case::Want;

/// Whether the outcome is the wanted one, else what is wrong with it.
pub(crate) fn judge(want: &Want, outcome: Result<Answer, String>) -> Result<(), String> {
    match (want, outcome) {
        (Want::Anything, Ok(_)) => Ok(()),
        (Want::Rows { rows, sorted, without_generated }, Ok(answer)) => {
            let got = bindings(&answer, *without_generated);
            if normal(&got, *sorted) == normal(rows, *sorted) {
                Ok(())
            } else {
                Err(format!("got {} and not {}", encode(&got), encode(rows)))
            }
        }
        (Want::Anything | Want::Rows { .. }, Err(error)) => Err(error.replace('\n', " ")),
        (Want::Error { .. }, Ok(answer)) => Err(format!("no error but {}", encode(&bindings(&answer, false)))),
        (Want::Error { code, text }, Err(error)) => {
            let missing = [code, text].into_iter().flatten().find(|part| !error.contains(part.as_str()));
            missing.map_or(Ok(()), |part| Err(format!("no `{part}` in: {}", error.replace('\n', " "))))
        }
    }
}

/// The rows of the answer as objects.
fn bindings(answer: &Answer, without_generated: bool) -> Value {
    let generated = |name: &str| without_generated && (name.starts_with("__local") || name.starts_with('$'));
    Value::array(answer.rows.iter().map(|row| {
        let shown = row.bindings.iter().filter(|(name, _)| !generated(name));
        Value::object(shown.map(|(name, value)| (name.clone(), value.clone())))
    }))
}

/// The rows as JSON shows them, in order, so that they can be compared.
fn normal(rows: &Value, sorted: bool) -> Vec<Value> {
    let rows = decode(encode(rows).as_bytes()).expect("encoded just now");
    let rows = rows.as_array().unwrap_or_default().iter();
    let mut rows: Vec<_> = rows.map(|row| if sorted { self::sorted(row) } else { row.clone() }).collect();
    rows.sort();
    rows
}

/// The value with every array in it sorted.
fn sorted(value: &Value) -> Value {
    match value.view() {
        View::Array(items) => {
            let mut items: Vec<_> = items.iter().map(sorted).collect();
            items.sort();
            Value::array(items)
        }
        View::Object(entries) => Value::object(entries.iter().map(|(key, value)| (key.clone(), sorted(value)))),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use regent_core::engine::Row;

    use super::*;

    fn json(text: &str) -> Value {
        decode(text.as_bytes()).expect("valid JSON")
    }

    fn answer(rows: &[(&str, Value)]) -> Answer {
        let row =
            |(name, value): &(&str, Value)| Row { bindings: vec![((*name).into(), value.clone())], ..Row::default() };
        Answer { rows: rows.iter().map(row).collect() }
    }

    fn rows(rows: &str, sorted: bool) -> Want {
        Want::Rows { rows: json(rows), sorted, without_generated: true }
    }

    #[test]
    fn rows_may_come_in_any_order_but_arrays_only_if_said() {
        let got = || answer(&[("x", json("[2,1]")), ("x", json("1.0"))]);
        assert_eq!(judge(&rows(r#"[{"x":1},{"x":[2,1]}]"#, false), Ok(got())), Ok(()));
        assert!(judge(&rows(r#"[{"x":1},{"x":[1,2]}]"#, false), Ok(got())).is_err());
        assert_eq!(judge(&rows(r#"[{"x":1},{"x":[1,2]}]"#, true), Ok(got())), Ok(()));
    }

    #[test]
    fn sets_and_keys_are_compared_as_json_shows_them() {
        let set = Value::set([Value::from(2), Value::from(1)]);
        let keyed = Value::object([(Value::from(7), set)]);
        assert_eq!(judge(&rows(r#"[{"x":{"7":[1,2]}}]"#, false), Ok(answer(&[("x", keyed)]))), Ok(()));
        assert_eq!(judge(&rows("[{}]", false), Ok(answer(&[("__local1__", Value::from(1))]))), Ok(()));
    }

    #[test]
    fn an_error_has_to_be_the_wanted_one() {
        let want = Want::Error { code: Some("eval_type_error".into()), text: Some("got string".into()) };
        assert_eq!(judge(&want, Err("a:1: eval_type_error: got string".into())), Ok(()));
        assert!(judge(&want, Err("a:1: eval_type_error: got null".into())).is_err());
        assert!(judge(&want, Ok(answer(&[]))).is_err());
        assert!(judge(&Want::Anything, Err("a:1: eval_type_error: got string".into())).is_err());
    }
}
