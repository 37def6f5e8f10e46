//! Which variables of the environment went into which keys.
//!
//! Variables are replaced in text, before anything tells keys from values. So the text is read once more with a mark in
//! the place of each variable, and where the marks come out is where the variables went.

use std::collections::BTreeMap;

use super::environment;
use crate::value::{Value, View};

/// Begins a mark, ends it. Nobody writes these characters, which are for private use; whoever does is told of no variable.
const BEGIN: char = '\u{E000}';
const END: char = '\u{E001}';

const SERVICES: &str = "services";

/// Stands for the item of a list among keys.
fn item_key(index: usize) -> String {
    format!("[{index}]")
}

/// A text with marks in the place of variables.
pub(super) struct Marked {
    pub(super) text: String,
    names: Vec<String>,
}

/// The variables of a layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(BTreeMap<Vec<String>, Vec<String>>);

impl Marked {
    /// The text with its marks; none if it names no variable.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut names = Vec::new();
        let text = environment::replace(text, |name| {
            let index = names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
            format!("{BEGIN}{index}{END}")
        });
        (!names.is_empty()).then_some(Self { text, names })
    }

    /// Where the marks are in what the text was read to.
    pub(super) fn variables(&self, value: &Value) -> Variables {
        let mut found = Variables::default();
        self.look(value, &mut Vec::new(), &mut found);
        found
    }

    fn look(&self, value: &Value, path: &mut Vec<String>, found: &mut Variables) {
        match value.view() {
            View::Object(entries) => {
                for (key, value) in entries {
                    path.push(key.as_str().unwrap_or_default().to_owned());
                    self.look(value, path, found);
                    path.pop();
                }
            }
            View::Array(items) => {
                // Lists are replaced as a whole, so they are looked at as a whole.
                for item in items {
                    self.look_into(item, path, found);
                }
                // But services may be listed, and become an object then.
                if *path == [SERVICES] {
                    for (index, item) in items.iter().enumerate() {
                        path.push(item_key(index));
                        self.look(item, path, found);
                        path.pop();
                    }
                }
            }
            _ => self.look_into(value, path, found),
        }
    }

    fn look_into(&self, value: &Value, path: &[String], found: &mut Variables) {
        match value.view() {
            View::Array(items) => items.iter().for_each(|item| self.look_into(item, path, found)),
            View::Object(entries) => entries.iter().for_each(|(_, value)| self.look_into(value, path, found)),
            View::String(text) => {
                for name in self.names_in(text) {
                    let there = found.0.entry(path.to_vec()).or_default();
                    if !there.contains(name) {
                        there.push(name.clone());
                    }
                }
            }
            _ => {}
        }
    }

    fn names_in(&self, text: &str) -> impl Iterator<Item = &String> {
        let marks = text.split(BEGIN).skip(1).filter_map(|after| Some(after.split_once(END)?.0));
        marks.filter_map(|mark| self.names.get(mark.parse::<usize>().ok()?))
    }
}

impl Variables {
    /// Adds what another text of the same layer shows; it ranks above what is there.
    pub(super) fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The same for a list of services that has become an object, with the name of each item; what is not named is gone.
    pub(super) fn with_services_named<'a>(&self, names: impl Iterator<Item = (usize, &'a str)>) -> Self {
        let names: BTreeMap<_, _> = names.map(|(index, name)| (item_key(index), name.to_owned())).collect();
        let is_item = |path: &[String]| path.len() > 1 && path[0] == SERVICES;
        let listed = self.0.keys().any(|path| is_item(path));
        let renamed = self.0.iter().filter_map(|(path, variables)| {
            let mut path = path.clone();
            if is_item(&path) {
                let name = names.get(&path[1])?;
                path[1].clone_from(name);
            } else if listed && path == [SERVICES] {
                return None; // said of the whole list, which nobody sees any more
            }
            Some((path, variables.clone()))
        });
        Self(renamed.collect())
    }

    /// The variables in the value of a key, or in the nearest above it that had any: text that came from a variable may
    /// have become an object.
    pub(super) fn of<S: AsRef<str>>(&self, path: &[S]) -> &[String] {
        let path: Vec<String> = path.iter().map(|key| key.as_ref().to_owned()).collect();
        let mut above = (0..=path.len()).rev().filter_map(|length| self.0.get(&path[..length]));
        above.next().map(Vec::as_slice).unwrap_or_default()
    }
}
