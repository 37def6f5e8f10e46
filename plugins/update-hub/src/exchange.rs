//! The one task that knows who is subscribed to what, and tells them what is published.
//!
//! Since it does one thing after another, a peer that subscribes gets what it has missed and then what comes, without a gap and
//! nothing twice.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use regent_data_updates::rpc::{Extension, Position};
use tokio::sync::{mpsc, oneshot};

use crate::config::LogLimits;
use crate::log::Log;
use crate::publication::{Arrival, Audience, Publication, Record};
use crate::stats::{Leaving, Stats};

/// Things to do that may wait. Who has more waits, so that news waits at the backbone.
const WAITING: usize = 1_024;

/// What may wait for a peer. One that lets more pile up is sent away.
const QUEUE: usize = 1_024;

/// How long peers wait for a log that is not there yet. After that they begin without, and start over once it is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most subscriptions that wait.
const MOST_WAITING: usize = 100_000;

/// A websocket's number.
pub(crate) type PeerId = u64;

/// What a peer is to be sent.
pub(crate) enum Outgoing {
    /// The answer to its subscription.
    Subscribed { call_id: Option<String>, extension: Option<Extension> },
    /// Something that was published, by the topics that it is subscribed to.
    Told(Arc<Publication>, Vec<String>),
    /// What it has missed.
    Missed(Vec<(Arc<Publication>, Vec<String>)>),
}

/// A peer's wish to be told of topics.
pub(crate) struct Subscription {
    pub(crate) topics: Vec<String>,
    pub(crate) call_id: Option<String>,
    /// What an agent of ours says beside it.
    pub(crate) extension: Option<Extension>,
}

/// A peer's end.
pub(crate) struct Admitted {
    pub(crate) id: PeerId,
    pub(crate) queue: mpsc::Receiver<Outgoing>,
    /// Says why the peer has to go.
    pub(crate) leave: oneshot::Receiver<Leaving>,
}

enum Command {
    Admit {
        channel: String,
        admitted: oneshot::Sender<Admitted>,
    },
    Subscribe(PeerId, Subscription),
    Unsubscribe(PeerId, Vec<String>),
    Remove(PeerId),
    Arrived(Arrival),
    /// The log is not there in time.
    Late,
    Subscribers(Vec<String>, oneshot::Sender<usize>),
    Close,
}

/// The way to the exchange.
#[derive(Clone)]
pub(crate) struct ExchangeHandle(mpsc::Sender<Command>);

impl ExchangeHandle {
    /// Starts the exchange, which says by `policy_news` that somebody told of new policy. It ends when nobody has a way to it any more.
    pub(crate) fn start(limits: LogLimits, stats: Stats, policy_news: mpsc::Sender<()>) -> Self {
        let (sender, mut commands) = mpsc::channel(WAITING);
        let log = Log::new(String::new(), 0, limits);
        let waiting = Some(Vec::new());
        let mut exchange =
            Exchange { log, waiting, peers: HashMap::new(), topics: HashMap::new(), next: 0, stats, policy_news };
        let late = sender.downgrade();
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if let Some(sender) = late.upgrade() {
                // The exchange lives as long as any way to it.
                let _ended = sender.send(Command::Late).await;
            }
        });
        tokio::spawn(async move {
            while let Some(command) = commands.recv().await {
                exchange.obey(command);
            }
        });
        Self(sender)
    }

    /// Makes room for a peer that is known by that channel; nothing if the exchange has ended.
    pub(crate) async fn admit(&self, channel: String) -> Option<Admitted> {
        let (admitted, answer) = oneshot::channel();
        self.send(Command::Admit { channel, admitted }).await;
        answer.await.ok()
    }

    pub(crate) async fn subscribe(&self, peer: PeerId, subscription: Subscription) {
        self.send(Command::Subscribe(peer, subscription)).await;
    }

    pub(crate) async fn unsubscribe(&self, peer: PeerId, topics: Vec<String>) {
        self.send(Command::Unsubscribe(peer, topics)).await;
    }

    pub(crate) async fn remove(&self, peer: PeerId) {
        self.send(Command::Remove(peer)).await;
    }

    /// Takes what the backbone has.
    pub(crate) async fn arrived(&self, arrival: Arrival) {
        self.send(Command::Arrived(arrival)).await;
    }

    /// How many peers are subscribed to any of the topics.
    pub(crate) async fn subscribers(&self, topics: Vec<String>) -> usize {
        let (count, answer) = oneshot::channel();
        self.send(Command::Subscribers(topics, count)).await;
        answer.await.unwrap_or_default()
    }

    /// Sends everybody away.
    pub(crate) async fn close(&self) {
        self.send(Command::Close).await;
    }

    async fn send(&self, command: Command) {
        // The exchange lives as long as any way to it.
        let _ended = self.0.send(command).await;
    }
}

