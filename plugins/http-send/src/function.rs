//! The function: which cache to look into, what to keep, how failures show.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use regent_core::builtin::{Builtin, BuiltinError, Call, Declaration, Operands, Outcome};
use regent_core::duration;
use regent_core::value::{Object, Value};

use crate::answer;
use crate::exchange::Response;
use crate::failure::Failure;
use crate::flight::{self, Flights};
use crate::freshness::{self, Instant};
use crate::options::{self, Mode, Options};
use crate::request::Request;
use crate::sender::Sender;
use crate::store::{Entry, Store};

/// The environment variable that says how long a request may take if it does not say so itself.
const TIMEOUT_VARIABLE: &str = "HTTP_SEND_TIMEOUT";

/// How long a request may take if nobody says so.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a body from which on others should not wait for its being read.
const LARGE: usize = 256 << 10;

/// `http.send`
pub struct HttpSend {
    declaration: Declaration,
    timeout: Option<Duration>,
    sender: Arc<Sender>,
    flights: Flights,
    store: Store,
}

/// What requests of one query came to.
#[derive(Default)]
struct Known(HashMap<Value, Result<Value, Failure>>);

/// One call.
struct Asked<'a> {
    object: &'a Object,
    key: Value,
    options: Options,
}

impl Default for HttpSend {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpSend {
    /// The function with connections and a cache of its own.
    pub fn new() -> Self {
        Self::with(Arc::default())
    }

    /// The function with a cache of its own.
    pub(crate) fn with(sender: Arc<Sender>) -> Self {
        let signature = "http.send(request: object[string: any] # the HTTP request object
                         ) => response: object[any: any] # the HTTP response object";
        let declaration = Declaration::parse(signature).expect("the declaration is well-formed");
        Self {
            declaration: declaration.describe("Returns a HTTP response to the given HTTP request.").nondeterministic(),
            timeout: default_timeout(),
            sender,
            flights: Flights::default(),
            store: Store::default(),
        }
    }

    fn answer(&self, request: &Value, object: &Object, call: &mut Call<'_>) -> Result<Value, Failure> {
        options::check_keys(object)?;
        let started = std::time::Instant::now();
        let answer = self.look_up(request, object, call);
        let spent = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        call.metrics.add("timer_rego_builtin_http_send_ns", spent);
        answer
    }

    fn look_up(&self, request: &Value, object: &Object, call: &mut Call<'_>) -> Result<Value, Failure> {
        debug_assert!(request.is_object());
        let asked = Asked { object, key: options::cache_key(object)?, options: Options::read(object)? };
        if let Some(known) = call.query.get::<Known>().0.get(&asked.key) {
            return known.clone();
        }
        let answer =
            if asked.options.cached { self.across_queries(&asked, call) } else { self.within_query(&asked, call) };
        if let Err(failure) = &answer
            && failure.is_kept()
        {
            remember(call, &asked, Err(failure.clone()));
        }
        answer
    }

    /// Sends the request, whatever other queries know.
    fn within_query(&self, asked: &Asked<'_>, call: &mut Call<'_>) -> Result<Value, Failure> {
        let response = self.send(asked, &HeaderMap::new(), call)?.wait(call.cancel, call.linger)?;
        let answer = asked.answer(&response, call);
        if freshness::is_cacheable(response.status) {
            remember(call, asked, Ok(answer.clone()));
        }
        Ok(answer)
    }

    /// Takes what another query got, asks the server whether it is still good, or sends the request.
    fn across_queries(&self, asked: &Asked<'_>, call: &mut Call<'_>) -> Result<Value, Failure> {
        let kept = self.store.get(&asked.key);
        if kept.is_some() {
            call.metrics.add("counter_rego_builtin_http_send_interquery_cache_hits", 1);
        }
        let answer = match kept {
            Some(entry) if call.now < entry.expires => {
                entry.value.unwrap_or_else(|| asked.answer(&entry.response, call))
            }
            kept => {
                let revalidated = kept.map(|entry| self.revalidate(asked, &entry, call)).transpose()?.flatten();
                if let Some(answer) = revalidated {
                    answer
                } else {
                    let response = self.share(asked, &HeaderMap::new(), call)?;
                    let expires = asked.expiry(&response.headers, call.now);
                    self.keep(asked, response, expires, call)
                }
            }
        };
        remember(call, asked, Ok(answer.clone()));
        Ok(answer)
    }

    /// What a kept response comes to after asking the server about it; nothing if the request has to be sent again.
    fn revalidate(&self, asked: &Asked<'_>, entry: &Entry, call: &mut Call<'_>) -> Result<Option<Value>, Failure> {
        let validators = freshness::validators(&entry.response.headers);
        let answered = if validators.is_empty() { None } else { Some(self.share(asked, &validators, call)) };
        self.store.remove(&asked.key);
        let Some(response) = answered.transpose()? else { return Ok(None) };
        let expires = asked.expiry(&response.headers, call.now);
        let response = match response.status {
            StatusCode::OK => response,
            StatusCode::NOT_MODIFIED => Arc::new(renewed(&entry.response, &response.headers)),
            _ => return Ok(None),
        };
        Ok(Some(self.keep(asked, response, expires, call)))
    }

