//! What connections speak, within which limits.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;

use crate::limits::ClientTimeouts;

/// Most bytes of the head of a request, as in OPA. More is answered with 431.
const MAX_HEAD: u32 = 1 << 20;

/// Most requests at the same time on one connection of HTTP/2, as in OPA.
const MAX_STREAMS: u32 = 250;

/// Streams that a client may open and reset before anyone has looked at them; one more ends the connection. The default
/// of h2, written down because rapid resets are an attack (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// Streams that the server may have to reset because of the client's errors; one more ends the connection. The default
/// of h2.
const MAX_ERRORS: usize = 1024;

/// Most bytes of an answer that wait to be sent on one stream.
const MAX_UNSENT: usize = 256 << 10;

/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The protocols that connections may speak.
#[derive(Clone)]
pub(super) struct Protocols(Arc<Limited>);

struct Limited {
    http1: http1::Builder,
    either: auto::Builder<TokioExecutor>,
    timeouts: ClientTimeouts,
}

impl Protocols {
    /// For clients that may take that long.
    pub(super) fn new(timeouts: ClientTimeouts) -> Self {
        let mut http1 = http1::Builder::new();
        // How long heads may take is seen by whoever looks at the connection's activity.
        http1.header_read_timeout(None).max_buf_size(MAX_HEAD as usize);
        let mut either = auto::Builder::new(TokioExecutor::new());
        either
            .http1()
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD as usize)
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .max_header_list_size(MAX_HEAD)
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(MAX_ERRORS)
            .max_send_buf_size(MAX_UNSENT);
        Self(Arc::new(Limited { http1, either, timeouts }))
    }

    pub(super) fn http1(&self) -> &http1::Builder {
        &self.0.http1
    }

    pub(super) fn http2(&self) -> auto::Builder<TokioExecutor> {
        self.either().http2_only()
    }

    /// Whichever the client begins with.
    pub(super) fn either(&self) -> auto::Builder<TokioExecutor> {
        self.0.either.clone()
    }

    pub(super) fn timeouts(&self) -> ClientTimeouts {
        self.0.timeouts
    }
}
