//! Stacks the layers: figment decides which layer wins at each key and remembers it.
//!
//! figment's values cannot hold everything (a number's spelling, for one), so it only sees the shape: objects as
//! objects and everything else as a mark. Where a mark of some layer survives, that layer's own value is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use figment::value::{Dict, Empty, Map, Tag, Value as Mark};
use figment::{Figment, Metadata, Profile, Provider};

use super::variables::Variables;
use crate::value::Value;

/// A layer that has been read.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    pub(super) name: String,
    /// An object.
    pub(super) value: Value,
    /// The names of `services` as the layer orders them.
    pub(super) order: Vec<String>,
    /// Where variables of the environment went.
    pub(super) variables: Variables,
}

/// For each key the layer that it came from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    pub(super) layer: Arc<str>,
    /// The variables of the environment in a value that is no object.
    pub(super) variables: Arc<[String]>,
    pub(super) below: BTreeMap<String, Origins>,
}

impl Origins {
    /// The layer of the key, or of the nearest key above it that is known.
    pub(super) fn find<S: AsRef<str>>(&self, path: &[S]) -> &str {
        &self.nearest(path).layer
    }

    /// The variables in the value and, if it is an object, in all below it.
    pub(super) fn all_variables(&self) -> BTreeSet<String> {
        let below = self.below.values().flat_map(Self::all_variables);
        self.variables.iter().cloned().chain(below).collect()
    }

    /// What is known of the key, or of the nearest key above it.
    pub(super) fn nearest<S: AsRef<str>>(&self, path: &[S]) -> &Self {
        let mut at = self;
        for key in path {
            let Some(next) = at.below.get(key.as_ref()) else { break };
            at = next;
        }
        at
    }
}

/// The merged tree and its origins. The root itself has an origin only if there is but one layer.
pub(super) fn merge(layers: &[Layer]) -> (Value, Origins) {
    let stack =
        layers.iter().enumerate().fold(Figment::new(), |stack, (index, layer)| stack.merge(Shape { index, layer }));
    let mut profiles = stack.data().expect("providing a shape cannot fail");
    let root = profiles.remove(&Profile::Default).unwrap_or_default();
    let merged = Merged { stack: &stack, layers };
    let (value, mut origins) = merged.object(&root, &mut Vec::new());
    if let [only] = layers {
        origins.layer = only.name.as_str().into();
    }
    (value, origins)
}

/// A layer as figment sees it.
struct Shape<'a> {
    index: usize,
    layer: &'a Layer,
}

impl Provider for Shape<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::from(self.layer.name.clone(), self.index.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let shape = shape(&self.layer.value).into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::Default, shape)]))
    }
}

fn shape(value: &Value) -> Mark {
    let entries = value.as_object().and_then(|object| {
        object.iter().map(|(key, value)| Some((key.as_str()?.to_owned(), shape(value)))).collect::<Option<Dict>>()
    });
    entries.map_or(Mark::Empty(Tag::Default, Empty::Unit), |entries| Mark::Dict(Tag::Default, entries))
}

struct Merged<'a> {
    stack: &'a Figment,
    layers: &'a [Layer],
}

impl Merged<'_> {
    fn object<'k>(&self, entries: &'k Dict, path: &mut Vec<&'k str>) -> (Value, Origins) {
        let (mut values, mut below) = (Vec::new(), BTreeMap::new());
        for (key, mark) in entries {
            path.push(key);
            let (value, origins) = self.entry(mark, path);
            path.pop();
            values.push((key.as_str(), value));
            below.insert(key.clone(), origins);
        }
        (Value::object(values), Origins { below, ..Origins::default() })
    }

    fn entry<'k>(&self, mark: &'k Mark, path: &mut Vec<&'k str>) -> (Value, Origins) {
        let layer = self.layer_of(mark.tag());
        let name = Arc::from(layer.name.as_str());
        if let Mark::Dict(_, entries) = mark {
            let (value, origins) = self.object(entries, path);
            return (value, Origins { layer: name, ..origins });
        }
        let value = layer.value.at(path.iter()).cloned().unwrap_or_default();
        (value, Origins { layer: name, variables: layer.variables.of(path).into(), below: BTreeMap::new() })
    }

    fn layer_of(&self, tag: Tag) -> &Layer {
        let source = self.stack.get_metadata(tag).and_then(|metadata| metadata.source.as_ref()?.custom());
        let index: usize = source.and_then(|index| index.parse().ok()).expect("every mark carries its layer's number");
        &self.layers[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{decode, encode};

    fn layer(name: &str, json: &str) -> Layer {
        Layer { name: name.into(), value: decode(json.as_bytes()).expect("valid JSON"), ..Layer::default() }
    }

    #[test]
    fn objects_merge_and_anything_else_replaces() {
        let layers = [
            layer(
                "a",
                r#"{"o": {"x": 1, "y": [1, 2], "n": 5}, "s": {"deep": {}}, "l": [1], "k": {"v": 1}, "only": 1.50}"#,
            ),
            layer(
                "b",
                r#"{"o": {"y": [3], "z": 1e400, "n": null}, "s": "text", "l": {"i": 1}, "k": {}, "g": {"default": {"global": 1}}}"#,
            ),
        ];
        let (value, origins) = merge(&layers);
        assert_eq!(
            encode(&value),
            r#"{"g":{"default":{"global":1}},"k":{"v":1},"l":{"i":1},"o":{"n":null,"x":1,"y":[3],"z":1e400},"only":1.50,"s":"text"}"#
        );
        let table = [
            ("o.x", "a"),
            ("o.y", "b"),
            ("o.n", "b"),
            ("only", "a"),
            ("s", "b"),
            ("o.x.deeper", "a"),
            ("k.v", "a"),
            ("none", ""),
        ];
        for (path, expected) in table {
            assert_eq!(origins.find(&path.split('.').collect::<Vec<_>>()), expected, "{path}");
        }
    }

    #[test]
    fn a_single_layer_is_the_origin_of_everything() {
        assert_eq!(merge(&[layer("a", "{}")]).1.find(&["anything"]), "a");
        assert_eq!(encode(&merge(&[]).0), "{}");
    }
}
