//! What this thread has read not long ago and will most likely read again: long atoms, such as names of Elixir modules, and
//! the origins of pids and references. Whoever meets one of them again shares it. The places are few and a newcomer takes
//! the place of another, so a peer cannot fill a table.

use std::cell::RefCell;

use super::error::Result;
use crate::{Atom, Creation, Origin};

const ATOMS: usize = 32;
const ORIGINS: usize = 4;

struct Origins {
    known: [Option<Origin>; ORIGINS],
    /// The place that a newcomer takes.
    next: usize,
}

thread_local! {
    static RECENT_ATOMS: RefCell<[Option<Atom>; ATOMS]> = const { RefCell::new([const { None }; ATOMS]) };
    static RECENT_ORIGINS: RefCell<Origins> =
        const { RefCell::new(Origins { known: [const { None }; ORIGINS], next: 0 }) };
}

/// The atom with this text, if it is one: UTF-8, and not too long.
pub(super) fn atom(text: &[u8]) -> Option<Atom> {
    let make = || Atom::new(std::str::from_utf8(text).ok()?).ok();
    let known = RECENT_ATOMS.try_with(|atoms| {
        let mut atoms = atoms.try_borrow_mut().ok()?;
        let place = atoms.get_mut(place(text))?;
        if place.as_ref().is_none_or(|known| known.as_bytes() != text) {
            *place = Some(make()?);
        }
        place.clone()
    });
    known.ok().flatten().or_else(make)
}

/// Names that are read together differ in their length or their end.
fn place(text: &[u8]) -> usize {
    let end = text.last_chunk().map_or(0, |end| u32::from_le_bytes(*end));
    let mixed = (end ^ text.len() as u32).wrapping_mul(0x9e37_79b1);
    (mixed >> 16) as usize % ATOMS
}

/// The origin with this node and creation; `node` makes the node's name if it has to be made.
pub(super) fn origin(text: &[u8], creation: Creation, node: impl Fn() -> Result<Atom>) -> Result<Origin> {
    let is_wanted = |known: &&Origin| known.creation() == creation && known.node().as_bytes() == text;
    let known = RECENT_ORIGINS.try_with(|origins| {
        let mut origins = origins.try_borrow_mut().ok()?;
        if let Some(origin) = origins.known.iter().flatten().find(is_wanted) {
            return Some(Ok(origin.clone()));
        }
        let origin = node().map(|node| Origin::new(node, creation));
        if let Ok(origin) = &origin {
            let next = origins.next;
            origins.known[next] = Some(origin.clone());
            origins.next = (next + 1) % ORIGINS;
        }
        Some(origin)
    });
    // While the thread ends its memory may be gone already.
    known.ok().flatten().unwrap_or_else(|| node().map(|node| Origin::new(node, creation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_shared() {
        let name = b"Elixir.A.Module.With.A.Long.Name";
        let (one, two) = (atom(name).expect("an atom"), atom(name).expect("an atom"));
        assert_eq!(one.as_str().as_ptr(), two.as_str().as_ptr());
        assert_eq!(atom(&[0xff; 40]), None);
        assert_eq!(atom(&[b'a'; 256]), None);
    }

    #[test]
    fn origins_differ_by_node_and_creation() {
        let make = |text: &str, number| {
            origin(text.as_bytes(), Creation::new(number), || Ok(Atom::new(text).expect("short"))).expect("made")
        };
        for round in 0..3 {
            for number in 0..10 {
                for node in ["a@host", "b@host"] {
                    let origin = make(node, number);
                    assert_eq!((origin.node().as_str(), origin.creation().get()), (node, number), "{round}");
                }
            }
        }
    }
}
