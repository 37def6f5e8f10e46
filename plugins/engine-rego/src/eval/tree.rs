//! Walks below `data` where rules and base data meet.

use regent_core::Value;
use regent_core::value::View;

use super::each::Rest;
use super::lookup::child;
use super::merge::merge;
use super::{Flow, Held, Machine, Sink, Stop};
use crate::plan::{Key, NodeId, RuleSet, SetId, SetKind, TreeWalk};

/// A place on a walk.
struct Place {
    /// The node of the rule tree, where there is one.
    node: Option<NodeId>,
    /// The path below `data`.
    path: Vec<Value>,
}

impl<'a> Machine<'a> {
    /// Goes on with each document at the end of a walk.
    pub(super) fn tree(&mut self, walk: &'a TreeWalk, rest: &mut Rest<'_, 'a>) -> Flow {
        let path = self.plan.layout.nodes[walk.node].path.clone();
        let node = (!self.env.hides(&path)).then_some(walk.node);
        let frame = rest.frame;
        self.walk(&walk.keys, &Place { node, path }, frame, &mut |machine, value| rest.with(machine, &walk.into, value))
    }

    fn walk(&mut self, keys: &'a [Key], place: &Place, frame: usize, sink: Sink<'_, 'a>) -> Flow {
        match keys.split_first() {
            None => match self.extent(place)? {
                Some(value) => sink(self, value),
                None => Ok(()),
            },
            Some((Key::Known(key), below)) => {
                let key = self.build(key, frame);
                self.walk_key(key, below, place, frame, sink)
            }
            Some((Key::Open(pattern), below)) => {
                let base = self.base(&place.path).map(|base| keys_of(&base)).unwrap_or_default();
                let layout = &self.plan.layout;
                let children = place.node.map(|node| layout.nodes[node].children.keys());
                let children = children.into_iter().flatten().map(|key| Value::from(key.clone()));
                self.for_each(base.into_iter().chain(children), |machine, key| {
                    if machine.matches(pattern, Held::Owned(key.clone()), frame) {
                        return machine.walk_key(key, below, place, frame, sink);
                    }
                    Ok(())
                })
            }
        }
    }

    fn walk_key(&mut self, key: Value, below: &'a [Key], place: &Place, frame: usize, sink: Sink<'_, 'a>) -> Flow {
        let nodes = &self.plan.layout.nodes;
        let child = place.node.and_then(|node| nodes[node].children.get(key.as_str()?).copied());
        let path: Vec<Value> = place.path.iter().cloned().chain([key]).collect();
        let node = child.filter(|_| !self.env.hides(&path));
        match node.and_then(|node| nodes[node].set) {
            Some(set) => self.walk_rules(set, below, frame, sink),
            None => self.nested(|machine| machine.walk(below, &Place { node, path }, frame, sink)),
        }
    }

    /// The rest of a walk, within a document that rules make.
    fn walk_rules(&mut self, set: SetId, keys: &'a [Key], frame: usize, sink: Sink<'_, 'a>) -> Flow {
        match self.plan.set(set) {
            RuleSet::Partial(rules) => {
                let most = self.plan.layout.sets[set].depth;
                let mut known = Vec::new();
                for key in keys.iter().take(most) {
                    let Key::Known(key) = key else { break };
                    known.push(self.hold(key, frame));
                }
                let rest = &keys[known.len()..];
                match self.partial(set, rules, known)? {
                    Some(value) => self.follow(value, rest, frame, sink),
                    None => Ok(()),
                }
            }
            RuleSet::Single(_) => {
                self.single_value(set, &mut |machine, value| machine.follow(value, keys, frame, sink))
            }
        }
    }

    fn single_value(&mut self, set: SetId, sink: Sink<'_, 'a>) -> Flow {
        let RuleSet::Single(rules) = self.plan.set(set) else { return Ok(()) };
        if self.plan.layout.sets[set].kind != SetKind::Complete {
            return Ok(());
        }
        match self.env.cache.whole(set).cloned() {
            Some(Some(value)) => sink(self, value),
            Some(None) => Ok(()),
            None => self.complete(set, rules, sink),
        }
    }

    fn follow(&mut self, value: Held<'a>, keys: &'a [Key], frame: usize, sink: Sink<'_, 'a>) -> Flow {
        match keys.split_first() {
            None => sink(self, value),
            Some((Key::Known(key), below)) => {
                let found = child(&value, &self.peek(key, frame));
                match found {
                    Some(value) => self.nested(|machine| machine.follow(value, below, frame, sink)),
                    None => Ok(()),
                }
            }
            Some((Key::Open(pattern), below)) => self.each_entry(&value, pattern, frame, &mut |machine, value| {
                machine.nested(|machine| machine.follow(value, below, frame, sink))
            }),
        }
    }

    /// The document at a place: base data and all that rules make below.
    fn extent(&mut self, place: &Place) -> Result<Option<Held<'a>>, Stop> {
        let base = self.base(&place.path);
        let Some(node) = place.node else { return Ok(base) };
        let made = self.leaves(node)?;
        Ok(Some(Held::Owned(match base {
            Some(base) => merge(&base, &made),
            None => made,
        })))
    }

    /// All that rules make below a node.
    fn leaves(&mut self, node: NodeId) -> Result<Value, Stop> {
        let nodes = &self.plan.layout.nodes;
        let mut entries = Vec::new();
        self.for_each(nodes[node].children.iter(), |machine, (key, child)| {
            let child_node = &nodes[*child];
            if child_node.hidden {
                return Ok(());
            }
            let mut value = None;
            machine.nested(|machine| {
                value = match child_node.set {
                    Some(set) => machine.leaf(set)?,
                    None => Some(machine.leaves(*child)?),
                };
                Ok(())
            })?;
            entries.extend(value.map(|value| (Value::from(key.clone()), value)));
            Ok(())
        })?;
        Ok(Value::object(entries))
    }

    fn leaf(&mut self, set: SetId) -> Result<Option<Value>, Stop> {
        if self.hides(set) {
            return Ok(self.base(&self.plan.layout.sets[set].path).map(Held::into_owned));
        }
        if let RuleSet::Partial(rules) = self.plan.set(set) {
            return Ok(self.partial(set, rules, Vec::new())?.map(Held::into_owned));
        }
        let mut found = None;
        self.single_value(set, &mut |_, value| {
            found = Some(value.into_owned());
            Ok(())
        })?;
        Ok(found)
    }
}

fn keys_of(value: &Value) -> Vec<Value> {
    match value.view() {
        View::Array(items) => (0..items.len()).map(|at| Value::from(at as u64)).collect(),
        View::Object(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
        View::Set(members) => members.iter().cloned().collect(),
        _ => Vec::new(),
    }
}
