//! How many connections there may be.

use std::sync::Arc;

use metrics::{Counter, Gauge};
use regent_core::log_limiter::LogLimiter;
use regent_core::telemetry::Telemetry;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::DIAGNOSTIC;

/// Lets connections in until there are too many.
pub(super) struct Admission {
    limit: usize,
    room: Arc<Semaphore>,
    open: Gauge,
    refused: Counter,
    log: LogLimiter,
}

/// A connection that was let in; its end makes room for another.
pub(super) struct Admitted {
    open: Gauge,
    _room: OwnedSemaphorePermit,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.open.decrement(1.0);
    }
}

/// Makes the admissions of listeners: those of the API share their room, and so do the diagnostic ones.
pub(super) struct Admissions {
    api: (usize, Arc<Semaphore>),
    diagnostic: (usize, Arc<Semaphore>),
    telemetry: Telemetry,
}

impl Admissions {
    /// With room for that many connections to the API.
    pub(super) fn new(limit: Option<usize>, telemetry: Telemetry) -> Self {
        telemetry.describe_gauge("http_connections_open", "Connections of clients.");
        telemetry.describe_counter("http_connections_refused", "Connections that were closed for want of room.");
        let room = |limit: usize| (limit, Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))));
        Self { api: room(limit.unwrap_or(usize::MAX)), diagnostic: room(DIAGNOSTIC), telemetry }
    }

    /// The admission of one listener.
    pub(super) fn of(&self, diagnostic: bool) -> Admission {
        let ((limit, room), name) = if diagnostic { (&self.diagnostic, "diagnostic") } else { (&self.api, "api") };
        let labels = [("listener", name.to_owned())];
        Admission {
            limit: *limit,
            room: room.clone(),
            open: self.telemetry.gauge("http_connections_open", &labels),
            refused: self.telemetry.counter("http_connections_refused", &labels),
            log: LogLimiter::default(),
        }
    }
}

impl Admission {
    /// Lets a connection in, or refuses it, counts that, and says so once in a while.
    pub(super) fn admit(&mut self) -> Option<Admitted> {
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            self.refused.increment(1);
            self.log_refusal();
            return None;
        };
        self.open.increment(1.0);
        Some(Admitted { open: self.open.clone(), _room: room })
    }

    fn log_refusal(&mut self) {
        let Some(refused) = self.log.due(1) else { return };
        tracing::warn!(
            limit = self.limit,
            refused,
            "Too many connections: new ones are closed. Raise the limit of open files or server.limits.max_connections."
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn there_is_room_for_so_many_and_again_when_one_ends() {
        let telemetry = Telemetry::new(&[1.0]).expect("buckets");
        let admissions = Admissions::new(Some(2), telemetry.clone());
        let (mut one, mut other, mut diagnostic) = (admissions.of(false), admissions.of(false), admissions.of(true));
        let (first, second) = (one.admit().expect("room"), other.admit().expect("room"));
        assert!(one.admit().is_none() && other.admit().is_none() && diagnostic.admit().is_some());
        drop(first);
        let third = one.admit().expect("room again");
        let shown = telemetry.render();
        assert!(shown.contains("http_connections_open{listener=\"api\"} 2\n"), "{shown}");
        assert!(shown.contains("http_connections_refused{listener=\"api\"} 2\n"), "{shown}");
        drop((second, third));
        assert!(telemetry.render().contains("http_connections_open{listener=\"api\"} 0\n"));
    }

    #[test]
    fn a_flood_is_one_line_a_minute() {
        let admissions = Admissions::new(Some(0), Telemetry::new(&[1.0]).expect("buckets"));
        let mut admission = admissions.of(false);
        assert!((0..3).all(|_| admission.admit().is_none()));
        let later = Instant::now() + Duration::from_mins(1);
        assert_eq!(admission.log.due_at(0, later), Some(2), "the first was logged");
    }
}
