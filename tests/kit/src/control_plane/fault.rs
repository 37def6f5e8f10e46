//! What can go wrong, and when it will.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

/// One way for a request to go wrong. The request is recorded in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with an empty body, instead of service: uploaded events are not kept.
    Status(u16),
    /// Service as usual, but this late. Who hangs up before is not served: uploaded events are not kept.
    Hang(Duration),
    /// Service as usual, but the connection ends after this many bytes of the answer's body.
    ///
    /// `Content-Length` promises more than that, the whole body if it is longer. `If-None-Match` is overlooked, for a
    /// 304 has no body to cut.
    Truncate(usize),
    /// The connection is reset (TCP RST) instead of service.
    Reset,
    /// The server ends its half of the connection (TCP FIN) instead of service, and reads on until the client hangs up.
    HalfClose,
    /// 200 with this body, instead of service; a bundle's `ETag` is not sent.
    Body(Bytes),
}

/// The faults that wait for requests, by path.
#[derive(Debug, Default)]
pub(super) struct Faults {
    queued: HashMap<String, VecDeque<Fault>>,
    standing: HashMap<String, Fault>,
}

impl Faults {
    pub(super) fn push(&mut self, path: &str, fault: Fault) {
        self.queued.entry(path.to_owned()).or_default().push_back(fault);
    }

    pub(super) fn set(&mut self, path: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.standing.insert(path.to_owned(), fault),
            None => self.standing.remove(path),
        };
    }

    /// The fault for a request that has just come: the queue goes before the standing one.
    pub(super) fn take(&mut self, path: &str) -> Option<Fault> {
        let queued = self.queued.get_mut(path).and_then(VecDeque::pop_front);
        queued.or_else(|| self.standing.get(path).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_faults_come_first_in_order_then_the_standing_one() {
        let mut faults = Faults::default();
        faults.set("/a", Some(Fault::Status(500)));
        faults.push("/a", Fault::Status(501));
        faults.push("/a", Fault::Status(502));

        let taken: Vec<_> = (0..4).map(|_| faults.take("/a")).collect();
        assert_eq!(taken, [501, 502, 500, 500].map(|status| Some(Fault::Status(status))));
        assert_eq!(faults.take("/b"), None);

        faults.set("/a", None);
        assert_eq!(faults.take("/a"), None);
    }
}
