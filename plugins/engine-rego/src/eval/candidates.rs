//! Which rules can hold.

use std::convert::Infallible;

use regent_core::Value;

use super::lookup::find;
use super::{Held, Machine};
use crate::index::{Candidates, IndexedReference, Resolved, RuleIndex, Sight};

impl<'a> Machine<'a> {
    /// The rules that can hold.
    pub(super) fn candidates(&self, index: &'a RuleIndex, args: &[Held<'a>]) -> Candidates<'a> {
        if !self.plan.optimised || !self.env.functions.is_empty() {
            // A condition may speak of a function that something stands in for.
            return index.all();
        }
        let references = index.references();
        let mut resolve = |number: usize| Ok::<_, Infallible>(self.resolved(&references[number], args));
        let Ok(candidates) = index.lookup(Sight::Sharp, &mut resolve);
        candidates
    }

    fn resolved<'v>(&'v self, reference: &IndexedReference, args: &'v [Held<'a>]) -> Resolved<'v> {
        let value = match reference {
            IndexedReference::Argument(position) => args.get(*position).map(|value| &**value),
            IndexedReference::Input(path) => {
                let input: Option<&Value> = self.env.input.as_deref();
                input.and_then(|input| path.iter().try_fold(input, find))
            }
            IndexedReference::Data(path) if self.env.data.is_none() && !path.is_empty() => self.stored(path),
            IndexedReference::Data(_) => return Resolved::Unknown,
        };
        value.map_or(Resolved::Undefined, Resolved::Value)
    }
}
