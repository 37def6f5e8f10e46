//! What waits for the service in memory: closed chunks, and before them the events that will become chunks.
//!
//! Both kinds of OPA's are here. A *size* buffer compresses events as they come and counts the bytes of its chunks; an
//! *event* buffer counts events and compresses them when they are fetched. When a buffer is full, the oldest goes first.

use std::collections::VecDeque;
use std::sync::Arc;

use regent_core::decision::EncodedEvent;

use super::encoder::Encoder;
use super::{Chunk, Goal, Limits, Loss};
use crate::config::BufferType;
use crate::counters::{Count, SinkStats};

/// Events and chunks that wait for the service.
///
/// INVARIANT: `bytes` is the sum of the sizes of `closed`, and `closed` is older than everything in `encoder`, which is
/// older than everything in `events`. Only in an *event* buffer are there `events`, and only while a round is under way,
/// or one has failed, does its encoder hold something.
pub(crate) struct MemoryBuffer {
    limits: Limits,
    closed: VecDeque<Chunk>,
    bytes: usize,
    encoder: Encoder,
    events: VecDeque<(u64, EncodedEvent)>,
    /// Number of the next event.
    next: u64,
    stats: Arc<SinkStats>,
}

impl MemoryBuffer {
    pub(crate) fn new(limits: Limits, stats: Arc<SinkStats>) -> Self {
        Self {
            encoder: Encoder::new(limits.upload, stats.clone()),
            closed: VecDeque::new(),
            bytes: 0,
            events: VecDeque::new(),
            next: 0,
            limits,
            stats,
        }
    }

    /// Takes events in.
    pub(crate) fn push(&mut self, events: &[EncodedEvent]) -> Loss {
        for (number, event) in (self.next..).zip(events) {
            if self.limits.kind == BufferType::Event {
                self.events.push_back((number, event.clone()));
            } else {
                let chunks = self.encoder.push(event.json(), number);
                self.add(chunks);
            }
        }
        self.next += events.len() as u64;
        self.make_room()
    }

    /// What a round takes that begins now: all that has come so far, or only what fills chunks.
    pub(crate) fn goal(&mut self, everything: bool) -> (Goal, Loss) {
        if everything && self.limits.kind == BufferType::Event {
            return (Goal { until: self.next, partial: true }, Loss::default());
        }
        let loss = if everything { self.close() } else { Loss::default() };
        (Goal { until: self.closed.back().map_or(0, |chunk| chunk.last() + 1), partial: everything }, loss)
    }

    /// Closes what is open, so that [`MemoryBuffer::take`] finds everything that has come so far.
    fn close(&mut self) -> Loss {
        while self.encode_next(self.next) {}
        self.end_chunk();
        self.make_room()
    }

    /// Moves the oldest event that waits as such into the encoder, if it is older than that.
    fn encode_next(&mut self, until: u64) -> bool {
        let Some((number, event)) = self.events.pop_front_if(|(number, _)| *number < until) else { return false };
        let chunks = self.encoder.push(event.json(), number);
        self.add(chunks);
        true
    }

    fn end_chunk(&mut self) {
        let chunks = self.encoder.close();
        self.add(chunks);
    }

    /// Takes the next chunk of a round out. Events become chunks one at a time, so that nothing waits long for many.
    pub(crate) fn take(&mut self, goal: Goal) -> Option<Chunk> {
        while self.closed.is_empty() && self.encode_next(goal.until) {}
        if self.closed.is_empty() && goal.partial {
            self.end_chunk();
        }
        let is_due = self.closed.front()?.last() < goal.until;
        if is_due { self.take_oldest() } else { None }
    }

    fn take_oldest(&mut self) -> Option<Chunk> {
        let chunk = self.closed.pop_front()?;
        self.bytes -= chunk.size();
        Some(chunk)
    }

    /// Puts a chunk back that was taken out, as far as it still fits.
    pub(crate) fn put_back(&mut self, chunk: Chunk) -> Loss {
        self.bytes += chunk.size();
        self.closed.push_front(chunk);
        self.make_room()
    }

    /// Goes by other limits from now on. What is in the buffer stays as far as it fits.
    pub(crate) fn reconfigure(&mut self, limits: Limits) -> Loss {
        if limits == self.limits {
            return Loss::default();
        }
        let before = self.close();
        self.encoder = Encoder::new(limits.upload, self.stats.clone());
        self.limits = limits;
        let after = self.make_room();
        Loss { chunks: before.chunks + after.chunks, events: before.events + after.events }
    }

    /// Whether a chunk has filled up.
    pub(crate) fn is_full(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Events in the buffer, in whatever form.
    pub(crate) fn len(&self) -> usize {
        self.closed_events() + self.encoder.len() + self.events.len()
    }

    fn closed_events(&self) -> usize {
        self.closed.iter().map(Chunk::events).sum()
    }

    fn add(&mut self, chunks: Vec<Chunk>) {
        self.bytes += chunks.iter().map(Chunk::size).sum::<usize>();
        self.closed.extend(chunks);
    }

    fn make_room(&mut self) -> Loss {
        let loss = match self.limits.kind {
            BufferType::Size | BufferType::Disk => self.make_room_by_bytes(),
            BufferType::Event => self.make_room_by_events(),
        };
        self.stats.add(Count::BufferEvents, loss.events);
        loss
    }

    fn make_room_by_bytes(&mut self) -> Loss {
        let mut loss = Loss::default();
        while self.bytes > self.limits.bytes {
            let Some(oldest) = self.take_oldest() else { break };
            self.stats.add(Count::BufferBytes, oldest.events() as u64);
            loss.chunks += 1;
        }
        loss
    }

    fn make_room_by_events(&mut self) -> Loss {
        let mut loss = Loss::default();
        let mut excess = self.len().saturating_sub(self.limits.events);
        while excess > 0 {
            if self.closed.is_empty() {
                self.end_chunk();
            }
            let gone = match self.take_oldest() {
                Some(oldest) => oldest.events(),
                None => usize::from(self.events.pop_front().is_some()),
            };
            if gone == 0 {
                break;
            }
            loss.events += gone as u64;
            excess = excess.saturating_sub(gone);
        }
        loss
    }
}
