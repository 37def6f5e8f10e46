//! A raw websocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::LIMIT;
use crate::running::Running;

/// How long nothing has to come for nothing to come.
const SILENCE: Duration = Duration::from_millis(200);

/// A peer of a hub.
pub(crate) struct Peer(pub(crate) WebSocketStream<TcpStream>);

impl Peer {
    pub(crate) async fn connect(hub: &Running) -> Self {
        Self::connect_as(hub, "", None).await.expect("the hub lets it in")
    }

    /// With parameters of the address, and a token; gives the status of a refusal.
    pub(crate) async fn connect_as(hub: &Running, query: &str, token: Option<&str>) -> Result<Self, u16> {
        let stream = TcpStream::connect(hub.addr).await.expect("a connection");
        let mut request = format!("ws://{}/ws{query}", hub.addr).into_client_request().expect("an address");
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, message: &Json) {
        self.0.send(Message::text(message.to_string())).await.expect("it is sent");
    }

    /// Asks for something.
    pub(crate) async fn call(&mut self, method: &str, arguments: Json) {
        self.send(&json!({"request": {"method": method, "arguments": arguments, "call_id": "1"}})).await;
    }

    /// Subscribes and waits for the answer, which is the whole message.
    pub(crate) async fn subscribe(&mut self, topics: &[&str]) -> Json {
        self.call("subscribe", json!({"topics": topics})).await;
        let answer = self.next().await;
        assert_eq!(answer["response"]["result"], true, "{answer}");
        answer
    }

    /// Subscribes as an agent of Regent does that was at that place of the log.
    pub(crate) async fn resume(&mut self, topics: &[&str], position: Json) -> Json {
        let request = json!({"method": "subscribe", "arguments": {"topics": topics}, "call_id": "1"});
        let extension = if position.is_null() { json!({}) } else { json!({"resume": position}) };
        self.send(&json!({"request": request, "regent": extension})).await;
        self.next().await["regent"].clone()
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Json {
        loop {
            let frame = timeout(LIMIT, self.0.next()).await.expect("something comes");
            match frame.expect("the connection is there").expect("a frame") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The topic and data of the next notice.
    pub(crate) async fn notice(&mut self) -> (String, Json) {
        let message = self.next().await;
        assert_eq!(message["request"]["method"], "notify", "{message}");
        let arguments = &message["request"]["arguments"];
        let topic = arguments["subscription"]["topic"].as_str().expect("a topic").to_owned();
        (topic, arguments["data"].clone())
    }

    /// The code with which the hub closes.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            let frame = timeout(LIMIT, self.0.next()).await.expect("something comes");
            match frame.expect("the hub says so").expect("a frame") {
                Message::Close(frame) => return frame.expect("a code").code.into(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Sees that nothing comes.
    pub(crate) async fn hears_nothing(&mut self) {
        let frame = timeout(SILENCE, self.0.next()).await;
        assert!(frame.is_err(), "{frame:?}");
    }
}