    /// Makes the answer of a response, and keeps it for other queries if it may be kept.
    fn keep(&self, asked: &Asked<'_>, response: Arc<Response>, expires: Option<Instant>, call: &Call<'_>) -> Value {
        let answer = asked.answer(&response, call);
        if let (Some(expires), Some(mode)) = (expires, asked.options.mode)
            && asked.may_be_kept(&response)
            // What is neither fresh nor can be asked about serves nobody.
            && (expires > call.now || !freshness::validators(&response.headers).is_empty())
        {
            let value = (mode == Mode::Deserialized).then(|| answer.clone());
            let entry = Entry { response, value, expires };
            self.store.put(asked.key.clone(), entry, call.caching.results, call.now);
        }
        answer
    }

    /// Sends the request, or waits for the same one of another query if that may be kept.
    fn share(&self, asked: &Asked<'_>, more: &HeaderMap, call: &mut Call<'_>) -> flight::Outcome {
        let names = more.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let key = Value::array([asked.key.clone(), Value::array(names)]);
        let request = self.request(asked, more, call)?;
        let (flight, is_new) = self.flights.join(&key, || self.start(request))?;
        if is_new && more.is_empty() {
            count_request(call);
        }
        let outcome = flight.wait(call.cancel, call.linger);
        if is_new {
            self.flights.end(&key, &flight);
        }
        match outcome {
            // It was meant for the other query alone.
            Ok(response) if !(is_new || asked.serves_others(&response)) => {
                self.send(asked, more, call)?.wait(call.cancel, call.linger)
            }
            outcome => outcome,
        }
    }

    fn send(&self, asked: &Asked<'_>, more: &HeaderMap, call: &mut Call<'_>) -> Result<Arc<flight::Flight>, Failure> {
        let request = self.request(asked, more, call)?;
        count_request(call);
        self.start(request)
    }

    fn request(&self, asked: &Asked<'_>, more: &HeaderMap, call: &Call<'_>) -> Result<Request, Failure> {
        let mut request = Request::read(asked.object, self.timeout, call.allow_net)?;
        request.headers.extend(more.clone());
        request.trace = call.trace.cloned();
        Ok(request)
    }

    fn start(&self, request: Request) -> Result<Arc<flight::Flight>, Failure> {
        self.sender.start(request)
    }
}

impl Builtin for HttpSend {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn call(&self, operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
        let object = operands.object(0)?;
        let raises = options::raises_errors(object)?;
        match self.answer(operands.any(0), object, call) {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Cancelled) => Err(BuiltinError::Cancelled),
            Err(failure) if raises => Err(failure.raised()),
            Err(failure) => Ok(Some(failure.shown(call.location))),
        }
    }
}

impl Asked<'_> {
    /// What the function gives for the response. To read a large body takes long.
    fn answer(&self, response: &Response, call: &Call<'_>) -> Value {
        if response.body.len() < LARGE {
            return answer::value(response, &self.options);
        }
        let mut answer = Value::NULL;
        (call.linger)(&mut || answer = answer::value(response, &self.options));
        answer
    }

    /// Whether other queries may use the response.
    fn may_be_kept(&self, response: &Response) -> bool {
        freshness::is_cacheable(response.status)
            && (self.options.forced.is_some() || freshness::may_be_stored(&response.headers))
    }

    /// Whether queries that ask at the same time may use the response.
    fn serves_others(&self, response: &Response) -> bool {
        response.status == StatusCode::NOT_MODIFIED || self.may_be_kept(response)
    }

    /// Until when a response with these headers is good; nothing if that cannot be said.
    fn expiry(&self, headers: &HeaderMap, now: Instant) -> Option<Instant> {
        match self.options.forced {
            Some(period) => Some(freshness::after(now, period)),
            None => freshness::expiry(headers),
        }
    }
}

/// The kept response with the headers of the one that says that it is still good.
fn renewed(kept: &Response, headers: &HeaderMap) -> Response {
    let mut response = kept.clone();
    for name in headers.keys() {
        response.headers.remove(name);
        for value in headers.get_all(name) {
            response.headers.append(name, value.clone());
        }
    }
    response
}

fn remember(call: &mut Call<'_>, asked: &Asked<'_>, outcome: Result<Value, Failure>) {
    call.query.get::<Known>().0.insert(asked.key.clone(), outcome);
}

fn count_request(call: &mut Call<'_>) {
    call.metrics.add("counter_rego_builtin_http_send_network_requests", 1);
}

fn default_timeout() -> Option<Duration> {
    let Some(written) = std::env::var(TIMEOUT_VARIABLE).ok().filter(|text| !text.is_empty()) else {
        return Some(TIMEOUT);
    };
    match duration::parse(&written) {
        Ok(nanoseconds) => u64::try_from(nanoseconds).ok().filter(|n| *n > 0).map(Duration::from_nanos),
        Err(why) => {
            tracing::warn!("invalid value for {TIMEOUT_VARIABLE}: {why}; requests may take {TIMEOUT:?}");
            Some(TIMEOUT)
        }
    }
}
