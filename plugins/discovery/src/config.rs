//! The section `discovery`, with OPA's keys, defaults and words.

use regent_bundle::format::Limits;
use regent_bundle::{BundleConfig, Polling, Signing, SourceConfig};
use regent_core::Value;
use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::plugin::{Known, PluginConfig, TriggerMode};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where the configuration is found.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub struct DiscoveryConfig {
    /// The service that has the bundle; may be left out if there is only one.
    #[serde(default)]
    service: Option<String>,
    /// The bundle's path on the service.
    #[serde(default)]
    resource: Option<String>,
    /// The document that is the configuration, with slashes: `example/discovery`.
    #[serde(default)]
    decision: Option<String>,
    /// Deprecated: gives the path together with `prefix`, and the document if there is no `decision`.
    #[serde(default)]
    name: Option<String>,
    /// Deprecated: `bundles` if absent.
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    polling: Option<Polling>,
    /// `periodic` or `manual`.
    #[serde(default)]
    trigger: Option<String>,
    /// Whether to keep the last one on disk.
    #[serde(default)]
    persist: Option<bool>,
    /// What is asked of its signature.
    #[serde(default)]
    signing: Option<Signing>,
    /// Most seconds for which its service may not have confirmed it before the plugin's state is `ERROR`.
    #[serde(default)]
    max_staleness_seconds: Option<i64>,
    /// Filled when the section is checked.
    #[serde(skip)]
    checked: Option<Checked>,
}

/// What the section comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    /// How the bundle is loaded.
    pub(crate) bundle: BundleConfig,
    /// The query that gives the configuration.
    pub(crate) query: String,
    /// The name under which the bundle is kept on disk.
    pub(crate) kept_as: String,
}

impl DiscoveryConfig {
    /// What the section comes to; nothing before it was checked.
    pub(crate) fn checked(self) -> Option<Checked> {
        self.checked
    }

    fn check(&self, known: &Known) -> Result<Checked, String> {
        let invalid = |why: String| format!("invalid configuration for discovery service: {why}");
        let name = self.name.as_deref();
        let resource = match (&self.resource, name) {
            (Some(resource), _) => resource.clone(),
            (None, None) => return Err("missing required discovery.resource field".to_owned()),
            (None, Some(name)) => {
                let prefix = self.prefix.as_deref().unwrap_or("bundles");
                format!("{}/{}", prefix.trim_matches('/'), name.trim_matches('/'))
            }
        };
        let verification = Signing::verification(self.signing.as_ref(), known).map_err(invalid)?;
        let polling = self.polling.clone().unwrap_or_default();
        let bundle = BundleConfig {
            source: SourceConfig::Service { service: self.service(known).map_err(invalid)?, resource },
            delay: polling.delay()?,
            trigger: TriggerMode::of(self.trigger.as_deref(), None)?,
            limits: Limits::default(),
            long_polling: polling.long_polling(),
            persist: self.persist.unwrap_or_default(),
            verification,
            max_staleness: None,
        };
        let bundle = bundle.limit_staleness(self.max_staleness_seconds).map_err(invalid)?;
        let document = self.decision.as_deref().or(name).map(|path| path.trim_matches('/').replace('/', "."));
        let query = document.map_or_else(|| "data".to_owned(), |document| format!("data.{document}"));
        Ok(Checked { bundle, query, kept_as: name.unwrap_or("discovery").to_owned() })
    }

    fn service(&self, known: &Known) -> Result<String, String> {
        match (self.service.as_deref().unwrap_or_default(), &known.services[..]) {
            ("", [only]) => Ok(only.clone()),
            ("", _) => Err("more than one service is defined".to_owned()),
            (name, services) if services.iter().any(|service| service == name) => Ok(name.to_owned()),
            (name, _) => Err(format!("service name {name:?} not found")),
        }
    }
}

