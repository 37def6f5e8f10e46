//! What an answer waits for: records of its decisions that are on their way to where they are safe.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regent_core::Error;
use regent_core::decision::Safekeeping;

/// The records that one answer waits for; mostly none, which costs nothing. The decisions of a batch are made by several
/// tasks, so there is a lock, held for as long as it takes to put one more in.
#[derive(Default)]
pub(crate) struct Promises(OnceLock<Arc<Mutex<Vec<Safekeeping>>>>);

impl Promises {
    /// One more to wait for.
    pub(crate) fn add(&self, record: Safekeeping) {
        self.0.get_or_init(Arc::default).lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// The same promises, for work on the same answer elsewhere.
    pub(crate) fn share(&self) -> Self {
        Self(self.0.get_or_init(Arc::default).clone().into())
    }

    /// Waits until all records are safe.
    ///
    /// # Errors
    /// When one is not, so that the answer must not go out.
    pub(crate) async fn kept(&self) -> Result<(), Error> {
        let Some(shared) = self.0.get() else { return Ok(()) };
        let records = std::mem::take(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner));
        for record in records {
            record.await?;
        }
        Ok(())
    }
}
