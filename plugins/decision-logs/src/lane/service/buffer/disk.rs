//! What waits for the service on disk: chunks are made of it when they are sent.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::encoder::Encoder;
use super::{Chunk, Goal, Limits};
use crate::counters::{Count, SinkStats};
use crate::journal::{Reader, Usage};

/// Events read at once, and bytes.
const READ: (usize, usize) = (1024, 1 << 20);

/// Events in a journal on their way into chunks. There are never more in memory than fill one or two.
pub(crate) struct DiskBuffer {
    reader: Reader,
    usage: Usage,
    limits: Limits,
    encoder: Encoder,
    closed: VecDeque<Chunk>,
    stats: Arc<SinkStats>,
}

impl DiskBuffer {
    pub(crate) fn new(reader: Reader, usage: Usage, limits: Limits, stats: Arc<SinkStats>) -> Self {
        let encoder = Encoder::new(limits.upload, stats.clone());
        Self { reader, usage, limits, encoder, closed: VecDeque::new(), stats }
    }

    /// What a round takes that begins now: all that has come so far, or only what fills chunks.
    pub(crate) fn goal(&self, everything: bool) -> Goal {
        Goal { until: self.reader.end(), partial: everything }
    }

    /// Makes the next chunk of a round. The one before has been delivered or put back.
    pub(crate) fn take(&mut self, goal: Goal) -> io::Result<Option<Chunk>> {
        while self.closed.is_empty() {
            let records = self.reader.next(goal.until, READ.0, READ.1);
            self.stats.add(Count::DiskDamaged, self.reader.missing());
            let records = records?;
            if records.is_empty() {
                let chunks = if goal.partial { self.encoder.close() } else { Vec::new() };
                if chunks.is_empty() {
                    self.forget()?;
                    return Ok(None);
                }
                self.closed.extend(chunks);
            }
            for record in records {
                self.closed.extend(self.encoder.push(&record.payload, record.number));
            }
        }
        Ok(self.closed.pop_front())
    }

    /// Puts a chunk back that could not be delivered.
    pub(crate) fn put_back(&mut self, chunk: Chunk) {
        self.closed.push_front(chunk);
    }

    /// Notes that a chunk has arrived.
    pub(crate) fn delivered(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.reader.delivered(chunk.last() + 1)?;
        self.forget()
    }

    /// Goes by other limits from now on.
    pub(crate) fn reconfigure(&mut self, limits: Limits) {
        if limits != self.limits {
            let chunks = self.encoder.close();
            self.closed.extend(chunks);
            self.encoder = Encoder::new(limits.upload, self.stats.clone());
            self.limits = limits;
        }
    }

    /// Whether there is enough for a chunk.
    pub(crate) fn is_full(&self) -> bool {
        !self.closed.is_empty() || self.reader.ahead() >= self.encoder.room() as u64
    }

    /// Events that have not been delivered.
    pub(crate) fn len(&self) -> u64 {
        self.usage.read().0
    }

    /// Shows what waits.
    pub(crate) fn show(&self) {
        self.stats.on_disk(&self.usage);
    }

    /// What was given up, because it fits into no chunk, need not be read again.
    fn forget(&mut self) -> io::Result<()> {
        if self.closed.is_empty() && self.encoder.len() == 0 {
            return self.reader.delivered(self.reader.position());
        }
        Ok(())
    }
}
