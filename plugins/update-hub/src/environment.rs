//! The variables of an opal-server's environment, as a layer of configuration below all others.

use regent_core::Value;
use regent_core::value::decode;

/// What variables of opal-server say, under the keys of the `hub` section, which is there even if they say nothing.
///
/// # Errors
/// When one holds something else than it should; names the variable.
pub fn opal_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Value, String> {
    let read = |name: &str| lookup(&format!("OPAL_{name}")).filter(|value| !value.is_empty());
    let mut hub = Section::default();
    let host = read("SERVER_HOST");
    let port = read("SERVER_BIND_PORT").or_else(|| read("SERVER_PORT"));
    if host.is_some() || port.is_some() {
        let (host, port) = (host.unwrap_or_else(|| "127.0.0.1".to_owned()), port.unwrap_or_else(|| "7002".to_owned()));
        hub.set("addr", format!("{host}:{port}"));
    }
    if let Some(auth) = auth(&read) {
        hub.set("auth", auth);
    }
    if let Some(sources) = data_sources(&read)? {
        hub.set("data_sources", sources);
    }
    if let Some(policy) = policy(&read)? {
        hub.set("policy", policy);
    }
    if let Some(url) = read("BROADCAST_URI") {
        hub.set("backbone", Value::object([("url", Value::from(url))]));
    }
    if let Some(limit) = read("CLIENT_LOAD_LIMIT_NOTATION") {
        hub.set("load_limit", limit);
    }
    if let Some(flag) = read("STATISTICS_ENABLED") {
        hub.set("statistics", flag_of(&flag).ok_or("OPAL_STATISTICS_ENABLED must be true or false")?);
    }
    let Section(fields) = hub;
    Ok(Value::object([("hub", Value::object(fields))]))
}

