//! Values, taken apart.

use super::{Number, Object, Set, Value};

/// A look at what a [`Value`] is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as the types are called")]
pub enum View<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'a str),
    Array(&'a [Value]),
    Object(&'a Object),
    Set(&'a Set),
}
