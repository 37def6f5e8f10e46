//! How a family lists its functions.

use regent_core::builtin::{Builtin, Call, Declaration, Operands, Outcome};
use regent_core::types::ParseError;

/// One function of a family's table. Made with [`function`] and what follows it.
pub(crate) struct Entry {
    signature: &'static str,
    description: &'static str,
    categories: &'static [&'static str],
    infix: Option<&'static str>,
    nondeterministic: bool,
    relation: bool,
    deprecated: bool,
    run: Run,
}

/// What a function does.
pub(crate) type Run = fn(Operands<'_>, &mut Call<'_>) -> Outcome;

/// A function with a signature such as `array.slice(arr: array[any], start: number, stop: number) => slice: array[any]`.
/// Descriptions of parameters follow a `#` at the end of their line: see [`Declaration::parse`].
pub(crate) const fn function(signature: &'static str, description: &'static str, run: Run) -> Entry {
    Entry {
        signature,
        description,
        categories: &[],
        infix: None,
        nondeterministic: false,
        relation: false,
        deprecated: false,
        run,
    }
}

impl Entry {
    /// The function's name, which its signature begins with.
    pub(crate) fn name(&self) -> &'static str {
        self.signature.split_once('(').map_or(self.signature, |(name, _)| name)
    }

    /// The groups that documentation lists it under.
    pub(crate) const fn categories(mut self, categories: &'static [&'static str]) -> Self {
        self.categories = categories;
        self
    }

    /// The operator that stands for it.
    pub(crate) const fn infix(mut self, operator: &'static str) -> Self {
        self.infix = Some(operator);
        self
    }

    /// The same operands may give different results.
    pub(crate) const fn nondeterministic(mut self) -> Self {
        self.nondeterministic = true;
        self
    }

    /// The result is an array of results.
    pub(crate) const fn relation(mut self) -> Self {
        self.relation = true;
        self
    }

    /// Strict mode refuses it.
    pub(crate) const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// What the function says of itself.
    pub(crate) fn declaration(&self) -> Result<Declaration, ParseError> {
        let mut declaration =
            Declaration::parse(self.signature)?.describe(self.description).categories(self.categories.iter().copied());
        declaration.infix = self.infix.map(Into::into);
        declaration.nondeterministic = self.nondeterministic;
        declaration.relation = self.relation;
        declaration.deprecated = self.deprecated;
        Ok(declaration)
    }
}

/// A function of this crate.
pub(crate) struct Stock {
    declaration: Declaration,
    run: Run,
}

impl Stock {
    /// The function that the entry describes.
    pub(crate) fn new(entry: &Entry) -> Self {
        let declaration = entry.declaration().expect("a test reads every entry of the tables");
        Self { declaration, run: entry.run }
    }
}

impl Builtin for Stock {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn call(&self, operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
        (self.run)(operands, call)
    }
}
