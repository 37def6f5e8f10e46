//! What policies may use: functions, keywords, features of the language, hosts.

use std::sync::Arc;

use crate::builtin::{Declaration, capability};
use crate::value::{DecodeError, Json, Value, decode};

/// What an engine, or one release of OPA, offers to policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The functions that policies may call.
    pub builtins: Vec<Declaration>,
    /// The keywords that policies may import.
    pub future_keywords: Vec<Arc<str>>,
    /// Versions of the interface of policies in Wasm, major and minor.
    pub wasm_abi_versions: Vec<(u64, u64)>,
    /// Features of the language, such as `rego_v1`.
    pub features: Vec<Arc<str>>,
    /// Hosts that functions and schemas may reach; all of them if absent.
    pub allow_net: Option<Arc<[Arc<str>]>>,
}

/// A text is no list of capabilities.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilitiesError {
    /// It is no JSON.
    #[error(transparent)]
    Json(#[from] DecodeError),
    /// A part of it is not what it should be.
    #[error("{0} is not what capabilities have there")]
    Part(String),
}

impl Capabilities {
    /// Reads capabilities as OPA writes them. What is missing is not offered, but for `allow_net`.
    ///
    /// # Errors
    /// When the text is no JSON, or a part of it has the wrong form.
    pub fn parse(text: &[u8]) -> Result<Self, CapabilitiesError> {
        let json = decode(text)?;
        if !json.is_object() {
            return Err(CapabilitiesError::Part("the whole".to_owned()));
        }
        let texts = |key: &str| list(&json, key, |item| item.as_str().map(Arc::from)).map(Option::unwrap_or_default);
        let version = |item: &Value| Some((number(item, "version")?, number(item, "minor_version")?));
        Ok(Self {
            builtins: list(&json, "builtins", Declaration::from_json)?.unwrap_or_default(),
            future_keywords: texts("future_keywords")?,
            wasm_abi_versions: list(&json, "wasm_abi_versions", version)?.unwrap_or_default(),
            features: texts("features")?,
            allow_net: list(&json, "allow_net", |item| item.as_str().map(Arc::from))?.map(Into::into),
        })
    }

    /// The capabilities as OPA writes them; what is empty is left out.
    pub fn to_json(&self) -> Json {
        let texts = |texts: &[Arc<str>]| Json::from(Value::array(texts.iter().cloned()));
        let mut fields = Vec::new();
        if !self.builtins.is_empty() {
            fields.push(("builtins", Json::Array(self.builtins.iter().map(capability).collect())));
        }
        if !self.future_keywords.is_empty() {
            fields.push(("future_keywords", texts(&self.future_keywords)));
        }
        if !self.wasm_abi_versions.is_empty() {
            let versions = self.wasm_abi_versions.iter().map(|(version, minor)| {
                Json::Object(vec![
                    ("version", Value::from(*version).into()),
                    ("minor_version", Value::from(*minor).into()),
                ])
            });
            fields.push(("wasm_abi_versions", Json::Array(versions.collect())));
        }
        if !self.features.is_empty() {
            fields.push(("features", texts(&self.features)));
        }
        fields.extend(self.allow_net.iter().filter(|hosts| !hosts.is_empty()).map(|hosts| ("allow_net", texts(hosts))));
        Json::Object(fields)
    }

    /// Whether a feature of the language is offered.
    pub fn has_feature(&self, name: &str) -> bool {
        self.features.iter().any(|feature| **feature == *name)
    }
}

/// The items under a key; nothing if it is absent or null.
fn list<T>(json: &Value, key: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Option<Vec<T>>, CapabilitiesError> {
    let Some(found) = json.get(key).filter(|found| !found.is_null()) else { return Ok(None) };
    let wrong = |place: String| CapabilitiesError::Part(place);
    let items = found.as_array().ok_or_else(|| wrong(format!("`{key}`")))?.iter().enumerate();
    let items = items.map(|(index, item)| read(item).ok_or_else(|| wrong(format!("`{key}[{index}]`"))));
    items.collect::<Result<_, _>>().map(Some)
}

fn number(json: &Value, key: &str) -> Option<u64> {
    json.get(key)?.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_read_back() {
        let text = br#"{"builtins":[{"name":"eq","infix":"=","decl":{"type":"function","args":[{"type":"any"}],
            "result":{"type":"boolean"}}}],"future_keywords":["in"],"wasm_abi_versions":[{"version":1,"minor_version":2}],
            "features":["rego_v1"],"allow_net":["example.com"]}"#;
        let read = Capabilities::parse(text).expect("capabilities");
        assert_eq!(read.builtins[0].infix.as_deref(), Some("="));
        assert!(read.has_feature("rego_v1") && !read.has_feature("rego_v2"));
        assert_eq!(Capabilities::parse(&read.to_json().encode(true)).expect("capabilities"), read);
    }

    #[test]
    fn what_is_missing_is_not_offered_but_hosts_are_free() {
        let read = Capabilities::parse(b"{}").expect("capabilities");
        assert_eq!(read, Capabilities::default());
        assert_eq!(read.allow_net, None);
        let closed = Capabilities::parse(br#"{"allow_net":[]}"#).expect("capabilities");
        assert_eq!(closed.allow_net.as_deref(), Some(&[][..]));
    }

    #[test]
    fn wrong_parts_are_named() {
        let message = |text: &str| Capabilities::parse(text.as_bytes()).expect_err("none").to_string();
        assert_eq!(message(r#"{"builtins":[{"name":"f"}]}"#), "`builtins[0]` is not what capabilities have there");
        assert_eq!(message(r#"{"features":1}"#), "`features` is not what capabilities have there");
        assert_eq!(message("[]"), "the whole is not what capabilities have there");
    }
}
