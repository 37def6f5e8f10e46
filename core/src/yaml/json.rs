//! What a JSON text tells beside its value: keys given twice, and the order of keys.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::MAX_WARNINGS;

/// Warnings about repeated keys, and the order of the keys of the watched object. The text is known to be JSON;
/// where serde gives up, on extreme nesting, the rest goes unwatched.
pub(super) fn inspect(text: &str, watched: Option<&str>) -> (Vec<String>, Vec<String>) {
    let mut notes = Notes { watched, ..Notes::default() };
    let mut source = serde_json::Deserializer::from_str(text);
    // A failure loses notes only, never content.
    let _ = Node(&mut notes).deserialize(&mut source);
    (notes.warnings, notes.order)
}

#[derive(Default)]
struct Notes<'a> {
    watched: Option<&'a str>,
    path: Vec<String>,
    warnings: Vec<String>,
    order: Vec<String>,
}

impl Notes<'_> {
    fn key(&mut self, key: &str, repeated: bool) {
        if self.path.len() == 1 && self.watched == self.path.first().map(String::as_str) && !repeated {
            self.order.push(key.to_owned());
        }
        if repeated && self.warnings.len() < MAX_WARNINGS {
            let above = self.path.iter().map(String::as_str);
            let path = above.chain([key]).collect::<Vec<_>>().join(".");
            self.warnings.push(format!("key `{path}` is given more than once, the last one counts"));
        }
    }
}

struct Node<'n, 'a>(&'n mut Notes<'a>);

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.path.push("[]".to_owned());
        while items.next_element_seed(Node(self.0))?.is_some() {}
        self.0.path.pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.key(&key, !seen.insert(key.clone()));
            self.0.path.push(key);
            entries.next_value_seed(Node(self.0))?;
            self.0.path.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_keys_and_order_are_noticed() {
        let text =
            r#"{"services": {"b": {}, "a": {"x": 1, "x": 2}}, "k": [1.5, -1, true, null, "s", {"y": 1, "y": 2}]}"#;
        let (warnings, order) = inspect(text, Some("services"));
        assert_eq!(order, ["b", "a"]);
        assert_eq!(
            warnings,
            [
                "key `services.a.x` is given more than once, the last one counts",
                "key `k.[].y` is given more than once, the last one counts"
            ]
        );
    }
}
