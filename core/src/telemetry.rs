//! The agent's own measurements, in Prometheus form.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder as _, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::error::{Error, ErrorKind};

/// Buckets of `http_request_duration_seconds` when the configuration names none.
pub const REQUEST_BUCKETS: &[f64] = &[1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 0.01, 0.1, 1.0];

const METADATA: Metadata<'static> = Metadata::new("regent", Level::INFO, None);

/// One agent's counters, gauges and histograms. There is no global one, so several agents may live in one process.
/// Clones share it.
#[derive(Clone)]
pub struct Telemetry {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    /// Families that are kept elsewhere, by owner.
    families: Arc<ArcSwap<BTreeMap<&'static str, Families>>>,
}

/// Families in Prometheus' text form.
#[derive(Clone)]
enum Families {
    Text(String),
    /// Made whenever they are shown.
    Made(Arc<dyn Fn() -> String + Send + Sync>),
}

impl Telemetry {
    /// Measurements with the given buckets of request durations, in seconds.
    ///
    /// # Errors
    /// When there is no bucket.
    pub fn new(request_buckets: &[f64]) -> Result<Self, Error> {
        let buckets = Matcher::Full("http_request_duration_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(buckets, request_buckets);
        let refused = |error| Error::new(ErrorKind::Config, "histogram buckets").caused_by(error);
        let recorder = builder.map_err(refused)?.build_recorder();
        Ok(Self { handle: recorder.handle(), recorder: Arc::new(recorder), families: Arc::default() })
    }

    /// Gives a metric its help text.
    pub fn describe_counter(&self, name: &'static str, help: &'static str) {
        self.recorder.describe_counter(KeyName::from_const_str(name), Some(Unit::Count), SharedString::const_str(help));
    }

    /// Gives a gauge its help text.
    pub fn describe_gauge(&self, name: &'static str, help: &'static str) {
        self.recorder.describe_gauge(KeyName::from_const_str(name), None, SharedString::const_str(help));
    }

    /// Gives a histogram its help text.
    pub fn describe_histogram(&self, name: &'static str, help: &'static str) {
        self.recorder.describe_histogram(KeyName::from_const_str(name), None, SharedString::const_str(help));
    }

    /// A counter; keep it where it is used often.
    pub fn counter(&self, name: &'static str, labels: &[(&'static str, String)]) -> Counter {
        self.recorder.register_counter(&key(name, labels), &METADATA)
    }

    /// A gauge.
    pub fn gauge(&self, name: &'static str, labels: &[(&'static str, String)]) -> Gauge {
        self.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    /// A histogram; keep it where it is used often.
    pub fn histogram(&self, name: &'static str, labels: &[(&'static str, String)]) -> Histogram {
        self.recorder.register_histogram(&key(name, labels), &METADATA)
    }

    /// Shows families that their owner keeps itself, in Prometheus' text form, in place of those it gave before. For
    /// series that come and go, which counters and gauges here cannot.
    pub fn set_families(&self, owner: &'static str, text: &str) {
        self.put_families(owner, &Families::Text(text.to_owned()));
    }

    /// As [`Telemetry::set_families`], for what is of another amount whenever it is shown. `make` must be quick.
    pub fn make_families(&self, owner: &'static str, make: impl Fn() -> String + Send + Sync + 'static) {
        self.put_families(owner, &Families::Made(Arc::new(make)));
    }

    fn put_families(&self, owner: &'static str, new: &Families) {
        self.families.rcu(|families| {
            let mut families = BTreeMap::clone(families);
            families.insert(owner, new.clone());
            families
        });
    }

    /// Sorts new samples of histograms into their buckets. They are kept one by one until then, so whoever measures often
    /// calls this now and then.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// Everything measured so far, as `/metrics` shows it.
    pub fn render(&self) -> String {
        self.upkeep();
        let mut text = self.handle.render();
        for families in self.families.load().values() {
            match families {
                Families::Text(families) => text.push_str(families),
                Families::Made(make) => text.push_str(&make()),
            }
        }
        text
    }
}

fn key(name: &'static str, labels: &[(&'static str, String)]) -> Key {
    Key::from_parts(name, labels.iter().map(|(label, value)| Label::new(*label, value.clone())).collect::<Vec<_>>())
}
