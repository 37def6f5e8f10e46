//! `POST /data/config`: publishing.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use regent_core::ErrorKind;
use regent_data_updates::model::DataUpdate;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Answered;
use crate::access::Identity;
use crate::publication::Record;
use crate::refusal;
use crate::refusal::Refusal;
use crate::refusal::json_answer;
use crate::state::HubState;

/// Answers with the number of the update and how many peers of this hub it concerns, beside what OPAL says.
pub(super) async fn publish(
    State(hub): State<Arc<HubState>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answered {
    let identity = hub.identify(&headers)?;
    let published = accept(&hub, &identity, &headers, body);
    let update = published.inspect_err(|_| hub.stats.refused())?;
    let record = Record::update(update);
    if record.topics.is_empty() {
        return Ok(json_answer(StatusCode::OK, &json!({"status": "ok"})));
    }
    if record.size() > hub.config.max_update_bytes() {
        hub.stats.refused();
        return Err(too_large(hub.config.max_update_bytes()));
    }
    let topics = record.topics.clone();
    let published = hub.publish(&record).await;
    let seq = published.map_err(|error| {
        tracing::warn!(error = error.chain(), "An update cannot be published.");
        match error.kind() {
            ErrorKind::Refused => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, &error.chain()),
            _ => Refusal::unavailable("the backbone is away: nothing is known to be published, try again"),
        }
    })?;
    let subscribers = hub.exchange.subscribers(topics).await;
    Ok(json_answer(StatusCode::OK, &json!({"status": "ok", "seq": seq, "subscribers": subscribers})))
}

/// The update, if it is one and may be published.
fn accept(
    hub: &HubState,
    identity: &Identity,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<DataUpdate, Refusal> {
    if let Identity::Known { peer_type, .. } = identity
        && !identity.is_datasource()
    {
        let peer_type =
            peer_type.map_or_else(|| "None".to_owned(), |peer_type| format!("PeerType.{}", peer_type.as_str()));
        let text =
            format!("Incorrect 'peer_type' claim for OPAL jwt token: {peer_type}, expected: PeerType.datasource");
        return Err(Refusal::unauthorized(&text));
    }
    if !is_json(headers) {
        return Err(Refusal::invalid(&[], "value is not a valid dict", "type_error.dict"));
    }
    let limit = hub.config.max_update_bytes();
    let body = body.map_err(|_| too_large(limit))?;
    let update: DataUpdate = refusal::read(&body)?;
    if let Some(place) = patch_of_nothing(&body) {
        let text = "'data' must be of type JSON patch request when save_method is PATCH";
        return Err(Refusal::invalid(&[json!("entries"), json!(place), json!("data")], text, "type_error"));
    }
    let forbidden = update.entries.iter().flat_map(|entry| identity.forbidden(&entry.topics));
    let forbidden: Vec<String> = forbidden.map(|topic| format!("'{topic}'")).collect();
    if !forbidden.is_empty() {
        return Err(Refusal::unauthorized(&format!("Invalid 'topics' to publish {{{}}}", forbidden.join(", "))));
    }
    Ok(update)
}

fn too_large(limit: usize) -> Refusal {
    let text =
        format!("the update has more than {limit} bytes (`hub.max_update_bytes`): publish an address of the data");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, &text)
}

/// Whether the body says to be JSON, or does not say what it is.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

/// The first patch whose operations are there and null, which is not the same as not being there.
fn patch_of_nothing(body: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Update<'a> {
        #[serde(borrow)]
        entries: Vec<Entry<'a>>,
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(default)]
        save_method: String,
        #[serde(borrow, default, deserialize_with = "present")]
        data: Option<&'a RawValue>,
    }
    fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Some)
    }
    let update: Update<'_> = serde_json::from_slice(body).ok()?;
    let is_one =
        |entry: &Entry<'_>| entry.save_method == "PATCH" && entry.data.is_some_and(|data| data.get() == "null");
    update.entries.iter().position(is_one)
}
