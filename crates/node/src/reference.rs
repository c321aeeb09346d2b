//! Fresh pids, ports and references of this incarnation of the node.

use std::cell::Cell;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use beamline_term::{Origin, Pid, Port, Reference};

/// Numbers what this node makes.
pub(crate) struct Numbers {
    origin: Origin,
    process: AtomicU64,
    /// Where the next run of references begins.
    reference: AtomicU64,
    /// Tells the runs of this from those of other nodes of the program.
    id: u64,
    unlink: AtomicU64,
    port: AtomicU64,
    salt: u32,
}

impl Numbers {
    pub(crate) fn new(origin: Origin) -> Numbers {
        static NODES: AtomicU64 = AtomicU64::new(1);
        let id = NODES.fetch_add(1, Ordering::Relaxed);
        let one = || AtomicU64::new(1);
        let reference = AtomicU64::new(RUN);
        Numbers { origin, process: one(), reference, id, unlink: one(), port: one(), salt: rand::random() }
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn pid(&self) -> Pid {
        let number = self.process.fetch_add(1, Ordering::Relaxed);
        Pid::at(&self.origin, number as u32, (number >> 32) as u32)
    }

    pub(crate) fn port(&self) -> Port {
        Port::at(&self.origin, self.port.fetch_add(1, Ordering::Relaxed))
    }

    /// Numbers a request to take a link away; never 0.
    pub(crate) fn unlink_id(&self) -> u64 {
        self.unlink.fetch_add(1, Ordering::Relaxed)
    }

    /// A reference and the number by which it is found again.
    pub(crate) fn reference(&self) -> (Reference, u64) {
        let number = self.reference_number();
        (self.reference_of(number), number)
    }

    /// The number of a new reference. Each thread numbers its own in runs of [`RUN`], so that those that run beside each other
    /// do not write to the same memory.
    pub(crate) fn reference_number(&self) -> u64 {
        thread_local! {
            /// Of which node the run is, and its next number.
            static NEXT: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
        }
        NEXT.with(|next| {
            let (id, mut number) = next.get();
            if id != self.id || number.is_multiple_of(RUN) {
                number = self.reference.fetch_add(RUN, Ordering::Relaxed);
            }
            next.set((self.id, number + 1));
            number
        })
    }

    /// The reference of a number.
    pub(crate) fn reference_of(&self, number: u64) -> Reference {
        match Reference::at(&self.origin, &self.words(number)) {
            Ok(reference) => reference,
            Err(_) => unreachable!("three words are within bounds"),
        }
    }

    /// The words of that reference.
    pub(crate) fn words(&self, number: u64) -> [u32; 3] {
        // The first word of a reference has 18 bits on nodes of the older kind.
        [(number & 0x3_ffff) as u32, (number >> 18) as u32, self.salt]
    }

    /// The number of a reference that this incarnation made.
    pub(crate) fn number_of(&self, reference: &Reference) -> Option<u64> {
        let words = reference.words().try_into().ok()?;
        if *reference.origin() == self.origin { self.number_in(words) } else { None }
    }

    /// The same, by the words of a reference under our [origin](Numbers::origin).
    pub(crate) fn number_in(&self, [low, high, salt]: [u32; 3]) -> Option<u64> {
        (salt == self.salt).then(|| u64::from(low) | u64::from(high) << 18)
    }

    /// The number of a pid that this incarnation made.
    pub(crate) fn number_of_pid(&self, pid: &Pid) -> Option<u64> {
        (*pid.origin() == self.origin).then(|| u64::from(pid.id()) | u64::from(pid.serial()) << 32)
    }
}

/// So many numbers of references a thread takes at a time.
pub(crate) const RUN: u64 = 64;

/// Hashes the numbers that this node gives out, for tables that have them as keys: nobody else chooses those, so there is
/// nothing to guard against.
#[derive(Debug, Default)]
pub(crate) struct NumberHasher(u64);

/// Makes [`NumberHasher`]s.
pub(crate) type ByNumber = BuildHasherDefault<NumberHasher>;

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing; the best bits are the upper ones, and tables look at both ends.
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    #[test]
    fn numbers_in_a_row_spread_over_both_ends_of_the_hash() {
        let hashes: Vec<u64> = (0..4096).map(|number: u64| ByNumber::default().hash_one(number)).collect();
        let low: HashSet<u64> = hashes.iter().map(|hash| hash & 0xfff).collect();
        let high: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert!(low.len() > 2400 && high.len() == 128, "{} of 4096, {} of 128", low.len(), high.len());
    }
}
