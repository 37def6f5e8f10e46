//! Rules that make the parts of a set or object.

use regent_core::Value;

use super::collect::object_conflict;
use super::document::Document;
use super::lookup::child;
use super::{Flow, Held, Machine, Stop};
use crate::plan::{Leaf, PartialRules, SetId, Variant};

impl<'a> Machine<'a> {
    /// What lies under keys of a partial document, all of it without keys. Only what may lie there is found out.
    pub(super) fn partial(
        &mut self,
        set: SetId,
        rules: &'a PartialRules,
        keys: Vec<Held<'a>>,
    ) -> Result<Option<Held<'a>>, Stop> {
        if let Some(whole) = self.env.cache.whole(set) {
            return Ok(whole.as_ref().and_then(|whole| under(whole, &keys)));
        }
        if keys.is_empty() {
            let value = Held::Owned(self.document(rules, &keys)?);
            self.env.cache.put_whole(set, Some(value.clone()));
            return Ok(Some(value));
        }
        if let Some(known) = self.env.cache.keyed(set, &keys) {
            return Ok(known.clone());
        }
        let document = Held::Owned(self.document(rules, &keys)?);
        let value = under(&document, &keys);
        self.env.cache.put_keyed(set, keys, value.clone());
        Ok(value)
    }

    /// The document that the rules make, as far as it lies under the keys.
    fn document(&mut self, rules: &'a PartialRules, keys: &[Held<'a>]) -> Result<Value, Stop> {
        let mut document = Document::empty(rules.is_set);
        let candidates = self.candidates(&rules.index, &[]);
        self.for_each(candidates.rules(), |machine, branches| {
            let rule = &rules.rules[branches[0].rule as usize];
            let known = keys.len().min(rule.variants.len() - 1);
            let variant = &rule.variants[known];
            let frame = machine.push_frame(variant.slots, &keys[..known]);
            let flow = machine.run(&variant.block, frame, &mut |machine| machine.put(variant, frame, &mut document));
            machine.pop_frame(frame);
            flow
        })?;
        Ok(document.finish())
    }

    fn put(&mut self, variant: &'a Variant, frame: usize, document: &mut Document) -> Flow {
        let path = variant.path.iter().map(|key| self.build(key, frame)).collect();
        let put = match &variant.leaf {
            Leaf::Value(value) => document.put(path, self.build(value, frame)),
            Leaf::Member(member) => document.add(path, self.build(member, frame)),
        };
        put.map_err(|_| object_conflict(&variant.span))
    }
}

fn under<'a>(document: &Held<'a>, keys: &[Held<'a>]) -> Option<Held<'a>> {
    keys.iter().try_fold(document.clone(), |value, key| child(&value, key))
}
