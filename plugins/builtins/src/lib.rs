//! The functions of Rego that are not written in Rego, one file a family.

#![allow(clippy::unnecessary_wraps, reason = "all functions have one signature, whether they can fail or not")]

mod aggregates;
mod arithmetic;
mod arrays;
mod base64;
mod bits;
pub mod bounds;
mod cache;
#[cfg(test)]
mod cases;
mod casts;
mod comparison;
mod crypto;
mod cursor;
mod decimal;
#[cfg(test)]
mod declarations;
mod editing;
mod glob;
mod go_url;
mod graph;
mod graphql;
mod hex;
mod internal;
mod json;
mod jwt;
mod keys;
mod lookup;
mod net;
mod numbers;
mod objects;
mod operand;
mod providers;
mod random;
mod ranges;
mod regex;
pub mod remote;
mod restricted;
mod runtime;
mod schema;
mod semver;
mod sets;
pub mod spelling;
mod sprintf;
mod strings;
mod table;
mod template;
#[cfg(test)]
mod testing;
mod time;
mod types;
mod units;
mod uri;
mod urlquery;
mod uuid;
mod walk;
mod x509;
mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::builtin::{Builtin, Declaration};

/// The functions of each family. A family is a file here with a `TABLE` of them.
const FAMILIES: &[&[table::Entry]] = &[
    aggregates::TABLE,
    arithmetic::TABLE,
    arrays::TABLE,
    base64::TABLE,
    bits::TABLE,
    casts::TABLE,
    comparison::TABLE,
    crypto::TABLE,
    editing::TABLE,
    glob::TABLE,
    graph::TABLE,
    graphql::TABLE,
    hex::TABLE,
    internal::TABLE,
    json::TABLE,
    jwt::TABLE,
    keys::TABLE,
    lookup::TABLE,
    objects::TABLE,
    net::TABLE,
    providers::TABLE,
    random::TABLE,
    ranges::TABLE,
    regex::TABLE,
    runtime::TABLE,
    schema::TABLE,
    semver::TABLE,
    sets::TABLE,
    sprintf::TABLE,
    strings::TABLE,
    types::TABLE,
    template::TABLE,
    time::TABLE,
    units::TABLE,
    uri::TABLE,
    urlquery::TABLE,
    walk::TABLE,
    x509::TABLE,
    uuid::TABLE,
    yaml::TABLE,
];

/// Functions of OPA that other crates have: one needs a client of HTTP, the other the parser.
const ELSEWHERE: &[&str] = &["http.send", "rego.parse_module"];

/// Whether OPA itself has a function of that name, which no rule without a body may have then.
pub fn is_stock(name: &str) -> bool {
    ELSEWHERE.contains(&name) || FAMILIES.iter().copied().flatten().any(|entry| entry.name() == name)
}

/// The functions that policies may call, by name.
#[derive(Clone, Default)]
pub struct Builtins(BTreeMap<Arc<str>, Arc<dyn Builtin>>);

impl Builtins {
    /// Every function that this crate has.
    pub fn stock() -> Self {
        let mut builtins = Self::default();
        for entry in FAMILIES.iter().copied().flatten() {
            builtins.add(Arc::new(table::Stock::new(entry)));
        }
        builtins
    }

    /// Only the functions that are declared, with the types that they are declared with. Calls of those that are not
    /// here, or take another number of operands here, cannot be evaluated.
    #[must_use]
    pub fn restricted(&self, declared: &[Declaration]) -> Self {
        let mut builtins = Self::default();
        for declaration in declared {
            let own = self.get(&declaration.name);
            builtins.add(restricted::Restricted::of(declaration, own));
        }
        builtins
    }

    /// Adds a function, or replaces the one of its name.
    pub fn add(&mut self, builtin: Arc<dyn Builtin>) {
        self.0.insert(builtin.declaration().name.clone(), builtin);
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Builtin>> {
        self.0.get(name)
    }

    /// All functions in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Builtin>> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_declares_itself_under_its_own_name() {
        let entries = || FAMILIES.iter().copied().flatten();
        for entry in entries() {
            if let Err(error) = entry.declaration() {
                panic!("{error}");
            }
        }
        assert_eq!(Builtins::stock().iter().count(), entries().count(), "names are unique");
    }
}
