//! The section `status`.

use regent_core::Value;
use regent_core::config::ConfigErrors;
use regent_core::plugin::{Known, PluginConfig as _};
use regent_status::Config;

use crate::support::{register, start_whole, tree};

fn read(section: &str, services: &[&str]) -> Result<Config, ConfigErrors> {
    let tree = tree(&format!("{{\"status\": {section}}}"));
    let section = tree.section_or_empty(&["status"]).expect("a section");
    let known = Known {
        services: services.iter().map(|name| (*name).to_owned()).collect(),
        plugins: ["mine".to_owned()].into(),
        ..Known::default()
    };
    let mut config: Config = section.parse()?;
    config.validate(&section, &known)?;
    Ok(config)
}

#[test]
fn mistakes_are_told_in_opas_words() {
    let table = [
        (r#"{"service": "x"}"#, r#"invalid service name "x" in status"#),
        (r#"{"plugin": "x"}"#, r#"invalid plugin name "x" in status"#),
        (r#"{"trigger": "x"}"#, r#"invalid status config: invalid trigger mode "x" (want "periodic" or "manual")"#),
        (
            r#"{"prometheus_config": {"collectors": {"bundle_loading_duration_ns": {"buckets": [2, 1]}}}}"#,
            "must be at least one number, each larger than the one before",
        ),
    ];
    for (section, expected) in table {
        let errors = read(section, &["acme"]).expect_err(section).0;
        assert_eq!(errors[0].message(), expected, "{section}");
        assert_eq!(errors.len(), 1, "{section}");
    }
}

#[test]
fn the_first_service_is_taken_unless_there_is_another_receiver() {
    let table = [
        ("{}", Some("acme")),
        (r#"{"console": true}"#, None),
        (r#"{"prometheus": true}"#, None),
        (r#"{"plugin": "mine"}"#, None),
        (r#"{"prometheus": true, "service": "other"}"#, Some("other")),
    ];
    for (section, service) in table {
        let config = read(section, &["acme", "other"]).expect(section);
        assert_eq!(config.service.as_deref(), service, "{section}");
        assert!(config.is_wanted(&Known::default()), "{section}");
    }
    assert!(!read("{}", &[]).expect("fine").is_wanted(&Known::default()));
}

#[test]
fn reports_go_to_the_partition() {
    assert_eq!(read("{}", &["acme"]).expect("fine").path(), "/status");
    assert_eq!(read(r#"{"partition_name": "eu"}"#, &["acme"]).expect("fine").path(), "/status/eu");
}

#[tokio::test]
async fn a_section_without_any_receiver_starts_nothing() {
    let agent = start_whole(r#"{"status": {}}"#).await;
    assert!(agent.host.status.report().plugins.is_empty());
    assert_eq!(agent.host.status.published(), None::<Value>);
}

#[tokio::test]
async fn it_lives_as_plugins_do() {
    regent_agent_kit::lifecycle(register, "status", "{status: {console: true}}").await;
}
