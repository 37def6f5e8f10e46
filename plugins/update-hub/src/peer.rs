//! A websocket: what its peer asks for, and what it is told.

mod calls;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use regent_data_updates::rpc::{Extension, Message, Notice, Subscription as Subscribed, new_id, raw};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, timeout};

use crate::directory::Caller;
use crate::exchange::{Admitted, Outgoing, PeerId};
use crate::publication::{Audience, Publication};
use crate::state::HubState;
use crate::stats::Leaving;

/// How often a peer is asked whether it is there, and how long it may take to say so, or to take something.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Most bytes of a message from a peer, as with OPAL.
pub(crate) const MAX_MESSAGE: usize = 16 << 20;

/// Close codes (RFC 6455).
const NORMAL: u16 = 1000;
const SERVICE_RESTART: u16 = 1012;
const TRY_AGAIN_LATER: u16 = 1013;

/// Why a connection ends from this side.
#[derive(Debug)]
enum End {
    /// The peer has gone.
    Lost,
    /// The peer takes nothing any more, not even that it has to go.
    Stuck,
    /// It is closed with a code.
    Close(u16),
}

/// Serves a peer until it goes or has to.
pub(crate) async fn serve(mut socket: WebSocket, caller: Caller, hub: Arc<HubState>) {
    // By which its own publications are kept from it, on whatever hub they come in.
    let channel = new_id();
    let Some(Admitted { id, queue, leave }) = hub.exchange.admit(channel.clone()).await else { return };
    hub.directory.enter(id, &caller);
    let mut peer = Peer { id, channel, caller, audience: Audience::Opal, hub: hub.clone() };
    let end = tokio::select! {
        biased;
        // Whatever is on its way to one that takes nothing is cut off.
        why = leave => peer.leaving(why.unwrap_or(Leaving::HubEnds)),
        end = peer.talk(&mut socket, queue) => end,
    };
    hub.exchange.remove(id).await;
    hub.directory.leave(id);
    if let End::Stuck = end {
        peer.is_too_slow();
    }
    if let End::Close(code) = end {
        let farewell = Frame::Close(Some(CloseFrame { code, reason: "".into() }));
        // One that does not even take that has gone.
        let _gone = timeout(KEEP_ALIVE, socket.send(farewell)).await;
    }
}

struct Peer {
    id: PeerId,
    channel: String,
    caller: Caller,
    audience: Audience,
    hub: Arc<HubState>,
}

impl Peer {
    async fn talk(&mut self, socket: &mut WebSocket, mut queue: mpsc::Receiver<Outgoing>) -> End {
        if self.hub.config.statistics {
            let question = Message::request("_get_channel_id_", Some(raw(&serde_json::json!({}))), new_id());
            if let Err(end) = send(socket, question.to_json()).await {
                return end;
            }
        }
        let mut alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        let mut is_heard = true;
        loop {
            let done = tokio::select! {
                frame = socket.recv() => {
                    is_heard = true;
                    match frame {
                        Some(Ok(frame)) => self.hear(socket, frame).await,
                        _ => Err(End::Lost),
                    }
                }
                Some(outgoing) = queue.recv() => self.tell(socket, outgoing).await,
                _ = alive.tick() => {
                    if std::mem::replace(&mut is_heard, false) {
                        deliver(socket, Frame::Ping(bytes::Bytes::new())).await
                    } else {
                        Err(End::Lost)
                    }
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    fn leaving(&self, why: Leaving) -> End {
        match why {
            Leaving::TooSlow => {
                self.is_too_slow();
                End::Close(TRY_AGAIN_LATER)
            }
            Leaving::LogChanged | Leaving::HubEnds => End::Close(SERVICE_RESTART),
        }
    }

    fn is_too_slow(&self) {
        self.hub.stats.slow();
        let address = self.caller.address.to_string();
        tracing::warn!(peer = address, "A peer takes its updates too slowly; it is sent away to get them anew.");
    }

    async fn hear(&mut self, socket: &mut WebSocket, frame: Frame) -> Result<(), End> {
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Ping(_) | Frame::Pong(_) => return Ok(()),
            Frame::Binary(_) => return Err(End::Close(NORMAL)),
            Frame::Close(_) => return Err(End::Lost),
        };
        let message: Message = serde_json::from_str(&text).map_err(|_| End::Close(NORMAL))?;
        // What answers to our own questions says is of no use.
        let Some(request) = message.request else { return Ok(()) };
        match self.call(request, message.regent).await? {
            Some(answer) => send(socket, answer.to_json()).await,
            None => Ok(()),
        }
    }

    async fn tell(&mut self, socket: &mut WebSocket, outgoing: Outgoing) -> Result<(), End> {
        match outgoing {
            Outgoing::Subscribed { call_id, extension } => {
                if extension.is_some() {
                    self.audience = Audience::Regent;
                }
                let mut answer = Message::response(raw(&true), "bool", call_id);
                answer.regent = extension;
                send(socket, answer.to_json()).await
            }
            Outgoing::Told(publication, topics) => self.notify(socket, &publication, &topics).await,
            Outgoing::Missed(all) => {
                for (publication, topics) in all {
                    self.notify(socket, &publication, &topics).await?;
                }
                Ok(())
            }
        }
    }

    /// Tells a peer of a publication: an agent of ours once, others once for each of their topics, as OPAL does.
    async fn notify(&self, socket: &mut WebSocket, publication: &Publication, topics: &[String]) -> Result<(), End> {
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let Some(first) = topics.first() else { return Ok(()) };
        match self.audience {
            Audience::Regent => {
                if let Some(data) = publication.told(&topics, self.audience) {
                    let extension = Extension { seq: Some(publication.seq), ..Extension::default() };
                    self.notice(socket, first, data, Some(extension)).await?;
                }
            }
            Audience::Opal => {
                for topic in topics {
                    if let Some(data) = publication.told(&[topic], self.audience) {
                        self.notice(socket, topic, data, None).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn notice(
        &self,
        socket: &mut WebSocket,
        topic: &str,
        data: String,
        regent: Option<Extension>,
    ) -> Result<(), End> {
        let subscription = Subscribed {
            id: Some(self.channel.clone()),
            subscriber_id: Some(self.channel.clone()),
            topic: topic.to_owned(),
            notifier_id: None,
        };
        // It is JSON, since that is where it comes from.
        let data = RawValue::from_string(data).ok();
        let mut message = Message::request("notify", Some(raw(&Notice { subscription, data })), new_id());
        message.regent = regent;
        self.hub.stats.noticed();
        send(socket, message.to_json()).await
    }
}

async fn send(socket: &mut WebSocket, text: String) -> Result<(), End> {
    deliver(socket, Frame::Text(text.into())).await
}

async fn deliver(socket: &mut WebSocket, frame: Frame) -> Result<(), End> {
    match timeout(KEEP_ALIVE, socket.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Lost),
        Err(_) => Err(End::Stuck),
    }
}
