//! What is published: an update of data, or whatever else a peer has to say to others.

use std::sync::OnceLock;

use regent_data_updates::model::{Callbacks, DataUpdate, Entry, SaveMethod};
use regent_data_updates::rpc::{Position, raw};
use regent_data_updates::topics::expand_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What is published, as backbones have it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// All topics that it goes out on.
    pub(crate) topics: Vec<String>,
    /// The connection that published it, which is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publisher: Option<String>,
    /// What peers are told.
    pub(crate) content: Content,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// Of which each peer gets the entries that concern it.
    Update(DataUpdate),
    /// Anything else; as it is.
    Message(Box<RawValue>),
}

impl Record {
    /// An update, out on the topics of its entries and all that they lie below.
    pub(crate) fn update(mut update: DataUpdate) -> Self {
        let mut topics: Vec<String> = Vec::new();
        for entry in &mut update.entries {
            entry.topics = expand_all(&entry.topics);
            for topic in &entry.topics {
                if !topics.contains(topic) {
                    topics.push(topic.clone());
                }
            }
            spell_out(entry);
        }
        Self { topics, publisher: None, content: Content::Update(update) }
    }

    /// A message to those topics, as they are.
    pub(crate) fn message(topics: Vec<String>, data: Box<RawValue>, publisher: Option<String>) -> Self {
        Self { topics, publisher, content: Content::Message(data) }
    }

    /// Bytes of what peers are told.
    pub(crate) fn size(&self) -> usize {
        match &self.content {
            Content::Update(update) => raw(update).get().len(),
            Content::Message(data) => data.get().len(),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        raw(self).get().to_owned()
    }
}

/// Writes the operations of a patch as OPAL does: what may be there is there, if only as null.
fn spell_out(entry: &mut Entry) {
    if entry.save_method == SaveMethod::Patch
        && let Some(Ok(operations)) = entry.data.is_some().then(|| entry.operations())
    {
        entry.data = Some(raw(&operations));
    }
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// An agent of ours.
    Regent,
    /// Anyone else: patches whose operations have to be fetched are kept from them, since they would refuse the whole update.
    Opal,
}

/// What is published, and its number.
#[derive(Debug)]
pub(crate) struct Publication {
    /// Greater than that of everything before.
    pub(crate) seq: u64,
    pub(crate) record: Record,
    /// Bytes of it as JSON.
    pub(crate) size: usize,
    /// What agents of ours are told that are concerned by all of it, which most are.
    whole: OnceLock<String>,
}

/// An update of which some entries are left out.
#[derive(Serialize)]
struct Part<'a> {
    id: &'a Option<String>,
    entries: Vec<&'a Entry>,
    reason: &'a Option<String>,
    callback: &'a Callbacks,
}

impl Publication {
    pub(crate) fn new(seq: u64, record: Record, size: usize) -> Self {
        Self { seq, record, size, whole: OnceLock::new() }
    }

    /// What a peer with those topics is told; nothing if nothing of it concerns the peer.
    pub(crate) fn told(&self, topics: &[&str], audience: Audience) -> Option<String> {
        let update = match &self.record.content {
            Content::Message(data) => return Some(data.get().to_owned()),
            Content::Update(update) => update,
        };
        let concerns = |entry: &&Entry| {
            entry.topics.iter().any(|topic| topics.contains(&topic.as_str())) && is_for(entry, audience)
        };
        let entries: Vec<&Entry> = update.entries.iter().filter(concerns).collect();
        if entries.is_empty() {
            return None;
        }
        if entries.len() == update.entries.len() {
            return Some(self.whole.get_or_init(|| raw(update).get().to_owned()).clone());
        }
        let part = Part { id: &update.id, entries, reason: &update.reason, callback: &update.callback };
        Some(raw(&part).get().to_owned())
    }
}

/// Whether the audience can do something with the entry.
pub(crate) fn is_for(entry: &Entry, audience: Audience) -> bool {
    let is_fetched_patch =
        entry.save_method == SaveMethod::Patch && entry.data.as_ref().is_none_or(|data| data.get() == "null");
    audience == Audience::Regent || !is_fetched_patch
}

/// What comes from a backbone.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// The log is another one than before, or something of it is missing: it begins after that place.
    Begins(Position),
    /// The next publication.
    Record { seq: u64, text: String },
    /// Whatever had been published when the log began has come.
    Complete,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(json: &str) -> Publication {
        let record = Record::update(serde_json::from_str(json).expect("an update"));
        let text = record.to_json();
        let read: Record = serde_json::from_str(&text).expect("a record can be read again");
        assert_eq!(read.to_json(), text);
        Publication::new(1, read, text.len())
    }

    #[test]
    fn an_update_goes_out_on_all_that_its_topics_lie_below_each_once() {
        let of = publication(
            r#"{"entries": [{"url": "", "topics": ["a/b", "a/c"]}, {"url": "", "topics": ["a/b/d"]}, {"url": "", "topics": []}]}"#,
        );
        assert_eq!(of.record.topics, ["a", "a/b", "a/c", "a/b/d"]);
    }

    #[test]
    fn peers_are_told_what_concerns_them() {
        let of =
            publication(r#"{"id": "1", "entries": [{"url": "u", "topics": ["a/b"]}, {"url": "v", "topics": ["c"]}]}"#);
        let urls = |topics: &[&str]| {
            let told: DataUpdate = serde_json::from_str(&of.told(topics, Audience::Opal)?).expect("an update");
            assert_eq!(told.id.as_deref(), Some("1"));
            Some(told.entries.into_iter().map(|entry| entry.url).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(urls(&["a"]).as_deref(), Some("u"));
        assert_eq!(urls(&["a", "a/b", "c"]).as_deref(), Some("u v"));
        assert_eq!(urls(&["d"]), None);
    }

    #[test]
    fn patches_to_be_fetched_are_for_agents_that_can_do_so() {
        let json = r#"{"entries": [{"url": "http://s/p", "save_method": "PATCH", "topics": ["a"]}, {"url": "u", "topics": ["a"]}]}"#;
        let of = publication(json);
        assert!(of.told(&["a"], Audience::Regent).expect("both").contains("PATCH"));
        assert!(!of.told(&["a"], Audience::Opal).expect("the other").contains("PATCH"));
    }

    #[test]
    fn operations_are_spelled_out() {
        let json = r#"{"entries": [{"url": "", "save_method": "PATCH", "data": [{"op": "move", "from": "/a", "path": "/b", "x": 1}]}]}"#;
        let told = publication(json).told(&["policy_data"], Audience::Opal).expect("it concerns everyone");
        assert!(told.contains(r#""data":[{"op":"move","path":"/b","value":null,"from":"/a"}]"#), "{told}");
    }
}
