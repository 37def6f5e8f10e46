//! What the request object says beside the request itself.

use std::time::Duration;

use regent_core::builtin::{BuiltinError, REQUEST_KEYS};
use regent_core::value::{Object, Value, encode};

use crate::failure::Failure;

/// What the request object says beside the request itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whether the response may come from, and go into, the cache across queries.
    pub(crate) cached: bool,
    /// How long a response counts as fresh, whatever it says itself.
    pub(crate) forced: Option<Duration>,
    /// In which form it is kept, unless the mode is none that there is.
    pub(crate) mode: Option<Mode>,
    /// Whether the body is read as JSON, whatever it says itself.
    pub(crate) json: bool,
    /// Whether the body is read as YAML, whatever it says itself.
    pub(crate) yaml: bool,
}

/// In which form a response is kept across queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As bytes, which are read anew each time.
    Serialized,
    /// As the value that the function gave: quicker, and larger.
    Deserialized,
}

/// Whether a failure is an error.
pub(crate) fn raises_errors(request: &Object) -> Result<bool, BuiltinError> {
    match request.get_str("raise_error") {
        None => Ok(true),
        Some(raise) => raise.as_bool().ok_or_else(|| BuiltinError::failed("invalid value for raise_error field")),
    }
}

/// Refuses a request object with keys that mean nothing, or without keys that it must have.
pub(crate) fn check_keys(request: &Object) -> Result<(), Failure> {
    let listed = |keys: Vec<String>| keys.join(", ");
    let unknown = request.keys().filter(|key| !key.as_str().is_some_and(|key| REQUEST_KEYS.contains(&key)));
    let unknown: Vec<_> = unknown.map(encode).collect();
    if !unknown.is_empty() {
        return Err(Failure::Operand(format!("operand 1 invalid request parameters(s): {{{}}}", listed(unknown))));
    }
    let missing = ["method", "url"].into_iter().filter(|key| request.get_str(key).is_none());
    let missing: Vec<_> = missing.map(|key| format!("{key:?}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Operand(format!("operand 1 missing required request parameters(s): {{{}}}", listed(missing))))
}

impl Options {
    /// Reads them.
    pub(crate) fn read(request: &Object) -> Result<Self, Failure> {
        let cached = flag(request, "cache")?;
        let force = flag(request, "force_cache")?;
        Ok(Self {
            cached: cached || force,
            forced: if force { forced(request)? } else { None },
            mode: match request.get_str("caching_mode") {
                None => Some(Mode::Serialized),
                Some(mode) => match mode.as_str() {
                    Some("serialized") => Some(Mode::Serialized),
                    Some("deserialized") => Some(Mode::Deserialized),
                    _ => None,
                },
            },
            json: flag(request, "force_json_decode")?,
            yaml: flag(request, "force_yaml_decode")?,
        })
    }
}

/// How often a request that failed is sent again.
pub(crate) fn retries(request: &Object) -> Result<u32, Failure> {
    const KEY: &str = "max_retry_attempts";
    let Some(written) = request.get_str(KEY) else { return Ok(0) };
    let count = written.as_number().and_then(|number| number.as_plain_i64()).and_then(|n| u32::try_from(n).ok());
    count.ok_or_else(|| Failure::Plain(format!("invalid value {} for field {KEY:?}", encode(written))))
}

/// What stands for the request in caches: the request object without the headers that it wants to be left out.
pub(crate) fn cache_key(request: &Object) -> Result<Value, Failure> {
    const IGNORED: &str = "cache_ignored_headers";
    let key = request.with(IGNORED.into(), Value::NULL);
    let (Some(ignored), Some(headers)) = (request.get_str(IGNORED), request.get_str("headers")) else {
        return Ok(key.into());
    };
    let wrong = |wanted: &str, found: &Value| Failure::Plain(format!("cannot use {} as {wanted}", found.type_name()));
    if ignored.is_null() {
        return Ok(key.into());
    }
    let names = match (ignored.as_array(), ignored.as_set()) {
        (Some(names), _) => names.to_vec(),
        (None, Some(names)) => names.iter().cloned().collect(),
        (None, None) => return Err(wrong("array of strings in cache_ignored_headers", ignored)),
    };
    if let Some(other) = names.iter().find(|name| name.as_str().is_none()) {
        return Err(wrong("string in cache_ignored_headers", other));
    }
    let headers = headers.as_object().ok_or_else(|| wrong("object in headers", headers))?;
    let kept = names.iter().fold(headers.clone(), |kept, name| kept.without(name));
    Ok(key.with("headers".into(), kept.into()).into())
}

fn flag(request: &Object, key: &str) -> Result<bool, Failure> {
    match request.get_str(key) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| Failure::Request(format!("invalid value for {key:?} field"))),
    }
}

