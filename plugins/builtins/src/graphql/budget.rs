//! How much work a document may make. Fragments that spread one another, lists that repeat a type and the like make few
//! lines of GraphQL cost more than anyone waits for.

use regent_core::engine::Cancel;

use super::problem::Fault;

/// How many levels may lie within one another: of selections, values and types, and of fragments that spread others.
pub(super) const DEPTH: usize = 200;

/// How many steps may be made for one call.
const STEPS: usize = 1 << 24;

/// How many steps are made between two looks at the cancel signal.
const PATIENCE: usize = 1 << 12;

/// What is left of the work that one call may make.
pub(super) struct Budget<'a> {
    cancel: &'a Cancel,
    left: usize,
    look: usize,
    depth: usize,
}

impl<'a> Budget<'a> {
    /// All that a call may make.
    pub(super) fn new(cancel: &'a Cancel) -> Self {
        Self::of(cancel, STEPS)
    }

    /// So many steps.
    pub(super) fn of(cancel: &'a Cancel, steps: usize) -> Self {
        Self { cancel, left: steps, look: 0, depth: 0 }
    }

    /// Takes so many steps, and one.
    ///
    /// # Errors
    /// When they are not left, or nobody waits any more.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        let steps = steps.saturating_add(1);
        self.left = self.left.checked_sub(steps).ok_or_else(|| Fault::at(None, "document is too complex"))?;
        match self.look.checked_sub(steps) {
            Some(look) => self.look = look,
            None if self.cancel.is_cancelled() => return Err(Fault::Cancelled),
            None => self.look = PATIENCE,
        }
        Ok(())
    }

    /// Goes a level down.
    ///
    /// # Errors
    /// When it is one too many.
    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        self.spend(0)?;
        self.depth += 1;
        if self.depth > DEPTH { Err(Fault::at(None, "document is nested too deeply")) } else { Ok(()) }
    }

    /// Comes back from a level.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_bounded_in_length_and_depth() {
        let cancel = Cancel::default();
        let mut budget = Budget::new(&cancel);
        assert!(budget.spend(STEPS / 2).is_ok() && budget.spend(STEPS / 2).is_err());
        let mut budget = Budget::new(&cancel);
        assert_eq!((0..DEPTH).try_for_each(|_| budget.enter()), Ok(()));
        assert!(budget.enter().is_err());
        cancel.cancel();
        assert_eq!(Budget::new(&cancel).spend(0), Err(Fault::Cancelled));
    }
}
