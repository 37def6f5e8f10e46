//! Which keys a type reads, for hints about those that it does not.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Error, Value};

/// The keys that each part of a content could have, by its dotted path.
pub(super) type Fields = BTreeMap<String, &'static [&'static str]>;

/// The keys that `T` asks for where it reads objects of fixed shape.
pub(super) fn asked_by<T: DeserializeOwned>(content: &Value) -> Fields {
    let fields = RefCell::default();
    // Whether the content fits is for others to say.
    let _ = T::deserialize(Watched { content, path: String::new(), fields: &fields });
    fields.into_inner()
}

/// A part of the content, read by someone whose questions are noted.
struct Watched<'de, 'f> {
    content: &'de Value,
    path: String,
    fields: &'f RefCell<Fields>,
}

impl<'de> Watched<'de, '_> {
    fn below(&self, content: &'de Value, key: &str) -> Self {
        let separator = if self.path.is_empty() || key.starts_with('[') { "" } else { "." };
        Self { content, path: format!("{}{separator}{key}", self.path), fields: self.fields }
    }
}

impl<'de> Deserializer<'de> for Watched<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.content {
            Value::Object(entries) => visitor.visit_map(Entries { rest: entries.iter(), value: None, whole: self }),
            Value::Array(items) => visitor.visit_seq(Items { rest: items.iter(), index: 0, whole: self }),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.content.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields.borrow_mut().insert(self.path.clone(), fields);
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Entries<'de, 'f> {
    rest: serde_json::map::Iter<'de>,
    value: Option<(&'de String, &'de Value)>,
    whole: Watched<'de, 'f>,
}

impl<'de> MapAccess<'de> for Entries<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.rest.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        let key: StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, value) = self.value.take().expect("a key is asked for before its value");
        seed.deserialize(self.whole.below(value, key))
    }
}

struct Items<'de, 'f> {
    rest: slice::Iter<'de, Value>,
    index: usize,
    whole: Watched<'de, 'f>,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        let item = self.whole.below(item, &format!("[{}]", self.index));
        self.index += 1;
        seed.deserialize(item).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only their names count")]
    struct Outer {
        inner: Option<Inner>,
        many: Vec<Inner>,
        named: BTreeMap<String, Inner>,
        words: Vec<String>,
    }

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only its name counts")]
    struct Inner {
        ratio: Option<f64>,
    }

    #[test]
    fn fields_are_known_wherever_the_type_reads_them() {
        let content = serde_json::json!({
            "inner": {"ratio": 1, "oops": 2}, "many": [{"ratio": 0.5}, {}], "named": {"a.b": {}}, "words": ["x"],
        });
        let fields = asked_by::<Outer>(&content);
        let inner: &[&str] = &["ratio"];
        let expected = [
            ("", &["inner", "many", "named", "words"][..]),
            ("inner", inner),
            ("many[0]", inner),
            ("many[1]", inner),
            ("named.a.b", inner),
        ];
        assert_eq!(fields, expected.into_iter().map(|(path, names)| (path.to_owned(), names)).collect());
    }
}
