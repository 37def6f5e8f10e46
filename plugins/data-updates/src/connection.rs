//! The websocket to the hub: connects, subscribes, answers, and starts over when it is lost.
//!
//! What arrives goes into a bounded channel. While that is full nothing is read, so that news waits at the hub.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use regent_core::config::Secret;
use regent_core::{Error, ErrorKind, backoff};
use rustls::pki_types::ServerName;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::config::Config;
use crate::error::unavailable;
use crate::rpc::{Extension, Message, Notice, Position, Request, Topics, new_id, raw};

/// How long connecting, with TLS and the handshake, may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the hub may take to answer a subscription.
const SUBSCRIBE: Duration = Duration::from_mins(1);

/// How often the hub is asked whether it is there, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Most bytes of a message, as OPAL's server has it.
const MAX_MESSAGE: usize = 16 << 20;

/// What happens on the connection.
pub(crate) enum Event {
    /// The agent is subscribed. Unless it was `resumed`, something may have been missed.
    Connected {
        /// Whether everything that was missed follows.
        resumed: bool,
    },
    /// Something was published to a topic.
    Notice {
        /// The topic.
        topic: String,
        /// The update, unread.
        update: Box<RawValue>,
    },
    /// The connection is lost, or there is none; the next attempt follows.
    Lost(Error),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
type Socket = WebSocketStream<Box<dyn Stream>>;

/// Keeps the agent connected until nobody listens.
pub(crate) async fn keep(config: Arc<Config>, events: mpsc::Sender<Event>) {
    let mut subscriber = Subscriber { config, events, channel: new_id(), position: None };
    let mut failures = 0;
    loop {
        let mut was_connected = false;
        let Err(lost) = subscriber.session(&mut was_connected).await else { return };
        failures = if was_connected { 1 } else { failures + 1 };
        if subscriber.events.send(Event::Lost(lost)).await.is_err() {
            return;
        }
        tokio::time::sleep(backoff::after(failures, subscriber.config.longest_pause())).await;
    }
}

struct Subscriber {
    config: Arc<Config>,
    events: mpsc::Sender<Event>,
    /// What this end of the connection is called.
    channel: String,
    /// How far the agent has come in the log of a hub that has one.
    position: Option<Position>,
}

impl Subscriber {
    /// One connection; ends without an error when nobody listens any more.
    async fn session(&mut self, was_connected: &mut bool) -> Result<(), Error> {
        let connecting = timeout(CONNECT, connect(&self.config)).await;
        let slow = |_| unavailable(format!("no connection within {CONNECT:?}"));
        let mut socket = connecting.map_err(slow)??;
        let subscribing = timeout(SUBSCRIBE, self.subscribe(&mut socket)).await;
        let slow = |_| unavailable(format!("the subscription is not answered within {SUBSCRIBE:?}"));
        let resumed = subscribing.map_err(slow)??;
        *was_connected = true;
        if self.events.send(Event::Connected { resumed }).await.is_err() {
            return Ok(());
        }
        let mut alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        let mut is_heard = true;
        loop {
            let frame = tokio::select! {
                frame = socket.next() => frame,
                _ = alive.tick() => {
                    if !is_heard {
                        return Err(unavailable(format!("the server has not been heard of for {KEEP_ALIVE:?}")));
                    }
                    is_heard = false;
                    send(&mut socket, Frame::Ping(tokio_tungstenite::tungstenite::Bytes::new())).await?;
                    continue;
                }
            };
            is_heard = true;
            let Some(message) = message(frame)? else { continue };
            let (Some(request), extension) = (message.request, message.regent) else { continue };
            if let Some(event) = self.serve(&mut socket, request).await? {
                if self.events.send(event).await.is_err() {
                    return Ok(());
                }
                if let (Some(position), Some(seq)) = (&mut self.position, extension.and_then(|extension| extension.seq))
                {
                    position.seq = seq;
                }
            }
        }
    }

    /// Subscribes; gives whether what was missed follows.
    async fn subscribe(&mut self, socket: &mut Socket) -> Result<bool, Error> {
        let call_id = new_id();
        let topics = raw(&Topics { topics: self.config.subscriptions() });
        let mut message = Message::request("subscribe", Some(topics), call_id.clone());
        message.regent = Some(Extension { resume: self.position.clone(), ..Extension::default() });
        send(socket, Frame::text(message.to_json())).await?;
        loop {
            let Some(message) = message_of(socket).await? else { continue };
            if let Some(request) = message.request {
                // News of before the subscription is answered is about what base data will bring.
                self.serve(socket, request).await?;
            }
            if message.response.and_then(|response| response.call_id).as_deref() == Some(&call_id) {
                let Extension { epoch, seq, resumed, .. } = message.regent.unwrap_or_default();
                let resumed = resumed.unwrap_or(false);
                if !resumed {
                    self.position = epoch.zip(seq).map(|(epoch, seq)| Position { epoch, seq });
                }
                return Ok(resumed);
            }
        }
    }

