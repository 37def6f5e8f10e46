//! The agent as policies see it.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Object, Value, View};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[function(
    "opa.runtime() => output: object[string: any]",
    "Gives the configuration, environment and version of the agent.",
    runtime,
)
.nondeterministic()];

/// The runtime, its configuration without secrets.
fn runtime(_: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let Some(entries) = call.runtime.as_object() else {
        return Ok(Some(Value::empty_object()));
    };
    let Some(config) = entries.get_str("config").and_then(Value::as_object) else {
        return Ok(Some(call.runtime.clone()));
    };
    let mut public = config.clone();
    for (section, secrets, listed) in
        [("services", &["credentials"][..], true), ("keys", &["key", "private_key"], false)]
    {
        if let Some(value) = config.get_str(section).filter(|value| !matches!(value.view(), View::Null)) {
            public = public.with(section.into(), without_secrets(value, section, secrets, listed)?);
        }
    }
    Ok(Some(entries.with("config".into(), public.into()).into()))
}

/// A section whose parts lose their secrets; the parts may be a list where it says so.
fn without_secrets(section: &Value, name: &str, secrets: &[&str], listed: bool) -> Result<Value, BuiltinError> {
    let strip = |part: &Value| -> Result<Value, BuiltinError> {
        let entries = part.as_object().ok_or_else(|| BuiltinError::failed("type assertion error"))?;
        let stripped: Object =
            secrets.iter().fold(entries.clone(), |entries, secret| entries.without(&(*secret).into()));
        Ok(Value::from(stripped))
    };
    match section.view() {
        View::Object(parts) => {
            let parts = parts.iter().map(|(key, part)| Ok((key.clone(), strip(part)?)));
            Ok(Value::object(parts.collect::<Result<Vec<_>, BuiltinError>>()?))
        }
        View::Array(parts) if listed => Ok(Value::array(parts.iter().map(strip).collect::<Result<Vec<_>, _>>()?)),
        _ => Err(BuiltinError::failed(format!("illegal {name} config type: {}", go_type(section)))),
    }
}

/// The type that Go's JSON reader gives such a value.
fn go_type(value: &Value) -> &'static str {
    match value.view() {
        View::Bool(_) => "bool",
        View::Number(_) => "json.Number",
        View::String(_) => "string",
        _ => "[]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use regent_core::value::{decode, encode};

    use super::super::testing::{Query, check};

    #[test]
    fn secrets_stay_behind() {
        let runtime = r#"{"config":{"keys":{"k":{"key":"x","private_key":"y","scope":"s"}},"labels":{"a":"b"},
            "services":{"s":{"credentials":{"bearer":{"token":"t"}},"url":"u"}}},"version":"1"}"#;
        let mut query = Query::new(decode(runtime.as_bytes()).expect("JSON"));
        let shown = query.call("opa.runtime", "[]").expect("works").map(|value| encode(&value));
        let expected =
            r#"{"config":{"keys":{"k":{"scope":"s"}},"labels":{"a":"b"},"services":{"s":{"url":"u"}}},"version":"1"}"#;
        assert_eq!(shown.as_deref(), Some(expected));
        check("opa.runtime", "[]", "{}");
    }
}
