//! A configuration that is discovered while the agent runs, below the one that it was started with.
//!
//! What was given at the start wins key by key. The service that discovery itself asks, and the keys that verify what it
//! gets, cannot be changed this way: whoever may change what is discovered would then own the agent.

use std::collections::BTreeMap;

use super::DISCOVERED;
use super::boot::BootConfig;
use super::error::{ConfigError, ConfigErrors};
use super::layer_reader::LayerReader;
use super::merge::Layer;
use super::services;
use super::tree::ConfigTree;
use crate::value::{Object, Value};

/// What is said of discovery itself.
const DISCOVERY: &str = "discovery";

const SERVICES: &str = "services";

/// Where the machine has room is for those to say who start the agent.
const PERSISTENCE: &str = "persistence_directory";

/// A discovered configuration together with that of the start.
#[derive(Debug)]
pub struct Discovered {
    /// Both of them.
    pub tree: ConfigTree,
    /// Dotted keys that both have, with different values; those of the start count.
    pub overridden: Vec<String>,
}

impl BootConfig {
    /// The configuration of the start over one that was discovered, given as JSON or YAML, in which variables of the
    /// environment are replaced. What it says of discovery itself does not count.
    ///
    /// # Errors
    /// When it cannot be read, or changes what it may not.
    pub fn over(&self, text: &str) -> Result<Discovered, ConfigErrors> {
        let mut reader = LayerReader::new(&*self.lookup, self.strict);
        let layer = reader.text(DISCOVERED, text);
        ConfigErrors(reader.errors).into_result()?;
        let Some(mut layer) = layer else { return Err(ConfigErrors::default()) };
        layer.value = layer.value.without(&[DISCOVERY]);
        if layer.value.get(PERSISTENCE).is_some() {
            layer.value = layer.value.without(&[PERSISTENCE]);
            reader.warnings.push(format!("`{PERSISTENCE}` has no effect where it is discovered (from {DISCOVERED})"));
        }
        let boot = self.tree()?;
        let alone = ConfigTree::merged(std::slice::from_ref(&layer), true, Vec::new())?;
        require_unchanged(&boot, &alone)?;
        let mut overridden = Vec::new();
        list_overridden(alone.value(), boot.value(), "", &mut overridden);
        let mut warnings = reader.warnings;
        let mut layers = by_name(std::slice::from_ref(&layer), &mut warnings)?;
        warnings.extend_from_slice(&self.warnings);
        layers.extend(by_name(&self.layers, &mut warnings)?);
        Ok(Discovered { tree: ConfigTree::merged(&layers, true, warnings)?, overridden })
    }
}

/// The layers with services by name: a list would take the place of other layers' services, and what is discovered adds to
/// those that were there.
fn by_name(layers: &[Layer], warnings: &mut Vec<String>) -> Result<Vec<Layer>, ConfigErrors> {
    let services = |layer: &Layer| layer.value.get(SERVICES).cloned();
    let mut layers = layers.to_vec();
    let list = layers.iter().rposition(|layer| services(layer).is_some_and(|services| services.as_array().is_some()));
    let Some(list) = list else { return Ok(layers) };
    let counts = layers[list + 1..].iter().all(|layer| services(layer).is_none());
    let kept = if counts { list } else { list + 1 };
    for layer in &mut layers[..kept] {
        layer.value = layer.value.without(&[SERVICES]);
    }
    layers[list] = services::by_name(&layers[list], warnings).map_err(ConfigErrors)?;
    Ok(layers)
}

fn require_unchanged(boot: &ConfigTree, alone: &ConfigTree) -> Result<(), ConfigErrors> {
    let refused = |text: &str| Err(ConfigError::opa(text).into());
    let named = boot.get(&[DISCOVERY, "service"]).and_then(Value::as_str).filter(|name| !name.is_empty());
    if let Some(service) = named.or_else(|| boot.service_names().first().map(String::as_str))
        && differs(boot, alone, &["services", service], service_defaults)
    {
        return refused("updates to the discovery service are not allowed");
    }
    let keys = boot.get(&["keys"]).and_then(Value::as_object);
    let mut ids = keys.into_iter().flat_map(|keys| keys.iter().filter_map(|(id, _)| id.as_str()));
    if ids.any(|id| differs(boot, alone, &["keys", id], key_defaults)) {
        return refused("updates to keys specified in the boot configuration are not allowed");
    }
    Ok(())
}

/// Whether both have something there that does not mean the same.
fn differs(boot: &ConfigTree, alone: &ConfigTree, path: &[&str], normal: fn(&Value) -> Value) -> bool {
    match (boot.get(path), alone.get(path)) {
        (Some(known), Some(new)) => normal(known) != normal(new),
        _ => false,
    }
}

fn service_defaults(service: &Value) -> Value {
    let url = service.get("url").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/').to_owned();
    let defaults = [
        ("allow_insecure_tls", Value::from(false)),
        ("headers", Value::empty_object()),
        ("response_header_timeout_seconds", Value::from(10_i64)),
        ("type", Value::from("")),
    ];
    with_defaults(&service.without(&["name"]), defaults).with(&["url"], url.into())
}

fn key_defaults(key: &Value) -> Value {
    with_defaults(key, [("algorithm", Value::from("RS256")), ("scope", Value::from(""))])
}

