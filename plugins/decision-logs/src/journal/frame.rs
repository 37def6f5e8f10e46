//! How a record stands in a file: `MARK | number: u64 | length: u32 | checksum: u32 | payload`, numbers little-endian.
//!
//! The checksum is over number, length and payload. A mark can stand in no payload, because payloads are UTF-8; so behind
//! damage the next mark with a sound record is the next record.

use crc32fast::Hasher;

/// Begins a record; its first byte is in no UTF-8. The last one is the version of the form.
const MARK: [u8; 4] = [0xF5, b'R', b'D', 1];

/// Bytes before the payload.
pub(super) const HEADER: usize = 20;

/// Bytes of a record.
pub(super) fn size(payload: &[u8]) -> u64 {
    (HEADER + payload.len()) as u64
}

/// Writes a record. The payload has less than 4 GiB.
pub(super) fn write(out: &mut Vec<u8>, number: u64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(number, length, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// What a header says. It is not known to be sound before [`Header::is_sound`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) number: u64,
    length: u32,
    checksum: u32,
}

impl Header {
    /// The header that the bytes begin with; nothing without mark.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (mark, rest) = bytes.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (checksum, _) = rest.split_first_chunk::<4>()?;
        let header = Self {
            number: u64::from_le_bytes(*number),
            length: u32::from_le_bytes(*length),
            checksum: u32::from_le_bytes(*checksum),
        };
        (*mark == MARK).then_some(header)
    }

    /// Bytes of the payload.
    pub(super) fn length(&self) -> usize {
        self.length as usize
    }

    pub(super) fn is_sound(&self, payload: &[u8]) -> bool {
        payload.len() == self.length() && checksum(self.number, self.length, payload) == self.checksum
    }
}

/// Where the next record may begin, at `from` or later.
pub(super) fn find_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    // Fewer than the mark's bytes at the end may be its beginning.
    rest.iter().enumerate().find_map(|(at, byte)| {
        let seen = &rest[at..rest.len().min(at + MARK.len())];
        (*byte == MARK[0] && MARK.starts_with(seen)).then_some(from + at)
    })
}

fn checksum(number: u64, length: u32, payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}
