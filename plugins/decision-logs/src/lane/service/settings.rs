//! What an upload lane goes by.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant as Clock};

use rand::RngExt as _;
use tokio::time::Instant;

use super::buffer::Limits;
use super::limiter::Limiter;
use crate::config::{Config, Trigger};
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

    /// When the next round is due after so many failures in a row, and not before a wait that the service asked for;
    /// nothing if only a call starts one.
    pub(super) fn next_round(&self, failures: u32, wait: Option<Duration>) -> Option<Instant> {
        let delay = match self.trigger {
            Trigger::Manual => return None,
            _ if failures > 0 => backoff::after(failures, *self.delays.end()),
            Trigger::Immediate => *self.delays.end(),
            Trigger::Periodic => rand::rng().random_range(self.delays.clone()),
        };
        Some(Instant::now() + delay.max(wait.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_the_service_asked_for_is_kept_and_a_manual_lane_waits_for_calls() {
        let service = || Config { service: Some("acme".to_owned()), ..Config::default() };
        let settings = Settings::of(&service()).expect("a service");
        let hour = Duration::from_hours(1);
        let start = Instant::now();
        assert!(settings.next_round(1, Some(hour)).expect("a moment") >= start + hour);
        assert!(settings.next_round(1, None).expect("a moment") < start + hour);
        let mut manual = service();
        manual.reporting.trigger = Some("manual".to_owned());
        assert_eq!(Settings::of(&manual).expect("a service").next_round(1, Some(hour)), None);
    }
}
