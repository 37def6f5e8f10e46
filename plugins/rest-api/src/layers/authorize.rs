//! Whether they may.
//!
//! A policy is asked before the route sees the request, with what OPA shows it. The body is read only where OPA shows
//! it, and then not decoded again.

mod known;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::COOKIE;
use http::{HeaderMap, Method, Version};
use percent_encoding::percent_decode_str;
use regent_core::{Snapshot, Value};

use super::measure::Refused;
use crate::answer::Response;
use crate::call::Call;
use crate::context::ApiContext;
use crate::document::whole_document;
use crate::error::ApiError;
use crate::params::Params;
pub use known::authorization_schema;

/// Who decides what clients may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Nobody: everyone may do everything.
    #[default]
    Off,
    /// The document that `default_authorization_decision` names, `data.system.authz.allow` if nothing else does.
    Basic,
}

const MISSING: &str = "authorization policy missing or undefined";
const UNDEFINED: &str = "document missing or undefined";
const REJECTED: &str = "request rejected by administrative policy";

/// Asks the policy.
pub(super) struct Authorize {
    pub(super) by: Authorization,
    pub(super) api: Arc<ApiContext>,
}

impl Authorize {
    /// The answer to whoever may not.
    pub(super) async fn refusal(&self, call: &mut Call) -> Option<Response> {
        let permitted = match self.by {
            Authorization::Off => return None,
            Authorization::Basic => permit(&self.api, call).await,
        };
        let mut response = permitted.err()?.into_response();
        response.extensions_mut().insert(Refused);
        Some(response)
    }
}

async fn permit(api: &ApiContext, call: &mut Call) -> Result<(), ApiError> {
    let path = path(call.head.uri.path())?;
    if shows_body(&call.head.method, &path) {
        let yaml = call.is_yaml();
        let body = call.plain_body(api.limits).await?.map_err(ApiError::invalid_parameter)?;
        if !body.is_empty() {
            let document = whole_document(&body, yaml).map_err(ApiError::invalid_parameter)?;
            call.document = Some(document);
        }
    }
    judge(api.decider.authorization(call, |snapshot| input(call, path, snapshot))?)
}

/// What the policy's answer means.
fn judge(decision: Option<Value>) -> Result<(), ApiError> {
    let decision = decision.ok_or_else(|| ApiError::internal(MISSING))?;
    if decision.as_bool() == Some(true) {
        return Ok(());
    }
    let Some(fields) = decision.as_object() else { return Err(ApiError::unauthorized(REJECTED)) };
    let allowed = fields.get_str("allowed").ok_or_else(|| ApiError::internal(UNDEFINED))?;
    if allowed.as_bool() == Some(true) {
        return Ok(());
    }
    Err(ApiError::unauthorized(fields.get_str("reason").and_then(Value::as_str).unwrap_or(REJECTED)))
}

/// The segments of the path. It is unescaped twice, once before and once after it is split: `%252F` becomes a slash.
fn path(escaped: &str) -> Result<Vec<String>, ApiError> {
    let decoded = percent_decode_str(escaped).decode_utf8_lossy();
    let segments = decoded.strip_prefix('/').unwrap_or(&decoded).split('/');
    segments.map(unescaped).collect()
}

fn unescaped(segment: &str) -> Result<String, ApiError> {
    for (at, _) in segment.match_indices('%') {
        let escape = &segment.as_bytes()[at..segment.len().min(at + 3)];
        if escape.len() < 3 || !escape[1..].iter().all(u8::is_ascii_hexdigit) {
            let shown = String::from_utf8_lossy(escape);
            return Err(ApiError::invalid_parameter(format!("invalid URL escape {}", Value::from(&*shown))));
        }
    }
    Ok(percent_decode_str(segment).decode_utf8_lossy().into_owned())
}

/// Whether the policy sees the body: that of a question about a document.
fn shows_body(method: &Method, path: &[String]) -> bool {
    let index = matches!(path, [only] if only.is_empty());
    let data = matches!(path, [version, api, ..] if matches!(version.as_str(), "v0" | "v1") && api == "data");
    let batch = matches!(path, [v1, batch, data, ..] if v1 == "v1" && batch == "batch" && data == "data");
    method == Method::POST && (index || data || batch)
}

fn input(call: &Call, path: Vec<String>, snapshot: &Snapshot) -> Value {
    let path: Value = path.into_iter().map(Value::from).collect();
    let mut fields = vec![
        ("path", path),
        ("method", call.head.method.as_str().to_uppercase().into()),
        ("params", params(call.params())),
        ("headers", headers(&call.head.headers, call.head.version)),
    ];
    fields.extend(call.document.clone().map(|document| ("body", document)));
    fields.extend(call.identity.as_deref().map(|identity| ("identity", identity.into())));
    let certificates = call.client.peer.as_ref().and_then(|peer| peer.certificates(snapshot));
    fields.extend(certificates.map(|certificates| ("client_certificates", certificates.clone())));
    Value::object(fields)
}

