//! Acks: how whoever recorded an event learns that it is on disk, or that it is not and must not be answered.

use regent_core::{Error, ErrorKind};
use tokio::sync::oneshot;

use crate::journal::AppendError;

/// Acknowledges events, once.
pub(crate) type AckSender = oneshot::Sender<Result<(), AckError>>;

/// Where the ack comes out.
pub(crate) type AckReceiver = oneshot::Receiver<Result<(), AckError>>;

/// Why events are not acknowledged.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AckError {
    /// The journal does not take them.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// There is no journal.
    #[error("the decision cannot be recorded: {0}")]
    Closed(String),
}

impl From<AckError> for Error {
    fn from(error: AckError) -> Self {
        Self::new(ErrorKind::Unavailable, error.to_string())
    }
}

/// The acks of all lanes that put the same events on disk.
pub(crate) struct LaneAcks(Vec<AckReceiver>);

impl LaneAcks {
    pub(crate) fn new(acks: Vec<AckReceiver>) -> Self {
        Self(acks)
    }

    /// Waits for all of them.
    pub(crate) async fn all(self) -> Result<(), AckError> {
        for ack in self.0 {
            ack.await.unwrap_or_else(|_| Err(AckError::Closed("its receiver has ended".to_owned())))?;
        }
        Ok(())
    }
}
