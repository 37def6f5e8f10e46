//! How old the active version of a bundle is.
//!
//! All of it goes by the monotonic clock of the machine: when the wall clock is set, no bundle gets older or younger. Time
//! for which the machine sleeps does not count. The wall clock is for the moments that status shows, and for nothing else.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::formatting::{sanitize_label_value, write_help_line, write_type_line};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::{BundleStatus, Report};
use crate::value::Value;

/// The gauge of the ages of bundles.
const FAMILY: &str = "bundle_age_seconds";

const HELP: &str = "Seconds since the source of the bundle last confirmed that its active version is the newest.";

/// The gauge of the age of the discovered configuration.
const DISCOVERY_FAMILY: &str = "discovery_age_seconds";

const DISCOVERY_HELP: &str = "Seconds since its source last confirmed that the discovered configuration is the newest.";

/// Since when nobody has confirmed that the active version of a bundle is the one that its source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    since: Instant,
    confirmed: bool,
    limit: Option<Duration>,
}

impl Freshness {
    /// That of a bundle which is asked for from now on, and is stale when it has not been confirmed for longer than `limit`.
    pub fn starting(limit: Option<Duration>) -> Self {
        Self { since: Instant::now(), confirmed: false, limit }
    }

    /// The same with another limit.
    #[must_use]
    pub fn limited(self, limit: Option<Duration>) -> Self {
        Self { limit, ..self }
    }

    /// The same after the source has sent, at that time, what is active, or said that it has nothing newer.
    #[must_use]
    pub fn confirmed(self, at: Instant) -> Self {
        Self { since: at, confirmed: true, ..self }
    }

    /// The time since the last confirmation; before the first one, since the bundle began to be asked for.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether there has been a confirmation. Until then what is active, if anything is, comes from the disk.
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// When it is, or was, too old; never if it has no limit.
    pub fn stale_at(&self) -> Option<Instant> {
        self.since.checked_add(self.limit?)
    }

    /// Whether it is too old.
    pub fn is_stale(&self) -> bool {
        self.stale_at().is_some_and(|at| at <= Instant::now())
    }

    /// Whether there is a limit.
    pub fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// What status and health policies see: `age_seconds`, `confirmed`, `stale`. Nothing where there is no limit: those who
    /// have not asked for any of it find what OPA shows, and no key more.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let (age, confirmed, stale) = (self.age().as_secs().into(), self.confirmed.into(), self.is_stale().into());
        let fields = [("age_seconds", age), ("confirmed", confirmed), ("stale", stale)];
        fields.into_iter().filter({
            let limited = self.is_limited();
            move |_| limited
        })
    }
}

impl Serialize for Freshness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.is_limited() {
            map.serialize_entry("age_seconds", &self.age().as_secs())?;
            map.serialize_entry("confirmed", &self.confirmed)?;
            map.serialize_entry("stale", &self.is_stale())?;
        }
        map.end()
    }
}

/// A status report of some time ago with the ages of now.
pub(super) fn renewed(body: &Value, report: &Report) -> Value {
    let mut renewed = body.clone();
    if let Some(bundles) = body.get("bundles").and_then(Value::as_object) {
        let bundles = bundles.iter().map(|(name, shown)| {
            let status = name.as_str().and_then(|name| report.bundles.get(name));
            (name.clone(), renewed_bundle(shown, status))
        });
        renewed = renewed.with(&["bundles"], Value::object(bundles));
    }
    let legacy = report.legacy_bundle.as_ref().and_then(|name| report.bundles.get(name));
    for (key, status) in [("bundle", legacy), ("discovery", report.discovery.as_ref())] {
        if let Some(shown) = body.get(key) {
            renewed = renewed.with(&[key], renewed_bundle(shown, status));
        }
    }
    renewed
}

fn renewed_bundle(shown: &Value, status: Option<&BundleStatus>) -> Value {
    match status.and_then(|status| status.freshness) {
        Some(freshness) => freshness.fields().fold(shown.clone(), |shown, (key, value)| shown.with(&[key], value)),
        None => shown.clone(),
    }
}

