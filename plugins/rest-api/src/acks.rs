//! What an answer waits for: acks that the records of its decisions are safe.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regent_core::Error;
use regent_core::decision::Ack;

/// The acks that one answer waits for; mostly none, which costs nothing. The decisions of a batch are made by several
/// tasks, so there is a lock, held for as long as it takes to put one more in.
#[derive(Default)]
pub(crate) struct PendingAcks(OnceLock<Arc<Mutex<Vec<Ack>>>>);

impl PendingAcks {
    /// One more to wait for.
    pub(crate) fn add(&self, ack: Ack) {
        self.0.get_or_init(Arc::default).lock().unwrap_or_else(PoisonError::into_inner).push(ack);
    }

    /// The same acks, for work on the same answer elsewhere.
    pub(crate) fn share(&self) -> Self {
        Self(self.0.get_or_init(Arc::default).clone().into())
    }

    /// Waits for all of them.
    ///
    /// # Errors
    /// When a record is not safe, so that the answer must not go out.
    pub(crate) async fn all(&self) -> Result<(), Error> {
        let Some(shared) = self.0.get() else { return Ok(()) };
        let acks = std::mem::take(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner));
        for ack in acks {
            ack.await?;
        }
        Ok(())
    }
}
