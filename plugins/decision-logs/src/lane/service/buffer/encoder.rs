//! Cuts the stream of events into chunks that fit into one upload.
//!
//! The limit is on compressed bytes, which are known only after compressing. So events are collected up to a *guess* of
//! how many uncompressed bytes will fit, and the guess follows what came out of it: it grows, each time by more, while
//! chunks stay below nine tenths of the limit, and shrinks when one comes out too large, which is then cut again.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use regent_core::value::{decode, encode};
use tracing::error;

use super::Chunk;
use crate::counters::{Count, SinkStats};

/// The guess never grows beyond this, or beyond the upload limit if that is more: it is memory that nothing else counts.
const LARGEST_GUESS: usize = 16 << 20;

/// How much faster the guess grows each time.
const EXPONENT_STEP: f64 = 0.2;

/// The part of an event that may go so that the rest fits.
const CACHE: &str = "nd_builtin_cache";

/// Bytes of memory that are kept from chunk to chunk.
const KEPT: usize = 1 << 20;

/// gzip and the brackets add at most this to the bytes of a small event.
const OVERHEAD: usize = 64;

/// Makes chunks of events.
pub(super) struct Encoder {
    /// Most compressed bytes of a chunk.
    limit: usize,
    guess: Guess,
    open: Open,
    /// Encoded size from which on events are known to fit only without their `nd_builtin_cache`.
    too_large_with_cache: usize,
    stats: Arc<SinkStats>,
}

/// Encoded events that no chunk holds yet, separated by commas, and where each of them ends; and their numbers.
#[derive(Default)]
struct Open {
    text: Vec<u8>,
    ends: Vec<usize>,
    numbers: Vec<u64>,
}

impl Encoder {
    pub(super) fn new(limit: usize, stats: Arc<SinkStats>) -> Self {
        let guess = Guess { bytes: limit, exponent: 0.0, range: limit..limit.max(LARGEST_GUESS) };
        Self { limit, guess, open: Open::default(), too_large_with_cache: usize::MAX, stats }
    }

    /// Events that no chunk holds yet.
    pub(super) fn len(&self) -> usize {
        self.open.ends.len()
    }

    /// Bytes until a chunk is thought to be full.
    pub(super) fn room(&self) -> usize {
        self.guess.bytes.saturating_sub(self.open.text.len())
    }

    /// Takes an encoded event and its number; hands out chunks if that filled some.
    pub(super) fn push(&mut self, json: &[u8], number: u64) -> Vec<Chunk> {
        let Some(json) = self.fit(json) else { return Vec::new() };
        let json = &*json;
        let full = !self.open.ends.is_empty() && self.open.text.len() + json.len() + 2 >= self.guess.bytes;
        let chunks = if full { self.finish(true) } else { Vec::new() };
        self.open.push(json, number);
        chunks
    }

    /// Hands out all that is left.
    pub(super) fn close(&mut self) -> Vec<Chunk> {
        self.finish(false)
    }

    /// Makes chunks of what is open. Only a chunk that the guess says is full can tell that the guess is too small.
    fn finish(&mut self, full: bool) -> Vec<Chunk> {
        let mut open = std::mem::take(&mut self.open);
        let mut chunks = Vec::new();
        if !open.ends.is_empty() {
            self.cut(&open, 0..open.ends.len(), full, &mut chunks);
        }
        open.clear();
        self.open = open;
        chunks
    }

    /// Makes one chunk of a range of events, or several if one would be too large. Each event fits alone, so halving
    /// ends.
    fn cut(&mut self, open: &Open, range: Range<usize>, full: bool, chunks: &mut Vec<Chunk>) {
        let chunk = Chunk::compress(open.slice(&range), range.len(), open.numbers[range.end - 1]);
        if chunk.size() > self.limit && range.len() > 1 {
            if range.len() == open.ends.len() {
                self.guess.shrink();
                self.stats.add(Count::ScaleDown, 1);
            }
            let middle = range.start + range.len() / 2;
            self.cut(open, range.start..middle, false, chunks);
            self.cut(open, middle..range.end, false, chunks);
            return;
        }
        if full {
            self.learn(chunk.size());
        }
        self.stats.chunk(chunk.events());
        chunks.push(chunk);
    }

