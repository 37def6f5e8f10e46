//! Request bodies: read within limits, unpacked, decoded.

use std::borrow::Cow;
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
use regent_core::Value;
use regent_core::value::{DecodeError, Parted, decode_fields, decode_prefix};
use tokio::time::{Instant, timeout, timeout_at};

use crate::call::Call;
use crate::config::ClientTimeouts;
use crate::error::ApiError;

/// Bytes that are read and dropped behind a body that is too large, and how long that may take; both are Go's.
const DRAINED: usize = 256 << 10;
const LINGERING: Duration = Duration::from_millis(500);

/// Deepest nesting of a document. The decoder would go deeper than the stack of a request thread allows.
const MAX_NESTING: usize = 1_000;

/// How much a body may hold, in bytes, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// As it is sent.
    pub(crate) sent: u64,
    /// Unpacked.
    pub(crate) unpacked: u64,
    /// How long it may take, and longer the more of it comes.
    pub(crate) time: Duration,
}

/// A body that is still to come, or what became of it when a layer read it.
pub(crate) enum Payload {
    Unread(Incoming),
    Read(Bytes),
    Refused(ApiError),
}

impl Call {
    /// The body as it was sent. A second call gives the same bytes, or refuses them again: what is left of a body must
    /// not pass for the whole.
    pub(crate) async fn sent_body(&mut self, limits: Limits) -> Result<&Bytes, ApiError> {
        if let Payload::Unread(incoming) = &mut self.body {
            self.body = match read(incoming, limits).await {
                Ok(bytes) => Payload::Read(bytes),
                Err(why) => Payload::Refused(why),
            };
        }
        match &self.body {
            Payload::Read(bytes) => Ok(bytes),
            Payload::Refused(why) => Err(why.clone()),
            Payload::Unread(_) => unreachable!("it has just been read"),
        }
    }

    /// The body, unpacked if it says that it is compressed.
    pub(crate) async fn unpacked_body(&mut self, limits: Limits) -> Result<Cow<'_, [u8]>, ApiError> {
        let refused = |why: String| ApiError::invalid_parameter(format!("could not decompress the body: {why}"));
        self.plain_body(limits).await?.map_err(refused)
    }

    /// As [`Self::unpacked_body`], with the bare reason why it cannot be unpacked.
    pub(crate) async fn plain_body(&mut self, limits: Limits) -> Result<Result<Cow<'_, [u8]>, String>, ApiError> {
        let packed = is_packed(&self.head.headers);
        let sent = self.sent_body(limits).await?;
        Ok(if packed { unpack(sent, limits.unpacked).map(Cow::Owned) } else { Ok(Cow::Borrowed(&sent[..])) })
    }
}

fn is_packed(headers: &HeaderMap) -> bool {
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

async fn read(incoming: &mut Incoming, limits: Limits) -> Result<Bytes, ApiError> {
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

fn unpack(packed: &[u8], limit: u64) -> Result<Vec<u8>, String> {
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

/// Why a body is no document, in words that the client sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error(transparent)]
    Json(#[from] DecodeError),
    #[error("{0}")]
    Yaml(String),
}

/// Reads the first document of a body and ignores what follows it. Nothing but white space is no document.
///
/// # Errors
/// When it is neither JSON nor, where the client says so, YAML.
pub(crate) fn document(body: &[u8], yaml: bool) -> Result<Option<Value>, DocumentError> {
    if yaml {
        return from_yaml(body);
    }
    match first_value(body) {
        Ok((value, _)) => Ok(Some(value)),
        Err(DecodeError::Empty) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// As [`document`], for whoever wants the fields of an object. YAML is not taken apart.
///
/// # Errors
/// As [`document`].
pub(crate) fn parted(body: &[u8], yaml: bool) -> Result<Option<Parted>, DocumentError> {
    if yaml {
        return Ok(from_yaml(body)?.map(Parted::Whole));
    }
    match check_nesting(body).and_then(|()| decode_fields(body)) {
        Ok(parted) => Ok(Some(parted)),
        Err(DecodeError::Empty) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads a body that must be one document and nothing else, as OPA does where a policy is to judge it.
///
/// # Errors
/// When it is neither JSON nor, where the client says so, YAML; in words that the client sees.
pub(crate) fn whole_document(body: &[u8], yaml: bool) -> Result<Value, String> {
    if yaml {
        return from_yaml(body).map(Option::unwrap_or_default).map_err(|error| error.to_string());
    }
    let (value, end) = first_value(body).map_err(|error| error.to_string())?;
    match (first_value(&body[end..]), body[end..].trim_ascii_start().first()) {
        (Err(DecodeError::Empty), _) | (_, None) => Ok(value),
        (Ok(_), Some(next)) => Err(format!("error: invalid character '{}' after top-level value", char::from(*next))),
        (Err(error), _) => Err(error.to_string()),
    }
}

/// Reads the first JSON value; gives it and the position behind it. Nesting is checked before anything recurses.
pub(crate) fn first_value(json: &[u8]) -> Result<(Value, usize), DecodeError> {
    check_nesting(json)?;
    decode_prefix(json)
}

fn check_nesting(json: &[u8]) -> Result<(), DecodeError> {
    if json.len() > MAX_NESTING && nests_deeper(json, MAX_NESTING) { Err(DecodeError::Depth) } else { Ok(()) }
}

fn nests_deeper(json: &[u8], limit: usize) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return,
            _ => {}
        }
    }
}

fn from_yaml(body: &[u8]) -> Result<Option<Value>, DocumentError> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(body);
    let (value, _) = regent_core::yaml::parse(&text).map_err(|error| DocumentError::Yaml(error.to_string()))?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_document_has_nothing_after_it() {
        let read = |text: &str| whole_document(text.as_bytes(), false).map(|value| value.to_string());
        assert_eq!(read(" [1] \n"), Ok("[1]".to_owned()));
        assert_eq!(read("{"), Err("unexpected EOF".to_owned()));
        assert_eq!(read(" "), Err("EOF".to_owned()));
        assert_eq!(read("{} x"), Err("invalid character 'x' looking for beginning of value".to_owned()));
        assert_eq!(read("{} 5"), Err("error: invalid character '5' after top-level value".to_owned()));
    }

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        assert!(nests_deeper(b"[[[]]]", 2) && nests_deeper(br#"{"a":[{"\"":1}]}"#, 2));
        assert!(!nests_deeper(b"[[],[],[]]", 2) && !nests_deeper(br#"["[[[\"[[["]"#, 2));
    }
}
