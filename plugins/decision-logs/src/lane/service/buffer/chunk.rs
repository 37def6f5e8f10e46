//! A compressed JSON array of events: what one upload carries.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A chunk, ready to be sent. Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    body: Bytes,
    events: usize,
    last: u64,
}

impl Chunk {
    /// Compresses encoded events, which stand in `text` separated by commas; `last` is the number of the last one.
    pub(super) fn compress(text: &[u8], events: usize, last: u64) -> Self {
        // The fastest level: decisions come by the thousand, and what is saved on the wire is paid for in answers.
        let mut gzip = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
        let body = [&b"["[..], text, b"]"].into_iter().try_for_each(|part| gzip.write_all(part));
        let body = body.and_then(|()| gzip.finish()).expect("a vector takes every write");
        Self { body: body.into(), events, last }
    }

    /// The gzip'd bytes.
    pub(crate) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Bytes on the wire.
    pub(crate) fn size(&self) -> usize {
        self.body.len()
    }

    /// Number of the last event inside.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Events inside.
    pub(crate) fn events(&self) -> usize {
        self.events
    }
}