struct Peer {
    channel: String,
    topics: HashSet<String>,
    audience: Audience,
    /// It has seen everything up to there, by another hub that was further.
    after: u64,
    queue: mpsc::Sender<Outgoing>,
    leave: oneshot::Sender<Leaving>,
}

struct Exchange {
    log: Log,
    /// Subscriptions that wait for the log; none once it is there.
    waiting: Option<Vec<(PeerId, Subscription)>>,
    peers: HashMap<PeerId, Peer>,
    /// Who is subscribed to a topic.
    topics: HashMap<String, HashSet<PeerId>>,
    next: PeerId,
    stats: Stats,
    policy_news: mpsc::Sender<()>,
}

impl Exchange {
    fn obey(&mut self, command: Command) {
        match command {
            Command::Admit { channel, admitted } => self.admit(channel, admitted),
            Command::Subscribe(peer, subscription) => match &mut self.waiting {
                Some(waiting) if waiting.len() < MOST_WAITING => waiting.push((peer, subscription)),
                Some(_) => self.send_away(peer, Leaving::TooSlow),
                None => self.subscribe(peer, subscription),
            },
            Command::Unsubscribe(peer, topics) => self.unsubscribe(peer, &topics),
            Command::Remove(peer) => drop(self.remove(peer)),
            Command::Arrived(Arrival::Begins(Position { epoch, seq })) => {
                self.log = Log::new(epoch, seq, self.log.limits());
                // Who waits for it has not been told anything.
                if self.waiting.is_none() {
                    self.waiting = Some(Vec::new());
                    self.send_all_away(Leaving::LogChanged);
                }
            }
            Command::Arrived(Arrival::Complete) | Command::Late => {
                for (peer, subscription) in self.waiting.take().into_iter().flatten() {
                    self.subscribe(peer, subscription);
                }
            }
            Command::Arrived(Arrival::Record { seq, text }) => self.publish(seq, &text),
            Command::Subscribers(topics, count) => {
                let peers: HashSet<&PeerId> =
                    topics.iter().filter_map(|topic| self.topics.get(topic)).flatten().collect();
                // Who does not wait for it any more does not want to know.
                let _gone = count.send(peers.len());
            }
            Command::Close => self.send_all_away(Leaving::HubEnds),
        }
    }

    fn admit(&mut self, channel: String, admitted: oneshot::Sender<Admitted>) {
        self.next += 1;
        let (queue, receiver) = mpsc::channel(QUEUE);
        let (leave, left) = oneshot::channel();
        let peer = Peer { channel, topics: HashSet::new(), audience: Audience::Opal, after: 0, queue, leave };
        if admitted.send(Admitted { id: self.next, queue: receiver, leave: left }).is_ok() {
            self.peers.insert(self.next, peer);
            self.stats.peers(self.peers.len());
        }
    }

