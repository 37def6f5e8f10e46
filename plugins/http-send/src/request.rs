//! The request that the policy asks for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use regent_core::duration;
use regent_core::fetch::{Wanted, allows_host};
use regent_core::trace::Span;
use regent_core::value::{Object, Value, View, encode};
use regent_services::user_agent;
use url::Url;

use crate::clients::Setup;
use crate::failure::Failure;
use crate::options;
use crate::trust::Written;

/// The request that the policy asks for.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether redirects are followed.
    pub(crate) redirects: bool,
    /// How long one attempt may take; for ever if absent.
    pub(crate) timeout: Option<Duration>,
    /// How often it is sent again.
    pub(crate) retries: u32,
    /// How to connect.
    pub(crate) setup: Arc<Setup>,
    /// What `setup` was made from, for errors.
    pub(crate) written: Written,
    /// Hosts that may be asked; all of them if absent.
    pub(crate) allow_net: Option<Arc<[Arc<str>]>>,
    pub(crate) bounds: Bounds,
    /// The span of the request that the policy decides.
    pub(crate) trace: Option<Span>,
}

/// How much a request may come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Most bytes of a body, compressed or not.
    pub(crate) body: usize,
    /// Redirects that are followed.
    pub(crate) redirects: usize,
}

impl Default for Bounds {
    /// Those of `http.send`. OPA has none but the time limit.
    fn default() -> Self {
        Self { body: 64 << 20, redirects: 50 }
    }
}

/// What is read key by key.
#[derive(Default)]
struct Draft {
    method: String,
    url: String,
    body: Option<String>,
    raw_body: Option<String>,
    headers: Option<Object>,
    redirects: bool,
    timeout: Option<Duration>,
    server_name: String,
    written: Written,
}

impl Request {
    /// Reads it. The first key in their order that has something wrong with it is complained of.
    pub(crate) fn read(
        request: &Object,
        timeout: Option<Duration>,
        allow_net: Option<&[Arc<str>]>,
    ) -> Result<Self, Failure> {
        let mut draft = Draft { timeout, ..Draft::default() };
        for (key, value) in request {
            draft.take(key.as_str().unwrap_or_default(), value, allow_net)?;
        }
        let retries = options::retries(request);
        draft.finish(retries, allow_net.map(Arc::from))
    }

    /// A plain `GET`.
    pub(crate) fn get(wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let (url, redirects, timeout) = (wanted.url.to_owned(), true, Some(wanted.timeout));
        let draft = Draft { url, redirects, timeout, ..Draft::default() };
        let mut request = draft.finish(Ok(0), wanted.allow_net.map(Arc::from))?;
        let plain = matches!(request.url.scheme(), "http" | "https") && request.setup.socket.is_none();
        if !plain {
            return Err(request.failed(wanted.url, "unsupported protocol scheme"));
        }
        is_allowed(wanted.allow_net, &request.url).map_err(Failure::Request)?;
        request.bounds = Bounds { body: wanted.most_bytes, redirects: wanted.most_redirects };
        Ok(request)
    }

    /// The failure of a request to the address, as Go's client words it.
    pub(crate) fn failed(&self, url: &str, why: impl std::fmt::Display) -> Failure {
        Failure::Network { text: format!("{} \"{url}\": {why}", verb(&self.method)), in_short: None }
    }

    /// The failure of a request that took too long.
    pub(crate) fn timed_out(&self, url: &str) -> Failure {
        let verb = verb(&self.method);
        let why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
        let in_short = Some(format!("{verb} {url}: request timed out"));
        Failure::Network { text: format!("{verb} \"{url}\": {why}"), in_short }
    }
}

/// The method as Go's client begins its errors with it: `Get`.
fn verb(method: &Method) -> String {
    let (first, rest) = method.as_str().split_at(1);
    format!("{first}{}", rest.to_ascii_lowercase())
}

