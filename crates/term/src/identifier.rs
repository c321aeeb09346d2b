//! Pids, ports and references: names of things that live on one incarnation of one node.

mod text;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::Atom;
pub use text::IdentifierError;
pub(crate) use text::NodeText;

/// Tells one start of a node from the next: a pid of an older creation is dead for ever.
///
/// 32 bits; 0 is not used by running nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Creation(u32);

impl Creation {
    /// The creation with this number.
    pub const fn new(number: u32) -> Creation {
        Creation(number)
    }

    /// Its number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Creation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A node's name and creation, shared by all identifiers of that incarnation.
#[derive(Clone)]
pub struct Origin(Arc<(Atom, Creation)>);

impl Origin {
    /// The incarnation `creation` of the node `node`.
    pub fn new(node: Atom, creation: Creation) -> Origin {
        Origin(Arc::new((node, creation)))
    }

    /// The node's name.
    pub fn node(&self) -> &Atom {
        &self.0.0
    }

    /// Its creation.
    pub fn creation(&self) -> Creation {
        self.0.1
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Origin) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Origin {}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Origin) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Origin {
    fn cmp(&self, other: &Origin) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// A process identifier. Ordered as Erlang orders them: by number and serial before the node.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pid {
    id: u32,
    serial: u32,
    origin: Origin,
}

impl Pid {
    /// The process `id`, `serial` of a node's incarnation.
    pub fn new(node: Atom, id: u32, serial: u32, creation: Creation) -> Pid {
        Pid::at(&Origin::new(node, creation), id, serial)
    }

    /// As [`Pid::new`], sharing the origin.
    pub fn at(origin: &Origin, id: u32, serial: u32) -> Pid {
        Pid::of(origin.clone(), id, serial)
    }

    pub(crate) fn of(origin: Origin, id: u32, serial: u32) -> Pid {
        Pid { id, serial, origin }
    }

    /// The node where the process lives.
    pub fn node(&self) -> &Atom {
        self.origin.node()
    }

    /// The lower part of its number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The upper part of its number.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// The creation of its node.
    pub fn creation(&self) -> Creation {
        self.origin.creation()
    }

    /// Node and creation together.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl PartialOrd for Pid {
    fn partial_cmp(&self, other: &Pid) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pid {
    fn cmp(&self, other: &Pid) -> std::cmp::Ordering {
        (self.serial, self.id, &self.origin).cmp(&(other.serial, other.id, &other.origin))
    }
}

/// A port identifier.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    id: u64,
    origin: Origin,
}

impl Port {
    /// The port `id` of a node's incarnation.
    pub fn at(origin: &Origin, id: u64) -> Port {
        Port { id, origin: origin.clone() }
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Node and creation.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// A unique reference; also the address of a process alias.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reference(Words);

/// References of up to three words, which are almost all, are stored in place.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Words {
    Few { words: [u32; 3], length: u8, origin: Origin },
    Many(Arc<ManyWords>),
}

#[derive(PartialEq, Eq, Hash)]
struct ManyWords {
    words: [u32; Reference::MAX_WORDS],
    length: u8,
    origin: Origin,
}

const _: () = assert!(size_of::<Reference>() <= 24, "a reference leaves room for a term's tag");

/// A reference has at most 5 words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a reference has at most 5 words, not {0}")]
pub struct ReferenceError(pub usize);

impl Reference {
    /// How many words a reference can have.
    pub const MAX_WORDS: usize = 5;

    /// The reference with these words on a node's incarnation. A node makes them of three or five; Erlang also reads one of
    /// none.
    ///
    /// # Errors
    /// There are more than five.
    pub fn at(origin: &Origin, words: &[u32]) -> Result<Reference, ReferenceError> {
        let (length, origin) = (words.len() as u8, origin.clone());
        if let Some(words) = padded(words) {
            return Ok(Reference(Words::Few { words, length, origin }));
        }
        match padded(words) {
            Some(words) => Ok(Reference(Words::Many(Arc::new(ManyWords { words, length, origin })))),
            None => Err(ReferenceError(words.len())),
        }
    }

    #[inline]
    pub(crate) fn of_three(origin: Origin, words: [u32; 3]) -> Reference {
        Reference(Words::Few { words, length: 3, origin })
    }

    /// Its words, as they stand on the wire.
    pub fn words(&self) -> &[u32] {
        let (words, length): (&[u32], u8) = match &self.0 {
            Words::Few { words, length, .. } => (words, *length),
            Words::Many(many) => (&many.words, many.length),
        };
        words.get(..usize::from(length)).unwrap_or_default()
    }

    /// The node that made it.
    pub fn node(&self) -> &Atom {
        self.origin().node()
    }

    /// The creation of that node.
    pub fn creation(&self) -> Creation {
        self.origin().creation()
    }

    /// Node and creation.
    pub fn origin(&self) -> &Origin {
        match &self.0 {
            Words::Few { origin, .. } => origin,
            Words::Many(many) => &many.origin,
        }
    }
}

impl PartialOrd for Reference {
    fn partial_cmp(&self, other: &Reference) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reference {
    fn cmp(&self, other: &Reference) -> std::cmp::Ordering {
        // A word that is not there counts as 0.
        let all = |words| padded::<{ Reference::MAX_WORDS }>(words);
        let (one, two) = (self.words(), other.words());
        (all(one), one.len(), self.origin()).cmp(&(all(two), two.len(), other.origin()))
    }
}

/// These words with zeros behind them, if they are no more than `N`.
fn padded<const N: usize>(words: &[u32]) -> Option<[u32; N]> {
    let mut all = [0; N];
    all.get_mut(..words.len())?.copy_from_slice(words);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atom;

    #[test]
    fn references_are_ordered_by_their_words_wherever_those_are_stored() {
        let origin = Origin::new(atom("a@host"), Creation::new(1));
        let reference = |words: &[u32]| Reference::at(&origin, words).expect("few");
        let sorted = [&[][..], &[0], &[1], &[1, 0, 0], &[1, 0, 0, 0, 0], &[1, 0, 0, 0, 1], &[1, 0, 1], &[2, 0, 0, 0]];
        for pair in sorted.windows(2) {
            assert!(reference(pair[0]) < reference(pair[1]), "{pair:?}");
        }
        for words in sorted {
            assert!(reference(words) == reference(words) && reference(words).words() == words);
        }
        assert_eq!(Reference::at(&origin, &[0; 6]), Err(ReferenceError(6)));
    }
}
