//! A receiver of decision logs that does as little as it can while they come, and counts them when it is asked.
//!
//! `cargo run --release -p regent-kit --example counting_sink -- 127.0.0.1:8383`, then `POST /logs` with gzip'd JSON arrays, and
//! `GET /` answers `UPLOADS EVENTS DISTINCT_DECISION_IDS`.

use std::collections::HashSet;
use std::convert::Infallible;
use std::env::args;
use std::error::Error;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// The uploads as they came.
type Uploads = Arc<Mutex<Vec<Bytes>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = args().nth(1).ok_or("usage: counting_sink ADDRESS:PORT")?;
    let listener = TcpListener::bind(&address).await?;
    let uploads = Uploads::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let uploads = uploads.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &uploads));
            // An agent that leaves is no error of the receiver's.
            let _left = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, uploads: &Uploads) -> Result<Response<Full<Bytes>>, Infallible> {
    let known = || uploads.lock().unwrap_or_else(PoisonError::into_inner);
    if request.method() == Method::GET {
        let text = counted(&known());
        return Ok(Response::new(Full::new(text.into())));
    }
    if let Ok(body) = request.into_body().collect().await {
        known().push(body.to_bytes());
    }
    Ok(Response::default())
}

fn counted(uploads: &[Bytes]) -> String {
    let (mut events, mut ids) = (0, HashSet::new());
    for upload in uploads {
        let mut json = String::new();
        let read = GzDecoder::new(&upload[..]).read_to_string(&mut json);
        let array = read.ok().and_then(|_| serde_json::from_str::<Vec<Value>>(&json).ok());
        for event in array.unwrap_or_default() {
            events += 1;
            ids.extend(event["decision_id"].as_str().map(str::to_owned));
        }
    }
    format!("{} {events} {}\n", uploads.len(), ids.len())
}