impl Draft {
    fn take(&mut self, key: &str, value: &Value, allow_net: Option<&[Arc<str>]>) -> Result<(), Failure> {
        let text = || {
            let text = value.as_str().ok_or_else(|| Failure::Request(format!("{key:?} must be a string")))?;
            Ok(text.trim_matches('"').to_owned())
        };
        let tls = &mut self.written;
        match key {
            "method" => self.method = text()?.to_uppercase(),
            "url" => {
                self.url = text()?;
                check_host(allow_net, &self.url)?;
            }
            "enable_redirect" => self.redirects = options::parse_bool(value)?,
            "body" => self.body = Some(encode(value)),
            "raw_body" => self.raw_body = Some(text()?),
            "headers" => {
                let headers = value.as_object();
                self.headers =
                    Some(headers.ok_or_else(|| Failure::Request("invalid type for headers key".to_owned()))?.clone());
            }
            "timeout" => self.timeout = timeout(value)?,
            "tls_server_name" => self.server_name = text()?,
            "tls_use_system_certs" => tls.use_system_certs = options::parse_bool(value)?,
            "tls_insecure_skip_verify" => tls.skip_verify = options::parse_bool(value)?,
            "tls_ca_cert" => tls.ca.text = text()?,
            "tls_ca_cert_file" => tls.ca.file = text()?,
            "tls_ca_cert_env_variable" => tls.ca.variable = text()?,
            "tls_client_cert" => tls.certificate.text = text()?,
            "tls_client_cert_file" => tls.certificate.file = text()?,
            "tls_client_cert_env_variable" => tls.certificate.variable = text()?,
            "tls_client_key" => tls.key.text = text()?,
            "tls_client_key_file" => tls.key.file = text()?,
            "tls_client_key_env_variable" => tls.key.variable = text()?,
            _ => {}
        }
        Ok(())
    }

    /// The address, if it is one that can be asked.
    fn parsed(&self, text: &str, network: impl Fn(&str) -> Failure) -> Result<Url, Failure> {
        match Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                Err(network(&format!("unsupported protocol scheme {:?}", url.scheme())))
            }
            Ok(_) if has_no_host(text) => Err(network("http: no Host in request URL")),
            Ok(url) => Ok(url),
            Err(url::ParseError::RelativeUrlWithoutBase) => Err(network("unsupported protocol scheme \"\"")),
            Err(error) => Err(Failure::Request(format!("parse {:?}: {error}", without_password(&self.url)))),
        }
    }

    fn finish(self, retries: Result<u32, Failure>, allow_net: Option<Arc<[Arc<str>]>>) -> Result<Request, Failure> {
        let identity = self.written.identity()?;
        let authorities = self.written.authorities()?;
        let method = match &*self.method {
            "" => Method::GET,
            method => Method::from_bytes(method.as_bytes())
                .map_err(|_| Failure::Request(format!("net/http: invalid method {method:?}")))?,
        };
        let (text, socket) = target(&self.url);
        let headers = headers(self.headers.as_ref())?;
        let host = headers.as_ref().ok().and_then(|headers| headers.get(header::HOST)?.to_str().ok());
        let server_name =
            Some(self.server_name.clone()).filter(|name| !name.is_empty()).or_else(|| host.map(str::to_owned));
        let setup = Setup { authorities, identity, server_name, socket, only_http1: host.is_some() };
        let network = |why: &str| {
            let text = format!("{} \"{}\": {why}", verb(&method), without_password(&self.url));
            Failure::Network { text, in_short: None }
        };
        let url = self.parsed(&text, network)?;
        let headers = headers.map_err(|why| network(&why))?;
        let body = self.raw_body.or(self.body).unwrap_or_default().into();
        let (redirects, timeout) = (self.redirects, self.timeout);
        let (retries, setup, written) = (retries?, Arc::new(setup), self.written);
        let (bounds, trace) = (Bounds::default(), None);
        Ok(Request {
            method,
            url,
            headers,
            body,
            redirects,
            timeout,
            retries,
            setup,
            written,
            allow_net,
            bounds,
            trace,
        })
    }
}

/// Refuses hosts that must not be asked.
pub(crate) fn check_host(allow_net: Option<&[Arc<str>]>, address: &str) -> Result<(), Failure> {
    let Some(allowed) = allow_net else { return Ok(()) };
    let url = Url::parse(&target(address).0);
    let url = url.map_err(|error| Failure::Request(format!("parse {:?}: {error}", without_password(address))))?;
    is_allowed(Some(allowed), &url).map_err(Failure::Request)
}

/// Whether the host of the address may be asked; if not, what OPA says.
pub(crate) fn is_allowed(allow_net: Option<&[Arc<str>]>, url: &Url) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if allows_host(allow_net, host) { Ok(()) } else { Err(format!("unallowed host: {host}")) }
}

