//! Who is connected, for operators.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use crate::access::Identity;
use crate::exchange::PeerId;

/// Who is at the other end.
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    pub(crate) identity: Identity,
    /// Parameters of the address that it asked for.
    pub(crate) query: Vec<(String, String)>,
}

/// Who is connected.
#[derive(Default)]
pub(crate) struct Directory(Mutex<BTreeMap<PeerId, Listed>>);

struct Listed {
    host: String,
    port: u16,
    since: Timestamp,
    topics: BTreeSet<String>,
    query: Vec<(String, String)>,
    /// What an opal-client says of itself.
    introduction: Option<Introduction>,
}

/// What an opal-client says of itself if it takes part in statistics.
#[derive(Clone, Serialize, Deserialize)]
struct Introduction {
    rpc_id: String,
    client_id: String,
    #[serde(default)]
    topics: Vec<String>,
}

impl Directory {
    pub(crate) fn enter(&self, id: PeerId, caller: &Caller) {
        let listed = Listed {
            host: caller.address.ip().to_string(),
            port: caller.address.port(),
            since: Timestamp::now(),
            topics: BTreeSet::new(),
            query: caller.query.clone(),
            introduction: None,
        };
        self.lock().insert(id, listed);
    }

    pub(crate) fn leave(&self, id: PeerId) {
        self.lock().remove(&id);
    }

    /// Takes note of topics; gives how many the peer has now.
    pub(crate) fn subscribed(&self, id: PeerId, topics: &[String]) -> usize {
        let mut all = self.lock();
        let Some(listed) = all.get_mut(&id) else { return 0 };
        listed.topics.extend(topics.iter().cloned());
        listed.topics.len()
    }

    pub(crate) fn unsubscribed(&self, id: PeerId, topics: &[String]) {
        if let Some(listed) = self.lock().get_mut(&id) {
            for topic in topics {
                listed.topics.remove(topic);
            }
        }
    }

    /// Takes what an opal-client says of itself; what it says of others is not heard.
    pub(crate) fn introduced(&self, id: PeerId, data: &RawValue) {
        if let Some(listed) = self.lock().get_mut(&id) {
            listed.introduction = serde_json::from_str(data.get()).ok();
        }
    }

    /// As `GET /pubsub_client_info` of opal-server.
    pub(crate) fn connections(&self) -> Json {
        let mut all = Map::new();
        for listed in self.lock().values() {
            let name = listed.query.iter().find(|(key, _)| key == "__opal_client_id").map(|(_, id)| id.clone());
            let name = name.unwrap_or_else(|| format!("host:{}:{}", listed.host, listed.port));
            let count = all.get(&name).and_then(|known: &Json| known["refcount"].as_u64()).unwrap_or(0);
            let query: BTreeMap<_, _> = listed.query.iter().map(|(key, value)| (key, value)).collect();
            #[expect(clippy::cast_precision_loss, reason = "microseconds of this century are exact")]
            let since = listed.since.as_microsecond() as f64 / 1e6;
            let connection = json!({
                "client_id": name,
                "source_host": listed.host,
                "source_port": listed.port,
                "connect_time": since,
                "subscribed_topics": listed.topics,
                "refcount": count + 1,
                "query_params": query,
            });
            all.insert(name, connection);
        }
        all.into()
    }

    /// The clients that take part in statistics, by what they call themselves.
    pub(crate) fn clients(&self) -> BTreeMap<String, Vec<Json>> {
        let mut clients: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        for introduction in self.lock().values().filter_map(|listed| listed.introduction.as_ref()) {
            clients.entry(introduction.client_id.clone()).or_default().push(json!(introduction));
        }
        clients
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerId, Listed>> {
        // Nothing that is done while it is held leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
