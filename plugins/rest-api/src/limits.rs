//! What clients may take: bytes, time, connections.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// Connections to diagnostic addresses, which have room of their own: whoever asks how the agent fares should learn it
/// also when the others are too many.
pub(crate) const DIAGNOSTIC: usize = 64;

/// Files that the agent itself may need: for bundles, logs, certificates and connections of its own.
const OWN_FILES: u64 = 256;

/// How much a body may hold, in bytes, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// As it is sent.
    pub(crate) sent: u64,
    /// Unpacked.
    pub(crate) unpacked: u64,
    /// How long it may take, and longer the more of it comes.
    pub(crate) time: Duration,
}

/// How long clients may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientTimeouts {
    /// For the head of a request, from when they could send it.
    pub(crate) head: Duration,
    /// For its body, from when somebody wants it, and longer the more of it comes.
    pub(crate) body: Duration,
    /// To take the answer, and longer the more of it they take.
    pub(crate) answer: Duration,
}

impl ClientTimeouts {
    /// The time that so many bytes earn: slower than a KiB a second is no honest client.
    pub(crate) fn earned(bytes: usize) -> Duration {
        Duration::from_micros(bytes as u64 * 1_000_000 / 1024)
    }
}

/// As many connections as the limit of open files leaves room for; `None` if it has no end.
pub(crate) fn connections_beside_files() -> Option<usize> {
    let files = getrlimit(Resource::Nofile).current?;
    let others = OWN_FILES.min(files / 2) + DIAGNOSTIC as u64;
    Some(usize::try_from(files.saturating_sub(others)).unwrap_or(usize::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kibibyte_earns_a_second() {
        assert_eq!(ClientTimeouts::earned(2048), Duration::from_secs(2));
    }
}