/// How long a response counts as fresh; no time at all means that it is for the response to say.
fn forced(request: &Object) -> Result<Option<Duration>, Failure> {
    let Some(seconds) = request.get_str("force_cache_duration_seconds") else {
        let text = "'force_cache' set but 'force_cache_duration_seconds' parameter is missing";
        return Err(Failure::Request(text.to_owned()));
    };
    let unparsed = |why: &str| Failure::Request(format!("strconv.ParseInt: parsing {:?}: {why}", encode(seconds)));
    let number = seconds.as_number().ok_or_else(|| unparsed("invalid syntax"))?;
    let whole = encode(seconds).bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    let seconds = match number.as_plain_i64() {
        Some(seconds) if i32::try_from(seconds).is_ok() => seconds,
        Some(_) => return Err(unparsed("value out of range")),
        None if whole => return Err(unparsed("value out of range")),
        None => return Err(unparsed("invalid syntax")),
    };
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

/// What Go's `strconv.ParseBool` makes of a value's text.
pub(crate) fn parse_bool(value: &Value) -> Result<bool, Failure> {
    if let Some(truth) = value.as_bool() {
        return Ok(truth);
    }
    match value.as_number().and_then(|number| number.as_plain_i64()) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(Failure::Request(format!("strconv.ParseBool: parsing {:?}: invalid syntax", encode(value)))),
    }
}

#[cfg(test)]
mod tests {
    use regent_core::value::decode;

    use super::*;

    fn object(json: &str) -> Object {
        decode(json.as_bytes()).expect("JSON").as_object().expect("an object").clone()
    }

    #[test]
    fn keys_are_checked_in_opas_words() {
        let refused = |json| check_keys(&object(json)).expect_err("refused").raised().to_string();
        assert_eq!(
            refused(r#"{"method":"get","url":"x","bad":1,"another":2}"#),
            r#"operand 1 invalid request parameters(s): {"another", "bad"}"#
        );
        assert_eq!(refused("{}"), r#"operand 1 missing required request parameters(s): {"method", "url"}"#);
        assert_eq!(check_keys(&object(r#"{"method":"get","url":"x"}"#)), Ok(()));
    }

    #[test]
    fn options_of_the_wrong_type_are_refused_in_opas_words() {
        let refused = |json: &str| Options::read(&object(json)).expect_err("refused").raised().to_string();
        assert_eq!(refused(r#"{"cache":1}"#), r#"invalid value for "cache" field"#);
        assert_eq!(refused(r#"{"force_json_decode":"x"}"#), r#"invalid value for "force_json_decode" field"#);
        assert_eq!(
            refused(r#"{"force_cache":true}"#),
            "'force_cache' set but 'force_cache_duration_seconds' parameter is missing"
        );
        let seconds = |text: &str| refused(&format!(r#"{{"force_cache":true,"force_cache_duration_seconds":{text}}}"#));
        assert_eq!(seconds("1.5"), r#"strconv.ParseInt: parsing "1.5": invalid syntax"#);
        assert_eq!(seconds("3000000000"), r#"strconv.ParseInt: parsing "3000000000": value out of range"#);
        assert_eq!(seconds(r#""9""#), r#"strconv.ParseInt: parsing "\"9\"": invalid syntax"#);
        let retried = |json: &str| retries(&object(json)).expect_err("refused").raised().to_string();
        let expected = r#"invalid value -1 for field "max_retry_attempts""#;
        assert_eq!(retried(r#"{"max_retry_attempts":-1}"#), expected);
        assert_eq!(
            parse_bool(&"true".into()).expect_err("refused").raised().to_string(),
            r#"strconv.ParseBool: parsing "\"true\"": invalid syntax"#
        );
        assert_eq!((parse_bool(&1.into()), parse_bool(&false.into())), (Ok(true), Ok(false)));
    }

    #[test]
    fn ignored_headers_are_no_part_of_the_key() {
        let key = |json| cache_key(&object(json)).map(|key| encode(&key));
        let first = key(r#"{"headers":{"a":"1","b":"2"},"cache_ignored_headers":["b"]}"#);
        assert_eq!(first, Ok(r#"{"cache_ignored_headers":null,"headers":{"a":"1"}}"#.to_owned()));
        assert_eq!(first, key(r#"{"headers":{"a":"1","c":"3"},"cache_ignored_headers":["c"]}"#));
        assert_ne!(first, key(r#"{"headers":{"a":"1","b":"2"}}"#));
        assert!(key(r#"{"headers":{},"cache_ignored_headers":"b"}"#).is_err());
    }
}
