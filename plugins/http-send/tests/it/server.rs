//! A server on loopback that answers as the test says, to the byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request that arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// `GET /x HTTP/1.1`
    pub(crate) line: String,
    /// Names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does about a request.
pub(crate) enum Reply {
    /// Answers these bytes.
    Bytes(Vec<u8>),
    /// Answers these bytes and closes the connection.
    Cut(Vec<u8>),
    /// Answers after a while.
    After(Duration, Vec<u8>),
    /// Answers these bytes and waits until the client goes away.
    Hang(Vec<u8>),
}

/// A response with a body.
pub(crate) fn response(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes())
}

/// 200 with a JSON body.
pub(crate) fn json(headers: &str, body: &str) -> Reply {
    response("200 OK", &format!("content-type: application/json\r\n{headers}"), body)
}

/// What was received, and how many clients went away while the server hung.
#[derive(Default)]
struct Journal {
    received: Vec<Received>,
    gone: usize,
}

pub(crate) struct Server {
    address: String,
    journal: Arc<Mutex<Journal>>,
}

type Script = Arc<dyn Fn(usize, &Received) -> Reply + Send + Sync>;

impl Server {
    /// A server whose script is given how many requests there were before, and the request.
    pub(crate) fn start(script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
        let address = listener.local_addr().expect("a bound socket has an address").to_string();
        let (journal, script): (Arc<Mutex<Journal>>, Script) = (Arc::default(), Arc::new(script));
        let shared = journal.clone();
        thread::spawn(move || accept(listener.incoming(), &shared, &script));
        Self { address, journal }
    }

    /// The same on a unix socket.
    pub(crate) fn start_unix(path: &Path, script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).expect("the socket is free");
        let (journal, script): (Arc<Mutex<Journal>>, Script) = (Arc::default(), Arc::new(script));
        let shared = journal.clone();
        thread::spawn(move || accept(listener.incoming(), &shared, &script));
        Self { address: String::new(), journal }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.journal.lock().expect("no one panics").received.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.received().len()
    }

    /// How many clients went away while the server hung.
    pub(crate) fn gone(&self) -> usize {
        self.journal.lock().expect("no one panics").gone
    }
}

fn accept<S: Read + Write + Send + 'static>(
    incoming: impl Iterator<Item = std::io::Result<S>>,
    journal: &Arc<Mutex<Journal>>,
    script: &Script,
) {
    for stream in incoming.flatten() {
        let (journal, script) = (journal.clone(), script.clone());
        thread::spawn(move || serve(stream, &journal, &script));
    }
}

fn serve(mut stream: impl Read + Write, journal: &Mutex<Journal>, script: &Script) {
    while let Some(request) = receive(&mut stream) {
        if !answer(&mut stream, &request, journal, script) {
            return;
        }
    }
}

/// Answers one request; whether there may be more.
fn answer(stream: &mut (impl Read + Write), request: &Received, journal: &Mutex<Journal>, script: &Script) -> bool {
    let before = {
        let mut journal = journal.lock().expect("no one panics");
        journal.received.push(request.clone());
        journal.received.len() - 1
    };
    // The client may have gone by now; the test looks at its side.
    match script(before, request) {
        Reply::Bytes(bytes) => stream.write_all(&bytes).is_ok(),
        Reply::Cut(bytes) => {
            let _ = stream.write_all(&bytes);
            false
        }
        Reply::After(wait, bytes) => {
            thread::sleep(wait);
            stream.write_all(&bytes).is_ok()
        }
        Reply::Hang(bytes) => {
            let _ = stream.write_all(&bytes);
            let gone = matches!(stream.read(&mut [0]), Ok(0) | Err(_));
            journal.lock().expect("no one panics").gone += usize::from(gone);
            false
        }
    }
}

fn receive(stream: &mut impl Read) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let mut request = Received { line, headers, body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    drop(listener);
    assert!(TcpStream::connect(address).is_err());
    address.to_string()
}