/// The object with defaults for keys that are missing or null, and without other nulls.
fn with_defaults<const N: usize>(object: &Value, defaults: [(&str, Value); N]) -> Value {
    let entries = object.as_object().into_iter().flat_map(Object::iter);
    let written = entries.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone()));
    let defaults = defaults.into_iter().map(|(key, value)| (Value::from(key), value));
    let all: BTreeMap<Value, Value> = defaults.chain(written).collect();
    Value::object(all)
}

/// Notes where a value of the start takes the place of another one, as OPA lists it.
fn list_overridden(discovered: &Value, boot: &Value, prefix: &str, list: &mut Vec<String>) {
    for (key, value) in boot.as_object().into_iter().flat_map(Object::iter) {
        let Some(key) = key.as_str() else { continue };
        let Some(known) = discovered.get(key) else { continue };
        let full = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        match (value.is_object(), known.is_object()) {
            (true, true) => list_overridden(known, value, &full, list),
            (true, false) => list.push(full),
            (false, _) if known != value => list.push(full),
            (false, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;
    use crate::value::encode;

    const BOOT: &str = "{services: {acme: {url: http://a/}}, keys: {k: {key: s, algorithm: HS256}},
                         discovery: {service: acme, resource: d}, labels: {env: prod}, bundles: {b: {persist: true}}}";

    fn over(text: &str) -> Result<Discovered, String> {
        let environment = |name: &str| (name == "HOST").then(|| "other".to_owned());
        let boot = Layers::new().text("boot", BOOT).with_environment(environment).read().expect("YAML");
        boot.over(text).map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_start_wins_key_by_key_and_says_where() {
        let text = r#"{"labels": {"env": "dev", "zone": "a"}, "bundles": {"b": {"persist": true}, "c": {}},
                       "services": {"more": {"url": "http://${HOST}"}}, "discovery": {"service": "more"}}"#;
        let found = over(text).expect("a configuration");
        assert!(found.tree.is_discovered());
        assert_eq!(found.overridden, ["labels.env"]);
        assert_eq!(encode(found.tree.get(&["labels"]).expect("there")), r#"{"env":"prod","zone":"a"}"#);
        assert_eq!(found.tree.get(&["services", "more", "url"]), Some(&"http://other".into()));
        assert_eq!(found.tree.get(&["discovery", "service"]), Some(&"acme".into()));
        assert_eq!(found.tree.service_names(), ["acme", "more"]);
        let origins = ["zone", "env"].map(|label| found.tree.origin(&["labels", label]));
        assert_eq!(origins, ["discovery", "boot"]);
    }

    #[test]
    fn what_discovery_relies_on_may_be_repeated_but_not_changed() {
        let service = "updates to the discovery service are not allowed";
        let key = "updates to keys specified in the boot configuration are not allowed";
        for (text, expected) in [
            (r#"{"services": {"acme": {"url": "http://a", "headers": null}}}"#, None),
            (r#"{"services": [{"name": "acme", "url": "http://a", "response_header_timeout_seconds": 10}]}"#, None),
            (r#"{"services": {"acme": {"url": "http://b"}}}"#, Some(service)),
            (r#"{"services": [{"name": "acme", "url": "http://a", "headers": {"x": "y"}}]}"#, Some(service)),
            (r#"{"keys": {"k": {"key": "s", "algorithm": "HS256"}, "new": {"key": "t"}}}"#, None),
            (r#"{"keys": {"k": {"key": "s"}}}"#, Some(key)),
            (r#"{"keys": {"k": {"key": "t", "algorithm": "HS256"}}}"#, Some(key)),
        ] {
            assert_eq!(over(text).err().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn services_in_a_list_add_to_others_as_those_in_an_object_do() {
        let object = "services: {acme: {url: http://a}}";
        let list = "services: [{name: acme, url: http://a}]";
        let set = "services.acme.url=http://a";
        let wiped = "services: [{name: gone, url: http://g}]";
        for (boot, over, set) in
            [(object, "", ""), (list, "", ""), (object, list, ""), (wiped, object, ""), (wiped, "", set)]
        {
            let layers = Layers::new().text("boot", boot).text("over", over).set(set);
            let boot = layers.read().expect("YAML");
            let services = boot.tree().expect("services").service_names().to_vec();
            assert_eq!(services, ["acme"]);
            for more in [
                r#"{"services": [{"name": "z", "url": "http://z"}, {"name": "acme", "url": "http://a"}]}"#,
                r#"{"services": {"z": {"url": "http://z"}}}"#,
            ] {
                let found = boot.over(more).map_err(|errors| errors.to_string()).expect("a configuration");
                assert_eq!(found.tree.service_names(), ["acme", "z"], "{boot:?} {more}", boot = boot.layers);
                let url = |name: &str| found.tree.get(&["services", name, "url"]).cloned();
                assert_eq!((url("acme"), url("z")), (Some("http://a".into()), Some("http://z".into())));
                assert_eq!((found.overridden.len(), found.tree.get(&["services", "gone"])), (0, None));
            }
        }
    }

    #[test]
    fn nobody_far_away_says_where_copies_are_kept() {
        let text = r#"{"persistence_directory": "/etc", "labels": {"zone": "a"}}"#;
        let found = over(text).expect("a configuration");
        assert_eq!(found.tree.get(&["persistence_directory"]), None);
        let warning = "`persistence_directory` has no effect where it is discovered (from discovery)";
        assert_eq!((found.tree.warnings(), found.overridden.len()), (&[warning.to_owned()][..], 0));
        assert!(over("{}").expect("a configuration").tree.warnings().is_empty());
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        assert!(over("[]").expect_err("no object").contains("failed to parse discovery"));
        assert!(over("{").is_err());
    }
}
