//! `http.send`: policies ask other services over HTTP.
//!
//! ```text
//! call --options--> cache of the query --> cache across queries --> request --flight--> exchange --> answer
//! ```
//!
//! - `function`: the function itself: which cache to look into, what to keep, how failures show.
//! - `options`, `request`: the object that the policy passes, checked in OPA's order with OPA's texts.
//! - `clients`, `trust`: one HTTP client for each distinct way to connect, the most recently used ones kept.
//! - `exchange`, `redirect`: the request on the wire: attempts, redirects, time limit, bounded body.
//! - `sender`, `flight`: requests run on threads of their own; the evaluation waits aside and gives up when it is cancelled.
//!   Requests that may be answered from the cache and are under way already are waited for, not repeated.
//! - `store`, `freshness`: the cache across queries, and how long a response is good for.
//! - `answer`: from response to value.
//! - `fetching`: gets documents that policies refer to, such as schemas, over the same connections.

mod answer;
mod clients;
mod exchange;
mod failure;
mod fetching;
mod flight;
mod freshness;
mod function;
mod options;
mod redirect;
mod request;
mod sender;
mod store;
mod trust;

use std::sync::Arc;

use regent_core::Registry;

pub use fetching::HttpFetcher;
pub use function::HttpSend;
use sender::Sender;

/// Adds the function, and gets documents that policies refer to.
pub fn register(registry: &mut Registry) {
    let sender = Arc::<Sender>::default();
    registry.builtin(Arc::new(HttpSend::with(sender.clone())));
    registry.fetcher(Arc::new(HttpFetcher::with(sender)));
}