fn params(params: Params<'_>) -> Value {
    let mut values = BTreeMap::<_, Vec<Value>>::new();
    for (name, value) in params.pairs() {
        values.entry(name).or_default().push((&*value).into());
    }
    Value::object(values.into_iter().map(|(name, values)| (Value::from(&*name), Value::from_iter(values))))
}

/// The headers by the names that Go gives them, but for those that Go keeps elsewhere.
fn headers(headers: &HeaderMap, version: Version) -> Value {
    let kept = headers.keys().filter(|name| !matches!(name.as_str(), "host" | "transfer-encoding" | "trailer"));
    Value::object(kept.map(|name| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        // HTTP/2 lets clients send the cookies apart, which changes nothing of their meaning.
        let values = if version == Version::HTTP_2 && name == COOKIE {
            Value::from_iter([Value::from(values.collect::<Vec<_>>().join("; "))])
        } else {
            values.map(|value| Value::from(&*value)).collect()
        };
        (canonical(name.as_str()), values)
    }))
}

/// `x-request-id` as `X-Request-Id`.
fn canonical(name: &str) -> String {
    let mut start = true;
    let next = |character: char| {
        let canonical = if start { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() };
        start = character == '-';
        canonical
    };
    name.chars().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regent_core::value::decode;

    #[test]
    fn paths_are_unescaped_twice_and_split_in_between() {
        let path = |escaped| path(escaped).map_err(|error| error.to_string());
        let segments = |all: &[&str]| Ok(all.iter().map(ToString::to_string).collect());
        assert_eq!(path("/"), segments(&[""]));
        assert_eq!(path("/v1/data/a%2Fb%252Fc/d+e"), segments(&["v1", "data", "a", "b/c", "d+e"]));
        assert_eq!(path("/a%25zz"), Err("invalid URL escape \"%zz\"".to_owned()));
        assert_eq!(path("/a%25"), Err("invalid URL escape \"%\"".to_owned()));
    }

    #[test]
    fn only_questions_show_their_bodies() {
        let shows = |method, path: &[&str]| {
            let path: Vec<_> = path.iter().map(ToString::to_string).collect();
            shows_body(&method, &path)
        };
        assert!(shows(Method::POST, &[""]) && shows(Method::POST, &["v1", "data"]));
        assert!(shows(Method::POST, &["v0", "data", "x"]));
        assert!(!shows(Method::PUT, &["v1", "data"]) && !shows(Method::POST, &["v1", "query"]));
        assert!(!shows(Method::POST, &["v1"]) && !shows(Method::POST, &["v2", "data"]));
    }

    #[test]
    fn headers_have_the_names_of_go() {
        assert_eq!(canonical("x-request-id"), "X-Request-Id");
        assert_eq!(canonical("WWW-authenticate"), "Www-Authenticate");
        let mut given = HeaderMap::new();
        for (name, value) in [("host", "h"), ("x-a", "1"), ("x-a", "2"), ("cookie", "a=1"), ("cookie", "b=2")] {
            given.append(name, value.parse().expect("a value"));
        }
        let shown = |version| headers(&given, version).to_string();
        assert_eq!(shown(Version::HTTP_11), r#"{"Cookie":["a=1","b=2"],"X-A":["1","2"]}"#);
        assert_eq!(shown(Version::HTTP_2), r#"{"Cookie":["a=1; b=2"],"X-A":["1","2"]}"#);
    }

    #[test]
    fn only_true_allows() {
        let judged =
            |json: &str| judge(Some(decode(json.as_bytes()).expect("JSON"))).map_err(|error| error.to_string());
        assert_eq!(judged("true"), Ok(()));
        assert_eq!(judged(r#"{"allowed":true,"reason":"no"}"#), Ok(()));
        for rejected in
            ["false", "1", r#""true""#, "null", "[true]", r#"{"allowed":"true"}"#, r#"{"allowed":1,"reason":2}"#]
        {
            assert_eq!(judged(rejected), Err(REJECTED.to_owned()), "{rejected}");
        }
        assert_eq!(judged(r#"{"allowed":false,"reason":"late"}"#), Err("late".to_owned()));
        assert_eq!(judged(r#"{"reason":"late"}"#), Err(UNDEFINED.to_owned()));
        assert_eq!(judge(None).expect_err("nothing").to_string(), MISSING);
    }
}
