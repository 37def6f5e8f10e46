//! Bytes of which nobody knew beforehand how many they would be.

use std::io::{self, Read, Write};

/// Bytes of a block. Large enough that their number does not matter, small enough that half of one may be wasted.
const BLOCK: usize = 256 << 10;

/// Bytes that have come one after the other, in blocks. A vector would move all of them whenever it grows, and hold them
/// twice meanwhile.
#[derive(Debug, Default)]
pub struct Blocks {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
    len: usize,
}

impl Blocks {
    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.len += bytes.len();
        loop {
            let (fitting, rest) = bytes.split_at(bytes.len().min(BLOCK - self.last.len()));
            if self.last.capacity() - self.last.len() < fitting.len() {
                // As a vector would, but to no more than a block.
                let wanted = fitting.len().max(self.last.len());
                self.last.reserve_exact(wanted.min(BLOCK - self.last.len()));
            }
            self.last.extend_from_slice(fitting);
            if rest.is_empty() {
                return;
            }
            self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(BLOCK)));
            bytes = rest;
        }
    }

    /// All of them from the start.
    pub fn reader(&self) -> BlocksReader<'_> {
        BlocksReader { blocks: self, next: 0, rest: &[] }
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads [`Blocks`]; a clone goes on from the same place.
#[derive(Debug, Clone)]
pub struct BlocksReader<'a> {
    blocks: &'a Blocks,
    next: usize,
    rest: &'a [u8],
}

impl Read for BlocksReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            let full = self.blocks.full.iter();
            let Some(block) = full.chain([&self.blocks.last]).nth(self.next) else { return Ok(0) };
            self.rest = block;
            self.next += 1;
        }
        self.rest.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out_whatever_the_pieces() {
        let all: Vec<u8> = (0..3 * BLOCK + 5).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
        for piece in [1000, BLOCK, BLOCK + 1, 2 * BLOCK, all.len()] {
            let mut blocks = Blocks::default();
            all.chunks(piece).for_each(|piece| blocks.push(piece));
            assert_eq!(blocks.len(), all.len());
            assert!(blocks.full.iter().all(|block| block.len() == BLOCK && block.capacity() == BLOCK), "{piece}");
            let mut reader = blocks.reader();
            let mut read = vec![0; 10];
            reader.read_exact(&mut read).expect("memory");
            reader.clone().read_to_end(&mut read).expect("memory");
            assert!(read == all, "pieces of {piece}");
            let mut again = Vec::new();
            reader.read_to_end(&mut again).expect("memory");
            assert!(again == all[10..], "the clone moved nothing");
        }
    }

    #[test]
    fn nothing_is_nothing() {
        let mut blocks = Blocks::default();
        blocks.push(&[]);
        assert!(blocks.is_empty());
        assert_eq!(blocks.reader().read(&mut [0; 4]).expect("memory"), 0);
    }
}
