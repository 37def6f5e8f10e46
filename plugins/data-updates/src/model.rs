//! Updates as publishers, hubs and agents exchange them: OPAL's `DataUpdate`, with OPAL's checks.

use std::fmt;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The topic of entries that name none.
pub const DEFAULT_TOPIC: &str = "policy_data";

/// News about data: what has changed, and where agents get it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DataUpdate {
    /// What reports call it; receivers make one up if it is absent.
    #[serde(default)]
    pub id: Option<String>,
    /// What has changed.
    pub entries: Vec<Entry>,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whom agents tell what became of it.
    #[serde(default)]
    pub callback: Callbacks,
}

impl DataUpdate {
    /// An update of those entries.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { id: None, entries: entries.into_iter().collect(), reason: None, callback: Callbacks::default() }
    }
}

/// Whom to report to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Callbacks {
    /// Their addresses.
    #[serde(default)]
    pub callbacks: Vec<Callback>,
}

/// An address for reports, with how to ask there if it says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Callback {
    /// As reports usually go.
    Url(String),
    /// As an entry's `config` has it.
    Configured(String, serde_json::Value),
}

/// One changed document.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Where its new value is fetched; empty if it is in `data`.
    pub url: String,
    /// How it is fetched: an object that the fetcher knows.
    pub config: Option<Box<RawValue>>,
    /// Who should hear of it.
    pub topics: Vec<String>,
    /// Where it lies below `data`, with slashes; empty for all of it.
    pub dst_path: String,
    /// How it is written.
    pub save_method: SaveMethod,
    /// The new value, or the operations of a patch: an array or an object.
    pub data: Option<Box<RawValue>>,
    /// Seconds after which it is fetched again, and so on; only in lists of base data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periodic_update_interval: Option<f64>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            url: String::new(),
            config: None,
            topics: vec![DEFAULT_TOPIC.to_owned()],
            dst_path: String::new(),
            save_method: SaveMethod::Put,
            data: None,
            periodic_update_interval: None,
        }
    }
}

/// How an entry is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveMethod {
    /// In place of what was there.
    Put,
    /// As changes to what is there: a JSON patch (RFC 6902).
    Patch,
    /// A word that nobody knows; OPAL lets it pass where there is no `data`.
    Unknown(String),
}

impl SaveMethod {
    /// The word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Unknown(word) => word,
        }
    }
}

impl fmt::Display for SaveMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for SaveMethod {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SaveMethod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match String::deserialize(deserializer)?.as_str() {
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            other => Self::Unknown(other.to_owned()),
        })
    }
}

/// An operation of a JSON patch. Which fields it needs depends on `op`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PatchOperation {
    /// `add`, `remove`, `replace`, `move`, `copy` or `test`.
    pub op: String,
    /// Where, below the entry's own path.
    pub path: String,
    /// The new or the expected value.
    #[serde(default)]
    pub value: Option<Box<RawValue>>,
    /// Where from.
    #[serde(default)]
    pub from: Option<String>,
}

impl PatchOperation {
    /// OPAL's check: what is put somewhere must be there, and null is nothing.
    fn check(&self) -> Result<(), String> {
        let is_missing = self.value.as_ref().is_none_or(|value| value.get() == "null");
        if matches!(self.op.as_str(), "add" | "replace") && is_missing {
            return Err(format!("'value' is required for operation {:?}", self.op));
        }
        Ok(())
    }
}

/// As an entry is written by publishers: what may be left out, and what may be there and null, are two things.
#[derive(Deserialize)]
struct Written {
    url: String,
    #[serde(default)]
    config: Option<Box<RawValue>>,
    #[serde(default = "default_topics")]
    topics: Vec<String>,
    #[serde(default)]
    dst_path: String,
    #[serde(default = "put")]
    save_method: SaveMethod,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    periodic_update_interval: Option<f64>,
}

fn default_topics() -> Vec<String> {
    vec![DEFAULT_TOPIC.to_owned()]
}

fn put() -> SaveMethod {
    SaveMethod::Put
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { url, config, topics, dst_path, save_method, data, periodic_update_interval } =
            Written::deserialize(deserializer)?;
        let config = config.filter(|config| config.get() != "null");
        if config.as_ref().is_some_and(|config| !config.get().starts_with('{') && config.get() != "[]") {
            return Err(D::Error::custom("config: value is not a valid dict"));
        }
        let entry = Self { url, config, topics, dst_path, save_method, data, periodic_update_interval };
        entry.check().map_err(D::Error::custom)?;
        Ok(entry)
    }
}

