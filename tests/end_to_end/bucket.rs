//! A server that takes objects, as S3, Google's and Microsoft's do, and fails on demand.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use regent_kit::wait;
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::support::SOON;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The object is stored.
    Stored,
    /// The answer is this status.
    Status(u16),
    /// The object is stored, but nothing is answered.
    Silence,
}

/// A server that does not listen yet: who asks it is refused.
pub(crate) struct Closed {
    socket: TcpSocket,
    pub(crate) address: SocketAddr,
}

impl Closed {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        Self { address: socket.local_addr().expect("an address"), socket }
    }

    pub(crate) fn open(self) -> Bucket {
        let listener = self.socket.listen(64).expect("it listens");
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| handle(shared.clone(), request));
                connections
                    .spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Bucket { address: self.address, state, _task: task }
    }
}

/// A server that takes objects.
pub(crate) struct Bucket {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    _task: JoinSet<()>,
}

#[derive(Default)]
struct State {
    fate: Option<Fate>,
    objects: BTreeMap<String, Bytes>,
    /// Paths of all that was to be stored, each time.
    asked: Vec<String>,
    /// The headers of the last request.
    headers: HeaderMap,
}

impl Bucket {
    /// What becomes of all further requests.
    pub(crate) fn set(&self, fate: Fate) {
        self.state().fate = Some(fate);
    }

    /// Paths of all that was to be stored, each time.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    /// A header of the last request; empty if it had none.
    pub(crate) fn header(&self, name: &str) -> String {
        let state = self.state();
        state.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// The ids of the events of all objects, in the order of the objects' names.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.state().objects.values().flat_map(|object| ids(object)).collect()
    }

    /// The names of all objects, and how many events each has.
    pub(crate) fn counts(&self) -> Vec<(String, usize)> {
        self.state().objects.iter().map(|(name, object)| (name.clone(), ids(object).len())).collect()
    }

    /// Waits until exactly these events are there, in this order.
    pub(crate) async fn has(&self, expected: &[String]) {
        let all = async || (self.ids() == expected).then_some(());
        let waited = wait::until(SOON, "the decisions", all).await;
        waited.unwrap_or_else(|error| panic!("{error}: {:?} instead of {expected:?}", self.ids()));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no one panics with it")
    }
}

/// The ids of the events of an object, in order.
pub(crate) fn ids(object: &[u8]) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(object).read_to_string(&mut text).expect("an object is gzip");
    assert!(text.ends_with('\n'), "{text}");
    let event = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(|line| event(line)["decision_id"].as_str().expect("an id").to_owned()).collect()
}

async fn handle(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
    let headers = request.headers().clone();
    let Ok(body) = request.into_body().collect().await else { return Ok(Response::default()) };
    let fate = {
        let mut state = state.lock().expect("no one panics with it");
        state.asked.push(path.clone());
        state.headers = headers;
        let fate = state.fate.unwrap_or(Fate::Stored);
        if !matches!(fate, Fate::Status(_)) {
            state.objects.insert(path, body.to_bytes());
        }
        fate
    };
    let mut answer = Response::new(Full::default());
    match fate {
        Fate::Stored => {
            *answer.status_mut() = StatusCode::CREATED;
            answer.headers_mut().insert("etag", "\"1\"".parse().expect("a header"));
        }
        Fate::Status(status) => *answer.status_mut() = StatusCode::from_u16(status).expect("a status"),
        Fate::Silence => std::future::pending().await,
    }
    Ok(answer)
}
