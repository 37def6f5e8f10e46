//! What an upload lane goes by.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant as Clock};

use rand::RngExt as _;
use tokio::time::Instant;

use crate::buffer::Limits;
use crate::config::{Config, Trigger};
use crate::lane::limiter::Limiter;
use regent_core::backoff;

/// Where, when and in which pieces events are uploaded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub(super) service: String,
    pub(super) path: String,
    pub(crate) limits: Limits,
    pub(super) delays: RangeInclusive<Duration>,
    pub(super) trigger: Trigger,
    pub(super) rate: Option<f64>,
}

impl Settings {
    /// The settings, if the configuration names a service.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        Some(Self {
            service: config.service.clone()?,
            path: config.upload_path(),
            limits: Limits::of(&config.reporting),
            delays: config.reporting.delays(),
            trigger: config.reporting.trigger(),
            rate: config.reporting.max_decisions_per_second,
        })
    }

    pub(super) fn limiter(&self) -> Option<Limiter> {
        self.rate.map(|rate| Limiter::new(rate, Clock::now()))
    }

    /// When the next round is due after so many failures in a row; nothing if only a call starts one.
    pub(super) fn next_round(&self, failures: u32) -> Option<Instant> {
        let delay = match self.trigger {
            Trigger::Manual => return None,
            _ if failures > 0 => backoff::after(failures, *self.delays.end()),
            Trigger::Immediate => *self.delays.end(),
            Trigger::Periodic => rand::rng().random_range(self.delays.clone()),
        };
        Some(Instant::now() + delay)
    }
}
