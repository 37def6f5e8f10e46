//! `services` in one form: an object, with the order of the document remembered beside it.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::merge::{Layer, Origins};
use crate::value::{Object, Value, View};

/// The tree with its services as an object.
pub(super) struct Settled {
    pub(super) value: Value,
    pub(super) names: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Rewrites a list of services to an object and finds the order of the names. This comes after merging, because a
/// later layer's object replaces an earlier layer's list.
pub(super) fn settle<'a>(
    value: Value,
    layers: impl Iterator<Item = &'a Layer>,
    origins: &mut Origins,
) -> Result<Settled, Vec<ConfigError>> {
    let origin = origins.find(&["services"]).to_owned();
    let services = value.get("services");
    match services.map(Value::view) {
        None | Some(View::Null) => Ok(Settled { value, names: Vec::new(), warnings: Vec::new() }),
        Some(View::Object(entries)) => {
            let names = order(entries, layers);
            Ok(Settled { value, names, warnings: Vec::new() })
        }
        Some(View::Array(items)) => {
            let mut warnings = Vec::new();
            let listed = named(items, &origin, &mut warnings)?;
            // Nobody knows which of them a variable is in, so it is said of all.
            let each = Origins { below: BTreeMap::new(), ..origins.nearest(&["services"]).clone() };
            let below = listed.iter().map(|(name, _)| (name.clone(), each.clone())).collect();
            origins.below.insert("services".to_owned(), Origins { below, ..each });
            let names = listed.iter().map(|(name, _)| name.clone()).collect();
            let services = Value::object(listed);
            Ok(Settled { value: value.with(&["services"], services), names, warnings })
        }
        Some(_) => {
            let found = services.map_or("undefined", Value::type_name);
            let message = format!("invalid type: {found}, expected an object or an array");
            Err(vec![ConfigError::new("services", message, origin)])
        }
    }
}

/// The items with their names; of equal names the last counts, at the place of the first.
fn named(items: &[Value], origin: &str, warnings: &mut Vec<String>) -> Result<Vec<(String, Value)>, Vec<ConfigError>> {
    let (mut named, mut errors) = (Vec::<(String, Value)>::new(), Vec::new());
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
        if let Some((_, known)) = named.iter_mut().find(|(known, _)| known == name) {
            warnings.push(format!("{origin}: service `{name}` is given more than once, the last one counts"));
            *known = item.clone();
        } else {
            named.push((name.to_string(), item.clone()));
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
