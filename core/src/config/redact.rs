//! The configuration as it may be shown: without what must not be known.
//!
//! OPA takes out the credentials of services and the material of keys. Shown masked here, beside that: headers with a
//! telling name, whatever else has one in `plugins` and in sections that OPA does not know, and passwords in URLs.

use super::secret::MASK;
use crate::value::{Value, View};

/// Sections whose keys are all known to hold no secret under a telling name.
const PLAIN: [&str; 16] = [
    "labels",
    "discovery",
    "bundle",
    "bundles",
    "decision_logs",
    "status",
    "default_decision",
    "default_authorization_decision",
    "caching",
    "nd_builtin_cache",
    "persistence_directory",
    "distributed_tracing",
    "metrics_export",
    "server",
    "storage",
    "engine",
];

/// Parts of names that tell of a secret.
const TELLING: [&str; 14] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "private_key",
    "privatekey",
    "private-key",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "authorization",
    "credential",
];

/// Parts of names of headers that tell of a secret, beside those. Other headers are shown, as OPA shows all of them.
const TELLING_HEADERS: [&str; 6] = ["auth", "key", "cookie", "session", "signature", "jwt"];

/// The tree with secrets removed or masked.
pub(super) fn redact(tree: &Value) -> Value {
    entries(tree, |section, value| match section {
        "services" => each(value, |service| {
            let service = service.without(&["credentials"]);
            entries(&service, entry)
        }),
        "keys" => each(value, |key| match key.as_object() {
            Some(_) => telling(&key.without(&["key"]).without(&["private_key"])),
            None => masked(key),
        }),
        "plugins" => each(value, telling),
        _ if PLAIN.contains(&section) => urls(value),
        _ if tells(section) => masked(value),
        _ => telling(value),
    })
}

/// The object with each entry changed; anything else as it is.
fn entries(value: &Value, change: impl Fn(&str, &Value) -> Value) -> Value {
    let Some(object) = value.as_object() else {
        return value.clone();
    };
    Value::object(object.iter().map(|(key, value)| (key.clone(), change(key.as_str().unwrap_or_default(), value))))
}

/// The values of an object or the items of a list, each changed.
fn each(value: &Value, change: impl Fn(&Value) -> Value) -> Value {
    match value.view() {
        View::Array(items) => Value::array(items.iter().map(change)),
        View::Object(_) => entries(value, |_, value| change(value)),
        _ => change(value),
    }
}

fn headers(value: &Value) -> Value {
    let tells = |name: &str| tells(name) || tells_of_any(name, &TELLING_HEADERS);
    entries(value, |name, value| if tells(name) { masked(value) } else { urls(value) })
}

fn masked(value: &Value) -> Value {
    if value.is_null() { Value::NULL } else { MASK.into() }
}

pub(super) fn tells(key: &str) -> bool {
    tells_of_any(key, &TELLING)
}

fn tells_of_any(key: &str, parts: &[&str]) -> bool {
    let key = key.to_ascii_lowercase();
    parts.iter().any(|part| key.contains(part))
}

/// What may be shown of an entry that OPA does not name as a secret.
fn entry(key: &str, value: &Value) -> Value {
    match key {
        _ if tells(key) => masked(value),
        "headers" => headers(value),
        _ => telling(value),
    }
}

/// Everything with a telling name masked, at any depth.
fn telling(value: &Value) -> Value {
    match value.view() {
        View::Object(_) => entries(value, entry),
        View::Array(items) => Value::array(items.iter().map(telling)),
        _ => urls(value),
    }
}

/// Who logs in where, without the password, at any depth.
fn urls(value: &Value) -> Value {
    match value.view() {
        View::Object(_) => entries(value, |_, value| urls(value)),
        View::Array(items) => Value::array(items.iter().map(urls)),
        View::String(text) if text.contains("://") && text.contains('@') => url(text).into(),
        _ => value.clone(),
    }
}

/// The text with the password of every URL in it masked; user information without a password may be a token and is
/// masked as a whole.
fn url(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + 3);
        out.push_str(scheme);
        let end = after.find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace()).unwrap_or(after.len());
        let (authority, after) = after.split_at(end);
        match authority.rsplit_once('@') {
            None => out.push_str(authority),
            Some((login, host)) => {
                let user = login.split_once(':').map(|(user, _)| format!("{user}:")).unwrap_or_default();
                out.extend([&user, MASK, "@", host]);
            }
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{decode, encode};

    fn shown(json: &str) -> String {
        encode(&redact(&decode(json.as_bytes()).expect("valid JSON")))
    }

    #[test]
    fn credentials_and_key_material_are_gone() {
        let services = r#"{"services":{"a":{"credentials":{"bearer":{"token":"t"}},"url":"https://x","headers":{"X-Team":"s","X-Auth":"s","PRIVATE-TOKEN":null}}}}"#;
        let expected =
            r#"{"services":{"a":{"headers":{"PRIVATE-TOKEN":null,"X-Auth":"***","X-Team":"s"},"url":"https://x"}}}"#;
        assert_eq!(shown(services), expected);
        assert_eq!(shown(r#"{"services":[{"name":"a","credentials":{}}]}"#), r#"{"services":[{"name":"a"}]}"#);
        assert_eq!(
            shown(r#"{"keys":{"k":{"key":"x","private_key":"y","algorithm":"HS256"}}}"#),
            r#"{"keys":{"k":{"algorithm":"HS256"}}}"#
        );
        let misspelt = r#"{"services":{"a":{"credential":{"bearer":{"token":"t"}},"bearer":{"token":"t"}}}}"#;
        assert_eq!(shown(misspelt), r#"{"services":{"a":{"bearer":{"token":"***"},"credential":"***"}}}"#);
        assert_eq!(shown(r#"{"keys":{"k":{"secret":"x"}}}"#), r#"{"keys":{"k":{"secret":"***"}}}"#);
        assert_eq!(shown(r#"{"services":"odd","keys":null}"#), r#"{"keys":null,"services":"odd"}"#);
    }

    #[test]
    fn telling_names_are_masked_where_opa_knows_nothing() {
        assert_eq!(
            shown(
                r#"{"plugins":{"token_pusher":{"Token":"t","access_key":"k","out":[{"clientSecret":1,"url":"u"}],"headers":{"A":"b","Api-Key":"k"}}}}"#
            ),
            r#"{"plugins":{"token_pusher":{"Token":"***","access_key":"***","headers":{"A":"b","Api-Key":"***"},"out":[{"clientSecret":"***","url":"u"}]}}}"#
        );
        assert_eq!(
            shown(r#"{"ekm":{"vault":{"token":"t"}},"my_token":"x"}"#),
            r#"{"ekm":{"vault":{"token":"***"}},"my_token":"***"}"#
        );
        let plain = r#"{"bundles":{"secret-policies":{"service":"s"}},"labels":{"token":"public"}}"#;
        assert_eq!(shown(plain), plain);
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        let table = [
            ("https://u:p@h/x?q=a@b", "https://u:***@h/x?q=a@b"),
            ("https://tok@h", "https://***@h"),
            ("https://h/a@b", "https://h/a@b"),
            ("a://u:p@h b://v:q@i/", "a://u:***@h b://v:***@i/"),
            ("https://u:p@x@h", "https://u:***@h"),
            ("mail@host", "mail@host"),
        ];
        for (text, expected) in table {
            assert_eq!(url(text), expected);
        }
        assert_eq!(
            shown(r#"{"bundles":{"b":{"resource":"https://u:p@h"}}}"#),
            r#"{"bundles":{"b":{"resource":"https://u:***@h"}}}"#
        );
    }
}
