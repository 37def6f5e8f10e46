//! What peers ask for.

use regent_data_updates::rpc::{Extension, Message, Request, raw};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{End, NORMAL, Peer};
use crate::exchange::Subscription;
use crate::publication::Record;

/// Topics that OPAL's servers use among themselves.
const RESERVED: [&str; 9] = [
    "webhook",
    STATISTICS,
    "__opal_stats_rm",
    "__opal_stats_wakeup",
    "__opal_stats_state_sync",
    "__opal_stats_server_keepalive",
    "__broadcast_session_keepalive__",
    "__opal_scope_purge__",
    "__EventNotifier_ALL_TOPICS__",
];

/// Most topics that a peer may be subscribed to.
const MOST_TOPICS: usize = 10_000;

/// The one of them by which clients tell who they are.
const STATISTICS: &str = "__opal_stats_add";

/// Topics as peers write them: a text is taken letter by letter, as Python does.
#[derive(Deserialize)]
#[serde(untagged)]
enum Topics {
    List(Vec<String>),
    Letters(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    topics: Topics,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Publish {
    topics: Topics,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    /// Whether the answer waits for the subscribers; it never does, so that nobody who is silent holds up others.
    #[serde(default)]
    #[expect(dead_code, reason = "it is checked, and makes no difference")]
    sync: Option<bool>,
    #[serde(default)]
    notifier_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Peer {
    /// Does what a peer asks for; gives the answer, unless the exchange does.
    ///
    /// # Errors
    /// When the peer asks for what there is not, or what it may not have: the connection ends, as OPAL's does.
    pub(super) async fn call(&self, request: Request, extension: Option<Extension>) -> Result<Option<Message>, End> {
        let Request { method, arguments, call_id } = request;
        let arguments = arguments.as_ref().map_or("{}", |arguments| arguments.get());
        let done = |result, result_type| Ok(Some(Message::response(result, result_type, call_id.clone())));
        match method.as_deref() {
            Some("subscribe") => {
                let Subscribe { topics } = read(arguments)?;
                let topics = self.topics(topics)?;
                if topics.iter().any(|topic| RESERVED.contains(&topic.as_str())) {
                    return Err(End::Close(NORMAL));
                }
                if self.hub.directory.subscribed(self.id, &topics) > MOST_TOPICS {
                    tracing::warn!(peer = %self.caller.address, "A peer wants more than {MOST_TOPICS} topics; it is sent away.");
                    return Err(End::Close(NORMAL));
                }
                self.hub.exchange.subscribe(self.id, Subscription { topics, call_id, extension }).await;
                Ok(None)
            }
            Some("unsubscribe") => {
                let Subscribe { topics } = read(arguments)?;
                let topics = self.topics(topics)?;
                self.hub.directory.unsubscribed(self.id, &topics);
                self.hub.exchange.unsubscribe(self.id, topics).await;
                done(raw(&true), "bool")
            }
            Some("publish") => {
                self.publish(read(arguments)?).await?;
                done(raw(&true), "bool")
            }
            Some("ping" | "_ping_") => {
                let Nothing {} = read(arguments)?;
                done(raw("pong"), "str")
            }
            Some("_get_channel_id_") => {
                let Nothing {} = read(arguments)?;
                done(raw(&self.channel), "str")
            }
            Some(method) if !method.starts_with('_') => Err(End::Close(NORMAL)),
            _ => Ok(None),
        }
    }

    /// The topics, if the peer may use them.
    fn topics(&self, topics: Topics) -> Result<Vec<String>, End> {
        let identity = &self.caller.identity;
        let topics = match topics {
            Topics::List(topics) => topics,
            Topics::Letters(_) if identity.is_restricted() => return Err(End::Close(NORMAL)),
            Topics::Letters(text) if RESERVED.contains(&text.as_str()) => return Err(End::Close(NORMAL)),
            Topics::Letters(text) => text.chars().map(String::from).collect(),
        };
        if !identity.forbidden(&topics).is_empty() {
            tracing::warn!(peer = %self.caller.address, "A peer asks for topics that its token does not permit; it is sent away.");
            return Err(End::Close(NORMAL));
        }
        Ok(topics)
    }

    async fn publish(&self, Publish { topics, data, notifier_id, .. }: Publish) -> Result<(), End> {
        let data = data.unwrap_or_default();
        if let Topics::List(topics) = &topics
            && topics.as_slice() == [STATISTICS]
        {
            self.hub.directory.introduced(self.id, &data);
            return Ok(());
        }
        let topics = self.topics(topics)?;
        let is_reserved = topics.iter().any(|topic| RESERVED.contains(&topic.as_str()));
        let is_too_large = data.get().len() > self.hub.config.max_update_bytes();
        if is_reserved || is_too_large || !self.caller.identity.is_datasource() {
            self.hub.stats.refused();
            tracing::warn!(peer = %self.caller.address, is_reserved, is_too_large, "A peer may not publish that; it is sent away.");
            return Err(End::Close(NORMAL));
        }
        let name = notifier_id.unwrap_or_else(|| self.channel.clone());
        let published = self.hub.publish(&Record::message(topics, data, Some(name))).await;
        // There is no way to say so but to go.
        published.map(drop).map_err(|_| End::Close(super::TRY_AGAIN_LATER))
    }
}

fn read<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, End> {
    serde_json::from_str(arguments).map_err(|_| End::Close(NORMAL))
}
