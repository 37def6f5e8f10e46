//! Request bodies: read within limits, and unpacked.

use std::future::poll_fn;
use std::io::Read as _;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::ApiError;
use crate::limits::{ClientTimeouts, Limits};

/// Bytes that are read and dropped behind a body that is too large, and how long that may take; both are Go's.
const DRAINED: usize = 256 << 10;
const LINGERING: Duration = Duration::from_millis(500);

/// A body that is still to come, or what became of it when a layer read it.
pub(crate) enum Payload {
    Unread(Incoming),
    Read(Bytes),
    Refused(ApiError),
}

/// Whether a body says that it is compressed.
pub(crate) fn is_packed(headers: &HeaderMap) -> bool {
    let gzip = |coding: &HeaderValue| coding.as_bytes().windows(4).any(|part| part == b"gzip");
    headers.get_all(CONTENT_ENCODING).iter().any(gzip)
}

fn too_large() -> ApiError {
    ApiError::invalid_parameter("request body too large")
}

/// Refuses a body that says in advance that it is too large, whatever is asked of the agent.
pub(crate) fn announced(body: &Payload, limits: Limits) -> Result<(), ApiError> {
    let Payload::Unread(incoming) = body else { return Ok(()) };
    // hyper has read the length off the head.
    let length = incoming.size_hint().exact();
    if length.is_some_and(|length| length > limits.sent) { Err(too_large()) } else { Ok(()) }
}

/// Reads a body to its end.
pub(crate) async fn read(incoming: &mut Incoming, limits: Limits) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut length = 0;
    let mut wait = Wait { since: None, time: limits.time };
    while let Some(frame) = next(incoming, &mut wait).await? {
        let frame = frame.map_err(|error| ApiError::invalid_parameter(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len() as u64;
        wait.time += ClientTimeouts::earned(data.len());
        if length > limits.sent {
            // Time is up, or there is no more: either way it is answered.
            let _ended = timeout(LINGERING, drain(incoming)).await;
            return Err(too_large());
        }
        if first.is_empty() && all.is_empty() && incoming.is_end_stream() {
            return Ok(data);
        }
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Reads on: a client that still writes when the connection ends may not see its answer.
async fn drain(incoming: &mut Incoming) {
    let mut left = DRAINED;
    while let Some(Ok(frame)) = incoming.frame().await {
        let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
        left = rest;
    }
}

/// How long a body may take, from when it first had to be waited for.
struct Wait {
    since: Option<Instant>,
    time: Duration,
}

/// The next part of a body. Most bodies come together with their head: then there is nothing to take the time of.
async fn next(
    incoming: &mut Incoming,
    wait: &mut Wait,
) -> Result<Option<Result<Frame<Bytes>, hyper::Error>>, ApiError> {
    if let Poll::Ready(frame) = poll_fn(|cx| Poll::Ready(Pin::new(&mut *incoming).poll_frame(cx))).await {
        return Ok(frame);
    }
    let deadline = *wait.since.get_or_insert_with(Instant::now) + wait.time;
    timeout_at(deadline, incoming.frame()).await.map_err(|_| ApiError::slow_body())
}

/// What a compressed body holds.
pub(crate) fn unpack(packed: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(packed)
        .take(limit.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|error| error.to_string())?;
    if plain.len() as u64 > limit {
        return Err("gzip payload too large".to_owned());
    }
    Ok(plain)
}
