//! The types of rules, by their path.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regent_core::Value;

use super::ty::Ty;

/// What is known of everything below `data`.
#[derive(Debug, Default)]
pub(crate) struct TypeEnv {
    /// The type of the input, if there is a schema of it.
    pub(super) input: Option<Ty>,
    data: Node,
}

/// A node of the tree. It has a type of its own if it is that of a rule; else its type follows from its children.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) value: Option<Ty>,
    pub(super) children: BTreeMap<Value, Node>,
    /// The type that follows from the children, once somebody has asked for it.
    extent: OnceLock<Ty>,
}

/// A type to be added.
#[derive(Debug)]
pub(super) struct Entry {
    /// The keys below `data` that are known.
    pub(super) path: Vec<Value>,
    pub(super) ty: Stated,
}

/// How a type stands to those that are there.
#[derive(Debug)]
pub(super) enum Stated {
    /// It is one more that values at the path may have.
    Also(Ty),
    /// It counts instead of them: that of a rule with errors, of which nothing more shall be said.
    Instead(Ty),
    /// Of what is below the path nothing is known but that it is there.
    Somewhere,
}

impl TypeEnv {
    /// The node of `data`; without any rule, nothing is known.
    pub(super) fn data(&self) -> Option<&Node> {
        (!self.data.children.is_empty()).then_some(&self.data)
    }

    /// Adds a type.
    pub(super) fn add(&mut self, entry: Entry) {
        let mut node = &mut self.data;
        node.extent.take();
        let length = entry.path.len();
        let parts: Vec<Ty> = entry.path.iter().map(Ty::of_value).collect();
        for (place, key) in entry.path.into_iter().enumerate() {
            node = node.children.entry(key).or_default();
            node.extent.take();
            let merges = place + 1 < length && matches!(entry.ty, Stated::Also(_));
            if let (true, Some(Ty::Object(object)), Stated::Also(ty)) = (merges, &node.value, &entry.ty) {
                node.value = Some(with_path(&Ty::Object(object.clone()), &parts[place + 1..], ty));
            }
        }
        match entry.ty {
            Stated::Also(ty) => node.merge(ty),
            Stated::Instead(ty) => node.value = Some(ty),
            Stated::Somewhere => {}
        }
    }
}

impl Node {
    /// The type of the whole.
    pub(super) fn extent(&self) -> Ty {
        if let Some(value) = &self.value {
            return value.clone();
        }
        self.extent.get_or_init(|| self.of_children()).clone()
    }

    fn of_children(&self) -> Ty {
        let is_simple = |key: &Value| key.as_str().is_some() || key.as_number().is_some() || key.as_bool().is_some();
        let known = self.children.iter().filter(|(key, _)| is_simple(key));
        // Data may have any other keys.
        Ty::object(known.map(|(key, child)| (key.clone(), child.extent())).collect(), Some((Ty::String, Ty::any())))
    }

    fn merge(&mut self, ty: Ty) {
        let is_object = matches!(ty, Ty::Object(_));
        let mut value = match self.value.take() {
            Some(known) => merged(known, ty),
            None => ty,
        };
        if is_object {
            let mut leaves = Vec::new();
            for (key, child) in &self.children {
                child.leaves(&mut vec![Ty::of_value(key)], &mut leaves);
            }
            for (path, leaf) in leaves {
                value = with_path(&value, &path, &leaf);
            }
        }
        self.value = Some(value);
    }

    /// The nearest nodes with types of their own, with the types of the keys that lead there.
    fn leaves(&self, path: &mut Vec<Ty>, found: &mut Vec<(Vec<Ty>, Ty)>) {
        if let Some(value) = &self.value {
            found.push((path.clone(), value.clone()));
            return;
        }
        for (key, child) in &self.children {
            path.push(Ty::of_value(key));
            super::super::vars::deeper(|| child.leaves(path, found));
            path.pop();
        }
    }
}

/// An object's type where something more is at the path, whose keys are of these types.
fn with_path(object: &Ty, path: &[Ty], ty: &Ty) -> Ty {
    let (Ty::Object(known), Some((key, deeper))) = (object, path.split_first()) else {
        return object.clone();
    };
    let value = if deeper.is_empty() { ty.clone() } else { with_path(&Ty::object(BTreeMap::new(), None), deeper, ty) };
    let rest = match known.rest.clone() {
        Some((keys, values)) => (keys.or(key.clone()), values.or(value)),
        None => (key.clone(), value),
    };
    Ty::object(known.fields.clone(), Some(rest))
}

/// The type of what two rules make together: sets and objects grow, other values are of either type.
fn merged(a: Ty, b: Ty) -> Ty {
    match (a, b) {
        (Ty::Unknown, ty) | (ty, Ty::Unknown) => ty,
        (Ty::Set(a), Ty::Set(b)) => Ty::set(a.member.clone().or(b.member.clone())),
        (Ty::Object(a), Ty::Object(b)) if a.fields.is_empty() && b.fields.is_empty() => {
            Ty::object(BTreeMap::new(), Some(both(a.rest.as_ref(), b.rest.as_ref(), merged)))
        }
        (Ty::Object(object), Ty::Any(parts)) | (Ty::Any(parts), Ty::Object(object)) if object.fields.is_empty() => {
            let place = parts.iter().position(|part| matches!(part, Ty::Object(known) if known.fields.is_empty()));
            let Some(place) = place else {
                return Ty::Any(parts).or(Ty::Object(object));
            };
            let mut parts = parts.to_vec();
            if let Ty::Object(known) = &parts[place] {
                parts[place] =
                    Ty::object(BTreeMap::new(), Some(both(known.rest.as_ref(), object.rest.as_ref(), Ty::or)));
            }
            parts.sort();
            Ty::Any(parts.into())
        }
        (a, b) => a.or(b),
    }
}

type Rest = (Ty, Ty);

fn both(a: Option<&Rest>, b: Option<&Rest>, values: fn(Ty, Ty) -> Ty) -> Rest {
    let (a_key, a_value) = a.cloned().unwrap_or_default();
    let (b_key, b_value) = b.cloned().unwrap_or_default();
    (a_key.or(b_key), values(a_value, b_value))
}
