//! What connections speak, within which limits.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;

/// Answers requests in one protocol or several.
pub(super) type Builder = auto::Builder<TokioExecutor>;

/// Most bytes of the head of a request, as in OPA. More is answered with 431.
const MAX_HEAD: u32 = 1 << 20;

/// Most requests at the same time on one connection of HTTP/2, as in OPA.
const MAX_STREAMS: u32 = 250;

/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The protocols that connections may speak.
#[derive(Clone)]
pub(super) struct Protocols(Arc<Limited>);

struct Limited {
    builder: Builder,
    head_timeout: Duration,
}

impl Protocols {
    /// For clients that may take that long for the head of a request.
    pub(super) fn new(head_timeout: Duration) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            .max_buf_size(MAX_HEAD as usize)
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .max_header_list_size(MAX_HEAD)
            .max_concurrent_streams(MAX_STREAMS);
        Self(Arc::new(Limited { builder, head_timeout }))
    }

    pub(super) fn http1(&self) -> Builder {
        self.either().http1_only()
    }

    pub(super) fn http2(&self) -> Builder {
        self.either().http2_only()
    }

    /// Whichever the client begins with.
    pub(super) fn either(&self) -> Builder {
        self.0.builder.clone()
    }

    pub(super) fn head_timeout(&self) -> Duration {
        self.0.head_timeout
    }
}
