//! `/token` and the public key.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use regent_data_updates::publisher::PeerType;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::Answered;
use crate::access::Lifetime;
use crate::refusal;
use crate::refusal::Refusal;
use crate::refusal::json_answer;
use crate::state::HubState;

/// What somebody wants who has the master token.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default, deserialize_with = "uuid")]
    id: Option<Uuid>,
    #[serde(default, rename = "type")]
    kind: Kind,
    #[serde(default)]
    ttl: Lifetime,
    #[serde(default)]
    claims: Claims,
}

fn uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    Uuid::parse_str(&text).map(Some).map_err(|_| D::Error::custom("value is not a valid uuid"))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Client,
    Datasource,
    Listener,
}

/// An empty list stands for no claims, as with Python.
#[derive(Deserialize)]
#[serde(untagged)]
enum Claims {
    Some(Map<String, Json>),
    None([(); 0]),
}

impl Default for Claims {
    fn default() -> Self {
        Self::None([])
    }
}

/// `POST /token`
pub(super) async fn issue(State(hub): State<Arc<HubState>>, headers: HeaderMap, body: Bytes) -> Answered {
    let Some(authority) = &hub.authority else {
        let text = "opal server was not configured with security, cannot generate tokens!";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text));
    };
    authority.check_master(&headers).map_err(Refusal::unauthorized)?;
    let Wanted { id, kind, ttl, claims } = refusal::read(&body)?;
    let peer_type = match kind {
        Kind::Client => PeerType::Client,
        Kind::Datasource => PeerType::Datasource,
        Kind::Listener => PeerType::Listener,
    };
    let claims = match claims {
        Claims::Some(claims) => claims,
        Claims::None(_) => Map::new(),
    };
    let issued = authority.issue(id.unwrap_or_else(Uuid::new_v4), peer_type, ttl, &claims);
    let (token, details) = issued.map_err(|why| Refusal::invalid(&[json!("ttl")], &why, "value_error"))?;
    Ok(json_answer(StatusCode::OK, &json!({"token": token, "type": "bearer", "details": details})))
}

/// `GET /.well-known/jwks.json`
pub(super) async fn jwks(State(hub): State<Arc<HubState>>) -> Response {
    let keys = hub.authority.as_ref().map_or_else(|| json!({}), crate::access::Authority::jwks);
    json_answer(StatusCode::OK, &keys)
}