impl PluginConfig for DiscoveryConfig {
    fn validate(&mut self, section: &Section, known: &Known) -> Result<(), ConfigErrors> {
        let checked = self.check(known).map_err(|text| ConfigError::opa(text).from_layer(section.origin("")))?;
        self.checked = Some(checked);
        Ok(())
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        self.checked.as_ref().map(|checked| checked.bundle.defaults()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use regent_core::config::{Key, Keys, Layers, Secret};

    use super::*;

    fn parsed(section: &str) -> DiscoveryConfig {
        let tree = Layers::new().text("boot", &format!("discovery: {section}")).load().expect("YAML");
        tree.section(&["discovery"]).expect("a section").parse().expect("the right types")
    }

    fn check(section: &str, services: &[&str]) -> Result<Checked, String> {
        let services = services.iter().map(|name| (*name).to_owned()).collect();
        parsed(section).check(&Known { services, ..Known::default() })
    }

    fn resource(checked: &Checked) -> &str {
        match &checked.bundle.source {
            SourceConfig::Service { resource, .. } => resource,
            SourceConfig::File(_) => "",
        }
    }

    #[test]
    fn resource_decision_and_the_deprecated_name_say_what_is_asked() {
        for (section, path, query, kept_as) in [
            ("{resource: /d/x.tar.gz}", "/d/x.tar.gz", "data", "discovery"),
            ("{resource: d, decision: /example/discovery}", "d", "data.example.discovery", "discovery"),
            ("{name: example}", "bundles/example", "data.example", "example"),
            ("{name: example, prefix: /p/, decision: a/b}", "p/example", "data.a.b", "example"),
        ] {
            let checked = check(section, &["acme"]).expect("a sound section");
            assert_eq!((resource(&checked), &*checked.query, &*checked.kept_as), (path, query, kept_as), "{section}");
        }
    }

    #[test]
    fn signatures_are_asked_for_as_of_any_bundle() {
        let key = Key { key: Secret::new("s"), ..Key::default() };
        let keys: Keys = [("k".to_owned(), key)].into_iter().collect();
        let asked = |section: &str, keys: &Keys| {
            let known = Known { keys: keys.clone(), services: vec!["acme".to_owned()], ..Known::default() };
            let checked = parsed(section).check(&known).expect("a sound section");
            checked.bundle.verification.map(|asked| (asked.key_id.clone(), asked.scope.clone(), asked.required))
        };
        let of = |id: &str, scope: &str, required| Some((id.to_owned(), scope.to_owned(), required));
        assert_eq!(asked("{resource: d}", &Keys::default()), None);
        assert_eq!(asked("{resource: d}", &keys), of("", "", false));
        assert_eq!(asked("{resource: d, signing: {}}", &Keys::default()), of("", "", true));
        assert_eq!(asked("{resource: d, signing: {keyid: k, scope: read}}", &keys), of("k", "read", true));
    }

    #[test]
    fn what_is_wrong_is_said_in_opas_words() {
        let service = "invalid configuration for discovery service: ";
        for (section, services, expected) in [
            ("{}", vec!["acme"], "missing required discovery.resource field".to_owned()),
            ("{resource: d}", vec!["a", "b"], format!("{service}more than one service is defined")),
            ("{resource: d}", vec![], format!("{service}more than one service is defined")),
            ("{resource: d, service: x}", vec!["a"], format!("{service}service name \"x\" not found")),
            (
                "{resource: d, polling: {min_delay_seconds: 1}}",
                vec!["a"],
                "polling configuration missing 'max_delay_seconds'".to_owned(),
            ),
            (
                "{resource: d, trigger: x}",
                vec!["a"],
                "invalid trigger mode \"x\" (want \"periodic\" or \"manual\")".to_owned(),
            ),
            (
                "{resource: d, max_staleness_seconds: 120}",
                vec!["a"],
                format!(
                    "{service}'max_staleness_seconds' must be more than the longest pause between two requests, 120"
                ),
            ),
            ("{resource: d, signing: {keyid: k}}", vec!["a"], format!("{service}key id k not found")),
        ] {
            assert_eq!(check(section, &services).err(), Some(expected), "{section}");
        }
    }
}
