//! The scopes of a rule while its variables are renamed.

use std::collections::{BTreeMap, HashMap};

use crate::compile::Locals;
use crate::syntax::ast::Var;

/// How a variable came into its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// It is a parameter of the function.
    Parameter,
    /// It was used without a declaration.
    Seen,
    /// `:=` declares it.
    Assigned,
    /// `some` or `every` declares it.
    Declared,
}

/// A variable in a scope.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The variable that stands for it from now on; the same if it is not declared.
    pub(super) name: Var,
    pub(super) occurrence: Occurrence,
    /// How often it was met, its declaration included.
    pub(super) count: usize,
}

/// A scope: its variables under the names that the text gives them.
pub(super) type Scope = HashMap<Var, Entry>;

/// The scopes around the current place, the innermost last.
#[derive(Debug, Clone)]
pub(super) struct Scopes {
    stack: Vec<Scope>,
    /// From generated variables to those of the text.
    pub(super) originals: BTreeMap<Var, Var>,
}

impl Default for Scopes {
    fn default() -> Self {
        Self { stack: vec![Scope::new()], originals: BTreeMap::new() }
    }
}

impl Scopes {
    pub(super) fn push(&mut self) {
        self.stack.push(Scope::new());
    }

    pub(super) fn pop(&mut self) {
        self.stack.pop();
    }

    /// The innermost scope.
    pub(super) fn innermost(&self) -> &Scope {
        self.stack.last().expect("the outermost scope is never popped")
    }

    /// What a variable is, seen from the innermost scope.
    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.stack.iter().rev().find_map(|scope| scope.get(name))
    }

    /// Notes a use of a variable, and gives what stands for it if that is another one.
    pub(super) fn see(&mut self, name: &Var) -> Option<Var> {
        if let Some(entry) = self.stack.iter_mut().rev().find_map(|scope| scope.get_mut(name)) {
            entry.count += 1;
            (entry.name != *name).then(|| entry.name.clone())
        } else {
            self.insert(name.clone(), name.clone(), Occurrence::Seen);
            None
        }
    }

    /// Gives a new variable for one that is declared in the innermost scope.
    ///
    /// # Errors
    /// When the scope has it already, in words.
    pub(super) fn declare(&mut self, name: &Var, how: Occurrence, locals: &mut Locals) -> Result<Var, String> {
        match self.innermost().get(name).map(|entry| entry.occurrence) {
            Some(Occurrence::Seen) => Err(format!("var {name} referenced above")),
            Some(Occurrence::Assigned) => Err(format!("var {name} assigned above")),
            Some(Occurrence::Declared) => Err(format!("var {name} declared above")),
            Some(Occurrence::Parameter) => Err(format!("arg {name} redeclared")),
            None => {
                let generated = locals.generate();
                self.insert(name.clone(), generated.clone(), how);
                Ok(generated)
            }
        }
    }

    fn insert(&mut self, name: Var, stands_for_it: Var, occurrence: Occurrence) {
        if name != stands_for_it {
            self.originals.insert(stands_for_it.clone(), name.clone());
        }
        let scope = self.stack.last_mut().expect("the outermost scope is never popped");
        scope.insert(name, Entry { name: stands_for_it, occurrence, count: 1 });
    }
}