#[derive(Default)]
struct Section(Vec<(&'static str, Value)>);

impl Section {
    fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.push((key, value.into()));
    }
}

/// Both keys make a server secure. One without the other is an error with OPAL; the public one follows from the private.
fn auth(read: &impl Fn(&str) -> Option<String>) -> Option<Value> {
    let names = [
        ("private_key", "AUTH_PRIVATE_KEY"),
        ("private_key_passphrase", "AUTH_PRIVATE_KEY_PASSPHRASE"),
        ("public_key", "AUTH_PUBLIC_KEY"),
        ("master_token", "AUTH_MASTER_TOKEN"),
        ("algorithm", "AUTH_JWT_ALGORITHM"),
        ("audience", "AUTH_JWT_AUDIENCE"),
        ("issuer", "AUTH_JWT_ISSUER"),
        ("jwks_path", "AUTH_JWKS_URL"),
    ];
    let fields: Vec<(&str, Value)> =
        names.into_iter().filter_map(|(key, name)| Some((key, Value::from(read(name)?)))).collect();
    let is_secure = fields.iter().any(|(key, _)| matches!(*key, "private_key" | "public_key"));
    is_secure.then(|| Value::object(fields))
}

fn data_sources(read: &impl Fn(&str) -> Option<String>) -> Result<Option<Value>, String> {
    let Some(text) = read("DATA_CONFIG_SOURCES") else { return Ok(None) };
    let wrong = || "OPAL_DATA_CONFIG_SOURCES must be {\"config\": {\"entries\": […]}} or {\"external_source_url\": …}";
    let sources = decode(text.as_bytes()).map_err(|error| format!("OPAL_DATA_CONFIG_SOURCES is no JSON: {error}"))?;
    if let Some(url) = sources.get("external_source_url").filter(|url| url.as_str().is_some()) {
        return Ok(Some(Value::object([("external_source_url", url.clone())])));
    }
    let entries = sources.get("config").and_then(|config| config.get("entries")).ok_or_else(wrong)?;
    Ok(Some(Value::object([("entries", entries.clone())])))
}

fn policy(read: &impl Fn(&str) -> Option<String>) -> Result<Option<Value>, String> {
    let mut policy = Section::default();
    if read("POLICY_SOURCE_TYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("API")) {
        if read("POLICY_BUNDLE_SERVER_TYPE").is_some_and(|kind| !kind.eq_ignore_ascii_case("HTTP")) {
            return Err("OPAL_POLICY_BUNDLE_SERVER_TYPE must be HTTP: S3 is not spoken".to_owned());
        }
        let Some(url) = read("POLICY_BUNDLE_URL") else { return Ok(None) };
        policy.set("bundle_url", format!("{}/bundle.tar.gz", url.trim_end_matches('/')));
    } else {
        let Some(repository) = read("POLICY_REPO_URL") else { return Ok(None) };
        policy.set("repository", repository);
    }
    let names = [
        ("bundle_token", "POLICY_BUNDLE_SERVER_TOKEN"),
        ("branch", "POLICY_REPO_MAIN_BRANCH"),
        ("ssh_key", "POLICY_REPO_SSH_KEY"),
        ("directory", "POLICY_REPO_CLONE_PATH"),
        ("manifest", "POLICY_REPO_MANIFEST_PATH"),
    ];
    for (key, name) in names {
        if let Some(value) = read(name) {
            policy.set(key, value);
        }
    }
    if let Some(seconds) = read("POLICY_REPO_POLLING_INTERVAL") {
        let seconds = decode(seconds.as_bytes()).map_err(|_| "OPAL_POLICY_REPO_POLLING_INTERVAL must be a number")?;
        policy.set("polling_seconds", seconds);
    }
    if let Some(secret) = read("POLICY_REPO_WEBHOOK_SECRET") {
        policy.set("webhook", Value::object([("secret", Value::from(secret))]));
    }
    Ok(Some(Value::object(policy.0)))
}

fn flag_of(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" => Some(true),
        "false" | "0" | "no" | "n" | "off" | "f" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<String, String> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| name.strip_prefix("OPAL_") == Some(known));
            found.map(|(_, value)| (*value).to_owned())
        };
        opal_variables(lookup).map(|value| value.to_string())
    }

    #[test]
    fn what_an_opal_server_is_told_is_understood() {
        assert_eq!(read(&[]), Ok(r#"{"hub":{}}"#.to_owned()));
        assert_eq!(read(&[("SERVER_BIND_PORT", "7005")]), Ok(r#"{"hub":{"addr":"127.0.0.1:7005"}}"#.to_owned()));
        let sources = r#"{"config": {"entries": [{"url": "http://s/"}]}}"#;
        let expected = r#"{"hub":{"data_sources":{"entries":[{"url":"http://s/"}]},"statistics":true}}"#;
        let found = read(&[("DATA_CONFIG_SOURCES", sources), ("STATISTICS_ENABLED", "True")]);
        assert_eq!(found, Ok(expected.to_owned()));
        let found = read(&[("AUTH_PRIVATE_KEY", "k"), ("AUTH_MASTER_TOKEN", "m"), ("BROADCAST_URI", "redis://r")]);
        let expected = r#"{"hub":{"auth":{"master_token":"m","private_key":"k"},"backbone":{"url":"redis://r"}}}"#;
        assert_eq!(found, Ok(expected.to_owned()));
        assert_eq!(
            read(&[("AUTH_MASTER_TOKEN", "m")]),
            Ok(r#"{"hub":{}}"#.to_owned()),
            "a master token alone makes nothing secure"
        );
    }

    #[test]
    fn a_variable_that_is_broken_is_named() {
        for (name, value) in
            [("DATA_CONFIG_SOURCES", "{"), ("DATA_CONFIG_SOURCES", "[]"), ("STATISTICS_ENABLED", "maybe")]
        {
            let error = read(&[(name, value)]).expect_err(name);
            assert!(error.contains(&format!("OPAL_{name}")), "{error}");
        }
    }
}
