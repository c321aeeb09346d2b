//! Whether a map's keys are distinct, which the format demands and a stranger may not keep to. The answer takes time in
//! proportion to the keys, however they were chosen, or comes from their order.

use crate::Term;

/// Up to so many keys are compared with each other.
const FEW: usize = 6;
/// Up to so many keys the table is on the stack.
const SOME: usize = 64;

/// Whether no key stands twice; `None` where only their order tells.
#[inline]
pub(crate) fn are_distinct(pairs: &[[Term; 2]]) -> Option<bool> {
    match pairs.len() {
        0 | 1 => Some(true),
        _ if !pairs.iter().all(|[key, _]| has_fingerprint(key)) => None,
        length if length <= FEW => Some(pairwise(pairs)),
        length if length <= SOME => by_table(pairs, &mut [0; 2 * SOME]),
        length => by_table(pairs, &mut vec![0; (2 * length).next_power_of_two()]),
    }
}

fn pairwise(pairs: &[[Term; 2]]) -> bool {
    pairs.iter().enumerate().all(|(place, [key, _])| pairs[..place].iter().all(|[other, _]| other != key))
}

/// By a quick hash in a table with room for twice the keys, a power of two. A stranger can foresee that hash: `None` when
/// the keys collide more often than chance would have it.
fn by_table(pairs: &[[Term; 2]], table: &mut [u64]) -> Option<bool> {
    let mask = table.len() - 1;
    let mut patience = 8 * pairs.len();
    for (index, [key, _]) in pairs.iter().enumerate() {
        let hash = fingerprint(key)?;
        // The upper half of the hash, and the key's place counted from 1: 0 is a free slot.
        let entry = (hash & !0xffff_ffff) | (index as u64 + 1);
        let mut slot = hash as usize & mask;
        loop {
            let found = table[slot & mask];
            if found == 0 {
                table[slot & mask] = entry;
                break;
            }
            if found >> 32 == entry >> 32
                && pairs.get((found as u32) as usize - 1).is_some_and(|[other, _]| other == key)
            {
                return Some(false);
            }
            patience = patience.checked_sub(1)?;
            slot += 1;
        }
    }
    Some(true)
}

#[inline]
fn has_fingerprint(key: &Term) -> bool {
    matches!(key, Term::Integer(_) | Term::Atom(_) | Term::Binary(_) | Term::Float(_))
}

/// A quick hash of a key of the kinds that most keys are of.
fn fingerprint(key: &Term) -> Option<u64> {
    match key {
        Term::Integer(number) => Some(mixed(*number as u64)),
        Term::Atom(atom) => Some(of_bytes(atom.as_bytes())),
        Term::Binary(bytes) => Some(of_bytes(bytes)),
        Term::Float(number) => Some(mixed(number.to_bits())),
        _ => None,
    }
}

fn mixed(word: u64) -> u64 {
    let product = word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

fn of_bytes(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| mixed(hash ^ u64::from_le_bytes(*word)));
    let mut end = [0; 8];
    let rest = &bytes[words.len() * 8..];
    end[..rest.len()].copy_from_slice(rest);
    mixed(hash ^ u64::from_le_bytes(end))
}

#[cfg(test)]
mod tests {
    use super::by_table;
    use crate::Term;
    use crate::{Atom, Map, atom};

    fn are_distinct(pairs: &[[Term; 2]]) -> bool {
        let verdict = super::are_distinct(pairs);
        let map = Map::of_distinct(pairs.as_flattened().into());
        assert!(verdict.is_none_or(|verdict| verdict == map.is_ok()));
        map.is_ok()
    }

    fn pairs(keys: impl IntoIterator<Item = Term>) -> Vec<[Term; 2]> {
        keys.into_iter().map(|key| [key, Term::nil()]).collect()
    }

    fn key(number: usize) -> Term {
        match number % 4 {
            0 => Term::Integer(number as i64),
            1 => Term::Float(number as f64),
            2 => Term::Atom(Atom::new(&format!("key_{number}")).expect("short")),
            _ => format!("a longer key, as a binary: {number}").into(),
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_size() {
        for size in [1, 2, 6, 7, 31, 64, 65, 1000, 5000] {
            let mut all = pairs((0..size).map(key));
            assert!(are_distinct(&all), "{size}");
            for place in [0, size / 2, size - 1] {
                all.push([key(place), Term::nil()]);
                assert!(!are_distinct(&all), "{size}, {place}");
                all.swap_remove(0);
                assert_eq!(are_distinct(&all), place == 0, "{size}, {place}");
                all.truncate(0);
                all.extend(pairs((0..size).map(key)));
            }
            all.push([Term::tuple([atom("a").into()]), Term::nil()]);
            assert!(are_distinct(&all), "{size} and one that holds others");
            all.push([key(0), Term::nil()]);
            assert!(!are_distinct(&all), "{size} and one that holds others");
        }
    }

    #[test]
    fn numbers_of_two_kinds_are_two_keys() {
        assert!(are_distinct(&pairs([1.into(), 1.0.into()])));
        assert!(are_distinct(&pairs([0.0.into(), (-0.0).into()])));
    }

    #[test]
    fn keys_that_collide_are_put_in_order() {
        // Numbers whose hashes end in the same bits.
        let inverse = 0x9e37_79b9_7f4a_7c15_u64;
        let inverse =
            (0..6).fold(inverse, |known, _| known.wrapping_mul(2_u64.wrapping_sub(inverse.wrapping_mul(known))));
        let colliding = (0..2000_u64).map(|number| {
            let (upper, lower) = (number, number);
            Term::Integer((upper << 32 | lower).wrapping_mul(inverse) as i64)
        });
        let all = pairs(colliding);
        let mut table = vec![0; 4096];
        assert_eq!(by_table(&all, &mut table), None);
        assert!(are_distinct(&all));
    }
}
