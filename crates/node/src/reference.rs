//! Fresh pids and references of this incarnation of the node.

use std::sync::atomic::{AtomicU64, Ordering};

use beamline_term::{Origin, Pid, Reference};

/// Numbers what this node makes.
pub(crate) struct Numbers {
    origin: Origin,
    process: AtomicU64,
    reference: AtomicU64,
    salt: u32,
}

impl Numbers {
    pub(crate) fn new(origin: Origin) -> Numbers {
        Numbers { origin, process: AtomicU64::new(1), reference: AtomicU64::new(1), salt: rand::random() }
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn pid(&self) -> Pid {
        let number = self.process.fetch_add(1, Ordering::Relaxed);
        Pid::at(&self.origin, number as u32, (number >> 32) as u32)
    }

    /// A reference and the number by which it is found again.
    pub(crate) fn reference(&self) -> (Reference, u64) {
        let number = self.reference.fetch_add(1, Ordering::Relaxed);
        // The first word of a reference has 18 bits on nodes of the older kind.
        let words = [(number & 0x3_ffff) as u32, (number >> 18) as u32, self.salt];
        match Reference::at(&self.origin, &words) {
            Ok(reference) => (reference, number),
            Err(_) => unreachable!("three words are within bounds"),
        }
    }

    /// The number of a reference that this incarnation made.
    pub(crate) fn number_of(&self, reference: &Reference) -> Option<u64> {
        match reference.words() {
            [low, high, salt] if *salt == self.salt && *reference.origin() == self.origin => {
                Some(u64::from(*low) | u64::from(*high) << 18)
            }
            _ => None,
        }
    }

    /// The number of a pid that this incarnation made.
    pub(crate) fn number_of_pid(&self, pid: &Pid) -> Option<u64> {
        (*pid.origin() == self.origin).then(|| u64::from(pid.id()) | u64::from(pid.serial()) << 32)
    }
}