    fn learn(&mut self, size: usize) {
        if size < self.limit / 10 * 9 {
            self.guess.grow();
            self.stats.add(Count::ScaleUp, 1);
        } else {
            self.stats.add(Count::Stable, 1);
        }
    }

    /// The event as JSON that fits into a chunk; nothing, if it cannot.
    fn fit<'a>(&mut self, json: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let excess = if json.len() >= self.too_large_with_cache { None } else { Some(self.excess(json)) };
        if excess == Some(None) {
            return Some(json.into());
        }
        let event = decode(json).unwrap_or_default();
        let has_cache = event.get(CACHE).is_some();
        let size = match excess {
            Some(excess) => excess,
            None if has_cache => Some(json.len()),
            None => self.excess(json),
        };
        let Some(size) = size else { return Some(json.into()) };
        self.stats.add(Count::ExceededUploadLimit, 1);
        if !has_cache {
            return self.give_up(size, ". No ND cache to drop.");
        }
        self.too_large_with_cache = self.too_large_with_cache.min(json.len());
        let smaller = encode(&event.without(&[CACHE])).into_bytes();
        if let Some(size) = self.excess(&smaller) {
            return self.give_up(size, " even after dropping the ND cache.");
        }
        self.stats.add(Count::CacheDropped, 1);
        error!(
            plugin = "decision_logs",
            "ND builtins cache dropped from this event to fit under maximum upload size limits. \
             Increase upload size limit or change usage of non-deterministic builtins."
        );
        Some(smaller.into())
    }

    /// The compressed size of one event, if it is over the limit.
    fn excess(&self, json: &[u8]) -> Option<usize> {
        if json.len() + OVERHEAD <= self.limit {
            return None;
        }
        Some(Chunk::compress(json, 1, 0).size()).filter(|size| *size > self.limit)
    }

    fn give_up<'a>(&self, size: usize, why: &str) -> Option<Cow<'a, [u8]>> {
        self.stats.add(Count::EncodingFailure, 1);
        let limit = self.limit;
        error!(
            plugin = "decision_logs",
            "Log encoding failed: received a decision event size ({size}) that exceeded the upload_size_limit_bytes \
             ({limit}){why}"
        );
        None
    }
}

impl Open {
    fn push(&mut self, json: &[u8], number: u64) {
        if !self.text.is_empty() {
            self.text.push(b',');
        }
        self.text.extend_from_slice(json);
        self.ends.push(self.text.len());
        self.numbers.push(number);
    }

    /// Makes room for the next events, and keeps the memory unless it is much.
    fn clear(&mut self) {
        if self.text.capacity() > KEPT {
            *self = Self::default();
        }
        self.text.clear();
        self.ends.clear();
        self.numbers.clear();
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        let start = if range.start == 0 { 0 } else { self.ends[range.start - 1] + 1 };
        &self.text[start..self.ends[range.end - 1]]
    }
}

/// How many uncompressed bytes fit into a chunk, as far as is known.
struct Guess {
    bytes: usize,
    exponent: f64,
    range: Range<usize>,
}

impl Guess {
    fn grow(&mut self) {
        self.scale((self.exponent + 1.0).exp2());
        self.exponent += EXPONENT_STEP;
    }

    fn shrink(&mut self) {
        self.scale(0.5);
        self.exponent = (self.exponent - EXPONENT_STEP).max(0.0);
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a guess, kept within its range"
    )]
    fn scale(&mut self, factor: f64) {
        self.bytes = ((self.bytes as f64 * factor) as usize).clamp(self.range.start, self.range.end);
    }
}

#[cfg(test)]
mod tests;
