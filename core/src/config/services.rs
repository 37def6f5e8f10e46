//! `services` in one form: an object, with the order of the document remembered beside it.

use super::error::ConfigError;
use super::merge::{self, Layer, Origins};
use crate::value::{Object, Value, View};

/// The tree with its services as an object.
pub(super) struct Settled {
    pub(super) value: Value,
    pub(super) names: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Rewrites a list of services to an object and finds the order of the names. This comes after merging, because a
/// later layer's object replaces an earlier layer's list. Names of the first layer come last if it was discovered.
pub(super) fn settle(
    value: Value,
    layers: &[Layer],
    discovered: bool,
    origins: &mut Origins,
) -> Result<Settled, Vec<ConfigError>> {
    let origin = origins.find(&["services"]).to_owned();
    let services = value.get("services");
    match services.map(Value::view) {
        None | Some(View::Null) => Ok(Settled { value, names: Vec::new(), warnings: Vec::new() }),
        Some(View::Object(entries)) => {
            let (late, early) = layers.split_at(usize::from(discovered));
            let names = order(entries, early.iter().chain(late));
            Ok(Settled { value, names, warnings: Vec::new() })
        }
        Some(View::Array(_)) => {
            let mut warnings = Vec::new();
            let highest = layers.iter().rfind(|layer| layer.value.get("services").is_some());
            let layer = by_name(highest.expect("a list comes from a layer"), &mut warnings)?;
            let services = layer.value.get("services").cloned().unwrap_or_default();
            let names = layer.order.clone();
            let alone = Layer { value: Value::object([("services", services.clone())]), ..layer };
            origins.below.extend(merge::merge(&[alone]).1.below);
            Ok(Settled { value: value.with(&["services"], services), names, warnings })
        }
        Some(_) => {
            let found = services.map_or("undefined", Value::type_name);
            let message = format!("invalid type: {found}, expected an object or an array");
            Err(vec![ConfigError::new("services", message, origin)])
        }
    }
}

/// The layer with its list of services as an object. A layer without a list stays as it is.
pub(super) fn by_name(layer: &Layer, warnings: &mut Vec<String>) -> Result<Layer, Vec<ConfigError>> {
    let Some(items) = layer.value.get("services").and_then(Value::as_array) else { return Ok(layer.clone()) };
    let listed = named(items, &layer.name, warnings)?;
    let services = Value::object(listed.iter().map(|listed| (listed.name.as_str(), items[listed.index].clone())));
    Ok(Layer {
        name: layer.name.clone(),
        value: layer.value.with(&["services"], services),
        variables: layer.variables.with_services_named(listed.iter().map(|listed| (listed.index, &*listed.name))),
        order: listed.into_iter().map(|listed| listed.name).collect(),
    })
}

/// An item of a list of services.
struct Listed {
    name: String,
    index: usize,
}

/// The items with their names; of equal names the last counts, at the place of the first.
fn named(items: &[Value], origin: &str, warnings: &mut Vec<String>) -> Result<Vec<Listed>, Vec<ConfigError>> {
    let (mut named, mut errors) = (Vec::<Listed>::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let error = |key: &str, message: &str| ConfigError::new(format!("services[{index}]{key}"), message, origin);
        let name = match (item.view(), item.get("name").map(Value::view)) {
            (View::Object(_), Some(View::String(name))) if !name.is_empty() => name,
            (View::Object(_), None | Some(View::Null | View::String(_))) => {
                errors.push(error(".name", "is missing, every service in a list needs one"));
                continue;
            }
            (View::Object(_), Some(_)) => {
                errors.push(error(".name", "invalid type, expected a string"));
                continue;
            }
            _ => {
                errors.push(error("", "invalid type, expected an object"));
                continue;
            }
        };
        if let Some(known) = named.iter_mut().find(|known| known.name == name) {
            warnings.push(format!("{origin}: service `{name}` is given more than once, the last one counts"));
            known.index = index;
        } else {
            named.push(Listed { name: name.to_string(), index });
        }
    }
    if errors.is_empty() { Ok(named) } else { Err(errors) }
}

/// The names in the order of the layers' documents. A layer whose `services` is no object wipes out what was before.
fn order<'a>(services: &Object, layers: impl Iterator<Item = &'a Layer>) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for layer in layers {
        match layer.value.get("services").map(Value::view) {
            None => {}
            Some(View::Object(entries)) => {
                let sorted = entries.iter().filter_map(|(name, _)| name.as_str().map(str::to_owned));
                order.extend(layer.order.iter().cloned().chain(sorted));
            }
            Some(_) => order.clear(),
        }
    }
    let mut names = Vec::new();
    for name in order {
        if services.get_str(&name).is_some() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