/// The address to ask, and the socket to ask it through: of `unix://host/path?socket=FILE` that is
/// `http://host/path` through `FILE`.
fn target(address: &str) -> (String, Option<PathBuf>) {
    let plain = || (address.to_owned(), None);
    let Ok(unix) = Url::parse(address) else { return plain() };
    if unix.scheme() != "unix" || unix.query().is_none_or(str::is_empty) {
        return plain();
    }
    let (sockets, mut others): (Vec<_>, Vec<_>) =
        form_urlencoded::parse(unix.query().unwrap_or_default().as_bytes()).partition(|(key, _)| key == "socket");
    // As in OPA: the first socket counts, no other is passed on, and the rest is put in order.
    others.sort_by(|(a, _), (b, _)| a.cmp(b));
    let socket = sockets.first().map(|(_, path)| PathBuf::from(&**path)).unwrap_or_default();
    let (before, _) = address.split_once('?').unwrap_or((address, ""));
    let mut text = format!("http{}", &before["unix".len()..]);
    if !others.is_empty() {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
        text = format!("{text}?{query}");
    }
    (text, Some(socket))
}

/// Whether there is nothing between the slashes before the path. Browsers, and so [`Url`], take a part of the path then.
fn has_no_host(text: &str) -> bool {
    let rest = text.trim_start().split_once(':').map_or("", |(_, rest)| rest);
    rest.strip_prefix("//").is_none_or(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#', '\\']))
}

/// The address as errors show it.
pub(crate) fn without_password(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) if url.password().is_some() => {
            // Only addresses without a host refuse this, and they have no password.
            let _ = url.set_password(Some("***"));
            url.into()
        }
        _ => address.to_owned(),
    }
}

/// The headers, or what Go's client would say of them when it sends them.
fn headers(written: Option<&Object>) -> Result<Result<HeaderMap, String>, Failure> {
    let mut headers = HeaderMap::new();
    let mut unfit = None;
    for (name, value) in written.into_iter().flatten() {
        let Some(text) = value.as_str() else {
            return Err(Failure::Request(format!("invalid type for headers value {}", quoted(value))));
        };
        let name = name.as_str().map_or_else(|| encode(name), str::to_owned);
        match (HeaderName::try_from(&*name), HeaderValue::try_from(text)) {
            (Ok(name), Ok(value)) => drop(headers.append(name, value)),
            (Err(_), _) => unfit = Some(format!("net/http: invalid header field name {name:?}")),
            (_, Err(_)) => unfit = Some(format!("net/http: invalid header field value for {name:?}")),
        }
    }
    let agent = HeaderValue::try_from(user_agent()).expect("names and numbers are fit for a header");
    headers.entry(header::USER_AGENT).or_insert(agent);
    Ok(unfit.map_or(Ok(headers), Err))
}

/// A value that is no string as Go's `%q` shows it.
fn quoted(value: &Value) -> String {
    match value.view() {
        View::Null => "%!q(<nil>)".to_owned(),
        View::Bool(truth) => format!("%!q(bool={truth})"),
        View::Array(items) => format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(" ")),
        View::Set(members) => format!("[{}]", members.iter().map(quoted).collect::<Vec<_>>().join(" ")),
        View::Object(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{}:{}", quoted(key), quoted(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        View::String(text) => format!("{text:?}"),
        View::Number(_) => format!("{:?}", encode(value)),
    }
}

/// Nanoseconds as a number or a string, or a duration such as `1.5s`. What is not above zero is no limit.
fn timeout(value: &Value) -> Result<Option<Duration>, Failure> {
    let nanoseconds = match value.view() {
        View::Number(number) => number.as_plain_i64().ok_or_else(|| {
            Failure::Request(format!("invalid timeout number value {}, must be int64", encode(value)))
        })?,
        View::String(text) => match text.parse::<i64>() {
            Ok(number) => number,
            Err(_) => duration::parse(text)
                .map_err(|why| Failure::Request(format!("invalid timeout value {}: {why}", encode(value))))?,
        },
        _ => {
            let found = value.type_name();
            let text = format!("operand 1 'timeout' must be one of {{string, number}} but got {found}");
            return Err(Failure::Operand(text));
        }
    };
    Ok(u64::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds > 0).map(Duration::from_nanos))
}

#[cfg(test)]
mod tests;
