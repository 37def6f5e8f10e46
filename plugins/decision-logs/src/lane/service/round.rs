//! One round of uploads, from its first chunk to its report.

use std::future::{Future, pending};
use std::pin::Pin;

use regent_core::plugin::Reply;
use regent_core::{Error, ErrorKind};
use tracing::{debug, error, info, warn};

use super::ServiceLane;
use super::buffer::{Chunk, Goal};
use super::upload::upload;
use crate::error::UploadError;

/// A round under way: one chunk is with the service.
pub(super) struct Round {
    goal: Goal,
    /// The chunk that is being sent.
    pub(super) chunk: Chunk,
    /// Who waits for the end.
    callers: Vec<Reply>,
    upload: Pin<Box<dyn Future<Output = Result<(), UploadError>> + Send>>,
}

impl Round {
    /// The outcome of the present upload; never, if there is no round.
    pub(super) async fn upload_done(round: &mut Option<Self>) -> Result<(), UploadError> {
        match round {
            Some(round) => round.upload.as_mut().await,
            None => pending().await,
        }
    }
}

impl ServiceLane {
    /// Begins a round of all full chunks, and with `everything` of all that has come so far.
    pub(super) async fn begin(&mut self, everything: bool) {
        let (goal, loss) = self.work(move |buffer| buffer.goal(everything)).await;
        self.note(loss);
        let callers = std::mem::take(&mut self.callers);
        match self.work(move |buffer| buffer.take(goal)).await {
            Ok(Some(chunk)) => self.send(chunk, goal, callers),
            Ok(None) => {
                debug!(plugin = "decision_logs", "Log upload queue was empty.");
                self.end(Ok(()), callers);
            }
            Err(error) => self.end(Err(UploadError::Unreadable(error)), callers),
        }
    }

    /// Goes on after an upload: with the next chunk, or to the end of the round.
    pub(super) async fn settle(&mut self, result: Result<(), UploadError>) {
        let Some(Round { goal, chunk, callers, .. }) = self.round.take() else { return };
        if result.is_err() {
            let loss = self.work(|buffer| buffer.put_back(chunk)).await;
            self.note(loss);
            self.end(result, callers);
            return self.go_on().await;
        }
        let next = self.work(move |buffer| {
            if let Err(error) = buffer.delivered(&chunk) {
                warn!(plugin = "decision_logs", "Cannot note what was uploaded, so it may be uploaded again: {error}");
            }
            buffer.take(goal)
        });
        match next.await {
            Ok(Some(chunk)) => return self.send(chunk, goal, callers),
            Ok(None) => {
                info!(plugin = "decision_logs", "Logs uploaded successfully.");
                self.end(Ok(()), callers);
            }
            Err(error) => self.end(Err(UploadError::Unreadable(error)), callers),
        }
        self.go_on().await;
    }

    /// Begins the next round if someone called for it, or a chunk filled up, in the meantime.
    async fn go_on(&mut self) {
        if self.callers.is_empty() {
            self.begin_if_full().await;
        } else {
            self.begin(true).await;
        }
    }

    fn send(&mut self, chunk: Chunk, goal: Goal, callers: Vec<Reply>) {
        let (service, path) = (self.settings.service.clone(), self.settings.path.clone());
        let upload = Box::pin(upload(self.host.clone(), service, path, chunk.clone()));
        self.round = Some(Round { goal, chunk, callers, upload });
    }

    fn end(&mut self, result: Result<(), UploadError>, callers: Vec<Reply>) {
        self.failures = if result.is_ok() { 0 } else { self.failures.saturating_add(1) };
        let wait = result.as_ref().err().and_then(UploadError::wait);
        self.due = self.settings.next_round(self.failures, wait);
        self.stats.report_upload(&self.host, result.as_ref().err());
        if let Err(error) = &result {
            error!(plugin = "decision_logs", "{error}");
        }
        let text = result.err().map(|error| error.to_string());
        for caller in callers {
            let outcome = text.clone().map_or(Ok(()), |text| Err(Error::new(ErrorKind::Unavailable, text)));
            caller.send(outcome);
        }
    }
}