    fn subscribe(&mut self, id: PeerId, Subscription { topics, call_id, extension }: Subscription) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let mut missed = None;
        let extension = extension.map(|extension| {
            peer.audience = Audience::Regent;
            let Position { epoch, seq } = self.log.position();
            // Only the first subscription of a peer can have missed something.
            if let Some(position) = extension.resume.filter(|_| peer.topics.is_empty()) {
                peer.after = if position.epoch == epoch { position.seq } else { 0 };
                let since = self.log.since(&position, &topics);
                missed =
                    since.map(|since| since.map(|publication| with_topics(publication, &topics)).collect::<Vec<_>>());
                // Another hub may have told it what has not come here yet.
                if position.epoch == epoch && position.seq > seq {
                    missed = Some(Vec::new());
                }
                self.stats.resumed(missed.is_some());
            }
            Extension { epoch: Some(epoch), seq: Some(seq), resumed: Some(missed.is_some()), ..Extension::default() }
        });
        for topic in topics {
            self.topics.entry(topic.clone()).or_default().insert(id);
            peer.topics.insert(topic);
        }
        let missed = missed.filter(|missed| !missed.is_empty()).map(Outgoing::Missed);
        for outgoing in [Some(Outgoing::Subscribed { call_id, extension }), missed].into_iter().flatten() {
            self.send(id, outgoing);
        }
    }

    fn publish(&mut self, seq: u64, text: &str) {
        let record: Record = match serde_json::from_str(text) {
            Ok(record) => record,
            Err(error) => {
                self.stats.unreadable();
                tracing::error!(seq, %error, "Something on the backbone is no update; it is passed over.");
                return;
            }
        };
        if record.topics.iter().any(|topic| topic.starts_with("policy:")) {
            // Another hub may know first. News that has not been heard yet says the same.
            let _full = self.policy_news.try_send(());
        }
        let publication = Arc::new(Publication::new(seq, record, text.len()));
        let concerned: HashSet<PeerId> =
            publication.record.topics.iter().filter_map(|topic| self.topics.get(topic)).flatten().copied().collect();
        for id in concerned {
            let Some(peer) = self.peers.get(&id) else { continue };
            if peer.after >= seq || publication.record.publisher.as_deref() == Some(&peer.channel) {
                continue;
            }
            let topics =
                publication.record.topics.iter().filter(|topic| peer.topics.contains(*topic)).cloned().collect();
            self.send(id, Outgoing::Told(publication.clone(), topics));
        }
        self.log.add(publication);
    }

    /// Puts something into the queue of a peer; one that has no room is sent away.
    fn send(&mut self, id: PeerId, outgoing: Outgoing) {
        let Some(peer) = self.peers.get(&id) else { return };
        if peer.queue.try_send(outgoing).is_err() {
            self.send_away(id, Leaving::TooSlow);
        }
    }

    fn send_away(&mut self, id: PeerId, why: Leaving) {
        if let Some(peer) = self.remove(id) {
            // A peer that has gone needs no reason.
            let _gone = peer.leave.send(why);
        }
    }

    fn unsubscribe(&mut self, id: PeerId, topics: &[String]) {
        for topic in topics {
            if self.peers.get_mut(&id).is_some_and(|peer| peer.topics.remove(topic)) {
                self.forget(topic, id);
            }
        }
    }

    fn remove(&mut self, id: PeerId) -> Option<Peer> {
        let peer = self.peers.remove(&id)?;
        for topic in &peer.topics {
            self.forget(topic, id);
        }
        self.stats.peers(self.peers.len());
        Some(peer)
    }

    fn forget(&mut self, topic: &str, id: PeerId) {
        if let Some(peers) = self.topics.get_mut(topic) {
            peers.remove(&id);
            if peers.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    fn send_all_away(&mut self, why: Leaving) {
        self.topics.clear();
        for (_, peer) in self.peers.drain() {
            let _gone = peer.leave.send(why);
        }
        self.stats.peers(0);
    }
}

fn with_topics(publication: &Arc<Publication>, topics: &[String]) -> (Arc<Publication>, Vec<String>) {
    let common = publication.record.topics.iter().filter(|topic| topics.contains(topic)).cloned().collect();
    (publication.clone(), common)
}