impl Entry {
    /// An entry whose value is fetched.
    pub fn fetched(url: impl Into<String>, dst_path: impl Into<String>) -> Self {
        Self { url: url.into(), dst_path: dst_path.into(), ..Self::default() }
    }

    /// An entry that brings its value: an object or an array.
    pub fn inline<T: Serialize + ?Sized>(dst_path: impl Into<String>, value: &T) -> Self {
        Self { dst_path: dst_path.into(), data: Some(crate::rpc::raw(value)), ..Self::default() }
    }

    /// The operations of the patch that it holds.
    ///
    /// # Errors
    /// When it holds something else.
    pub fn operations(&self) -> Result<Vec<PatchOperation>, String> {
        let text = self.data.as_ref().map_or("null", |data| data.get());
        operations(text.as_bytes())
    }

    fn check(&self) -> Result<(), String> {
        let Some(data) = &self.data else { return Ok(()) };
        match &self.save_method {
            SaveMethod::Unknown(word) => Err(format!("save_method: {word:?} is neither \"PUT\" nor \"PATCH\"")),
            // A hub that fills in what is missing writes null; there is nothing to check yet.
            _ if data.get() == "null" => Ok(()),
            SaveMethod::Patch => self.operations().map(drop),
            SaveMethod::Put if data.get().starts_with(['{', '[']) => Ok(()),
            SaveMethod::Put => Err("data: must be an object or an array".to_owned()),
        }
    }
}

/// The operations of a JSON patch.
///
/// # Errors
/// When it is none, in words for people.
pub fn operations(json: &[u8]) -> Result<Vec<PatchOperation>, String> {
    let operations: Vec<PatchOperation> = serde_json::from_slice(json)
        .map_err(|error| format!("data: must be a list of patch operations (RFC 6902): {error}"))?;
    operations.iter().try_for_each(PatchOperation::check)?;
    Ok(operations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Result<Entry, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn entries_are_accepted_as_opal_accepts_them() {
        let accepted = [
            r#"{"url":""}"#,
            r#"{"url":"","data":{}}"#,
            r#"{"url":"","data":[]}"#,
            r#"{"url":"","data":null}"#,
            r#"{"url":"","save_method":"PATCH"}"#,
            r#"{"url":"","save_method":"PATCH","data":[]}"#,
            r#"{"url":"","save_method":"PATCH","data":[{"op":"remove","path":"/a"}]}"#,
            r#"{"url":"","save_method":"PATCH","data":[{"op":"add","path":"/a","value":0}]}"#,
            r#"{"url":"","save_method":"PATCH","data":[{"op":"bogus","path":"x"}]}"#,
            r#"{"url":"","save_method":"POST"}"#,
            r#"{"url":"","topics":[],"config":null,"extra":1}"#,
            r#"{"url":"","config":[]}"#,
        ];
        for json in accepted {
            entry(json).expect(json);
        }
        let refused = [
            r#"{"url":"","data":5}"#,
            r#"{"url":"","data":"s"}"#,
            r#"{"url":"","save_method":"PATCH","data":{}}"#,
            r#"{"url":"","save_method":"PATCH","data":[{"op":"add","path":"/a"}]}"#,
            r#"{"url":"","save_method":"PATCH","data":[{"op":"replace","path":"/a","value":null}]}"#,
            r#"{"url":"","save_method":"PATCH","data":[{"path":"/a"}]}"#,
            r#"{"url":"","save_method":"POST","data":{}}"#,
            r#"{"url":"","save_method":"put","data":{}}"#,
            r#"{"url":"","topics":null}"#,
            r#"{"url":"","topics":"x"}"#,
            r#"{"url":"","dst_path":null}"#,
            r#"{"url":null}"#,
            "{}",
        ];
        for json in refused {
            entry(json).expect_err(json);
        }
    }

    #[test]
    fn what_is_left_out_is_written_out() {
        let update: DataUpdate =
            serde_json::from_str(r#"{"entries":[{"url":"http://s/u","x":1}]}"#).expect("an update");
        let written = serde_json::to_string(&update).expect("JSON");
        let expected = r#"{"id":null,"entries":[{"url":"http://s/u","config":null,"topics":["policy_data"],"dst_path":"","save_method":"PUT","data":null}],"reason":null,"callback":{"callbacks":[]}}"#;
        assert_eq!(written, expected);
    }

    #[test]
    fn numbers_and_the_order_of_keys_stay_as_they_are() {
        let text = r#"{"b":123456789012345678901234567890,"a":1.50}"#;
        let entry = entry(&format!(r#"{{"url":"","data":{text}}}"#)).expect("an entry");
        assert_eq!(entry.data.expect("data").get(), text);
    }
}
