//! Which part of the API a path belongs to.
//!
//! The path stays escaped: what an escaped slash means is for the routes to say. Only a trailing slash counts in either
//! spelling.

use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::params::escapes_are_sound;

/// A part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Index,
    Data,
    DataV0,
    Batch,
    Policies,
    Policy,
    Query,
    QueryBelow,
    Compile,
    Filter,
    Config,
    Status,
    BundleTrigger,
    DiscoveryTrigger,
    Health,
    Metrics,
    Memory,
    Unknown,
}

/// An answer that needs no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Detour {
    /// The path is broken.
    Broken,
    /// The client should ask elsewhere.
    Moved(String),
    /// To the path without what a path can do without: Go's own router sends there, today with 307.
    Cleaned(String),
    /// No route but those of measurements answers HEAD.
    Head,
}

/// The routes with the path that leads to them, and whether something may lie below.
const ROUTES: [(&str, Route, bool); 13] = [
    ("/v1/data", Route::Data, true),
    ("/v0/data", Route::DataV0, true),
    ("/v1/batch/data", Route::Batch, true),
    ("/v1/policies", Route::Policies, true),
    ("/v1/query", Route::Query, true),
    ("/v1/compile", Route::Compile, true),
    ("/health", Route::Health, true),
    ("/v1/config", Route::Config, false),
    ("/v1/status", Route::Status, false),
    ("/v1/bundles", Route::BundleTrigger, true),
    ("/v1/discovery/trigger", Route::DiscoveryTrigger, false),
    ("/metrics", Route::Metrics, false),
    ("/metrics/alloc_bytes", Route::Memory, false),
];

/// What ends the path of a trigger; the bundle's name is before it, and may have slashes.
pub(crate) const TRIGGER: &str = "/trigger";

/// Characters that a path in a `Location` header cannot hold as they are.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');

/// What has to be answered before the route, and before anyone is asked for permission.
pub(crate) fn detour(method: &Method, uri: &http::Uri, route: Route) -> Option<Detour> {
    let path = uri.path();
    if !escapes_are_sound(path) {
        return Some(Detour::Broken);
    }
    if let Some(cleaned) = cleaned(path) {
        return Some(Detour::Cleaned(uri.query().map_or(cleaned.clone(), |query| format!("{cleaned}?{query}"))));
    }
    if method == Method::HEAD {
        return (!matches!(route, Route::Unknown | Route::Metrics | Route::Memory)).then_some(Detour::Head);
    }
    match route {
        // Only the form with a path has a GET, and OPA's router thinks that this is what is meant.
        Route::Compile if method == Method::GET && path == "/v1/compile" => {
            Some(Detour::Cleaned("/v1/compile/".to_owned()))
        }
        Route::Unknown | Route::Index => None,
        _ => without_trailing_slash(path).map(Detour::Moved),
    }
}

/// Finds the route of a path, and how many bytes of the path lead to what lies below it.
pub(crate) fn find(path: &str) -> (Route, usize) {
    if path == "/" {
        return (Route::Index, 1);
    }
    let leads = |&&(start, _, open): &&(&str, Route, bool)| {
        path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || (open && rest.starts_with('/')))
    };
    let Some(&(start, route, _)) = ROUTES.iter().find(leads) else {
        return (Route::Unknown, path.len());
    };
    let something_below = path.len() > start.len() + 1;
    let route = match route {
        Route::Policies if something_below => Route::Policy,
        Route::Query if something_below => Route::QueryBelow,
        Route::Compile if something_below => Route::Filter,
        Route::BundleTrigger if !names_bundle(&path[start.len()..]) => return (Route::Unknown, path.len()),
        route => route,
    };
    (route, start.len())
}

/// Whether what lies below the bundles is a name and what to do with it.
fn names_bundle(below: &str) -> bool {
    let below = below.strip_suffix('/').unwrap_or(below);
    below.strip_suffix(TRIGGER).is_some_and(|name| name.len() > 1)
}

