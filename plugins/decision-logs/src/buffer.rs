//! What waits for the service: closed chunks, and before them the events that will become chunks.
//!
//! Both kinds of OPA's are here. A *size* buffer encodes events as they come and counts the bytes of its chunks; an
//! *event* buffer counts events and encodes them when they are fetched. When a buffer is full, the oldest goes first.

mod chunk;
mod encoder;

use std::collections::VecDeque;
use std::sync::Arc;

use regent_core::Value;

pub(crate) use chunk::Chunk;
use encoder::Encoder;

use crate::config::{BufferType, Reporting};
use crate::counters::{Count, Counters};

/// Bounds of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    kind: BufferType,
    upload: usize,
    bytes: usize,
    events: usize,
}

impl Limits {
    pub(crate) fn of(reporting: &Reporting) -> Self {
        Self {
            kind: reporting.buffer_type(),
            upload: reporting.upload_limit(),
            bytes: reporting.buffered_bytes(),
            events: reporting.buffered_events(),
        }
    }
}

/// What one operation did to events that should have been kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loss {
    /// Chunks that made room.
    pub(crate) chunks: u64,
    /// Events that made room in an event buffer.
    pub(crate) events: u64,
}

/// Events and chunks that wait for the service.
///
/// INVARIANT: `bytes` is the sum of the sizes of `closed`, and `closed` is older than everything in `encoder`, which is
/// older than everything in `events`. One of the latter two is always empty, which one the kind says.
pub(crate) struct Buffer {
    limits: Limits,
    closed: VecDeque<Chunk>,
    bytes: usize,
    encoder: Encoder,
    events: VecDeque<Value>,
    counters: Arc<Counters>,
}

impl Buffer {
    pub(crate) fn new(limits: Limits, counters: Arc<Counters>) -> Self {
        Self {
            encoder: Encoder::new(limits.upload, counters.clone()),
            closed: VecDeque::new(),
            bytes: 0,
            events: VecDeque::new(),
            limits,
            counters,
        }
    }

    /// Takes events in, as services are to receive them. Values, because events hold on to the whole state that the
    /// decision saw, and what waits here may wait for long.
    pub(crate) fn push(&mut self, events: impl IntoIterator<Item = Value>) -> Loss {
        match self.limits.kind {
            BufferType::Event => self.events.extend(events),
            BufferType::Size => {
                for event in events {
                    let chunks = self.encoder.push(&event);
                    self.add(chunks);
                }
            }
        }
        self.make_room()
    }

    /// Closes what is open, so that [`Buffer::take`] finds everything that has come so far.
    pub(crate) fn close(&mut self) -> Loss {
        while let Some(event) = self.events.pop_front() {
            let chunks = self.encoder.push(&event);
            self.add(chunks);
        }
        let chunks = self.encoder.close();
        self.add(chunks);
        self.make_room()
    }

    /// Takes the oldest closed chunk out.
    pub(crate) fn take(&mut self) -> Option<Chunk> {
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
        self.encoder = Encoder::new(limits.upload, self.counters.clone());
        self.limits = limits;
        let after = self.make_room();
        Loss { chunks: before.chunks + after.chunks, events: before.events + after.events }
    }

    /// Closed chunks that wait.
    pub(crate) fn closed(&self) -> usize {
        self.closed.len()
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
            BufferType::Size => self.make_room_by_bytes(),
            BufferType::Event => self.make_room_by_events(),
        };
        self.counters.add(Count::BufferEvents, loss.events);
        loss
    }

    fn make_room_by_bytes(&mut self) -> Loss {
        let mut loss = Loss::default();
        while self.bytes > self.limits.bytes {
            let Some(oldest) = self.take() else { break };
            self.counters.add(Count::BufferBytes, oldest.events() as u64);
            loss.chunks += 1;
        }
        loss
    }

    fn make_room_by_events(&mut self) -> Loss {
        let mut loss = Loss::default();
        let mut excess = self.len().saturating_sub(self.limits.events);
        while excess > 0 {
            let gone = match self.take() {
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
