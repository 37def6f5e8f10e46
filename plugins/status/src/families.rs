//! What `status.prometheus` adds to `/metrics`: the state of plugins and bundles.
//!
//! Gauges are written anew with each report, so series of bundles and states that are no more vanish. Counters and the
//! histogram of loading times grow with what is seen to happen between two reports.

mod text;

use std::collections::BTreeMap;

use regent_core::Value;
use regent_core::status::{BundleStatus, Moment, Report};
use regent_core::value::Object;
use text::Text;

/// Keeps the families of one plugin instance.
pub(crate) struct Families {
    version: String,
    buckets: Vec<f64>,
    /// Loads of each bundle.
    loaded: BTreeMap<String, u64>,
    /// Failures by bundle, code and class of message.
    failed: BTreeMap<(String, &'static str, &'static str), u64>,
    /// Loading times by bundle and stage.
    durations: BTreeMap<(String, String), Histogram>,
    /// The last load and the last request that were counted, by bundle.
    counted: BTreeMap<String, (Moment, Moment)>,
}

/// A histogram of nanoseconds.
struct Histogram {
    /// Observations in each bucket alone, and above all of them.
    counts: Vec<u64>,
    sum: f64,
}

impl Families {
    pub(crate) fn new(version: String, buckets: Vec<f64>) -> Self {
        let (loaded, failed, durations, counted) = Default::default();
        Self { version, buckets, loaded, failed, durations, counted }
    }

    /// Uses other buckets for what happens from now on.
    pub(crate) fn set_buckets(&mut self, buckets: Vec<f64>) {
        if self.buckets != buckets {
            self.buckets = buckets;
            self.durations.clear();
        }
    }

    /// Takes note of what happened since the last report.
    pub(crate) fn observe(&mut self, report: &Report) {
        for (name, bundle) in &report.bundles {
            let (load, request) = self.counted.get(name).copied().unwrap_or_default();
            if bundle.last_successful_activation != load {
                *self.loaded.entry(name.clone()).or_default() += 1;
                self.observe_durations(name, bundle);
            }
            if let Some(code) = bundle.code.filter(|_| bundle.last_request != request) {
                *self.failed.entry((name.clone(), code, class(bundle))).or_default() += 1;
            }
            self.counted.insert(name.clone(), (bundle.last_successful_activation, bundle.last_request));
        }
    }

    fn observe_durations(&mut self, name: &str, bundle: &BundleStatus) {
        let metrics = bundle.metrics.as_ref().and_then(Value::as_object);
        for (stage, time) in metrics.into_iter().flat_map(Object::iter) {
            let (Some(stage), Some(time)) = (stage.as_str(), time.as_number()) else { continue };
            if stage.starts_with("timer_") {
                let key = (name.to_owned(), stage.to_owned());
                let empty = || Histogram { counts: vec![0; self.buckets.len() + 1], sum: 0.0 };
                self.durations.entry(key).or_insert_with(empty).observe(&self.buckets, time.as_f64());
            }
        }
    }

    /// All families in Prometheus' text form.
    pub(crate) fn render(&self, report: &Report) -> String {
        let mut text = Text::default();
        text.family("opa_info", "gauge", "Information about the OPA environment.");
        text.sample("opa_info", &[("version", &self.version)], "1");
        text.family("plugin_status_gauge", "gauge", "Gauge for the plugin by status.");
        for (name, status) in &report.plugins {
            text.sample("plugin_status_gauge", &[("name", name), ("status", status.state.as_str())], "1");
        }
        self.render_counters(&mut text);
        render_moments(&mut text, report);
        self.render_durations(&mut text);
        text.into_string()
    }

    fn render_counters(&self, text: &mut Text) {
        text.family("bundle_loaded_counter", "counter", "Counter for the bundle loaded.");
        for (name, count) in &self.loaded {
            text.sample("bundle_loaded_counter", &[("name", name)], &count.to_string());
        }
        text.family("bundle_failed_load_counter", "counter", "Counter for the failed bundle load.");
        for ((name, code, message), count) in &self.failed {
            let labels = [("name", name.as_str()), ("code", code), ("message", message)];
            text.sample("bundle_failed_load_counter", &labels, &count.to_string());
        }
    }

    fn render_durations(&self, text: &mut Text) {
        let name = "bundle_loading_duration_ns";
        text.family(name, "histogram", "Histogram for the bundle loading duration by stage.");
        for ((bundle, stage), histogram) in &self.durations {
            let labels = [("name", bundle.as_str()), ("stage", stage.as_str())];
            let mut total = 0;
            let bounds = self.buckets.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
            for (count, bound) in histogram.counts.iter().zip(bounds) {
                total += count;
                let with_bound = [labels[0], labels[1], ("le", bound.as_str())];
                text.sample(&format!("{name}_bucket"), &with_bound, &total.to_string());
            }
            text.sample(&format!("{name}_sum"), &labels, &histogram.sum.to_string());
            text.sample(&format!("{name}_count"), &labels, &total.to_string());
        }
    }
}

impl Histogram {
    fn observe(&mut self, buckets: &[f64], value: f64) {
        let at = buckets.iter().position(|bound| value <= *bound).unwrap_or(buckets.len());
        self.counts[at] += 1;
        self.sum += value;
    }
}

type MomentOf = fn(&BundleStatus) -> Moment;

/// When things last happened, as Unix time in nanoseconds. What never did is not shown.
fn render_moments(text: &mut Text, report: &Report) {
    let families: [(&str, &str, MomentOf); 4] = [
        ("last_bundle_request", "Gauge for the last bundle request.", |b| b.last_request),
        ("last_success_bundle_activation", "Gauge for the last success bundle activation.", |b| {
            b.last_successful_activation
        }),
        ("last_success_bundle_download", "Gauge for the last success bundle download.", |b| b.last_successful_download),
        ("last_success_bundle_request", "Gauge for the last success bundle request.", |b| b.last_successful_request),
    ];
    for (family, help, moment) in families {
        text.family(family, "gauge", help);
        for (name, bundle) in &report.bundles {
            let Moment(Some(time)) = moment(bundle) else { continue };
            let mut labels = vec![("name", name.as_str())];
            if family == "last_success_bundle_activation" {
                labels.push(("active_revision", bundle.active_revision.as_deref().unwrap_or_default()));
            }
            text.sample(family, &labels, &time.as_nanosecond().to_string());
        }
    }
}

/// What kind of failure it was: one of few, so that a label of it stays small. The text itself is in status.
fn class(bundle: &BundleStatus) -> &'static str {
    let message = bundle.message.as_deref().unwrap_or_default();
    if bundle.http_code.is_some() {
        "server refused the request"
    } else if bundle.errors.is_some() {
        "modules do not compile"
    } else if message.starts_with("request failed") {
        "request failed"
    } else {
        "bundle cannot be used"
    }
}

#[cfg(test)]
mod tests;