/// The path without its last slash, be it escaped or not; nothing if there is none.
fn without_trailing_slash(path: &str) -> Option<String> {
    let escaped =
        path.len() >= 3 && path.is_char_boundary(path.len() - 3) && path[path.len() - 3..].eq_ignore_ascii_case("%2f");
    if !escaped && !path.ends_with('/') {
        return None;
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    Some(utf8_percent_encode(decoded.strip_suffix('/').unwrap_or(&decoded), UNSAFE).to_string())
}

/// The path without empty, `.` and `..` segments; nothing if it has none.
fn cleaned(path: &str) -> Option<String> {
    // Most paths are clean, which shows at once: odd segments begin like this, and not all that begins like this is odd.
    let suspect = path.as_bytes().windows(2).any(|pair| matches!(pair, b"//" | b"/."));
    let inner = path.strip_prefix('/').filter(|_| suspect)?;
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let odd = |segment: &[u8]| matches!(segment, b"" | b"." | b"..");
    if inner.is_empty() && path.len() <= 1 || !inner.as_bytes().split(|byte| *byte == b'/').any(odd) {
        return None;
    }
    let mut kept = Vec::new();
    for segment in inner.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let slash = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    Some(format!("/{}{slash}", kept.join("/")))
}

/// How a route refuses a method that it does not have.
pub(crate) enum Refusal {
    /// With nothing but the status.
    Silent,
    /// With a text, and the methods that it has.
    Listing(&'static str),
    /// As if it did not exist.
    NotFound,
}

impl Route {
    /// What a method that the route does not have is answered with.
    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::Unknown => Refusal::NotFound,
            Self::Batch | Self::BundleTrigger | Self::DiscoveryTrigger => Refusal::Listing("POST"),
            Self::Index | Self::Compile | Self::Filter => Refusal::Listing("GET, HEAD, POST"),
            Self::Config | Self::Status | Self::Health | Self::Metrics | Self::Memory => Refusal::Listing("GET, HEAD"),
            Self::Data | Self::DataV0 | Self::Policies | Self::Policy | Self::Query | Self::QueryBelow => {
                Refusal::Silent
            }
        }
    }

    /// The `handler` label of request durations.
    pub(crate) fn handler(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Data => "v1/data",
            Self::DataV0 => "v0/data",
            Self::Batch => "v1/batch/data",
            Self::Policies | Self::Policy => "v1/policies",
            Self::Query => "v1/query",
            Self::Compile | Self::Filter => "v1/compile",
            Self::Config => "v1/config",
            Self::Status => "v1/status",
            Self::BundleTrigger => "v1/bundles",
            Self::DiscoveryTrigger => "v1/discovery",
            Self::Health => "health",
            Self::QueryBelow | Self::Metrics | Self::Memory | Self::Unknown => "catchall",
        }
    }

    /// The pattern of the paths that lead here, as OPA's router has it; `below` is what lies below the route.
    pub(crate) fn template(self, below: &str) -> Option<&'static str> {
        let is_bare = below.len() <= 1;
        let either = |bare, open| Some(if is_bare { bare } else { open });
        match self {
            Self::Index => Some("/"),
            Self::Data => either("/v1/data", "/v1/data/{path...}"),
            Self::DataV0 => either("/v0/data", "/v0/data/{path...}"),
            Self::Batch => either("/v1/batch/data", "/v1/batch/data/{path...}"),
            Self::Policies => Some("/v1/policies"),
            Self::Policy => Some("/v1/policies/{path...}"),
            Self::Query => Some("/v1/query"),
            Self::Compile => Some("/v1/compile"),
            Self::Filter => Some("/v1/compile/{path...}"),
            Self::Config => Some("/v1/config"),
            Self::Status => Some("/v1/status"),
            Self::BundleTrigger => Some("/v1/bundles/{name...}/trigger"),
            Self::DiscoveryTrigger => Some("/v1/discovery/trigger"),
            Self::Health => either("/health", "/health/{path...}"),
            Self::QueryBelow | Self::Metrics | Self::Memory | Self::Unknown => None,
        }
    }

    /// Whether answers to this method are compressed for clients that can read them.
    pub(crate) fn compresses(self, method: &Method) -> bool {
        match self {
            Self::Data => method == Method::GET || method == Method::POST,
            Self::DataV0 | Self::Batch | Self::Compile | Self::Filter => method == Method::POST,
            _ => false,
        }
    }

    /// Whether diagnostic listeners serve it.
    pub(crate) fn is_diagnostic(self) -> bool {
        matches!(self, Self::Health | Self::Metrics | Self::Memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(uri: &str) -> Option<Detour> {
        let uri = uri.parse::<http::Uri>().expect("a URI");
        detour(&Method::GET, &uri, find(uri.path()).0)
    }

    fn cleaned_to(to: &str) -> Detour {
        Detour::Cleaned(to.to_owned())
    }

    fn moved(to: &str) -> Detour {
        Detour::Moved(to.to_owned())
    }

    #[test]
    fn routes_are_found_by_whole_segments() {
        assert_eq!(find("/"), (Route::Index, 1));
        assert_eq!(find("/v1/data"), (Route::Data, 8));
        assert_eq!(find("/v1/data/a%2Fb"), (Route::Data, 8));
        assert_eq!(find("/v1/batch/data"), (Route::Batch, 14));
        assert_eq!(find("/v1/batch/data/a/b"), (Route::Batch, 14));
        assert_eq!(find("/v1/policies/a/b.rego"), (Route::Policy, 12));
        assert_eq!(find("/v1/query/x"), (Route::QueryBelow, 9));
        assert_eq!(find("/metrics/alloc_bytes").0, Route::Memory);
        assert_eq!(find("/v1/bundles/team/authz/trigger"), (Route::BundleTrigger, 11));
        assert_eq!(find("/v1/bundles/a%2Ftrigger/trigger/"), (Route::BundleTrigger, 11));
        assert_eq!(find("/v1/discovery/trigger"), (Route::DiscoveryTrigger, 21));
        for unknown in ["/v1/bundles", "/v1/bundles/a", "/v1/bundles/trigger", "/v1/bundles//trigger", "/v1/discovery"]
        {
            assert_eq!(find(unknown).0, Route::Unknown, "{unknown}");
        }
        for unknown in
            ["/foo", "/v1", "/v1/", "/v1/datax", "/healthz", "/V1/data", "/v1/config/x", "/v0/policies", "/v1/batch"]
        {
            assert_eq!(find(unknown).0, Route::Unknown, "{unknown}");
            assert_eq!(get(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn trailing_slashes_redirect_without_the_query() {
        assert_eq!(get("/v1/data/servers"), None);
        assert_eq!(get("/v1/data/servers/?pretty=true"), Some(moved("/v1/data/servers")));
        assert_eq!(get("/v1/data/a%20b/"), Some(moved("/v1/data/a%20b")));
        assert_eq!(get("/v1/data/tilde~slash%2F"), Some(moved("/v1/data/tilde~slash")));
        assert_eq!(get("/health/"), Some(moved("/health")));
        assert_eq!(get("/v1/policies/"), Some(moved("/v1/policies")));
    }

    #[test]
    fn odd_segments_redirect_and_broken_escapes_are_refused() {
        assert_eq!(get("/v1//data/servers"), Some(cleaned_to("/v1/data/servers")));
        assert_eq!(get("/v1/data/../config?x=1"), Some(cleaned_to("/v1/config?x=1")));
        assert_eq!(get("//"), Some(cleaned_to("/")));
        assert_eq!(get("/v1/data/%zz"), Some(Detour::Broken));
    }
}
