//! What a hub counts.

use metrics::{Counter, Gauge};
use regent_core::telemetry::Telemetry;

/// Why a peer is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It does not take what it is sent.
    TooSlow,
    /// What it has seen is not part of the log any more.
    LogChanged,
    /// The hub ends.
    HubEnds,
}

/// What a hub counts; clones count together.
#[derive(Clone)]
pub(crate) struct Stats {
    peers: Gauge,
    backbone: Gauge,
    published: Counter,
    refused: Counter,
    undelivered: Counter,
    notices: Counter,
    unreadable: Counter,
    slow: Counter,
    resumed: Counter,
    reloaded: Counter,
    handshakes_refused: Counter,
}

impl Stats {
    pub(crate) fn new(telemetry: &Telemetry) -> Self {
        let counter = |name: &'static str, help: &'static str| {
            telemetry.describe_counter(name, help);
            telemetry.counter(name, &[])
        };
        let gauge = |name: &'static str, help: &'static str| {
            telemetry.describe_gauge(name, help);
            telemetry.gauge(name, &[])
        };
        Self {
            peers: gauge("hub_peers", "Peers that are connected."),
            backbone: gauge("hub_backbone_up", "Whether the backbone is there."),
            published: counter("hub_published", "What was published by way of this hub."),
            refused: counter("hub_publications_refused", "What was to be published and may not be, or cannot be read."),
            undelivered: counter("hub_publications_failed", "What was to be published while the backbone was away."),
            notices: counter("hub_notices", "Notices sent to peers."),
            unreadable: counter("hub_records_unreadable", "What the backbone has that is no update."),
            slow: counter("hub_peers_too_slow", "Peers sent away because they did not take what they were sent."),
            resumed: counter("hub_peers_resumed", "Peers that came back and got all that they had missed."),
            reloaded: counter("hub_peers_told_to_reload", "Peers that came back after more than the log holds."),
            handshakes_refused: counter("hub_handshakes_refused", "Websockets refused for their token."),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    pub(crate) fn peers(&self, count: usize) {
        self.peers.set(count as f64);
    }

    pub(crate) fn backbone(&self, is_up: bool) {
        self.backbone.set(if is_up { 1.0 } else { 0.0 });
    }

    pub(crate) fn published(&self) {
        self.published.increment(1);
    }

    pub(crate) fn refused(&self) {
        self.refused.increment(1);
    }

    pub(crate) fn undelivered(&self) {
        self.undelivered.increment(1);
    }

    pub(crate) fn noticed(&self) {
        self.notices.increment(1);
    }

    pub(crate) fn unreadable(&self) {
        self.unreadable.increment(1);
    }

    pub(crate) fn slow(&self) {
        self.slow.increment(1);
    }

    pub(crate) fn resumed(&self, is_resumed: bool) {
        if is_resumed { self.resumed.increment(1) } else { self.reloaded.increment(1) }
    }

    pub(crate) fn handshake_refused(&self) {
        self.handshakes_refused.increment(1);
    }
}
