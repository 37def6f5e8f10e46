//! One round of uploads, from its first chunk to its report.

use std::future::{Future, pending};
use std::pin::Pin;

use regent_core::plugin::Reply;
use regent_core::status::{Cause, DecisionLogsStatus};
use regent_core::{Error, ErrorKind};
use tracing::{debug, error, info};

use super::Uploader;
use crate::buffer::{Buffer, Chunk, Loss};
use crate::config::Trigger;
use crate::error::UploadError;
use crate::lane::upload::upload;

/// A round under way: one chunk is with the service.
pub(super) struct Round {
    /// Chunks that are still to be sent after this one.
    left: usize,
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

impl Uploader {
    /// Begins a round of all closed chunks, and with `everything` of all that has come so far.
    pub(super) async fn begin(&mut self, everything: bool) {
        let loss = if everything { self.work(Buffer::close).await } else { Loss::default() };
        self.note(loss);
        let callers = std::mem::take(&mut self.callers);
        if let Some(chunk) = self.buffer_mut().take() {
            self.send(chunk, self.buffer().closed(), callers);
        } else {
            debug!(plugin = "decision_logs", "Log upload queue was empty.");
            self.end(Ok(()), callers);
        }
    }

    /// Goes on after an upload: with the next chunk, or to the end of the round.
    pub(super) async fn settle(&mut self, result: Result<(), UploadError>) {
        let Some(round) = self.round.take() else { return };
        if result.is_err() {
            let loss = self.buffer_mut().put_back(round.chunk);
            self.note(loss);
            self.end(result, round.callers);
        } else if let Some(chunk) = self.next_of(round.left) {
            self.send(chunk, round.left - 1, round.callers);
            return;
        } else {
            info!(plugin = "decision_logs", "Logs uploaded successfully.");
            self.end(result, round.callers);
        }
        self.go_on().await;
    }

    fn next_of(&mut self, left: usize) -> Option<Chunk> {
        if left == 0 { None } else { self.buffer_mut().take() }
    }

    /// Begins the next round if someone called for it, or a chunk filled up, in the meantime.
    async fn go_on(&mut self) {
        let is_full = self.settings.trigger == Trigger::Immediate && self.failures == 0 && self.buffer().closed() > 0;
        if !self.callers.is_empty() {
            self.begin(true).await;
        } else if is_full {
            self.begin(false).await;
        }
    }

    fn send(&mut self, chunk: Chunk, left: usize, callers: Vec<Reply>) {
        let (service, path) = (self.settings.service.clone(), self.settings.path.clone());
        let upload = Box::pin(upload(self.host.clone(), service, path, chunk.clone()));
        self.round = Some(Round { left, chunk, callers, upload });
    }

    fn end(&mut self, result: Result<(), UploadError>, callers: Vec<Reply>) {
        self.failures = if result.is_ok() { 0 } else { self.failures.saturating_add(1) };
        self.due = self.settings.next_round(self.failures);
        self.report(result.as_ref().err());
        if let Err(error) = &result {
            error!(plugin = "decision_logs", "{error}");
        }
        let text = result.err().map(|error| error.to_string());
        for caller in callers {
            let outcome = text.clone().map_or(Ok(()), |text| Err(Error::new(ErrorKind::Unavailable, text)));
            caller.send(outcome);
        }
    }

    fn report(&self, error: Option<&UploadError>) {
        let status = DecisionLogsStatus {
            code: error.map(|_| "decision_log_error"),
            message: error.map(UploadError::to_string),
            http_code: error.and_then(UploadError::status),
            metrics: self.counters.shown(),
        };
        self.host.status.change(Cause::DecisionLogs, |report| report.decision_logs = Some(status));
    }
}