    /// Does what the hub wants, which is mostly to be told that a notice has come. Whether it had an effect it learns by reports.
    async fn serve(&self, socket: &mut Socket, request: Request) -> Result<Option<Event>, Error> {
        let Request { method, arguments, call_id } = request;
        let mut event = None;
        let answer = match method.as_deref() {
            Some("notify") => {
                let notice = arguments.and_then(|arguments| serde_json::from_str::<Notice>(arguments.get()).ok());
                if let Some(Notice { subscription, data: Some(update) }) = notice {
                    event = Some(Event::Notice { topic: subscription.topic, update });
                } else {
                    tracing::error!("The server has sent a notice without an update; it is ignored.");
                }
                Message::response(raw("None"), "str", call_id)
            }
            Some("_ping_" | "ping") => Message::response(raw("pong"), "str", call_id),
            Some("_get_channel_id_") => Message::response(raw(&self.channel), "str", call_id),
            _ => return Ok(None),
        };
        send(socket, Frame::text(answer.to_json())).await?;
        Ok(event)
    }
}

async fn connect(config: &Arc<Config>) -> Result<Socket, Error> {
    let mut url = Url::parse(&config.server_url).map_err(|error| broken("the address is broken", error))?;
    let is_encrypted = url.scheme() == "https";
    let path = format!("{}/ws", url.path().trim_end_matches('/'));
    url.set_path(&path);
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(7002);
    // From an ordinary scheme to one of websockets, which always works.
    let _set = url.set_scheme(if is_encrypted { "wss" } else { "ws" });
    let mut request = url.as_str().into_client_request().map_err(|error| broken("the address is broken", error))?;
    if let Some(token) = token(config).await? {
        let header = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut header = header.map_err(|_| Error::new(ErrorKind::Config, "the token cannot be sent in a header"))?;
        header.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, header);
    }
    let unreachable = |error: io::Error| Error::new(ErrorKind::Unavailable, format!("{host}:{port}")).caused_by(error);
    let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(unreachable)?;
    // Notices are small, and answered one by one.
    let _delayed_otherwise = tcp.set_nodelay(true);
    let stream: Box<dyn Stream> =
        if is_encrypted { Box::new(encrypted(config, &host, tcp).await?) } else { Box::new(tcp) };
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    match client_async_with_config(request, stream, Some(limits)).await {
        Ok((socket, _)) => Ok(socket),
        Err(WsError::Http(answer)) => {
            let text =
                format!("the server refuses the connection with {}; check `data_updates.token`", answer.status());
            Err(Error::new(ErrorKind::Refused, text))
        }
        Err(error) => Err(broken("no websocket can be had", error)),
    }
}

async fn encrypted(config: &Arc<Config>, host: &str, tcp: TcpStream) -> Result<impl Stream + use<>, Error> {
    let files = config.tls.clone();
    let tls = tokio::task::spawn_blocking(move || files.client_config()).await;
    let tls = tls.map_err(|panic| broken("TLS", panic))?.map_err(|error| broken("data_updates.tls", error))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| broken("the name of the server", error))?;
    let connecting = TlsConnector::from(Arc::new(tls)).connect(name, tcp).await;
    connecting.map_err(|error| broken("TLS", error))
}

/// The token, or nothing if none is configured.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn token(config: &Arc<Config>) -> Result<Option<Secret>, Error> {
    let reader = config.clone();
    let read = tokio::task::spawn_blocking(move || reader.read_token()).await;
    let unreadable =
        |error| Error::new(ErrorKind::Unavailable, "`data_updates.token_path` cannot be read").caused_by(error);
    read.map_err(|panic| broken("the token", panic))?.map_err(unreadable)
}

async fn send(socket: &mut Socket, frame: Frame) -> Result<(), Error> {
    let sending = timeout(KEEP_ALIVE, socket.send(frame)).await;
    let slow = |_| unavailable(format!("the server takes nothing for {KEEP_ALIVE:?}"));
    sending.map_err(slow)?.map_err(|error| broken("the connection is lost", error))
}

async fn message_of(socket: &mut Socket) -> Result<Option<Message>, Error> {
    let frame = socket.next().await;
    message(frame)
}

/// The message in a frame, if it is one that says something.
fn message(frame: Option<Result<Frame, WsError>>) -> Result<Option<Message>, Error> {
    let frame = frame.ok_or_else(|| unavailable("the server has gone"))?;
    match frame.map_err(|error| broken("the connection is lost", error))? {
        Frame::Text(text) => {
            let read = serde_json::from_str(&text);
            read.map(Some)
                .map_err(|error| Error::new(ErrorKind::Protocol, "the server speaks another protocol").caused_by(error))
        }
        Frame::Close(frame) => {
            let why = frame.map(|frame| format!(" with code {}", frame.code)).unwrap_or_default();
            Err(unavailable(format!("the server has closed the connection{why}")))
        }
        Frame::Binary(_) => Err(Error::new(ErrorKind::Protocol, "the server speaks another protocol: binary messages")),
        Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => Ok(None),
    }
}

fn broken(text: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    unavailable(text).caused_by(cause)
}
