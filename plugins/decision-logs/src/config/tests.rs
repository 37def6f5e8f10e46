use regent_core::config::{ConfigErrors, Layers};
use regent_core::plugin::{Known, PluginConfig as _};

use super::*;

fn read(section: &str) -> Result<Config, ConfigErrors> {
    let tree = Layers::new().text("test", &format!("{{\"decision_logs\": {section}}}")).load().expect("valid YAML");
    let section = tree.section_or_empty(&["decision_logs"]).expect("a section");
    let known = Known {
        services: vec!["acme".to_owned(), "other".to_owned()],
        plugins: ["file_logger".to_owned(), "queue".to_owned()].into(),
        ..Known::default()
    };
    let mut config: Config = section.parse()?;
    config.validate(&section, &known)?;
    Ok(config)
}

#[test]
fn mistakes_are_told_in_opas_words() {
    let table = [
        (r#"{"service": "x"}"#, r#"invalid service name "x" in decision_logs"#),
        (r#"{"plugin": "x"}"#, r#"invalid plugin name "x" in decision_logs"#),
        (r#"{"plugin": ["queue", "x"]}"#, r#"invalid plugin name "x" in decision_logs"#),
        (r#"{"plugin": ["queue", "queue"]}"#, r#"plugin name "queue" is listed twice in decision_logs"#),
        (r#"{"mask_decision": "/%zz"}"#, r#"invalid mask_decision in decision_logs: invalid URL escape "%zz""#),
        (r#"{"drop_decision": "/"}"#, "invalid drop_decision in decision_logs: invalid path: /"),
        (r#"{"resource": "/a%2"}"#, r#"invalid resource path "/a%2": invalid URL escape "%2""#),
        (
            r#"{"reporting": {"min_delay_seconds": 2, "max_delay_seconds": 1}}"#,
            "max reporting delay must be >= min reporting delay in decision_logs",
        ),
        (
            r#"{"reporting": {"min_delay_seconds": 2}}"#,
            "reporting configuration missing 'max_delay_seconds' in decision_logs",
        ),
        (
            r#"{"reporting": {"max_delay_seconds": 2}}"#,
            "reporting configuration missing 'min_delay_seconds' in decision_logs",
        ),
        (r#"{"reporting": {"buffer_type": "x"}}"#, r#"invalid buffer type "x", expected "event", "size" or "disk""#),
        (
            r#"{"reporting": {"buffer_type": "event", "buffer_size_limit_bytes": 1}}"#,
            "invalid decision_log config, 'buffer_size_limit_bytes' isn't supported for the event buffer type",
        ),
        (
            r#"{"reporting": {"buffer_size_limit_events": 1}}"#,
            "invalid decision_log config, 'buffer_size_limit_events' isn't supported for the size buffer type",
        ),
        (
            r#"{"reporting": {"buffer_size_limit_bytes": 0}}"#,
            "invalid decision_log config, 'buffer_size_limit_bytes' must be higher than 0",
        ),
        (
            r#"{"reporting": {"buffer_type": "event", "buffer_size_limit_events": 0}}"#,
            "invalid decision_log config, 'buffer_size_limit_entries' must be higher than 0",
        ),
        (
            r#"{"reporting": {"buffer_size_limit_bytes": 1, "max_decisions_per_second": 1}}"#,
            "invalid decision_log config, specify either 'buffer_size_limit_bytes' or 'max_decisions_per_second'",
        ),
        (
            r#"{"reporting": {"disk_sync": "never"}}"#,
            "invalid decision_log config, 'disk_sync' isn't supported for the size buffer type",
        ),
        (
            r#"{"reporting": {"buffer_type": "event", "disk_directory": "x"}}"#,
            "invalid decision_log config, 'disk_directory' isn't supported for the event buffer type",
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "buffer_size_limit_events": 5}}"#,
            "invalid decision_log config, 'buffer_size_limit_events' isn't supported for the disk buffer type",
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "max_decisions_per_second": 5}}"#,
            "invalid decision_log config, 'max_decisions_per_second' isn't supported for the disk buffer type",
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "disk_size_limit_bytes": 1000}}"#,
            "invalid decision_log config, 'disk_size_limit_bytes' must be at least 65536",
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "disk_sync": "often"}}"#,
            r#"invalid decision_log config, invalid 'disk_sync' "often", expected "always", "interval" or "never""#,
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "disk_sync_interval_ms": 5}}"#,
            r#"invalid decision_log config, 'disk_sync_interval_ms' needs 'disk_sync' to be "interval""#,
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "disk_sync": "interval", "disk_sync_interval_ms": 0}}"#,
            "invalid decision_log config, 'disk_sync_interval_ms' must be higher than 0",
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "disk_sync": "never", "disk_on_failure": "refuse"}}"#,
            r#"invalid decision_log config, 'disk_on_failure' "refuse" needs 'disk_sync' to be "always""#,
        ),
        (
            r#"{"reporting": {"buffer_type": "disk", "disk_on_failure": "ignore"}}"#,
            r#"invalid decision_log config, invalid 'disk_on_failure' "ignore", expected "refuse" or "drop""#,
        ),
        (
            r#"{"reporting": {"trigger": "x"}}"#,
            r#"invalid decision_log config: invalid trigger mode "x" (want "periodic", "immediate" or "manual")"#,
        ),
    ];
    for (section, expected) in table {
        let errors = read(section).expect_err(section).0;
        let texts: Vec<_> = errors.iter().map(ConfigError::message).collect();
        assert_eq!(texts, [expected], "{section}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let errors = read(r#"{"service": "x", "plugin": "y", "reporting": {"trigger": "z"}}"#).expect_err("three mistakes");
    assert_eq!(errors.0.len(), 3);
}

#[test]
fn the_first_service_is_taken_unless_there_is_another_receiver() {
    let table = [
        ("{}", Some("acme")),
        ("null", Some("acme")),
        (r#"{"service": "other"}"#, Some("other")),
        (r#"{"console": true}"#, None),
        (r#"{"plugin": "file_logger"}"#, None),
        (r#"{"plugin": ["file_logger", "queue"]}"#, None),
        (r#"{"plugin": ""}"#, Some("acme")),
        (r#"{"plugin": null}"#, Some("acme")),
        (r#"{"plugin": []}"#, Some("acme")),
        (r#"{"console": true, "plugin": "file_logger", "service": "acme"}"#, Some("acme")),
    ];
    for (section, service) in table {
        assert_eq!(read(section).expect(section).service.as_deref(), service, "{section}");
    }
}

#[test]
fn a_plugin_is_a_name_or_a_list_of_names() {
    let config = read(r#"{"plugin": ["file_logger", "queue"]}"#).expect("two plugins");
    assert_eq!(config.plugins(), ["file_logger", "queue"]);
    assert_eq!(read(r#"{"plugin": "queue"}"#).expect("one plugin").plugins(), ["queue"]);
    let error = read(r#"{"plugin": 5}"#).expect_err("a number").0.remove(0);
    assert!(error.message().contains("expected a string or a list of strings"), "{}", error.message());
}

#[test]
fn the_disk_buffer_is_as_safe_as_can_be_unless_told_otherwise() {
    let disk = |reporting: &str| {
        let config = read(&format!(r#"{{"reporting": {{"buffer_type": "disk" {reporting}}}}}"#)).expect(reporting);
        config.reporting.disk(std::path::Path::new("kept")).expect("on disk")
    };
    let expected =
        Disk { directory: "kept/decision_logs".into(), limit: 1 << 30, sync: SyncPolicy::Always, refuses: false };
    assert_eq!(disk(""), expected);
    assert_eq!(disk(r#", "disk_directory": "/x", "disk_size_limit_bytes": 65536"#).limit, 65_536);
    let often = disk(r#", "disk_sync": "interval", "disk_sync_interval_ms": 7"#);
    assert!(often.sync == SyncPolicy::Interval(std::time::Duration::from_millis(7)) && !often.awaits_acks());
    assert!(disk(r#", "disk_on_failure": "refuse""#).refuses);
    assert_eq!(Reporting::default().disk(std::path::Path::new("kept")), None);
}

#[test]
fn without_a_receiver_the_section_asks_for_nothing_and_is_not_looked_at() {
    let tree = Layers::new().text("test", "decision_logs: {reporting: {trigger: x}}").load().expect("valid YAML");
    let section = tree.section(&["decision_logs"]).expect("a section");
    let mut config: Config = section.parse().expect("valid types");
    config.validate(&section, &Known::default()).expect("not looked at");
    assert!(!config.is_wanted(&Known::default()));
}

#[test]
fn logs_go_to_the_resource_or_the_partition() {
    let table = [
        ("{}", "/logs"),
        (r#"{"partition_name": "eu"}"#, "/logs/eu"),
        (r#"{"partition_name": "eu", "resource": "/in/logs"}"#, "/in/logs"),
        (r#"{"resource": "in"}"#, "/in"),
    ];
    for (section, path) in table {
        assert_eq!(read(section).expect(section).upload_path(), path, "{section}");
    }
}

#[test]
fn an_impossible_upload_limit_is_moved_with_a_warning() {
    let low = Reporting { upload_size_limit_bytes: Some(-1), ..Reporting::default() };
    assert_eq!(low.upload_limit(), 90);
    let text = "the configured `upload_size_limit_bytes` (-1) has been set to the minimum limit (90)";
    assert_eq!(low.upload_limit_warning().as_deref(), Some(text));
    let high = Reporting { upload_size_limit_bytes: Some(5_000_000_000), ..Reporting::default() };
    assert_eq!(high.upload_limit(), 4_294_967_296);
    assert_eq!(Reporting::default().upload_limit_warning(), None);
}
