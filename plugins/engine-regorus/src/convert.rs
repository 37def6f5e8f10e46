//! Values to regorus and back.
//!
//! regorus keeps whole numbers exactly, whatever their size, and all others as doubles. It forgets their spelling.

use std::collections::{BTreeMap, BTreeSet};

use regent_core::value::{Number, Object, Set, Value, View};
use regorus::Value as Theirs;

/// Deepest nesting that is handed to regorus, which takes values apart by recursion.
const MAX_DEPTH: usize = 256;

/// Why a value cannot cross.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConvertError {
    /// Too deep.
    #[error("value is nested more than {MAX_DEPTH} levels deep")]
    Depth,
    /// Neither a whole number of sensible length nor within the range of a double.
    #[error("number {0} is out of range")]
    Number(String),
}

/// The value in regorus's representation.
pub(crate) fn to_regorus(value: &Value) -> Result<Theirs, ConvertError> {
    to(value, 0)
}

/// The value in Regent's representation; nothing for what is undefined.
pub(crate) fn from_regorus(value: &Theirs) -> Result<Option<Value>, ConvertError> {
    match value {
        Theirs::Undefined => Ok(None),
        defined => from(defined, 0).map(Some),
    }
}

fn to(value: &Value, depth: usize) -> Result<Theirs, ConvertError> {
    if depth > MAX_DEPTH {
        return Err(ConvertError::Depth);
    }
    Ok(match value.view() {
        View::Null => Theirs::Null,
        View::Bool(truth) => Theirs::Bool(truth),
        View::Number(number) => to_number(&number)?,
        View::String(text) => Theirs::String(text.into()),
        View::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| to(item, depth + 1)).collect();
            items?.into()
        }
        View::Set(members) => {
            let members: Result<BTreeSet<_>, _> = members.iter().map(|member| to(member, depth + 1)).collect();
            members?.into()
        }
        View::Object(entries) => {
            let entry = |(key, value)| Ok((to(key, depth + 1)?, to(value, depth + 1)?));
            let entries: Result<BTreeMap<_, _>, _> = entries.iter().map(entry).collect();
            entries?.into()
        }
    })
}

fn to_number(number: &Number) -> Result<Theirs, ConvertError> {
    if let Some(int) = number.as_i64() {
        return Ok(Theirs::from(int));
    }
    let literal = number.to_literal();
    let out_of_range = || ConvertError::Number(literal.clone().into_owned());
    // regorus would write out every zero of `1e2000000000`.
    let exponent = literal.split_once(['e', 'E']).map_or(Ok(0), |(_, digits)| digits.parse::<i64>());
    if exponent.is_err() || exponent.is_ok_and(|exponent| exponent > 10_000) {
        return Err(out_of_range());
    }
    Theirs::from_numeric_string(&literal).map_err(|_| out_of_range())
}

fn from(value: &Theirs, depth: usize) -> Result<Value, ConvertError> {
    if depth > MAX_DEPTH {
        return Err(ConvertError::Depth);
    }
    let below = |value| from(value, depth + 1);
    Ok(match value {
        Theirs::Null | Theirs::Undefined => Value::NULL,
        Theirs::Bool(truth) => (*truth).into(),
        Theirs::Number(_) => from_number(value)?,
        Theirs::String(text) => text.into(),
        Theirs::Array(items) => items.iter().map(below).collect::<Result<Vec<_>, _>>()?.into(),
        Theirs::Set(members) => members.iter().map(below).collect::<Result<Set, _>>()?.into(),
        Theirs::Object(entries) => {
            let entry = |(key, value)| Ok((below(key)?, below(value)?));
            entries.iter_sorted().map(entry).collect::<Result<Object, _>>()?.into()
        }
    })
}

fn from_number(value: &Theirs) -> Result<Value, ConvertError> {
    if let Ok(int) = value.as_i64() {
        return Ok(int.into());
    }
    let digits = match value.as_number() {
        Ok(number) => number.format_decimal(),
        Err(_) => String::new(),
    };
    let literal = match value.as_f64() {
        Ok(float) if digits.contains('.') && float.abs() < 1e-6 => format!("{float:e}"),
        _ => digits,
    };
    Number::parse(&literal).map(Value::from).map_err(|_| ConvertError::Number(literal))
}

#[cfg(test)]
mod tests {
    use regent_core::value::{decode, encode};

    use super::*;

    fn around(value: &Value) -> String {
        let theirs = to_regorus(value).expect("converts");
        encode(&from_regorus(&theirs).expect("converts").expect("is defined"))
    }

    fn around_json(json: &str) -> String {
        around(&decode(json.as_bytes()).expect("valid JSON"))
    }

    #[test]
    fn json_survives() {
        for json in [r#"{"a":[1,null,true,"x"],"b":{}}"#, "-9223372036854775808", "18446744073709551615"] {
            assert_eq!(around_json(json), json);
        }
    }

    #[test]
    fn whole_numbers_are_exact_and_fractions_are_doubles() {
        let big = "123456789012345678901234567890";
        assert_eq!(around_json(big), big);
        assert_eq!(around_json("1.0"), "1");
        assert_eq!(around_json("1e3"), "1000");
        assert_eq!(around_json("0.1"), "0.1");
        assert_eq!(around_json("-2.5e-9"), "-2.5e-9");
    }

    #[test]
    fn numbers_without_end_are_refused() {
        let huge = decode(b"1e2000000000").expect("valid JSON");
        assert_eq!(to_regorus(&huge), Err(ConvertError::Number("1e2000000000".to_owned())));
    }

    #[test]
    fn sets_and_keys_that_are_no_strings_survive() {
        let set: Set = [Value::from(2_i64), Value::from("x"), Value::NULL].into_iter().collect();
        let object = Value::object([(Value::from(1_i64), Value::from(set))]);
        let back = from_regorus(&to_regorus(&object).expect("converts")).expect("converts");
        assert_eq!(back, Some(object));
    }

    #[test]
    fn bottomless_values_are_refused() {
        let deep = (0..=MAX_DEPTH).fold(Value::NULL, |below, _| Value::array([below]));
        assert_eq!(to_regorus(&deep), Err(ConvertError::Depth));
    }
}