/// The ages of all bundles, and of the discovered configuration, as Prometheus reads them; nothing if there is none.
pub(super) fn families(report: &Report) -> String {
    let mut text = String::new();
    let aged = report.bundles.iter().filter_map(|(name, bundle)| Some((name, bundle.freshness?)));
    for (name, freshness) in aged {
        if text.is_empty() {
            write_head(&mut text, FAMILY, HELP);
        }
        let (name, age) = (sanitize_label_value(name), freshness.age().as_secs_f64());
        writeln!(text, "{FAMILY}{{name=\"{name}\"}} {age}").expect("a string takes everything");
    }
    if let Some(freshness) = report.discovery.as_ref().and_then(|discovery| discovery.freshness) {
        write_head(&mut text, DISCOVERY_FAMILY, DISCOVERY_HELP);
        let age = freshness.age().as_secs_f64();
        writeln!(text, "{DISCOVERY_FAMILY} {age}").expect("a string takes everything");
    }
    text
}

fn write_head(text: &mut String, family: &str, help: &'static str) {
    write_help_line(text, family, None, None, help);
    write_type_line(text, family, None, None, "gauge");
}

#[cfg(test)]
mod tests {
    use crate::value::{decode, from_serialize};

    use super::*;

    /// A bundle that was confirmed so many seconds ago.
    fn aged(name: &str, seconds: u64, limit: Option<u64>) -> BundleStatus {
        let ago = Instant::now().checked_sub(Duration::from_secs(seconds)).expect("the machine has run for that long");
        let freshness = Freshness::starting(limit.map(Duration::from_secs)).confirmed(ago);
        BundleStatus { name: name.to_owned(), freshness: Some(freshness), ..BundleStatus::default() }
    }

    fn report(bundles: impl IntoIterator<Item = BundleStatus>) -> Report {
        let bundles = bundles.into_iter().map(|bundle| (bundle.name.clone(), bundle)).collect();
        Report { bundles, ..Report::default() }
    }

    #[test]
    fn a_bundle_is_stale_when_it_was_confirmed_too_long_ago() {
        let stale = |seconds, limit| aged("a", seconds, limit).freshness.is_some_and(|freshness| freshness.is_stale());
        assert!(stale(10, Some(9)) && !stale(10, Some(3600)) && !stale(10, None) && !stale(10, Some(u64::MAX)));
        let begins = Freshness::starting(Some(Duration::ZERO));
        assert!(begins.is_stale() && !begins.is_confirmed());
    }

    #[test]
    fn status_shows_the_age_where_there_is_a_limit() {
        let shown = |bundle: &BundleStatus| from_serialize(bundle).expect("JSON");
        let (limited, free) = (shown(&aged("a", 10, Some(9))), shown(&aged("a", 10, None)));
        assert_eq!((limited.get("stale"), limited.get("confirmed")), (Some(&true.into()), Some(&true.into())));
        assert_eq!(limited.get("age_seconds"), Some(&10.into()));
        assert_eq!((free.get("stale"), free.get("confirmed"), free.get("age_seconds")), (None, None, None));
        assert_eq!(shown(&BundleStatus::default()).get("age_seconds"), None, "nothing is known of it");
    }

    #[test]
    fn an_old_report_is_shown_with_the_ages_of_now() {
        let body =
            br#"{"bundle":{"age_seconds":1},"bundles":{"a":{"age_seconds":2,"x":1},"gone":{"age_seconds":3}},"y":2}"#;
        let mut report = report([aged("a", 60, Some(9)), aged("new", 1, None), aged("old", 80, Some(9))]);
        report.legacy_bundle = Some("old".to_owned());
        let expected = concat!(
            r#"{"bundle":{"age_seconds":80,"confirmed":true,"stale":true},"#,
            r#""bundles":{"a":{"age_seconds":60,"confirmed":true,"stale":true,"x":1},"gone":{"age_seconds":3}},"y":2}"#
        );
        assert_eq!(renewed(&decode(body).expect("JSON"), &report).to_string(), expected);
    }

    #[test]
    fn prometheus_sees_one_gauge_for_each_bundle_and_one_for_discovery() {
        assert_eq!(families(&report([])), "");
        let text = families(&report([aged("a", 60, None), aged("b\"\n", 1, None), BundleStatus::default()]));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(lines[1], "# TYPE bundle_age_seconds gauge");
        assert!(lines[2].starts_with("bundle_age_seconds{name=\"a\"} 60."), "{text}");
        assert!(lines[3].starts_with("bundle_age_seconds{name=\"b\\\"\\n\"} 1."), "{text}");
        let discovery = Some(aged("discovery", 30, None));
        let text = families(&Report { discovery, ..report([aged("discovery", 60, None)]) });
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[4]), (6, "# TYPE discovery_age_seconds gauge"), "{text}");
        assert!(lines[5].starts_with("discovery_age_seconds 30."), "{text}");
    }
}
