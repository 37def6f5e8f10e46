//! `GET /data/config`: what agents have to have.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use regent_data_updates::model::Entry;
use regent_data_updates::rpc::raw;
use serde::Serialize;
use url::Url;
use url::form_urlencoded;

use super::Answered;
use crate::access::bearer;
use crate::publication::{Audience, is_for};
use crate::refusal::Refusal;
use crate::state::HubState;

/// By which an agent of ours says that it knows more than OPAL's.
const REGENT: &str = "regent-peer";

#[derive(Serialize)]
struct List<'a> {
    entries: Vec<&'a Entry>,
}

pub(super) async fn sources(State(hub): State<Arc<HubState>>, headers: HeaderMap) -> Answered {
    hub.identify(&headers)?;
    let sources = hub.config.data_sources.as_ref();
    if let Some(elsewhere) = sources.and_then(|sources| sources.external_source_url.as_deref()) {
        let location = with_token(elsewhere, bearer(&headers));
        let location = location.ok_or_else(|| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "no such address"))?;
        return Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response());
    }
    let audience = if headers.contains_key(REGENT) { Audience::Regent } else { Audience::Opal };
    let entries = sources.map(|sources| sources.entries.as_slice()).unwrap_or_default();
    let list = List { entries: entries.iter().filter(|entry| is_for(entry, audience)).collect() };
    let json = (header::CONTENT_TYPE, "application/json");
    Ok::<Response, _>((StatusCode::OK, [json], raw(&list).get().to_owned()).into_response())
}

/// The address with the token as a parameter, every other one once, with what it was given last.
fn with_token(address: &str, token: Option<&str>) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    let mut parameters: Vec<(String, String)> = Vec::new();
    let token = token.map(|token| ("token".into(), token.into()));
    for (name, value) in url.query_pairs().filter(|(_, value)| !value.is_empty()).chain(token) {
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value.into_owned(),
            None => parameters.push((name.into_owned(), value.into_owned())),
        }
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    url.set_query((!query.is_empty()).then_some(&query));
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_a_parameter() {
        for (address, token, expected) in [
            ("https://api.example.com/sources", "a.b-c_d", "https://api.example.com/sources?token=a.b-c_d"),
            ("https://api.example.com/sources?tenant=1", "a.b", "https://api.example.com/sources?tenant=1&token=a.b"),
            ("https://x/s?token=old&x=a%20b#f", "new", "https://x/s?token=new&x=a+b#f"),
            ("https://x/s?x=1&x=2&empty=", "t", "https://x/s?x=2&token=t"),
        ] {
            assert_eq!(with_token(address, Some(token)).as_deref(), Some(expected));
        }
        assert_eq!(with_token("https://x/s", None).as_deref(), Some("https://x/s"));
    }
}
