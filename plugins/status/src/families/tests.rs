use regent_core::status::{PluginStatus, State};
use regent_core::value::decode;

use super::*;

fn moment(text: &str) -> Moment {
    Moment(Some(text.parse().expect("a time")))
}

fn report(bundle: BundleStatus) -> Report {
    let status = PluginStatus { state: State::Ok, message: None };
    Report {
        plugins: [("bundle".to_owned(), status)].into(),
        bundles: [(bundle.name.clone(), bundle)].into(),
        ..Report::default()
    }
}

fn loaded() -> BundleStatus {
    BundleStatus {
        name: "authz".to_owned(),
        active_revision: Some("r\"1".to_owned()),
        last_successful_activation: moment("2026-01-01T00:00:01Z"),
        last_request: moment("2026-01-01T00:00:01Z"),
        metrics: Some(decode(br#"{"timer_x_ns": 1500, "counter_y": 1}"#).expect("valid JSON")),
        ..BundleStatus::default()
    }
}

fn families() -> Families {
    Families::new("1.9.0".to_owned(), vec![1000.0, 2000.0])
}

#[test]
fn gauges_show_the_present_state_and_times_in_nanoseconds() {
    let text = families().render(&report(loaded()));
    let expected = [
        "opa_info{version=\"1.9.0\"} 1",
        "plugin_status_gauge{name=\"bundle\",status=\"OK\"} 1",
        "last_bundle_request{name=\"authz\"} 1767225601000000000",
        "last_success_bundle_activation{name=\"authz\",active_revision=\"r\\\"1\"} 1767225601000000000",
    ];
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_load_counts_once_however_often_it_is_reported() {
    let mut families = families();
    families.observe(&report(loaded()));
    let later = BundleStatus { last_request: moment("2026-01-01T00:00:09Z"), ..loaded() };
    families.observe(&report(later));
    let text = families.render(&report(loaded()));
    for line in [
        "bundle_loaded_counter{name=\"authz\"} 1\n",
        "bundle_loading_duration_ns_bucket{name=\"authz\",stage=\"timer_x_ns\",le=\"1000\"} 0\n",
        "bundle_loading_duration_ns_bucket{name=\"authz\",stage=\"timer_x_ns\",le=\"2000\"} 1\n",
        "bundle_loading_duration_ns_bucket{name=\"authz\",stage=\"timer_x_ns\",le=\"+Inf\"} 1\n",
        "bundle_loading_duration_ns_sum{name=\"authz\",stage=\"timer_x_ns\"} 1500\n",
        "bundle_loading_duration_ns_count{name=\"authz\",stage=\"timer_x_ns\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn each_failed_request_counts_under_a_class_of_messages() {
    let mut families = families();
    for (second, message) in [("1", "request failed: a"), ("2", "request failed: b"), ("2", "request failed: b")] {
        let bundle = BundleStatus {
            name: "authz".to_owned(),
            code: Some("bundle_error"),
            message: Some(message.to_owned()),
            last_request: moment(&format!("2026-01-01T00:00:0{second}Z")),
            ..BundleStatus::default()
        };
        families.observe(&report(bundle));
    }
    let text = families.render(&Report::default());
    let line = "bundle_failed_load_counter{name=\"authz\",code=\"bundle_error\",message=\"request failed\"} 2\n";
    assert!(text.contains(line), "{text}");
    assert!(!text.contains("bundle_loaded_counter"), "{text}");
}
