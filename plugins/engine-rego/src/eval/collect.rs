//! Comprehensions.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use regent_core::Value;
use regent_core::engine::ErrorCode;

use super::{Held, Machine, Stop};
use crate::plan::{Collect, CollectIndex, CollectItem};
use crate::syntax::ast::Span;

/// What is known of a comprehension that can be indexed.
pub(super) enum Collected {
    /// It ran once. It may never run again, so there is no index yet.
    Once,
    /// What it collects under each value of its keys; nothing where two values are under one key of an object.
    Indexed(HashMap<Vec<Value>, Option<Value>, RandomState>),
    /// For some values of its keys, which may never come, it fails. So it runs each time.
    Unfit,
}

/// A collection in the making.
enum Collection {
    Array(Vec<Value>),
    Set(Vec<Value>),
    Object(BTreeMap<Value, Value>),
    /// Two values for one key.
    Conflict,
}

impl Collection {
    fn new(item: &CollectItem) -> Self {
        match item {
            CollectItem::Array(_) => Self::Array(Vec::new()),
            CollectItem::Set(_) => Self::Set(Vec::new()),
            CollectItem::Object { .. } => Self::Object(BTreeMap::new()),
        }
    }

    /// Takes what the item is at this point.
    fn take(&mut self, machine: &Machine<'_>, item: &CollectItem, frame: usize) {
        match (&mut *self, item) {
            (Self::Array(items) | Self::Set(items), CollectItem::Array(item) | CollectItem::Set(item)) => {
                items.push(machine.build(item, frame));
            }
            (Self::Object(entries), CollectItem::Object { key, value, .. }) => {
                let (key, value) = (machine.build(key, frame), machine.build(value, frame));
                if entries.get(&key).is_some_and(|known| *known != value) {
                    *self = Self::Conflict;
                } else {
                    entries.entry(key).or_insert(value);
                }
            }
            _ => {}
        }
    }

    fn value(self) -> Option<Value> {
        match self {
            Self::Array(items) => Some(Value::array(items)),
            Self::Set(members) => Some(Value::set(members)),
            Self::Object(entries) => Some(Value::object(entries)),
            Self::Conflict => None,
        }
    }
}

impl CollectItem {
    fn conflict(&self) -> Stop {
        match self {
            Self::Object { span, .. } => object_conflict(span),
            _ => object_conflict(&Span::default()),
        }
    }
}

impl<'a> Machine<'a> {
    /// The value of a comprehension.
    pub(super) fn collect(&mut self, collect: &'a Collect, frame: usize) -> Result<Held<'a>, Stop> {
        if let Some(index) = &collect.index
            && let Some(value) = self.collected(collect, index, frame)?
        {
            return Ok(Held::Owned(value));
        }
        let mut collection = Collection::new(&collect.item);
        self.run(&collect.block, frame, &mut |machine| {
            collection.take(machine, &collect.item, frame);
            match collection {
                Collection::Conflict => Err(collect.item.conflict()),
                _ => Ok(()),
            }
        })?;
        collection.value().map(Held::Owned).ok_or_else(|| collect.item.conflict())
    }

    /// What lies ready of a comprehension for the values that its keys have.
    fn collected(
        &mut self,
        collect: &'a Collect,
        index: &'a CollectIndex,
        frame: usize,
    ) -> Result<Option<Value>, Stop> {
        match self.env.cache.collected(index) {
            Some(Collected::Unfit) => return Ok(None),
            None => {
                self.env.cache.put_collected(index, Collected::Once);
                return Ok(None);
            }
            Some(Collected::Once) => {
                let collected = self.collect_all(index)?;
                self.env.cache.put_collected(index, collected);
            }
            Some(Collected::Indexed(_)) => {}
        }
        let Some(Collected::Indexed(all)) = self.env.cache.collected(index) else { return Ok(None) };
        let keys: Vec<Value> = index.keys.iter().map(|slot| self.slot(frame, *slot).clone().into_owned()).collect();
        match all.get(&keys) {
            Some(Some(value)) => Ok(Some(value.clone())),
            Some(None) => Err(collect.item.conflict()),
            None => Ok(Collection::new(&index.item).value()),
        }
    }

    /// Runs a comprehension for all values of its keys.
    fn collect_all(&mut self, index: &'a CollectIndex) -> Result<Collected, Stop> {
        let mut all: HashMap<Vec<Value>, Collection, RandomState> = HashMap::default();
        let errors = std::mem::take(&mut self.builtins.errors);
        let frame = self.push_frame(index.slots, &[]);
        let flow = self.run(&index.block, frame, &mut |machine| {
            let keys = index.keys.iter().map(|slot| machine.slot(frame, *slot).clone().into_owned()).collect();
            all.entry(keys).or_insert_with(|| Collection::new(&index.item)).take(machine, &index.item, frame);
            Ok(())
        });
        self.pop_frame(frame);
        // What fails may do so only for keys that nobody asks for.
        let failed = !std::mem::replace(&mut self.builtins.errors, errors).is_empty();
        match flow {
            Err(Stop::Error(error)) if error.code == ErrorCode::EvalCancel => return Err(Stop::Error(error)),
            Err(_) => return Ok(Collected::Unfit),
            Ok(()) if failed => return Ok(Collected::Unfit),
            Ok(()) => {}
        }
        Ok(Collected::Indexed(all.into_iter().map(|(keys, collection)| (keys, collection.value())).collect()))
    }
}

/// Two values for one key.
pub(super) fn object_conflict(span: &Span) -> Stop {
    Stop::error(ErrorCode::EvalConflict, "object keys must be unique", span.location())
}
