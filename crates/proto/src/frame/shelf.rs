//! Memory of large messages, kept for the next ones: to get fresh memory from the system costs more than to read into it.

use bytes::{Bytes, BytesMut};

/// How many pieces are kept, and how many bytes of them together.
const PIECES: usize = 8;
const BYTES: usize = 4 << 20;

/// What is left of memory whose content was handed out. A piece can be used again when all of its content is dropped.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// With the size of all the memory that a piece belongs to. The oldest come first.
    pieces: Vec<(usize, BytesMut)>,
    bytes: usize,
}

impl Shelf {
    /// Empty memory that has room for `size` bytes at least; new if none is free.
    pub(super) fn take(&mut self, size: usize) -> BytesMut {
        self.free(size, size).unwrap_or_else(|| BytesMut::with_capacity(size))
    }

    /// Memory that has room for `least` bytes, from which on it may have to grow, and if there is some for `most`.
    pub(super) fn take_growing(&mut self, least: usize, most: usize) -> BytesMut {
        self.free(most.min(BYTES), least).unwrap_or_else(|| BytesMut::with_capacity(least))
    }

    /// A piece that is free, with room for `want` bytes, or else the largest with room for `least`.
    fn free(&mut self, want: usize, least: usize) -> Option<BytesMut> {
        let mut best: Option<(usize, usize)> = None;
        for (index, (size, piece)) in self.pieces.iter_mut().enumerate() {
            let is_better = *size >= least && best.is_none_or(|(_, best)| *size > best);
            if is_better && piece.try_reclaim(want.min(*size)) {
                best = Some((index, *size));
                if *size >= want {
                    break;
                }
            }
        }
        let (index, _) = best?;
        let (size, piece) = self.pieces.remove(index);
        self.bytes -= size;
        Some(piece)
    }

    /// Takes the content out of memory, and keeps what is left of it.
    pub(super) fn keep(&mut self, mut memory: BytesMut) -> Bytes {
        let size = memory.capacity();
        let content = memory.split().freeze();
        self.put(size, memory);
        content
    }

    /// Keeps the rest of memory of this size whose content has been handed out.
    pub(super) fn put(&mut self, size: usize, rest: BytesMut) {
        if size > BYTES {
            return;
        }
        while self.pieces.len() >= PIECES || self.bytes + size > BYTES {
            let (size, _) = self.pieces.remove(0);
            self.bytes -= size;
        }
        self.bytes += size;
        self.pieces.push((size, rest));
    }

    /// Gives all of it back to the system.
    pub(super) fn clear(&mut self) {
        *self = Shelf::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(shelf: &mut Shelf, size: usize) -> BytesMut {
        let mut memory = shelf.take(size);
        memory.resize(size, 7);
        memory
    }

    #[test]
    fn memory_is_used_again_when_its_content_is_dropped() {
        let mut shelf = Shelf::default();
        let memory = filled(&mut shelf, 100_000);
        let place = memory.as_ptr();
        let content = shelf.keep(memory);
        assert_ne!(shelf.take(100_000).as_ptr(), place, "it is in use");
        drop(content);
        let again = shelf.take(100_000);
        assert!(again.as_ptr() == place && again.is_empty() && again.capacity() >= 100_000);
    }

    #[test]
    fn the_largest_is_taken_for_what_will_grow() {
        let mut shelf = Shelf::default();
        for size in [100_000, 900_000, 500_000] {
            let memory = BytesMut::with_capacity(size);
            drop(shelf.keep(memory));
        }
        assert!(shelf.take_growing(64_000, 1_000_000).capacity() >= 900_000);
        assert!(shelf.take_growing(64_000, 400_000).capacity() >= 400_000);
        assert!(shelf.take_growing(200_000, 1_000_000).capacity() >= 200_000);
    }

    #[test]
    fn little_is_kept() {
        let mut shelf = Shelf::default();
        for _ in 0..100 {
            let memory = filled(&mut shelf, 1 << 20);
            let _content = shelf.keep(memory);
            assert!(shelf.bytes <= BYTES && shelf.pieces.len() <= PIECES);
        }
        let memory = filled(&mut shelf, BYTES + 1);
        let before = shelf.bytes;
        drop(shelf.keep(memory));
        assert_eq!(shelf.bytes, before);
        shelf.clear();
        assert_eq!((shelf.bytes, shelf.pieces.len()), (0, 0));
    }
}
