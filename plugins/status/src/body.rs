//! The report as receivers see it.

use regent_core::status::{BundleStatus, PluginStatus, Report, State};
use regent_core::value::{Object, from_serialize};
use regent_core::{Host, Value};

use crate::metrics_json;

/// Everything there is to say now. `replaced` counts the reports that newer ones took the place of.
pub(crate) fn body(host: &Host, report: &Report, replaced: u64) -> Value {
    let mut fields = vec![("labels", host.settings().labels.clone())];
    let legacy = report.legacy_bundle.as_ref().and_then(|name| report.bundles.get(name));
    fields.extend(legacy.map(|bundle| ("bundle", bundle_value(bundle))));
    fields.extend(bundles(report).map(|bundles| ("bundles", bundles)));
    fields.extend(report.discovery.as_ref().map(|bundle| ("discovery", bundle_value(bundle))));
    fields.extend(decision_logs(report).map(|logs| ("decision_logs", logs)));
    fields.push(("plugins", plugins(report)));
    fields.push(("metrics", Value::object([("prometheus", metrics(host, report, replaced))])));
    Value::object(fields)
}

/// All bundles but the one of the deprecated section, which has a field of its own; nothing if there is none.
fn bundles(report: &Report) -> Option<Value> {
    let named = report.bundles.iter().filter(|(name, _)| report.legacy_bundle.as_ref() != Some(name));
    let bundles: Vec<_> = named.map(|(name, bundle)| (name, bundle_value(bundle))).collect();
    (!bundles.is_empty()).then(|| Value::object(bundles))
}

fn bundle_value(bundle: &BundleStatus) -> Value {
    from_serialize(bundle).expect("its keys are text, and nothing in it can fail")
}

/// How uploads fare. Their counters stand beside the metrics, as in OPA.
fn decision_logs(report: &Report) -> Option<Value> {
    let mut status = report.decision_logs.clone()?;
    status.metrics = None;
    Some(from_serialize(&status).expect("its keys are text, and nothing in it can fail"))
}

/// The states of all plugins. OPA lists discovery even where it is not configured.
fn plugins(report: &Report) -> Value {
    let always = ("discovery".to_owned(), PluginStatus { state: State::Ok, message: None });
    let known = report.plugins.iter().map(|(name, status)| (name.clone(), status.clone()));
    Value::object([always].into_iter().chain(known).map(|(name, status)| {
        let value = from_serialize(&status).expect("its keys are text, and nothing in it can fail");
        (name, value)
    }))
}

/// The families that `/metrics` shows, and bare counters of what was dropped.
fn metrics(host: &Host, report: &Report, replaced: u64) -> Value {
    let mut metrics = metrics_json::families(&host.telemetry.render());
    let counters = report.decision_logs.as_ref().and_then(|logs| logs.metrics.as_ref()?.as_object());
    for (name, count) in counters.into_iter().flat_map(Object::iter) {
        metrics.push((name.clone(), count.clone()));
    }
    if replaced > 0 {
        metrics.push(("counter_status_dropped_buffer_limit_exceeded".into(), replaced.into()));
    }
    Value::object(metrics)
}
